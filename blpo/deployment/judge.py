"""The judge of a run, at work on new images."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from blpo.data.image_sources import file_sample
from blpo.deployment.in_order import in_order
from blpo.deployment.judge_identity import JudgeIdentity
from blpo.deployment.verdict_lines import JudgedSample, Usage
from blpo.inference.confidence import Confidence, confidence_of
from blpo.inference.open_models import OpenModels, open_models
from blpo.inference.verdicts import Judgement, judgement_of
from blpo.models.catalogue import facts
from blpo.runs.judge_file import JudgeFile, read_judge_file
from state.errors import DataError
from state.image_names import image_names
from state.response import Response
from state.result import RoleUsage
from state.sample import Sample
from state.verdict import Verdict


class Judge:
    """The judge prompt and the model of a run."""

    def __init__(self, file: JudgeFile, run: Path | None = None) -> None:
        self.file = file
        self.run = run
        """Directory of the judge's run; None: not known."""

    async def __call__(self, images: Iterable[str | Path | Sample]) -> list[Verdict]:
        """Judge files, or samples with texts; return one verdict per image, in order.

        A failure is a verdict without a label, also for an unreadable image.
        """
        samples = (image if isinstance(image, Sample) else file_sample(Path(image)) for image in images)
        return [verdict async for verdict in self.verdicts(samples)]

    async def verdicts(self, samples: Iterable[Sample]) -> AsyncIterator[Verdict]:
        """Yield the verdicts of samples in order, `max_concurrency` at a time; a thread reads the samples.

        Memory does not grow with the number of samples.
        """
        async with self.open() as judging, aclosing(judging.judged(samples)) as stream:
            async for item in stream:
                yield item.verdict

    @asynccontextmanager
    async def open(self, store: Path | None = None) -> AsyncIterator["Judging"]:
        """Open the judge over a response store: answers in the store cost nothing. None: a temporary store."""
        examples = tuple(example.example() for example in self.file.examples)
        async with open_models(self.file.settings, store, examples) as models:
            yield Judging(self.file, models)


class Judging:
    """An open judge. Made by `Judge.open`."""

    def __init__(self, file: JudgeFile, models: OpenModels) -> None:
        self._file = file
        self._judge_prompt = file.judge_prompt
        self._models = models
        self.mark: Callable[[JudgedSample], JudgedSample] = unmarked
        """Puts the calibrated confidence into a sample with a new verdict."""

    async def judged(self, items: Iterable[Sample | JudgedSample]) -> AsyncGenerator[JudgedSample]:
        """Judge samples in order; samples judged before keep place and verdict.

        Raises `ModelError` if no request can succeed, `StoreError`, and the errors of the iteration.
        """
        async with aclosing(in_order(self._judged, items, self._models.width("judge"))) as stream:
            async for item in stream:
                yield item

    async def usage(self) -> RoleUsage:
        """Return the counts of the store, over all resumes."""
        return (await self._models.caller.usage())["judge"]

    async def _judged(self, item: Sample | JudgedSample) -> JudgedSample:
        if isinstance(item, JudgedSample):
            return item
        confidence = Confidence()
        try:
            judgement = await self._judgement(item)
            confidence = await self._confidence(item, judgement.verdict)
        except DataError as error:
            judgement = Judgement(Verdict(item.id, "error", None, str(error)), ())
        identity = JudgeIdentity.of(self._file, (reply.model_version for reply in judgement.replies))
        usage = self._usage((*judgement.replies, *confidence.replies))
        verdict = replace(judgement.verdict, scores=confidence.scores or judgement.verdict.scores)
        return self.mark(JudgedSample(item, verdict, usage, identity, confidence.value))

    async def _judgement(self, sample: Sample) -> Judgement:
        return await judgement_of(self._models, self._judge_prompt, self._named(sample))

    def _named(self, sample: Sample) -> Sample:
        """Return the sample with the names of the judge's images; raises `DataError` for images that don't fit."""
        names, most = self._file.image_names, facts(self._file.model).max_images.value
        if names is None:
            return replace(sample, image_names=())
        if most is not None and len(sample.all_images) > most:
            raise DataError(
                f"{sample.id}: has {len(sample.all_images)} images, and the judge's model takes {most} a request"
                " (max_images of the model)"
            )
        try:
            return replace(sample, image_names=image_names(len(sample.images), names))
        except ValueError as error:
            raise DataError(f"{sample.id}: {error}") from None

    async def _confidence(self, sample: Sample, verdict: Verdict) -> Confidence:
        return await confidence_of(self._models, self._judge_prompt, self._named(sample), verdict)

    def _usage(self, replies: Sequence[Response]) -> Usage:
        costs = [self._models.caller.usd("judge", reply) for reply in replies]
        return Usage(
            input_tokens=sum(reply.input_tokens for reply in replies),
            output_tokens=sum(reply.output_tokens for reply in replies),
            usd=None if None in costs else float(sum(cost or 0.0 for cost in costs)),
        )


def unmarked(item: JudgedSample) -> JudgedSample:
    """Return the sample with the confidence as the model tells it."""
    return item


def load_judge(path: str | Path) -> Judge:
    """Read a judge.yaml, or the judge.yaml of a run directory; raises `ConfigError`."""
    folder = Path(path) if Path(path).is_dir() else Path(path).parent
    return Judge(read_judge_file(Path(path)), folder if (folder / "run.json").is_file() else None)
