"""verbalize: g(x; q). Put the images of the batch into words by the I2T prompt on trial.

The words serve only to update prompts; the judge never sees them. They go to the response store, where critique_judge
and critique_i2t read them again at no cost.
"""

from langgraph.runtime import Runtime

from blpo.inference.descriptions import describe_samples
from blpo.inference.open_run import run_of
from blpo.inference.progress import counter, send_phase
from state.loops import InnerState
from state.settings import Settings


async def verbalize(state: InnerState, runtime: Runtime[Settings]) -> InnerState:
    """Describe I_B and the anchors by q; nothing to do where the optimizer gave no q."""
    q = state["i2t_prompt"]
    if q is None:
        return {}
    async with run_of(runtime) as run:
        step = len(state.get("trials", []))
        await send_phase(runtime, run, state, "verbalize", step)
        samples = run.samples([*(state["errors"] or []), *state["anchors"]])
        await describe_samples(run, q, samples, counter(runtime, run, state, len(samples)))
    return {}
