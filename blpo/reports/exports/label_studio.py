"""Disagreements of judge and people as a Label Studio project, for a second look of people.

tasks.json holds a task per sample: the images as data (no server is needed), the label of people, and the verdict of
the judge as a prediction. config.xml is the labeling interface. `blpo disagreements RUN --correct FILE` reads the JSON
export of the project.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree as Xml

from PIL import Image

from blpo.data.images import encode_stored_file
from blpo.data.run_dataset import dataset_of
from blpo.reports.disagreements import Disagreement, disagreements
from blpo.runs.run_record import RunRecord
from blpo.storage.whole_files import whole_file, write_whole
from state.errors import ConfigError, DataError
from state.sample import ImageSource, Label, Sample
from state.settings import TaskSettings

LONGEST_SIDE = 1024
"""Pixels: larger images are scaled down."""
MOST_CHOICES = 20
"""On a longer scale people type a number."""

_LARGE = 400_000
"""Bytes: a larger file is written as JPEG of quality 95 instead."""
_NO_IMAGE = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
"""A transparent image, in place of an image that a sample with fewer images lacks."""
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML can't hold."""


def write_label_studio(run: Path, folder: Path, overrides: Iterable[str] = (), task: str = "") -> int:
    """Write tasks.json and config.xml into `folder`, the most confident first, and return the number of tasks.

    `overrides` (`data.path=...`) give the place of the dataset; `task` is the one task of a run of several. Raises
    `RunError` for a run without verdicts, `DataError` for a missing dataset, and `ConfigError` for a category that
    Label Studio can't show.
    """
    problems = disagreements(run)
    record = RunRecord.read(run, overrides)
    settings = record.settings
    dataset = dataset_of(settings)
    if dataset.fingerprint != record.info.dataset:
        raise DataError("the dataset is not the one that the run used; --set data.path=PATH says where that is")
    problems = [each for each in problems if dataset.by_id[each.id].task == task]
    samples, scale = [dataset.by_id[each.id] for each in problems], settings.of_task(task).task
    fields = Fields.of(samples)
    interface = labeling_interface(scale, fields)
    maker = TaskMaker(scale, f"blpo {run.resolve().name}", fields)
    tasks = (_second_look(maker, each, sample) for each, sample in zip(problems, samples, strict=True))
    return write_project(folder, interface, tasks)


def write_project(folder: Path, interface: str, tasks: Iterable[dict[str, object]]) -> int:
    """Write config.xml and tasks.json into `folder`, with one task in memory at a time; return the number of tasks."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "config.xml", interface, durable=False)
    count = 0
    with whole_file(folder / "tasks.json", durable=False) as file:
        for count, task in enumerate(tasks, start=1):
            file.write(b"[\n" if count == 1 else b",\n")
            file.write(json.dumps(task).encode())
        file.write(b"\n]\n" if count else b"[]\n")
    return count


@dataclass(frozen=True, slots=True)
class Fields:
    """Names of the images and texts of a task."""

    images: tuple[str, ...] = ("image",)
    """Images of the sample, `image_a` and `image_b` for a pair, `image_1` and so on for several images with one label;
    then `reference` or `before`."""
    texts: tuple[str, ...] = ()
    """`text`, for a pair of texts `text_a` and `text_b`, and `reference_text`."""

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> "Fields":
        """Return the names for samples of one dataset."""
        pair = ("image_a", "image_b") if any(len(each.images) > 1 for each in samples) else ("image",)
        most = max((len(each.image_names) for each in samples), default=0)
        own = tuple(f"image_{place}" for place in range(1, most + 1)) or pair
        context = dict.fromkeys(name for each in samples for name, _ in each.context)
        text = ("text",) if any(each.text for each in samples) else ()
        two_texts = ("text_a", "text_b") if any(each.texts for each in samples) else ()
        reference = ("reference_text",) if any(each.reference_text for each in samples) else ()
        return cls((*own, *context), (*text, *two_texts, *reference))

    def content(self, sample: Sample) -> dict[str, str]:
        """Return the images as data and the texts of a sample by name."""
        two_texts = {f"text_{side}": text for side, text in zip("ab", sample.texts or (), strict=False)}
        texts = {"text": sample.text, **two_texts, "reference_text": sample.reference_text}
        own, context = map(data_url, sample.images), (data_url(source) for _, source in sample.context)
        missing = [_NO_IMAGE] * (len(self.images) - len(sample.all_images))
        images = dict(zip(self.images, (*own, *missing, *context), strict=True))
        return {**images, **{name: texts.get(name) or "(no text)" for name in self.texts}}


def labeling_interface(task: TaskSettings, fields: Fields) -> str:
    """Return the XML of the labeling interface: images, texts, label and verdict, a choice of label, and a note."""
    if unprintable := [label for label in task.labels if _UNPRINTABLE.search(label)]:
        raise ConfigError(f"{unprintable[0]!r}: Label Studio can't show a category with control characters")
    view = Xml.Element("View")
    names = fields.images
    for name in names:
        Xml.SubElement(view, "Image", name=name, value=f"${name}", zoom="true", zoomControl="true")
    for name in [*fields.texts, "told"]:
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


@dataclass(frozen=True, slots=True)
class TaskMaker:
    """Maker of the tasks of one project."""

    settings: TaskSettings
    judge: str
    """Name of the predictions' model."""
    fields: Fields

    def task(
        self,
        sample: Sample,
        note: str,
        facts: Mapping[str, object],
        verdict: Label | None,
        confidence: float | None,
    ) -> dict[str, object]:
        """Return the task of a sample: images, texts, a sentence and facts, and the verdict as a prediction."""
        data = {**self.fields.content(sample), "told": note, **facts}
        predictions = [] if verdict is None else [self._prediction(verdict, confidence, self.fields.images[0])]
        return {"data": data, "predictions": predictions}

    def _prediction(self, verdict: Label, confidence: float | None, image: str) -> dict[str, object]:
        kind = "number" if _is_typed(self.settings) else "choices"
        value = {kind: verdict if kind == "number" else [str(verdict)]}
        label = {"id": "judge", "from_name": "label", "to_name": image, "type": kind, "value": value}
        score = {} if confidence is None else {"score": confidence}
        return {"model_version": self.judge, **score, "result": [label]}


def _second_look(maker: TaskMaker, each: Disagreement, sample: Sample) -> dict[str, object]:
    facts = {
        "sample_id": each.id,
        "split": each.split,
        "human_label": each.label,
        "judge_label": each.answer if each.verdict is None else each.verdict,
        "judge_reason": each.reason,
    }
    note = f"People: {each.label}. Judge: {each.answer}." + (f" {each.reason}" if each.reason else "")
    return maker.task(sample, note, facts, each.verdict, each.confidence)


def data_url(source: ImageSource) -> str:
    """Return the image within `LONGEST_SIDE` as a data URL."""
    file = encode_stored_file(source.read(), source.name, LONGEST_SIDE * LONGEST_SIDE, LONGEST_SIDE)
    if len(file.data) <= _LARGE:
        return file.data_url
    buffer = BytesIO()
    with Image.open(BytesIO(file.data)) as image:
        image.convert("RGB").save(buffer, "JPEG", quality=95, subsampling=0)
    return f"data:image/jpeg;base64,{b64encode(buffer.getvalue()).decode('ascii')}"
