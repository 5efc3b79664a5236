"""verbalize: g(x; q). Put the images of the batch into words by the I2T prompt on trial.

The words serve only to update prompts; the judge never sees them. They go to the response store, where critique_judge
and critique_i2t read them again at no cost.
"""

from langgraph.runtime import Runtime

from blpo.inference.descriptions import describe_samples
from blpo.inference.open_run import run_of
from blpo.inference.progress import counter, report
from state.loops import InnerState
from state.settings import Settings


async def verbalize(state: InnerState, runtime: Runtime[Settings]) -> InnerState:
    """Describe I_B and the anchors by q; nothing to do where the optimizer gave no q."""
    q = state["i2t_prompt"]
    if q is None:
        return {}
    async with run_of(runtime) as run:
        step = len(state.get("trials", []))
        report(runtime, "phase", state, step=step, phase="verbalize", usage=await run.caller.usage())
        samples = run.samples([*(state["errors"] or []), *state["anchors"]])
        await describe_samples(run, q, samples, counter(runtime, state, len(samples), run.budget))
    return {}
