"""A probe of a judge: a change of the question under which a good judge keeps its verdict. No label is needed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from blpo.audit.changed_image import ChangedImage
from state.sample import Sample
from state.settings import TaskSettings


@dataclass(frozen=True, slots=True)
class Question:
    """Changed question about a sample."""

    sample: Sample
    judge_prompt: str | None = None
    """Prompt in place of the judge's own; None: the judge's own."""
    repeat: int = 0
    """Number of the repeat; 0: the question is asked as always."""


@dataclass(frozen=True, slots=True)
class AuditContext:
    """Facts beside the sample that a probe may use."""

    task: TaskSettings
    paraphrase: str | None = None
    """The judge prompt in other words; None without an optimizer."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Probe with one change a sample."""

    name: str
    assumption: str
    """Reason why a good judge keeps its verdict; where it is false, the probe says nothing."""
    changed: Callable[[Sample, AuditContext], Question]
    """Return the changed question."""
    unfit: Callable[[Sample, AuditContext], str | None] = lambda sample, context: None
    """Return the reason why the probe does not fit a sample; None if it fits."""
    expects: Literal["same", "not better"] = "same"
    """Verdict after the change, against the verdict before."""


def with_images(sample: Sample, change: Callable[[bytes], bytes], name: str) -> Sample:
    """Return the sample with all its own images changed; `name` tells the change in ids and messages."""
    images = tuple(ChangedImage(image, change, name) for image in sample.images)
    return replace(sample, id=f"{sample.id} {name}", images=images)


def changed_images(change: Callable[[bytes], bytes], name: str) -> Callable[[Sample, AuditContext], Question]:
    """Return the change of a probe that changes all images of a sample in one way."""
    return lambda sample, context: Question(with_images(sample, change, name))


def with_sentence(sample: Sample, sentence: str, name: str) -> Sample:
    """Return the sample with a sentence after its text, or as its text."""
    text = f"{sample.text} {sentence}" if sample.text else sentence
    return replace(sample, id=f"{sample.id} {name}", text=text)


def top_label(task: TaskSettings) -> str:
    """Return the label that pressure asks for: the highest rating, the positive label, else the first."""
    if task.kind == "ordinal":
        return str(task.max)
    if task.kind == "pairwise":
        return "first"
    return task.positive or task.labels[0]


def has_single_label(sample: Sample, context: AuditContext) -> str | None:
    """Return a reason for pairs and rankings; None for samples with one label."""
    return None if context.task.kind in ("ordinal", "categorical") else "it asks about samples with one label"


def has_text(sample: Sample, context: AuditContext) -> str | None:
    """Return a reason for a sample without a text; None for a sample with a text."""
    return None if sample.text else "the samples have no text"
