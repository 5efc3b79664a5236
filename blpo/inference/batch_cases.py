"""Cases of a batch for the optimizer, read back from the response store."""

from collections.abc import Sequence

from blpo.inference.descriptions import describe_samples
from blpo.inference.open_run import OpenRun
from blpo.inference.question import as_shown
from blpo.inference.verdicts import judge_samples
from blpo.prompts.cases import Case


async def batch_cases(
    run: OpenRun, ids: Sequence[str], i2t_prompts: Sequence[str], judge_prompt: str, candidate: str | None = None
) -> list[Case]:
    """Return a case per id: verdict under p, a description by every q and, with a candidate, the verdict under p'."""
    samples = run.samples(ids)
    verdicts = await judge_samples(run, judge_prompt, samples)
    by_prompt = [await describe_samples(run, q, samples) for q in i2t_prompts]
    after = await judge_samples(run, candidate, samples) if candidate else [None] * len(samples)
    descriptions = zip(*by_prompt, strict=True) if by_prompt else [()] * len(samples)
    views = [as_shown(sample, run.settings, "judge") for sample in samples]
    return [Case(*row) for row in zip(views, verdicts, descriptions, after, strict=True)]
