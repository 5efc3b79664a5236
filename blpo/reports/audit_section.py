"""Section of the report on the audits of a run: rates by probe, and the largest changes as images."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from blpo.audit.all_probes import PROBES
from blpo.audit.pair_probes import SWAP
from blpo.audit.probe import AuditContext, top_label
from blpo.audit.results import AuditResult, ChangedVerdict, ProbeResult
from blpo.audit.run_audits import run_audits
from blpo.data.image_sources import FileImage
from blpo.deployment.judge_identity import JudgeIdentity
from blpo.deployment.verdict_lines import image_places
from blpo.reports.evidence import Evidence
from blpo.reports.named_pictures import Picture, named_pictures
from blpo.reports.thumbnails import THUMBNAIL_BYTES
from blpo.runs.judge_file import read_judge_file
from blpo.runs.run_record import RunRecord
from state.sample import ImageSource, Sample
from state.settings import TaskSettings

MOST_EXAMPLES = 4
"""Examples of a probe on the page."""
_SIDE = 176
"""Longer side of a picture, in pixels."""
_SHARE = 8
"""Share of a page's bytes of pictures for all audits: an eighth."""


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """Rates of a probe; of one that was not run only `off`."""

    name: str
    assumption: str
    off: str
    """Reason why the probe was not run; empty for a probe that was."""
    result: ProbeResult


@dataclass(frozen=True, slots=True)
class ProbeExample:
    """A sample with another verdict after the change, and its images as the judge saw them."""

    change: ChangedVerdict
    images: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class ProbeExamples:
    """The largest changes of a probe."""

    name: str
    flips: int
    items: tuple[ProbeExample, ...]

    @property
    def is_wide(self) -> bool:
        """True if a sample has several images, side by side."""
        return any(len(item.images) > 1 for item in self.items)


@dataclass(frozen=True, slots=True)
class AuditSection:
    """Audit of one task."""

    task: str
    """Name of the task; empty for a run of a single task."""
    result: AuditResult
    sides: str
    """Meaning of up and down."""
    rows: tuple[ProbeRow, ...]
    examples: tuple[ProbeExamples, ...]
    is_stale: bool
    """True if another prompt or model was audited than the run's selected one."""

    @property
    def leans(self) -> list[str]:
        """Names of probes whose changes lean to one side."""
        return [row.name for row in self.rows if row.result.get("biased")]

    @property
    def off(self) -> list[ProbeRow]:
        """Probes that were not run."""
        return [row for row in self.rows if row.off]


def audit_sections(run: RunRecord, evidence: Evidence) -> list[AuditSection]:
    """Return a section for each audit of a run; none without one. Raises `RunError` for a damaged audit."""
    audits = run_audits(run.directory, run.settings.task_names)
    if not audits:
        return []
    judge = JudgeIdentity.of(read_judge_file(run.directory))
    return [_section(name, result, run.settings.of_task(name).task, judge, evidence) for name, result in audits.items()]


def _section(
    name: str, result: AuditResult, task: TaskSettings, judge: JudgeIdentity, evidence: Evidence
) -> AuditSection:
    rows = [
        ProbeRow(probe, content["assumption"], content.get("off", ""), content)
        for probe, content in result["probes"].items()
    ]
    audited = JudgeIdentity.read(result["judge"])
    is_stale = audited is None or (audited.prompt, audited.model) != (judge.prompt, judge.model)
    return AuditSection(
        name, result, _sides(task), tuple(rows), tuple(_examples(rows, task, evidence)), is_stale=is_stale
    )


def _sides(task: TaskSettings) -> str:
    if task.kind == "ordinal":
        return "Up is a change to a higher rating, down to a lower one."
    if task.kind == "categorical":
        return f"Up is a change to the label {top_label(task)}, down a change from it."
    return f"Up ({SWAP}) is the answer “first” in both orders, down the answer “second”."


def _examples(rows: Sequence[ProbeRow], task: TaskSettings, evidence: Evidence) -> Iterator[ProbeExamples]:
    """Yield the examples of each probe with a changed verdict; an example without images has none on the page."""
    by_place = {
        place: image
        for sample in evidence.samples.values()
        for place, image in zip(image_places(sample), sample.images, strict=True)
    }
    for row in rows:
        changes = row.result.get("examples", [])[:MOST_EXAMPLES]
        samples = [_as_asked(row.name, _sample(change, task, evidence, by_place), task) for change in changes]
        numbered = [replace(sample, id=str(place)) for place, sample in enumerate(samples)]
        pictures = named_pictures(numbered, task, _SIDE, THUMBNAIL_BYTES // _SHARE // len(PROBES))
        items = [ProbeExample(change, pictures.get(str(place), ())) for place, change in enumerate(changes)]
        if items:
            yield ProbeExamples(row.name, row.result.get("flips", 0), tuple(items))


def _sample(
    change: ChangedVerdict, task: TaskSettings, evidence: Evidence, by_place: Mapping[str, ImageSource]
) -> Sample:
    """Return the sample of an example: of the run's dataset, else with its images as files."""
    if (entry := evidence.samples.get(change["id"])) is not None:
        return entry
    images = tuple(by_place.get(place) or FileImage(place, place) for place in change["images"])
    return Sample(change["id"], images, None)


def _as_asked(probe: str, sample: Sample, task: TaskSettings) -> Sample:
    """Return the sample with the images that the judge saw after the change."""
    change = PROBES.get(probe)
    return sample if change is None else change.changed(sample, AuditContext(task)).sample
