"""verbalize: g(x; q). Describe the images of the batch by the I2T prompt on trial.

Descriptions serve only to update prompts; the judge never sees a description. The response store keeps the
descriptions, and critique_judge and critique_i2t read the descriptions again at no cost. A pooled trial ends here: the
trial is q with its descriptions.
"""

from langgraph.runtime import Runtime

from blpo.inference.descriptions import describe_samples
from blpo.inference.open_run import run_of
from blpo.inference.progress import counter, send_phase, send_trial
from blpo.inference.rounds import pooled_prompts
from state.loops import InnerState, Trial
from state.settings import Settings


async def verbalize(state: InnerState, runtime: Runtime[Settings]) -> InnerState:
    """Describe the batch by q; do nothing if the optimizer gave no q. Add the trial to H where trials are pooled."""
    q, trials = state["i2t_prompt"], state.get("trials", [])
    async with run_of(runtime) as run:
        if q is not None:
            await send_phase(runtime, run, state, "verbalize", len(trials))
            samples = run.batch(state)
            await describe_samples(run, q, samples, counter(runtime, run, state, len(samples)))
        is_pooled = run.settings.search.trials == "pooled"
    if not is_pooled:
        return {}
    failure = state.get("failure") if q is None else None
    trial = Trial(i2t_prompt=q, judge_prompt=None, score=None, failure=failure)
    send_trial(runtime, state, len(trials), trial)
    last = next(reversed(pooled_prompts([*trials, trial])), None)
    return {"trials": [*trials, trial], "i2t_prompt": last, "failure": None}
