"""verbalize: g(x; q). Describe the images of the batch by the I2T prompt on trial.

Descriptions serve only to update prompts; the judge never sees a description. The response store keeps the
descriptions, and critique_judge and critique_i2t read the descriptions again at no cost.
"""

from langgraph.runtime import Runtime

from blpo.inference.descriptions import describe_samples
from blpo.inference.open_run import run_of
from blpo.inference.progress import counter, send_phase
from state.loops import InnerState
from state.settings import Settings


async def verbalize(state: InnerState, runtime: Runtime[Settings]) -> InnerState:
    """Describe I_B and the anchors by q; do nothing if the optimizer gave no q."""
    q = state["i2t_prompt"]
    if q is None:
        return {}
    async with run_of(runtime) as run:
        step = len(state.get("trials", []))
        await send_phase(runtime, run, state, "verbalize", step)
        samples = run.batch(state)
        await describe_samples(run, q, samples, counter(runtime, run, state, len(samples)))
    return {}
