"""Training examples: the request of the judge about a sample, and the right answer in the reasoning-first form.

A pair is an example in each of its orders. Criteria that are asked at once are one example with all labels.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from blpo.inference.answer_forms import answer_form, asks_once
from blpo.inference.pair_orders import View, orders_of
from blpo.models.messages import Part
from blpo.prompts.pair_words import PLACES
from blpo.training.reward import RightLabel, answer_text
from state.errors import ConfigError
from state.ranking import permutation_of
from state.sample import EncodedImage, Label, Sample
from state.settings import Settings

_SWAPPED = {"a": "b", "b": "a", "tie": "tie"}


@dataclass(frozen=True, slots=True)
class Question:
    """A request to the judge, and the labels that people gave."""

    sample: Sample
    """For criteria that are asked at once: the sample of the first criterion."""
    view: View | None
    """Order of a pair; None for other samples."""
    right: tuple[RightLabel, ...]

    @property
    def id(self) -> str:
        """Id of the sample; of a pair with the order."""
        return self.sample.id if self.view is None else f"{self.sample.id} {self.view}"

    @property
    def task(self) -> str:
        """Name of the task; empty for a single task, and for criteria that are asked at once."""
        return self.sample.task if len(self.right) == 1 else ""

    def is_right(self, answer: Mapping[str, object]) -> bool:
        """Return True for an answer in the reasoning-first form with all labels right."""
        reply = completion_of(answer)
        return all(label.is_read_from(reply) for label in self.right)

    def right_completion(self, reason: str) -> str:
        """Return the right answer. Of equal images in a ranking, the lower number stands first."""
        return completion_of({"reason": reason, **{each.key: _written(each) for each in self.right}})


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A line of the training data."""

    question: Question
    sample_id: str
    """Id of the sample in the export."""
    parts: tuple[Part, ...]
    """Texts and images of the message to the judge, in order."""
    completion: str
    """The right answer in the reasoning-first form."""
    rejected: str | None
    """A wrong answer of the judge to the same question, for preferences."""
    judged_images: tuple[str, ...]
    """SHA-256 of each judged image as sent."""

    @property
    def id(self) -> str:
        """Id of the question in the export; of a pair with the order."""
        return self.sample_id if self.question.view is None else f"{self.sample_id} {self.question.view}"

    @property
    def answer(self) -> str:
        """The right labels with their scales, as JSON."""
        return answer_text(self.question.right)

    @property
    def has_reason(self) -> bool:
        """True if the right answer has a reason."""
        return bool(json.loads(self.completion)["reason"])

    @property
    def images(self) -> list[EncodedImage]:
        """All images of the message, in order."""
        return [part for part in self.parts if isinstance(part, EncodedImage)]


def questions_about(settings: Settings, samples: Sequence[Sample]) -> list[Question]:
    """Return the requests about labelled samples, in order. Raises `ConfigError` for a task that can't be trained."""
    for name in settings.task_names or ("",):
        task = settings.of_task(name).task
        if task.parts is not None or task.order == "apart":
            raise ConfigError(f"task.order: {task.order} judges parts of a sample, and people labelled the whole")
    groups = _by_item(samples) if asks_once(settings) else [[sample] for sample in samples]
    return [question for group in groups for question in _questions(settings, group)]


def completion_of(answer: Mapping[str, object]) -> str:
    """Return an answer as the judge writes it; the reason comes first."""
    return json.dumps(answer, ensure_ascii=False)


def _by_item(samples: Sequence[Sample]) -> Iterable[list[Sample]]:
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.item, []).append(sample)
    return groups.values()


def _questions(settings: Settings, group: Sequence[Sample]) -> list[Question]:
    """Return the questions about an item. An item without a label for every criterion has none."""
    if asks_once(settings):
        if {each.task for each in group} != set(settings.task_names):
            return []
        group = sorted(group, key=lambda each: settings.task_names.index(each.task))
    first = group[0]
    views = orders_of(settings.of_task(first.task).task, first, settings.search.seed)
    return [Question(first, view, tuple(_right(settings, each, view) for each in group)) for view in views]


def _right(settings: Settings, sample: Sample, view: View | None) -> RightLabel:
    """Return a sample's label in the words of the judge's answer."""
    form, task = answer_form(settings, sample), settings.of_task(sample.task).task
    assert sample.label is not None, sample.id
    label: Label = sample.label
    if task.kind == "pairwise":
        label = PLACES[_SWAPPED[str(label)] if view == "ba" else str(label)]
    elif task.answer == "word":
        label = dict(task.scale)[int(label)]
    scale = form.task
    assert scale.kind != "pairwise", scale
    return RightLabel(form.key, label, scale.kind, scale.min, scale.max, scale.labels)


def _written(right: RightLabel) -> object:
    return list(permutation_of(str(right.label))) if right.kind == "ranking" else right.label
