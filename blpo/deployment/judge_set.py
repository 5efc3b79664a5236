"""Judge whole sets of images: inputs, a verdict file that resumes, gates, corrected shares of labels."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from blpo.data.message_text import in_task
from blpo.deployment.checklist_share import ChecklistShare
from blpo.deployment.escalation import Escalation
from blpo.deployment.gates_by_task import gates_by_task
from blpo.deployment.inputs import samples_of, several_refused
from blpo.deployment.judge import Judge, Judging, load_judge, undecided
from blpo.deployment.summary import Summary, joined
from blpo.deployment.table_input import InputColumns
from blpo.deployment.task_inputs import inputs_of_tasks
from blpo.deployment.task_judging import JudgingOptions, TaskJudging
from blpo.deployment.trust import Trust, TrustTarget
from blpo.deployment.verdict_lines import JudgedSample
from blpo.deployment.verdict_sinks import VerdictSink, open_lines
from state.errors import ConfigError, DataError
from state.sample import Sample, SplitName
from state.verdict import Verdict

_DEFAULT = InputColumns()
_NO_OPTIONS = JudgingOptions()


async def judge_set(
    judge: Judge | str | Path,
    inputs: str | Path | Sequence[str | Path],
    *,
    out: str | Path | None = None,
    gates: Iterable[str] = (),
    calibration: str | Path | None = None,
    baseline: str | Path | None = None,
    calibrate_on: str | Path | None = None,
    target_agreement: float | None = None,
    delta: float = 0.05,
    escalate: Judge | str | Path | None = None,
    split: SplitName | None = None,
    columns: InputColumns = _DEFAULT,
    on_verdict: Callable[[Verdict], None] | None = None,
) -> Summary:
    """Judge inputs and return a summary: statuses, usage, agreement with labels, gates, shares of labels.

    `inputs` are images, folders, patterns, datasets, labels files or configs. `out` receives a JSON line per sample;
    the same call after a kill goes on from `out` and pays for nothing twice. `gates` are texts such as `macro_f1>=0.8`,
    for a judge of several tasks `safety:macro_f1>=0.8`.
    `calibration` is a run directory or a file of labelled verdicts of the same judge. `baseline` is a file of lines of
    an earlier judging of the same samples. `calibrate_on` are labelled samples that the search has not seen: they
    calibrate the confidences. With `target_agreement` a verdict is trusted where its confidence shows this agreement
    with people, at a probability of 1 - `delta`. `escalate` is a second judge of the same task: it decides about
    samples whose verdict is not trusted. A failed sample is counted and ends nothing. Raises `BlpoError` before the
    first call for anything that can't be used.
    """
    loaded = judge if isinstance(judge, Judge) else load_judge(judge)
    options = JudgingOptions(
        gates=tuple(gates),
        calibration=calibration,
        baseline=baseline,
        calibrate_on=calibrate_on,
        target=None if target_agreement is None else TrustTarget(target_agreement, delta),
        escalate=load_judge(escalate) if isinstance(escalate, str | Path) else escalate,
        split=split,
        columns=columns,
    )
    work = SetJudging(loaded, [inputs] if isinstance(inputs, str | Path) else inputs, options)
    with open_lines(None if out is None else Path(out), work.judge.file) as sink:
        return await work.run(sink, on_verdict)


class SetJudging:
    """Judging of one set. Reads and checks all options before the first call; raises `BlpoError`.

    A judge of several criteria judges every image by all of them, or by the one that it was loaded for.
    """

    def __init__(self, judge: Judge, inputs: Sequence[str | Path], options: JudgingOptions = _NO_OPTIONS) -> None:
        self.judge = judge
        gates = gates_by_task(options.gates, judge.require_tasks())
        self.works = {name: TaskJudging(judge, name, own, options) for name, own in gates.items()}
        self.inputs = inputs_of_tasks(inputs, self.works)
        self.escalation = _escalation(judge, options)

    @property
    def judged(self) -> int:
        """Samples judged so far."""
        return sum(work.counts.statuses.total() for work in self.works.values())

    async def _learned(self, judging: Judging, sink: VerdictSink) -> dict[str, Trust]:
        """Judge the labelled samples, and return what they tell about the confidences, by task."""
        trusts: dict[str, Trust] = {}
        for name, work in self.works.items():
            if work.trust_samples:
                async with aclosing(judging.judged(work.trust_samples)) as stream:
                    items = [item async for item in stream]
                try:
                    trusts[name] = work.learn(items)
                except DataError as error:
                    raise DataError(in_task(name, str(error))) from None
        fields = {name: trust.fields for name, trust in trusts.items()}
        sink.bind(fields.get("", fields))
        if trusts:
            judging.mark = lambda item: trusts[item.sample.task].mark(item)
        return trusts

    def _samples(self) -> Iterator[Sample]:
        """Yield all samples in order; raises `ConfigError` for several images if the judge labels single images."""
        for sample in samples_of(self.inputs):
            file = self.works[sample.task].file
            is_single = file.images == 1 and file.task.kind in ("ordinal", "categorical")
            if is_single and len(sample.images) > 1:
                raise several_refused(sample.id, len(sample.images))
            yield sample

    @asynccontextmanager
    async def _second(self, sink: VerdictSink) -> AsyncIterator[Escalation | None]:
        """Open the second judge, if there is one."""
        store = sink.second_store(None if self.escalation is None else self.escalation.file)
        if self.escalation is None:
            yield None
        else:
            async with self.escalation.open(store) as second:
                yield second

    def _add(self, item: JudgedSample) -> None:
        self.works[item.sample.task].add(item)
        if self.escalation is not None:
            self.escalation.add(item)

    async def run(self, sink: VerdictSink, on_verdict: Callable[[Verdict], None] | None = None) -> Summary:
        """Judge all samples in order, write a line per sample as soon as its turn comes, and return the summary."""
        share = ChecklistShare(self.judge.file)
        async with self.judge.open(sink.store) as judging, self._second(sink) as second:
            trusts = await self._learned(judging, sink)
            judging.decide = undecided if second is None else second.decide
            items = sink.merge(self._samples())
            async with aclosing(judging.judged(items)) as stream:
                async for item in stream:
                    sink.write(share.add(item))
                    self._add(item)
                    if on_verdict is not None:
                        on_verdict(item.verdict)
            usage = await judging.usage()
            record = None if second is None else await second.record()
        summaries = {name: work.summary(trusts.get(name), usage) for name, work in self.works.items()}
        if record is not None:
            for summary in summaries.values():
                summary["escalation"] = record
        summary = summaries[""] if "" in summaries else joined(summaries, usage)
        if (checklist := share.record()) is not None:
            summary["checklist"] = checklist
        return summary


def _escalation(judge: Judge, options: JudgingOptions) -> Escalation | None:
    """Return the second judge of the options; raises `ConfigError` for options that don't fit."""
    if options.escalate is None:
        return None
    if options.target is None:
        raise ConfigError("--escalate asks about verdicts that are not trusted; give --target-agreement, as in 0.9")
    if options.calibration is not None:
        raise ConfigError("--calibration corrects the errors of one judge; leave out --calibration or --escalate")
    return Escalation(options.escalate, judge)
