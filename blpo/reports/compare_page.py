"""compare.html: several runs on a page."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from blpo.metrics.readings import SIGNIFICANT, strict_reading
from blpo.reports.agreement_rows import agreement_rows
from blpo.reports.charts import validation_chart
from blpo.reports.comparison import Comparison, compare_runs
from blpo.reports.comparison_slices import ceiling_sentences, compared_slices
from blpo.reports.comparison_tasks import compared_tasks
from blpo.reports.differences import word_diff
from blpo.reports.evidence import dataset_samples
from blpo.reports.gallery import is_sensitive, shortened, tasks_of
from blpo.reports.intervals import interval
from blpo.reports.label_source import label_source
from blpo.reports.named_pictures import Picture, most_samples, named_texts, run_pictures
from blpo.reports.page import Render, render_page, write_page
from blpo.reports.run_page import cost
from blpo.reports.slice_rows import CAUTION
from blpo.runs.run_record import RunRecord
from blpo.runs.task_record import TaskRecord
from blpo.runs.verdict_rows import VerdictRow
from blpo.runs.wording import in_groups, metric_name
from state.errors import RunError
from state.sample import Sample

COMPARE = "compare.html"
_MOST_SAMPLES = 200
"""Maximum number of samples on the page."""


async def write_comparison(directories: Sequence[Path], target: Path, task: str | None = None) -> Comparison:
    """Compare runs, or one of their tasks, and write the page to `target`.

    Raises `BlpoError` for incomparable runs and for an unwritable page.
    """
    if len({directory.resolve() for directory in directories}) < 2:
        raise RunError("a comparison needs two different runs at least; give their directories")
    runs = [RunRecord.read(directory) for directory in directories]
    comparison = compare_runs(runs, task)
    write_page(target, await asyncio.to_thread(comparison_page, comparison))
    return comparison


def comparison_page(comparison: Comparison, render: Render = render_page) -> str:
    """Return the page's HTML."""
    entries = comparison.entries
    first = entries[0]
    tested = [entry.against for entry in entries if entry.against]
    low, high = min((a.low for a in tested), default=0.0), max((a.high for a in tested), default=0.0)
    return render(
        "compare.html",
        version=version("blpo"),
        comparison=comparison,
        entries=entries,
        size=in_groups(len(comparison.shared), comparison.groups, "shared test sample"),
        source=label_source(first.run.settings),
        metric=metric_name(comparison.metric),
        headline=comparison_headline(comparison),
        values={entry.name: strict_reading(entry.metrics, comparison.metric) for entry in entries},
        before={entry.name: strict_reading(entry.initial, comparison.metric) for entry in entries},
        places={
            entry.name: interval(a.low, a.difference, a.high, (low, high)) for entry in entries if (a := entry.against)
        },
        costs={entry.name: cost(entry.run.result) for entry in entries},
        rows=agreement_rows([entry.metrics for entry in entries], comparison.metric, first.run.settings.task.positive),
        tasks=compared_tasks(comparison),
        ceilings=ceiling_sentences(comparison),
        slices=compared_slices(comparison),
        slices_caution=CAUTION,
        curves=validation_chart([(entry.name, entry.run) for entry in entries]),
        prompts={
            entry.name: (
                word_diff(_prompt(first.run, "judge_prompt"), _prompt(entry.run, "judge_prompt")),
                word_diff(_prompt(first.run, "i2t_prompt"), _prompt(entry.run, "i2t_prompt")),
            )
            for entry in entries
        },
        **_differing(comparison),
    )


def comparison_headline(comparison: Comparison) -> str:
    """Name the better and worse runs than the first, at the 5 % level."""
    first = comparison.entries[0]
    tested = [(e.against, e.name) for e in comparison.entries[1:] if e.against and e.against.adjusted < SIGNIFICANT]
    better = [name for against, name in tested if against.difference > 0 and against.low > 0]
    worse = [name for against, name in tested if against.difference < 0 and against.high < 0]
    if not better and not worse:
        return f"No difference from {first.name} could be shown"
    parts = [f"better than {first.name}: {', '.join(better)}"] if better else []
    parts += [f"worse than {first.name}: {', '.join(worse)}"] if worse else []
    sentence = "; ".join(parts)
    return sentence[0].upper() + sentence[1:]


@dataclass(frozen=True, slots=True)
class DifferingSample:
    """A sample with different verdicts."""

    id: str
    label: str
    answers: tuple[tuple[str, VerdictRow], ...]
    """Verdicts by run."""
    text: str
    texts: tuple[tuple[str, str], ...]
    """Names and texts of a pair of texts; empty for other samples."""
    images: tuple[Picture, ...]
    label_place: int


def _prompt(run: RunRecord, name: str) -> str:
    rounds = run.result["rounds"]
    prompt: str = rounds[run.result["best_round"]][name] if rounds else ""  # type: ignore[literal-required]
    return prompt


def _samples(run: RunRecord) -> tuple[Mapping[str, Sample], str]:
    """Return the samples by the ids of the run's verdicts, and the reason for missing samples."""
    if not isinstance(run, TaskRecord):
        return dataset_samples(run)
    samples, missing = dataset_samples(run.whole)
    own = (sample for sample in samples.values() if sample.task == run.task)
    return {sample.item: replace(sample, id=sample.item, task="") for sample in own}, missing


def _differing(comparison: Comparison) -> dict[str, object]:
    differing = comparison.differing
    first = comparison.entries[0].run
    samples, missing = _samples(first)
    keys = differing[: most_samples(samples.values(), _MOST_SAMPLES)]
    pictures = run_pictures((samples[key] for key in keys if key in samples), first.settings)
    values = dict.fromkeys(label for task in tasks_of(first.settings) for label in task.values)
    labels = [str(label) for label in values if any(first.best[k].label == label for k in keys)]
    items = [
        DifferingSample(
            id=key,
            label=str(first.best[key].label),
            answers=tuple((entry.name, entry.run.best[key]) for entry in comparison.entries),
            text=shortened(samples[key].text or "") if key in samples else "",
            texts=tuple((n, shortened(t)) for n, t in named_texts(samples[key])) if key in samples else (),
            images=pictures.get(key, ()),
            label_place=labels.index(label) if (label := str(first.best[key].label)) in labels else -1,
        )
        for key in keys
    ]
    return {
        "items": items,
        "is_wide": any(len(item.images) > 1 or item.texts for item in items),
        "differing": len(differing),
        "labels": labels,
        "missing": missing,
        "is_sensitive": is_sensitive(first.settings),
    }
