"""Samples to label next, as a dataset without labels and as a Label Studio project.

The folder holds labels.csv, whose column for labels is empty, and images/ with copies of the images. Once people have
filled in the labels, `data.path` may name the folder. label-studio/ holds the same samples as tasks.
"""

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from blpo.data.image_sources import IMAGE_SUFFIXES
from blpo.data.images import decoded_format
from blpo.deployment.verdict_lines import JudgedSample
from blpo.inference.order_words import order_words
from blpo.reports.exports.label_studio import Fields, TaskMaker, labeling_interface, write_project
from blpo.storage.whole_files import whole_file, write_whole
from state.errors import RunError
from state.sample import ImageSource, Sample
from state.settings import TaskSettings
from state.verdict import Verdict

STUB = "labels.csv"
_TEXT_OF_PAIRS = "question"
"""Column of the text of both, beside `text_a` and `text_b`."""


def require_unlabelled(folder: Path, column: str = "label") -> None:
    """Raise `RunError` if people have begun to fill in the labels of an earlier command, which would be lost."""
    stub = folder / STUB
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder}: is a file; give a folder")
    if not stub.exists():
        return
    try:
        with stub.open(encoding="utf-8", newline="") as file:
            is_begun = any((row.get(column) or "").strip() for row in csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RunError(f"{stub}: can't be read ({error}); give another folder with --out") from None
    if is_begun:
        raise RunError(f"{stub}: people have begun to label; give another folder with --out")


def write_stub(
    folder: Path, items: Sequence[JudgedSample], task: TaskSettings, judge: str, column: str = "label"
) -> None:
    """Write labels.csv, images/ and label-studio/ into `folder`.

    `judge` is the name of the predictions' model, and `column` the empty column for people's labels.
    """
    require_unlabelled(folder, column)
    samples = [item.sample for item in items]
    fields = Fields.of(samples)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    rows = [_row(place, item, fields, folder) for place, item in enumerate(items, start=1)]
    columns = ["id", *fields.images, *_text_columns(fields, samples), column, "verdict", "confidence"]
    with whole_file(folder / STUB, durable=False) as file:
        file.write(_csv(columns, rows).encode())
    maker = TaskMaker(task, judge, fields)
    write_project(
        folder / "label-studio",
        labeling_interface(task, fields),
        (_task(maker, item, row) for item, row in zip(items, rows, strict=True)),
    )


def _answer(verdict: Verdict) -> str:
    """Return the label; `first in both orders` for a pair with different answers; the status of a failure."""
    if verdict.label is not None:
        return str(verdict.label)
    return order_words(verdict.orders) if verdict.status == "ok" else f"no answer ({verdict.status})"


def _csv(columns: Sequence[str], rows: Sequence[dict[str, object]]) -> str:
    stream = StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def _row(place: int, item: JudgedSample, fields: Fields, folder: Path) -> dict[str, object]:
    """Copy the images of a sample into images/, and return the sample's row."""
    sample, verdict = item.sample, item.verdict
    named = [*zip(fields.images, sample.images, strict=False), *sample.context]
    stems = [f"{place:04}" if len(named) == 1 else f"{place:04}-{name}" for name, _ in named]
    files = {name: _copied(source, stem, folder) for (name, source), stem in zip(named, stems, strict=True)}
    return {
        "id": sample.item,
        **files,
        **_texts(sample),
        "verdict": "" if verdict.label is None else verdict.label,
        "confidence": "" if item.confidence is None else round(item.confidence, 4),
    }


def _texts(sample: Sample) -> dict[str, object]:
    if sample.texts is not None:
        sides: dict[str, object] = {f"text_{side}": text for side, text in zip("ab", sample.texts, strict=True)}
        return {**sides, _TEXT_OF_PAIRS: sample.text or ""}
    return {"text": sample.text or "", "reference_text": sample.reference_text or ""}


def _text_columns(fields: Fields, samples: Sequence[Sample]) -> list[str]:
    two = any(sample.texts for sample in samples)
    return [_TEXT_OF_PAIRS if two and name == "text" else name for name in fields.texts]


def _copied(source: ImageSource, stem: str, folder: Path) -> str:
    """Copy an image's bytes as stored, and return the path from `folder`."""
    data = source.read()
    suffix = Path(str(getattr(source, "path", ""))).suffix.lower()
    if suffix not in IMAGE_SUFFIXES:
        suffix = f".{decoded_format(data, source.name).lower()}"
    name = f"images/{stem}{suffix}"
    write_whole(folder / name, data, durable=False)
    return name


def _task(maker: TaskMaker, item: JudgedSample, row: dict[str, object]) -> dict[str, object]:
    verdict = item.verdict
    note = f"Judge: {_answer(verdict)}." + (f" {verdict.reason}" if verdict.reason else "")
    facts = {"sample_id": item.sample.item, "file": row[maker.fields.images[0]], "judge_reason": verdict.reason}
    return maker.task(item.sample, note, facts, verdict.label, item.confidence)
