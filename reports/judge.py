"""The judge that a run leaves behind, at work on new images."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from pathlib import Path

from data.sources import file_sample
from driver.judge_file import JudgeFile, read_judge_file
from nodes.judge import judge_sample
from nodes.session import Session, judging_session
from state.errors import DataError
from state.sample import Sample
from state.verdict import Verdict


class Judge:
    """A judge prompt with its model, as a run left it."""

    def __init__(self, file: JudgeFile) -> None:
        self.file = file

    async def __call__(self, images: Iterable[str | Path | Sample]) -> list[Verdict]:
        """Judge files, or samples with texts; one verdict each, in order.

        A failure, also an image that can't be read, is a verdict with that status.
        """
        samples = [image if isinstance(image, Sample) else file_sample(Path(image)) for image in images]
        return [verdict async for verdict in self.verdicts(samples)]

    async def verdicts(self, samples: Iterable[Sample]) -> AsyncIterator[Verdict]:
        """Judge one sample after the other as they are asked for, `max_concurrency` at a time, in order."""
        async with judging_session(self.file.settings) as session:
            for chunk in _chunks(samples, 4 * self.file.model.max_concurrency):
                judged = await asyncio.gather(*(self._verdict(session, sample) for sample in chunk))
                for verdict in judged:
                    yield verdict

    async def _verdict(self, session: Session, sample: Sample) -> Verdict:
        try:
            return await judge_sample(session, self.file.judge_prompt, sample)
        except DataError as error:
            return Verdict(sample.id, "error", None, str(error))


def load_judge(path: str | Path) -> Judge:
    """Read a judge.yaml, or the one of a run directory; raises `ConfigError`."""
    return Judge(read_judge_file(Path(path)))


def _chunks(samples: Iterable[Sample], size: int) -> Iterable[list[Sample]]:
    remaining = iter(samples)
    while chunk := list(islice(remaining, size)):
        yield chunk
