"""Form of the judge's answer about a sample: the task in words, the schema, and the key of the sample's label.

A run with a single task asks for one label. A run with several tasks names the task at hand. Criteria may be asked for
in one request: the requests of an image's criteria are then equal, so the image is judged once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from blpo.models.verdict_format import LABEL, answer_template, answer_words, criteria_schema, label_form, verdict_schema
from blpo.prompts.delimiters import neutralise
from blpo.prompts.template import render
from state.sample import Sample
from state.settings import Settings, TaskEntry, TaskSettings


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """Form of an answer."""

    task: TaskSettings
    """Scale of the label of the sample's own task."""
    key: str
    """Key of the label in the answer: `label`, or the name of a criterion."""
    schema: dict[str, Any]
    task_note: str
    """Sentences on the task at hand, or on all criteria, with a line break at the end; empty for a single task."""
    words: str
    """The instruction how to answer."""
    missing: str
    """Problem of a reply that holds no label."""


def answer_form(settings: Settings, sample: Sample) -> AnswerForm:
    """Return the form of the judge's answer about a sample of a run."""
    return _form(settings, sample.task, len(sample.images))


def asks_once(settings: Settings) -> bool:
    """Return True if one request asks for all criteria."""
    return bool(settings.criteria) and settings.criteria_calls == "one"


def questions_about(settings: Settings, samples: Sequence[Sample]) -> int:
    """Return the judge requests for `samples` under one prompt, repairs not counted; with a discussion the most."""
    calls = settings.models.calls
    if asks_once(settings):
        return calls * settings.of_task(settings.task_names[0]).task.questions * items(samples)
    return calls * sum(settings.of_task(sample.task).task.questions_of(len(sample.images)) for sample in samples)


def items(samples: Sequence[Sample]) -> int:
    """Return the number of different items: an image under several criteria is one item."""
    return len({sample.item for sample in samples})


def descriptions_about(settings: Settings, samples: Sequence[Sample]) -> int:
    """Return the verbalizer requests for `samples` under one prompt."""
    return items(samples) if settings.criteria else len(samples)


@lru_cache(maxsize=256)
def _form(settings: Settings, name: str, images: int) -> AnswerForm:
    task = settings.of_task(name).task.scale_of(images)
    if asks_once(settings):
        return _form_of_criteria(settings, name, images)
    note = _task_note(settings.entry_of(name)) if name else ""
    missing = f'it is no JSON object whose "label" is {label_form(task)}'
    reason = settings.models.of("judge").reason
    return AnswerForm(task, LABEL, verdict_schema(task, reason), note, answer_words(task, reason), missing)


def _form_of_criteria(settings: Settings, name: str, images: int) -> AnswerForm:
    scales = {each: settings.of_task(each).task.scale_of(images) for each in settings.task_names}
    reason = settings.models.of("judge").reason
    forms = ", ".join(f'"{each}": {label_form(scale)}' for each, scale in scales.items())
    notes = "\n".join(f'- "{entry.name}"{_about(entry)}' for entry in settings.entries)
    return AnswerForm(
        scales[name],
        name,
        criteria_schema(scales, reason),
        f"The criteria, each with a label of its own:\n{notes}\n",
        render(answer_template(name, reason), label_forms=forms),
        f"it is no JSON object with {forms}",
    )


def _task_note(entry: TaskEntry) -> str:
    return f'The task at hand is "{entry.name}"{_about(entry)}.\n'


def _about(entry: TaskEntry) -> str:
    return f": {neutralise(entry.about.rstrip('.'))}" if entry.about else ""
