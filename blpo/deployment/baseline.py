"""Comparison with an earlier judging of the same samples: drift of a served model."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from blpo.deployment.verdict_lines import JudgedSample, VerdictLine, image_of, read_line
from blpo.metrics.drift import AgreementChange, Drift, Flip, drift_of
from state.errors import DataError
from state.sample import Label
from state.settings import TaskSettings
from state.verdict import Verdict


class FlipRecord(TypedDict):
    """Samples whose label changed in the same way."""

    before: Label | None
    """None: no label, also for a pair whose orders had different labels."""
    after: Label | None
    samples: int


class AgreementChangeRecord(TypedDict):
    """Agreement with people at both times, as in `blpo.metrics.drift.AgreementChange`."""

    metric: str
    before: float | None
    after: float | None
    p_value: float
    difference_ci95: list[float]


class DriftRecord(TypedDict):
    """Difference from the baseline."""

    samples: int
    """Samples in both judgings, with no error at either time."""
    unmatched: int
    """Samples of the inputs that the baseline lacks."""
    flips: int
    flips_share: float | None
    flips_ci95: list[float] | None
    changes: list[FlipRecord]
    """Flips by labels, the most frequent first."""
    agreement: AgreementChangeRecord | None
    """None without labels."""
    judges_before: list[dict[str, str]]
    """Identities of the baseline's judge: prompt, model and versions as served. Empty for lines of older versions."""
    judges_after: list[dict[str, str]]


class Baseline:
    """Lines of an earlier judging by id, and the new verdicts on the same samples.

    Reading raises `DataError` for a file that can't be read, a line of another task, and an id with two lines. For a
    judge of several tasks, `name` is the one task, and `scales` are all tasks by name: lines of others are left out.
    """

    def __init__(
        self, file: Path, task: TaskSettings, name: str = "", scales: Mapping[str, TaskSettings] | None = None
    ) -> None:
        self.file = file
        self._task = task
        self._lines = _lines_by_id(file, scales or {"": task}, name)
        self._pairs: list[tuple[Verdict, Verdict, Label | None, str | None]] = []
        self._unmatched = 0
        self._identities: Counter[tuple[bool, tuple[tuple[str, str], ...]]] = Counter()

    def add(self, item: JudgedSample) -> None:
        """Match a new verdict with the old one by id; raises `DataError` if the old image has another name."""
        line = self._lines.get(item.sample.item)
        if line is None:
            self._unmatched += 1
            return
        if _names(line.image) != _names(image_of(item.sample)) or line.texts not in (None, item.sample.texts):
            raise DataError(f"{self.file}: {line.id} is of another image, {line.image}; give lines of the same samples")
        self._pairs.append((line.verdict, item.verdict, item.sample.label, item.sample.group))
        for is_new, judge in ((False, line.judge), (True, item.judge)):
            if judge is not None and (judge.version or "error" not in (line.status, item.verdict.status)):
                self._identities[is_new, tuple(judge.fields.items())] += 1

    def drift(self) -> Drift:
        """Return the drift over the matched samples so far."""
        before, after, labels, groups = zip(*self._pairs, strict=True) if self._pairs else ((), (), (), ())
        return drift_of(before, after, labels, self._task, groups)

    def record(self, drift: Drift) -> DriftRecord:
        """Return plain JSON of the drift."""
        return DriftRecord(
            samples=drift.samples,
            unmatched=self._unmatched,
            flips=drift.flips.total(),
            flips_share=drift.share,
            flips_ci95=None if drift.interval is None else list(drift.interval),
            changes=[_flip_record(flip, count) for flip, count in drift.flips.most_common()],
            agreement=None if drift.agreement is None else _agreement_record(drift.agreement),
            judges_before=self._judges(is_new=False),
            judges_after=self._judges(is_new=True),
        )

    def _judges(self, *, is_new: bool) -> list[dict[str, str]]:
        return [dict(fields) for (new, fields), _ in self._identities.most_common() if new == is_new]


def _lines_by_id(file: Path, scales: Mapping[str, TaskSettings], name: str) -> dict[str, VerdictLine]:
    lines: dict[str, VerdictLine] = {}
    try:
        with file.open(encoding="utf-8") as texts:
            for number, text in enumerate(texts, start=1):
                try:
                    line = read_line(text, scales)
                except ValueError as error:
                    raise DataError(f"{file}:{number}: {error}; give lines of blpo judge, of this task") from None
                if line.task != name:
                    continue
                if line.id in lines:
                    raise DataError(f"{file}:{number}: {line.id} has a second line; give the lines of one judging")
                lines[line.id] = line
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: can't be read ({getattr(error, 'strerror', None) or error})") from None
    if not lines:
        raise DataError(
            f"{file}: has no line{f' of the task {name}' if name else ''}; give the lines of an earlier blpo judge"
        )
    return lines


def _names(images: str | Sequence[str]) -> list[str]:
    """Return the images' names without folders: a set may have moved."""
    return [Path(image).name for image in ([images] if isinstance(images, str) else images)]


def _flip_record(flip: Flip, samples: int) -> FlipRecord:
    return FlipRecord(before=flip[0], after=flip[1], samples=samples)


def _agreement_record(change: AgreementChange) -> AgreementChangeRecord:
    return AgreementChangeRecord(
        metric=change.metric,
        before=change.before,
        after=change.after,
        p_value=change.p_value,
        difference_ci95=list(change.difference_ci95),
    )
