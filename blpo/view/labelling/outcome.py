"""From answers of raters to labels: corrections of a run, ratings for `data.raters`, and a first labels file."""

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from blpo.reports.relabelling import Version, correct
from blpo.storage.whole_files import write_whole
from blpo.view.labelling.answer_log import RaterAnswers
from blpo.view.labelling.label_set import LabelSet
from state.errors import DataError
from state.sample import Label


@dataclass(frozen=True)
class Agreed:
    """Labels by the most raters, and the samples whose raters are split."""

    labels: dict[str, Label] = field(default_factory=dict)
    split: tuple[str, ...] = ()


def agreed(raters: Iterable[RaterAnswers], samples: Iterable[str]) -> Agreed:
    """Return for each known sample the label of most raters. A sample with a tie has no label."""
    by_sample: dict[str, Counter[Label]] = {name: Counter() for name in samples}
    for rater in raters:
        for name, label in rater.labels.items():
            if name in by_sample:
                by_sample[name][label] += 1
    labels: dict[str, Label] = {}
    split: list[str] = []
    for name, counts in by_sample.items():
        first = counts.most_common(2)
        if len(first) == 2 and first[0][1] == first[1][1]:
            split.append(name)
        elif first:
            labels[name] = first[0][0]
    return Agreed(labels, tuple(split))


def save_corrections(run: Path, work: LabelSet) -> Version:
    """Write the agreed labels as the next version of the dataset, as `blpo disagreements --correct`.

    A label that equals people's label is a confirmation. Raises `DataError` without an answer.
    """
    raters = work.log.raters
    labels = agreed(raters, work.samples).labels
    if not labels:
        raise DataError("there is no answer to save, or the raters are split over all of them")
    rows = [(name, label, "yes" if label == work.samples[name].label else "") for name, label in labels.items()]
    file = work.log.folder / "corrections.csv"
    write_whole(file, _csv([("id", "label", "confirmed"), *rows]))
    return correct(run, file, ", ".join(each.rater for each in raters if each.labels))


def save_ratings(work: LabelSet) -> list[Path]:
    """Write all answers as ratings for `data.raters.file`, a file for each task; return the files."""
    files: list[Path] = []
    for task in work.settings.task_names or ("",):
        rows = [
            (work.samples[name].item, each.rater, label)
            for each in work.log.raters
            for name, label in each.labels.items()
            if name in work.samples and work.samples[name].task == task
        ]
        if rows:
            file = work.log.folder / (f"ratings.{len(files)}.csv" if task else "ratings.csv")
            write_whole(file, _csv([("id", "rater", "rating"), *rows]))
            files.append(file)
    if not files:
        raise DataError("there is no answer to save")
    return files


def _csv(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
