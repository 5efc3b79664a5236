"""The samples on which judge and people disagree, as a project of Label Studio in which people look again.

tasks.json holds a task for each, with its images in it (nothing has to be served), what people and the judge said, and
the judge's verdict as a prediction; config.xml is the labeling interface. What comes back is read by `corrections`.
"""

import json
import os
import re
from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree as Xml

from PIL import Image

from data.images import sent_file
from nodes.session import dataset_of
from reports.record import Judged, Run
from state.errors import ConfigError, DataError, RunError
from state.sample import ImageSource, Sample
from state.settings import TaskSettings

MAX_SIDE = 1024
"""Pixels: larger images are scaled down."""
MOST_CHOICES = 20
"""A longer scale is a number to be typed."""

_LARGE = 400_000
"""Bytes: a larger file is written as JPEG of quality 95 instead."""
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What XML can't hold."""


def write_label_studio(run: Run, folder: Path) -> int:
    """Write tasks.json and config.xml into `folder`, and return how many tasks there are.

    Raises `RunError` for a run without verdicts, `DataError` where its dataset is not there any more, and `ConfigError`
    for a category that can't be shown.
    """
    if not run.best:
        raise RunError(f"{run.path} has no verdicts under its last prompt: it was not tested")
    samples = _samples(run)
    wrong = [row for row in run.best.values() if row.status == "ok" and not row.is_right]
    shown = [samples[row.id] for row in wrong]
    pairs = any(len(sample.images) > 1 for sample in shown)
    interface = labeling_interface(run.settings.task, pairs=pairs, texts=any(sample.text for sample in shown))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.xml").write_text(interface, encoding="utf-8")
    draft = folder / "tasks.json.part"
    with draft.open("w", encoding="utf-8") as file:
        for number, task in enumerate(_tasks(run, wrong, samples)):
            file.write("[\n" if number == 0 else ",\n")
            file.write(json.dumps(task))
        file.write("\n]\n" if wrong else "[]\n")
    os.replace(draft, folder / "tasks.json")
    return len(wrong)


def labeling_interface(task: TaskSettings, *, pairs: bool, texts: bool) -> str:
    """The XML of the labeling interface: images, text, what was said of them, a choice of label, and a note."""
    if unprintable := [label for label in task.labels if _UNPRINTABLE.search(label)]:
        raise ConfigError(f"{unprintable[0]!r}: Label Studio can't show a category with control characters")
    view = Xml.Element("View")
    names = ["image_a", "image_b"] if pairs else ["image"]
    for name in names:
        Xml.SubElement(view, "Image", name=name, value=f"${name}", zoom="true", zoomControl="true")
    for name in [*(["text"] if texts else []), "told"]:
        Xml.SubElement(view, "Text", name=name, value=f"${name}")
    asked = {"name": "label", "toName": names[0], "required": "true"}
    if len(task.values) > MOST_CHOICES and task.kind == "ordinal":
        Xml.SubElement(view, "Number", asked, min=str(task.min), max=str(task.max), step="1")
    else:
        choices = Xml.SubElement(view, "Choices", asked, choice="single", showInline="true")
        for value in task.values:
            Xml.SubElement(choices, "Choice", value=str(value))
    Xml.SubElement(
        view, "TextArea", name="note", toName=names[0], placeholder="Why? (optional)", rows="2", maxSubmissions="1"
    )
    Xml.indent(view)
    return Xml.tostring(view, encoding="unicode") + "\n"


def _samples(run: Run) -> dict[str, Sample]:
    dataset = dataset_of(run.settings)
    if dataset.fingerprint != run.info.dataset:
        raise DataError("the dataset is not the one that the run used; --set data.path=PATH says where that is")
    return dict(dataset.by_id)


def _tasks(run: Run, rows: list[Judged], samples: dict[str, Sample]) -> Iterator[dict[str, object]]:
    """A task for each row, in order; one image is in memory at a time."""
    texts = any(samples[row.id].text for row in rows)
    pairs = any(len(samples[row.id].images) > 1 for row in rows)
    names = ["image_a", "image_b"] if pairs else ["image"]
    for row in rows:
        sample = samples[row.id]
        images = dict(zip(names, map(_data_url, sample.images), strict=True))
        told = f"People: {row.label}. Judge: {row.verdict}." + (f" {row.reason}" if row.reason else "")
        yield {
            "data": {
                **images,
                **({"text": sample.text or "(no text)"} if texts else {}),
                "told": told,
                "sample_id": row.id,
                "split": row.split,
                "human_label": row.label,
                "judge_label": row.verdict,
                "judge_reason": row.reason,
            },
            "predictions": [_prediction(run, row, names[0])],
        }


def _prediction(run: Run, row: Judged, image: str) -> dict[str, object]:
    task = run.settings.task
    is_number = len(task.values) > MOST_CHOICES and task.kind == "ordinal"
    value = {"number": row.verdict} if is_number else {"choices": [str(row.verdict)]}
    kind = "number" if is_number else "choices"
    label = {"id": "judge", "from_name": "label", "to_name": image, "type": kind, "value": value}
    return {"model_version": f"blpo {run.path.resolve().name}", "result": [label]}


def _data_url(source: ImageSource) -> str:
    """The image within `MAX_SIDE`, in the text itself."""
    sent = sent_file(source.read(), source.name, MAX_SIDE * MAX_SIDE, MAX_SIDE)
    if len(sent.data) <= _LARGE:
        return str(sent.encoded.data_url)
    buffer = BytesIO()
    with Image.open(BytesIO(sent.data)) as image:
        image.convert("RGB").save(buffer, "JPEG", quality=95, subsampling=0)
    return f"data:image/jpeg;base64,{b64encode(buffer.getvalue()).decode('ascii')}"
