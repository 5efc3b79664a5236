"""The cases of a batch as the optimizer is shown them, read back from the response store."""

from collections.abc import Sequence

from blpo.inference.descriptions import describe_samples
from blpo.inference.session import Session
from blpo.inference.verdicts import judge_samples
from blpo.prompts.cases import Case


async def batch_cases(
    session: Session, ids: Sequence[str], i2t_prompt: str, judge_prompt: str, candidate: str | None = None
) -> list[Case]:
    """One case for each id: verdict under p, description by q and, where there is a candidate, the verdict under it."""
    samples = session.samples(ids)
    verdicts = await judge_samples(session, judge_prompt, samples)
    descriptions = await describe_samples(session, i2t_prompt, samples)
    after = await judge_samples(session, candidate, samples) if candidate else [None] * len(samples)
    return [Case(*row) for row in zip(samples, verdicts, descriptions, after, strict=True)]
