"""Disagreements of judge and people as a Label Studio project, for a second look of people.

tasks.json holds a task per sample: the images as data (no server is needed), the label of people, and the verdict of
the judge as a prediction. config.xml is the labeling interface. `blpo disagreements RUN --correct FILE` reads the JSON
export of the project.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree as Xml

from PIL import Image

from blpo.data.dataset import dataset_of
from blpo.data.images import encode_stored_file
from blpo.reports.disagreements import Disagreement, disagreements
from blpo.runs.run_record import RunRecord
from blpo.storage.whole_files import whole_file, write_whole
from state.errors import ConfigError, DataError
from state.sample import ImageSource, Sample
from state.settings import TaskSettings

LONGEST_SIDE = 1024
"""Pixels: larger images are scaled down."""
MOST_CHOICES = 20
"""On a longer scale people type a number."""

_LARGE = 400_000
"""Bytes: a larger file is written as JPEG of quality 95 instead."""
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML can't hold."""


def write_label_studio(run: Path, folder: Path, overrides: Iterable[str] = ()) -> int:
    """Write tasks.json and config.xml into `folder`, the most confident first, and return the number of tasks.

    `overrides` (`data.path=...`) give the place of the dataset. Raises `RunError` for a run without verdicts,
    `DataError` for a missing dataset, and `ConfigError` for a category that Label Studio can't show.
    """
    problems = disagreements(run)
    record = RunRecord.read(run, overrides)
    settings = record.settings
    dataset = dataset_of(settings)
    if dataset.fingerprint != record.info.dataset:
        raise DataError("the dataset is not the one that the run used; --set data.path=PATH says where that is")
    samples = [dataset.by_id[each.id] for each in problems]
    pairs, texts = any(len(each.images) > 1 for each in samples), any(each.text for each in samples)
    interface = labeling_interface(settings.task, pairs=pairs, texts=texts)
    maker = _Tasks(settings.task, f"blpo {run.resolve().name}", pairs, texts)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "config.xml", interface, durable=False)
    with whole_file(folder / "tasks.json", durable=False) as file:
        for number, (each, sample) in enumerate(zip(problems, samples, strict=True)):  # one image in memory at a time
            file.write(b"[\n" if number == 0 else b",\n")
            file.write(json.dumps(maker.task(each, sample)).encode())
        file.write(b"\n]\n" if problems else b"[]\n")
    return len(problems)


def labeling_interface(task: TaskSettings, *, pairs: bool, texts: bool) -> str:
    """Return the XML of the labeling interface: images, text, label and verdict, a choice of label, and a note."""
    if unprintable := [label for label in task.labels if _UNPRINTABLE.search(label)]:
        raise ConfigError(f"{unprintable[0]!r}: Label Studio can't show a category with control characters")
    view = Xml.Element("View")
    names = _image_names(pairs)
    for name in names:
        Xml.SubElement(view, "Image", name=name, value=f"${name}", zoom="true", zoomControl="true")
    for name in [*(["text"] if texts else []), "told"]:
        Xml.SubElement(view, "Text", name=name, value=f"${name}")
    field = {"name": "label", "toName": names[0], "required": "true"}
    if _is_typed(task):
        Xml.SubElement(view, "Number", field, min=str(task.min), max=str(task.max), step="1")
    else:
        choices = Xml.SubElement(view, "Choices", field, choice="single", showInline="true")
        for value in task.values:
            Xml.SubElement(choices, "Choice", value=str(value))
    Xml.SubElement(
        view, "TextArea", name="note", toName=names[0], placeholder="Why? (optional)", rows="2", maxSubmissions="1"
    )
    Xml.indent(view)
    return Xml.tostring(view, encoding="unicode") + "\n"


def _is_typed(task: TaskSettings) -> bool:
    """Return True if people type the label, because the scale is too long for a choice."""
    return task.kind == "ordinal" and len(task.values) > MOST_CHOICES


def _image_names(pairs: bool) -> list[str]:
    return ["image_a", "image_b"] if pairs else ["image"]


@dataclass(frozen=True, slots=True)
class _Tasks:
    settings: TaskSettings
    judge: str
    """Name of the predictions' model."""
    pairs: bool
    texts: bool

    def task(self, each: Disagreement, sample: Sample) -> dict[str, object]:
        names = _image_names(self.pairs)
        return {
            "data": {
                **dict(zip(names, map(data_url, sample.images), strict=True)),
                **({"text": sample.text or "(no text)"} if self.texts else {}),
                "told": f"People: {each.label}. Judge: {each.answer}." + (f" {each.reason}" if each.reason else ""),
                "sample_id": each.id,
                "split": each.split,
                "human_label": each.label,
                "judge_label": each.answer if each.verdict is None else each.verdict,
                "judge_reason": each.reason,
            },
            "predictions": [] if each.verdict is None else [self._prediction(each, names[0])],
        }

    def _prediction(self, each: Disagreement, image: str) -> dict[str, object]:
        kind = "number" if _is_typed(self.settings) else "choices"
        value = {kind: each.verdict if kind == "number" else [str(each.verdict)]}
        label = {"id": "judge", "from_name": "label", "to_name": image, "type": kind, "value": value}
        score = {} if each.confidence is None else {"score": each.confidence}
        return {"model_version": self.judge, **score, "result": [label]}


def data_url(source: ImageSource) -> str:
    """Return the image within `LONGEST_SIDE` as a data URL."""
    file = encode_stored_file(source.read(), source.name, LONGEST_SIDE * LONGEST_SIDE, LONGEST_SIDE)
    if len(file.data) <= _LARGE:
        return file.data_url
    buffer = BytesIO()
    with Image.open(BytesIO(file.data)) as image:
        image.convert("RGB").save(buffer, "JPEG", quality=95, subsampling=0)
    return f"data:image/jpeg;base64,{b64encode(buffer.getvalue()).decode('ascii')}"
