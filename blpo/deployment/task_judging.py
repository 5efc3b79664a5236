"""One task of a judging: labels, gates, calibrations, counts and the summary."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from blpo.deployment.baseline import Baseline
from blpo.deployment.calibration import read_calibration
from blpo.deployment.confidence_source import require_told
from blpo.deployment.confidence_summary import ConfidenceCounts
from blpo.deployment.input_labels import InputLabels
from blpo.deployment.inputs import Input, inputs_of
from blpo.deployment.judge import Judge, in_task, label_column
from blpo.deployment.summary import Summary, add_drift, no_labels, summarize
from blpo.deployment.table_input import InputColumns
from blpo.deployment.trust import Trust, TrustTarget, learn, require_enough, unit_of
from blpo.deployment.trust_samples import are_of_test, own_calibration, trust_samples
from blpo.deployment.verdict_counts import VerdictCounts
from blpo.deployment.verdict_lines import JudgedSample
from blpo.deployment.vote_counts import VoteCounts
from blpo.metrics.drift_gates import divide_gates
from blpo.metrics.gate import parse_gates
from blpo.runs.judge_file import mark_test_used_up
from state.errors import ConfigError
from state.role_usage import RoleUsage
from state.sample import Sample, SplitName

_DEFAULT = InputColumns()


@dataclass(frozen=True, slots=True)
class JudgingOptions:
    """Options of a judging, as in `judge_set`."""

    gates: Sequence[str] = ()
    calibration: str | Path | None = None
    baseline: str | Path | None = None
    calibrate_on: str | Path | None = None
    target: TrustTarget | None = None
    escalate: Judge | None = None
    split: SplitName | None = None
    columns: InputColumns = _DEFAULT


class TaskJudging:
    """Judging of one task. Reads and checks all options before the first call; raises `BlpoError`."""

    def __init__(self, judge: Judge, name: str, gates: Sequence[str], options: JudgingOptions) -> None:
        self.name = name
        self.file = judge.file.of_task(name)
        task = self.file.task
        self._drift_gates, texts = divide_gates(gates)
        if self._drift_gates and options.baseline is None:
            raise ConfigError(f"gate {self._drift_gates[0]}: needs an earlier judging; give --baseline OLD.jsonl")
        self._gates = [gate for text in texts for gate in parse_gates(text, task)]
        old = options.baseline
        self.baseline = None if old is None else Baseline(Path(old), task, name, judge.file.scales)
        calibration = options.calibration
        self._calibration = None if calibration is None else read_calibration(Path(calibration), judge.file, name)
        self.labels = InputLabels(task, required=bool(self._gates), pair=options.columns.pair, name=name)
        several = self.file.image_names is not None
        self.columns = replace(
            options.columns,
            further=self.file.further_columns or (),
            several=several,
            usual_label=label_column(judge, name),
        )
        self._options = options
        own = None if options.target is None or judge.run is None else own_calibration(judge.run, name)
        self._calibrate_on = str(options.calibrate_on or own or "")
        self.trust_samples = self._labelled(judge)
        self._run_to_mark = judge.run if options.target and are_of_test(self.trust_samples, judge.run) else None
        self.counts = VerdictCounts(task)
        self._votes = VoteCounts(task)
        self.confidences = ConfidenceCounts(task, self.trust_samples)
        self.calibration: Sequence[JudgedSample] = ()
        """Judged samples of the calibration, with the confidences as the model tells them; empty before `learn`."""

    def inputs(self, names: Sequence[str | Path]) -> list[Input]:
        """Return the named inputs with the labels of this task."""
        return inputs_of(list(map(str, names)), self.columns, self.labels, self._options.split)

    def require_labels(self, inputs: Iterable[Input]) -> None:
        """Raise `DataError` for gates without labels."""
        if self._gates and not any(source.may_be_labelled for source in inputs):
            raise no_labels()

    def _labelled(self, judge: Judge) -> list[Sample]:
        """Return the samples to calibrate on; raises `ConfigError` and `DataError` for what can't calibrate."""
        model, task, target = self.file.model, self.file.task, self._options.target
        if not self._calibrate_on:
            if target is not None:
                raise ConfigError("--target-agreement needs labelled samples; give --calibrate-on FILE")
            return []
        if task.kind == "ranking" or model.confidence is None:
            kind = "rankings have" if task.kind == "ranking" else "this judge has"
            raise ConfigError(f"--calibrate-on: {kind} no confidence; give --confidence repeats or words")
        require_told(judge)
        samples = [
            in_task(each, self.name) for each in trust_samples(self._calibrate_on, self.labels, self.columns, judge.run)
        ]
        if target is not None:
            require_enough(len({unit_of(sample) for sample in samples}), self._calibrate_on, target)
        return samples

    def learn(self, items: Sequence[JudgedSample]) -> Trust:
        """Return what the judged labelled samples tell about the confidences.

        A threshold from the test split of the judge's run is noted in the judge.yaml of the run.
        """
        self.calibration = items
        trust = learn(items, self._calibrate_on, self._options.target)
        if self._run_to_mark is not None:
            mark_test_used_up(self._run_to_mark)
        return trust

    def add(self, item: JudgedSample) -> None:
        """Count one judged sample."""
        self.counts.add(item)
        self._votes.add(item.by_first)
        self.confidences.add(item.by_first)
        if self.baseline is not None:
            self.baseline.add(item)

    def summary(self, trust: Trust | None, calls: RoleUsage) -> Summary:
        """Return the summary of this task."""
        summary = summarize(self.counts, self._gates, self._calibration, calls)
        if self.baseline is not None:
            add_drift(summary, self.baseline, self._drift_gates)
        if (votes := self._votes.record()) is not None:
            summary["votes"] = votes
        if (source := self.file.model.confidence) is not None:
            summary["confidence"] = self.confidences.record(source, trust)
        if trust is not None and (guarantee := self.confidences.trust_record(trust)) is not None:
            summary["trust"] = guarantee
            if self._run_to_mark is not None:
                guarantee["test_used_up"] = True
        return summary
