"""The judge of a run, at work on new images."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from blpo.data.image_sources import file_sample
from blpo.data.message_text import did_you_mean
from blpo.deployment.in_order import in_order
from blpo.deployment.judge_identity import JudgeIdentity
from blpo.deployment.verdict_lines import JudgedSample, Usage
from blpo.inference.answer_forms import asks_once
from blpo.inference.confidence import Confidence, confidence_of
from blpo.inference.judgement import Judgement, Reply
from blpo.inference.open_models import OpenModels, open_models
from blpo.inference.verdicts import judgement_of
from blpo.models.catalogue import facts
from blpo.runs.judge_file import JudgeFile, read_judge_file
from state.errors import ConfigError, DataError
from state.image_names import image_names
from state.role_usage import RoleUsage
from state.sample import Sample
from state.verdict import Verdict


class Judge:
    """The judge prompt and the model of a run. A judge of several tasks works on one task, a judge of criteria on all.

    Raises `ConfigError` for a `task` that the judge lacks.
    """

    def __init__(self, file: JudgeFile, run: Path | None = None, task: str | None = None) -> None:
        self.file = file
        self.run = run
        """Directory of the judge's run; None: not known."""
        self.tasks = judged_tasks(file, task)
        """Tasks that an image is judged for: "" for a single task; empty if none of several is named."""

    def require_tasks(self) -> tuple[str, ...]:
        """Return the tasks of every image; raises `ConfigError` if the image's task is not known."""
        if not self.tasks:
            names = ", ".join(self.file.task_names)
            raise ConfigError(f"this judge has several tasks ({names}); name the one of the images: --task NAME")
        return self.tasks

    async def __call__(self, images: Iterable[str | Path | Sample]) -> list[Verdict]:
        """Judge files, or samples with texts; return one verdict per image, in order.

        A judge of several criteria gives one verdict per image and criterion, the criteria of an image in a row. A
        failure is a verdict without a label, also for an unreadable image.
        """
        samples = (image if isinstance(image, Sample) else file_sample(Path(image)) for image in images)
        return [verdict async for verdict in self.verdicts(samples)]

    async def verdicts(self, samples: Iterable[Sample]) -> AsyncIterator[Verdict]:
        """Yield the verdicts of samples in order, `max_concurrency` at a time; a thread reads the samples.

        Memory does not grow with the number of samples. Raises `ConfigError` for an image whose task is not known.
        """
        async with self.open() as judging, aclosing(judging.judged(self._in_tasks(samples))) as stream:
            async for item in stream:
                yield item.verdict

    def _in_tasks(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        for sample in samples:
            names = ("",) if sample.task else self.require_tasks()
            yield from (in_task(sample, name) for name in names)

    @asynccontextmanager
    async def open(self, store: Path | None = None) -> AsyncIterator["Judging"]:
        """Open the judge over a response store: answers in the store cost nothing. None: a temporary store."""
        examples = self.file.labelled_examples
        async with open_models(self.file.settings, store, examples) as models:
            yield Judging(self.file, models, self.tasks[:1])


class Judging:
    """An open judge. Made by `Judge.open`."""

    def __init__(self, file: JudgeFile, models: OpenModels, paying: Sequence[str] = ("",)) -> None:
        self._file = file
        self._paying = paying
        self._judge_prompt = file.judge_prompt
        self._models = models
        self.mark: Callable[[JudgedSample], JudgedSample] = unmarked
        """Puts the calibrated confidence into a sample with a new verdict."""
        self.decide: Callable[[JudgedSample], Awaitable[JudgedSample]] = undecided
        """Asks a second judge where the verdict is not trusted, also where the verdict is of an earlier command."""

    async def judged(self, items: Iterable[Sample | JudgedSample]) -> AsyncGenerator[JudgedSample]:
        """Judge samples in order; samples judged before keep place and verdict.

        Samples for a judge of several tasks name their task. Raises `ModelError` if no request can succeed,
        `StoreError`, and the errors of the iteration.
        """
        async with aclosing(in_order(self._judged, items, self._models.width("judge"))) as stream:
            async for item in stream:
                yield item

    async def usage(self) -> RoleUsage:
        """Return the counts of the store, over all resumes."""
        return (await self._models.caller.usage())["judge"]

    async def _judged(self, item: Sample | JudgedSample) -> JudgedSample:
        return await self.decide(item if isinstance(item, JudgedSample) else self.mark(await self.judge(item)))

    async def judge(self, item: Sample) -> JudgedSample:
        """Judge one sample, whatever other judges say; raises as `judged`."""
        if item.task not in self._file.scales:
            raise ConfigError(f"{item.id}: names no task of the judge ({', '.join(self._file.scales)})")
        confidence = Confidence()
        try:
            judgement = await self._judgement(item)
            confidence = await self._confidence(item, judgement.verdict)
        except DataError as error:
            judgement = Judgement(Verdict(item.id, "error", None, str(error)), ())
        identity = JudgeIdentity.of(self._file, (reply.response.model_version for reply in judgement.replies))
        is_alone = self._file.model.confidence == "words"  # of several criteria each is asked about by itself
        own = confidence.replies if is_alone else ()
        answers = judgement.replies if is_alone else (*judgement.replies, *confidence.replies)
        usage = self._usage(own if self._is_shared(item) else (*answers, *own))
        verdict = replace(judgement.verdict, scores=confidence.scores or judgement.verdict.scores)
        return JudgedSample(item, verdict, usage, identity, confidence.value)

    def _is_shared(self, sample: Sample) -> bool:
        """Return True if the reply is that of another criterion, whose line has the usage."""
        return asks_once(self._models.settings) and sample.task not in self._paying

    async def _judgement(self, sample: Sample) -> Judgement:
        return await judgement_of(self._models, self._judge_prompt, self._named(sample))

    def _named(self, sample: Sample) -> Sample:
        """Return the sample with the names of the judge's images; raises `DataError` for images that don't fit."""
        names, most = self._file.of_task(sample.task).image_names, self._most_images
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

    @property
    def _most_images(self) -> int | None:
        """Most images of a request to any of the judge's models; None without a limit."""
        models = self._models.settings.models
        limits = [facts(models.of(role)).max_images.value for role in models.judge_roles]
        return min((each for each in limits if each is not None), default=None)

    async def _confidence(self, sample: Sample, verdict: Verdict) -> Confidence:
        return await confidence_of(self._models, self._judge_prompt, self._named(sample), verdict)

    def _usage(self, replies: Sequence[Reply]) -> Usage:
        costs = [self._models.caller.usd(reply.role, reply.response) for reply in replies]
        return Usage(
            input_tokens=sum(reply.response.input_tokens for reply in replies),
            output_tokens=sum(reply.response.output_tokens for reply in replies),
            usd=None if None in costs else float(sum(cost or 0.0 for cost in costs)),
        )


def unmarked(item: JudgedSample) -> JudgedSample:
    """Return the sample with the confidence as the model tells it."""
    return item


async def undecided(item: JudgedSample) -> JudgedSample:
    """Return the sample with the verdict of the only judge."""
    return item


def in_task(sample: Sample, name: str) -> Sample:
    """Return the sample as one of the task `name`, with an id of the task; itself for the name "" of a single task."""
    return replace(sample, id=f"{name}/{sample.id}", task=name) if name else sample


def label_column(judge: Judge, name: str) -> str:
    """Return the usual column of people's labels of a task in tables."""
    own = next((task.label for task in judge.file.tasks if task.name == name), None)
    return own or "label"


def judged_tasks(file: JudgeFile, task: str | None) -> tuple[str, ...]:
    """Return the tasks that an image is judged for; raises `ConfigError` for a task that the judge lacks."""
    names = file.task_names
    if task is None:
        return names if file.criteria_calls else () if names else ("",)
    if task in names:
        return (task,)
    if not names:
        raise ConfigError("this judge has a single task without a name; leave out --task")
    hint = did_you_mean(task, names) or "."
    raise ConfigError(f"this judge has no task {task!r}{hint} Its tasks are {', '.join(names)}")


def load_judge(path: str | Path, task: str | None = None) -> Judge:
    """Read a judge.yaml, or the judge.yaml of a run directory; raises `ConfigError`.

    `task` names one of several tasks or criteria. None: all criteria of an image.
    """
    folder = Path(path) if Path(path).is_dir() else Path(path).parent
    return Judge(read_judge_file(Path(path)), folder if (folder / "run.json").is_file() else None, task)
