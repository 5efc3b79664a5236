"""Judge whole sets of images: inputs, a verdict file that resumes, gates, corrected shares of labels."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from blpo.deployment.baseline import Baseline
from blpo.deployment.calibration import read_calibration
from blpo.deployment.confidence_summary import ConfidenceCounts
from blpo.deployment.input_labels import InputLabels
from blpo.deployment.inputs import inputs_of, samples_of, several_refused
from blpo.deployment.judge import Judge, Judging, load_judge
from blpo.deployment.summary import Summary, add_drift, no_labels, summarize
from blpo.deployment.table_input import InputColumns
from blpo.deployment.trust import Trust, TrustTarget, learn, require_enough, unit_of
from blpo.deployment.trust_samples import trust_samples
from blpo.deployment.verdict_counts import VerdictCounts
from blpo.deployment.verdict_sinks import VerdictSink, open_lines
from blpo.metrics.drift_gates import divide_gates
from blpo.metrics.gate import parse_gates
from state.errors import ConfigError
from state.sample import Sample, SplitName
from state.verdict import Verdict

_DEFAULT = InputColumns()


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
    split: SplitName | None = None,
    columns: InputColumns = _DEFAULT,
    on_verdict: Callable[[Verdict], None] | None = None,
) -> Summary:
    """Judge inputs and return a summary: statuses, usage, agreement with labels, gates, shares of labels.

    `inputs` are images, folders, patterns, datasets, labels files or configs. `out` receives a JSON line per sample;
    the same call after a kill goes on from `out` and pays for nothing twice. `gates` are texts such as `macro_f1>=0.8`.
    `calibration` is a run directory or a file of labelled verdicts of the same judge. `baseline` is a file of lines of
    an earlier judging of the same samples. `calibrate_on` are labelled samples that the search has not seen: they
    calibrate the confidences. With `target_agreement` a verdict is trusted where its confidence shows this agreement
    with people, at a probability of 1 - `delta`. A failed sample is counted and ends nothing. Raises `BlpoError` before
    the first call for anything that can't be used.
    """
    work = SetJudging(
        judge if isinstance(judge, Judge) else load_judge(judge),
        [inputs] if isinstance(inputs, str | Path) else inputs,
        gates=gates,
        calibration=calibration,
        baseline=baseline,
        calibrate_on=calibrate_on,
        target=None if target_agreement is None else TrustTarget(target_agreement, delta),
        split=split,
        columns=columns,
    )
    with open_lines(None if out is None else Path(out), work.judge.file) as sink:
        return await work.run(sink, on_verdict)


class SetJudging:
    """Judging of one set. Reads and checks all arguments before the first call; raises `BlpoError`."""

    def __init__(
        self,
        judge: Judge,
        inputs: Sequence[str | Path],
        *,
        gates: Iterable[str] = (),
        calibration: str | Path | None = None,
        baseline: str | Path | None = None,
        calibrate_on: str | Path | None = None,
        target: TrustTarget | None = None,
        split: SplitName | None = None,
        columns: InputColumns = _DEFAULT,
    ) -> None:
        self.judge = judge
        task = judge.file.task
        self._drift_gates, texts = divide_gates(gates)
        if self._drift_gates and baseline is None:
            raise ConfigError(f"gate {self._drift_gates[0]}: needs an earlier judging; give --baseline OLD.jsonl")
        self._gates = [gate for text in texts for gate in parse_gates(text, task)]
        self._baseline = None if baseline is None else Baseline(Path(baseline), task)
        self._calibration = None if calibration is None else read_calibration(Path(calibration), judge.file)
        self.labels = InputLabels(task, required=bool(self._gates), pair=columns.pair)
        several = judge.file.image_names is not None
        columns = replace(columns, further=judge.file.further_columns or (), several=several)
        self.inputs = inputs_of(list(map(str, inputs)), columns, self.labels, split)
        if self._gates and not any(source.may_be_labelled for source in self.inputs):
            raise no_labels()
        self.counts = VerdictCounts(task)
        self._target = target
        self._calibrate_on = "" if calibrate_on is None else str(calibrate_on)
        self._trust_samples = self._labelled(columns)
        self._confidences = ConfidenceCounts(task, self._trust_samples)

    def _labelled(self, columns: InputColumns) -> list[Sample]:
        """Return the samples to calibrate on; raises `ConfigError` and `DataError` for what can't calibrate."""
        judge, task = self.judge.file.model, self.judge.file.task
        if not self._calibrate_on:
            if self._target is not None:
                raise ConfigError("--target-agreement needs labelled samples; give --calibrate-on FILE")
            return []
        if task.kind == "ranking" or judge.confidence is None:
            kind = "rankings have" if task.kind == "ranking" else "this judge has"
            raise ConfigError(f"--calibrate-on: {kind} no confidence; give --confidence repeats or words")
        samples = trust_samples(self._calibrate_on, task, columns, self.judge.run)
        if self._target is not None:
            require_enough(len({unit_of(sample) for sample in samples}), self._calibrate_on, self._target)
        return samples

    async def _learned(self, judging: Judging, sink: VerdictSink) -> Trust | None:
        """Judge the labelled samples, and return what they tell about the confidences."""
        if not self._trust_samples:
            sink.bind({})
            return None
        async with aclosing(judging.judged(self._trust_samples)) as stream:
            items = [item async for item in stream]
        trust = learn(items, self._calibrate_on, self._target)
        sink.bind(trust.fields)
        judging.mark = trust.mark
        return trust

    def _samples(self) -> Iterator[Sample]:
        """Yield all samples in order; raises `ConfigError` for several images if the judge labels single images."""
        is_single = self.judge.file.images == 1 and self.judge.file.task.kind in ("ordinal", "categorical")
        for sample in samples_of(self.inputs):
            if is_single and len(sample.images) > 1:
                raise several_refused(sample.id, len(sample.images))
            yield sample

    async def run(self, sink: VerdictSink, on_verdict: Callable[[Verdict], None] | None = None) -> Summary:
        """Judge all samples in order, write a line per sample as soon as its turn comes, and return the summary."""
        async with self.judge.open(sink.store) as judging:
            trust = await self._learned(judging, sink)
            items = sink.merge(self._samples())
            async with aclosing(judging.judged(items)) as stream:
                async for item in stream:
                    sink.write(item)
                    self.counts.add(item)
                    self._confidences.add(item)
                    if self._baseline is not None:
                        self._baseline.add(item)
                    if on_verdict is not None:
                        on_verdict(item.verdict)
            usage = await judging.usage()
        summary = summarize(self.counts, self._gates, self._calibration, usage)
        if self._baseline is not None:
            add_drift(summary, self._baseline, self._drift_gates)
        if (source := self.judge.file.model.confidence) is not None:
            summary["confidence"] = self._confidences.record(source, trust)
        if trust is not None and (guarantee := self._confidences.trust_record(trust)) is not None:
            summary["trust"] = guarantee
        return summary
