"""A judged sample, and the JSON line that records the sample."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from blpo.deployment.judge_identity import JudgeIdentity
from blpo.runs.verdict_rows import order_fields
from state.ranking import is_ranking_of, permutation_of
from state.sample import Label, Sample
from state.settings import TaskSettings
from state.verdict import OrderedVerdict, Status, Verdict, Vote


@with_config(ConfigDict(extra="forbid"))
class Usage(TypedDict):
    """Tokens and dollars of all replies to one sample, a repair included; zeros without a reply."""

    input_tokens: int
    output_tokens: int
    usd: float | None
    """None if the model's price is unknown."""


@dataclass(frozen=True, slots=True)
class JudgedSample:
    """A sample with its verdict."""

    sample: Sample
    verdict: Verdict
    usage: Usage
    judge: JudgeIdentity | None = None
    """None in lines of versions before 0.2.0."""
    confidence: float | None = None
    """Probability that the verdict is right, in [0, 1], calibrated where a calibration was given. None: not known."""
    trusted: bool | None = None
    """True if the agreement of such verdicts is guaranteed; None without `--target-agreement`."""
    share: float | None = None
    """Aggregate of a checklist, in [0, 1], at the last criterion of an image; None for other samples."""
    first: "JudgedSample | None" = None
    """The sample with the first judge's verdict, which was not trusted: a second judge decided. None: one judge."""

    @property
    def by_first(self) -> "JudgedSample":
        """The sample with the verdict of the first judge."""
        return self.first or self


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """Content of a line, less the facts that follow from the sample."""

    id: str
    image: str | list[str]
    texts: tuple[str, ...] | None
    """Two texts about one image; None for other samples, and in lines of older versions."""
    status: Status
    label: Label | None
    """The judge's label."""
    reason: str
    scores: tuple[tuple[Label, float], ...]
    orders: tuple[OrderedVerdict, ...]
    """Answers about a pair by order; empty for other tasks."""
    usage: Usage
    judge: JudgeIdentity | None
    confidence: float | None
    trusted: bool | None
    task: str = ""
    """Name of the task for a judge of several tasks."""
    first: "VerdictLine | None" = None
    """The first judge's verdict, where a second judge decided."""
    votes: tuple[Vote, ...] = ()
    """Answers behind the verdict, as in a `Verdict`."""

    def is_of(self, sample: Sample) -> bool:
        """Return True if the line is about `sample`."""
        is_same = (self.task, self.id, self.image) == (sample.task, sample.item, image_of(sample))
        return is_same and (self.texts is None or self.texts == sample.texts)

    def judged(self, sample: Sample) -> JudgedSample:
        """Return `sample`, which has the id of this line, with the verdict of this line."""
        first = None if self.first is None else self.first.judged(sample)
        return JudgedSample(sample, self.verdict, self.usage, self.judge, self.confidence, self.trusted, first=first)

    @property
    def verdict(self) -> Verdict:
        """The verdict of this line."""
        name = f"{self.task}/{self.id}" if self.task else self.id
        return Verdict(name, self.status, self.label, self.reason, self.scores, self.orders, self.votes)


_USAGE = TypeAdapter(Usage)
_ORDERS = TypeAdapter(tuple[OrderedVerdict, ...])
_VOTES = TypeAdapter(tuple[Vote, ...])
_TEXTS: TypeAdapter[tuple[str, ...] | None] = TypeAdapter(tuple[str, ...] | None)
_OF_JUDGE = ("status", "verdict", "reason", "scores", "confidence", "orders", "votes", "usage", "judge")
"""Fields that depend on the judge; the others are facts about the sample, and about trust."""


def line_of(item: JudgedSample) -> str:
    """Return the line: id, image, status, verdict, reason, usage, judge, and what else is known.

    `verdict` is null unless the status is ok, and for a pair whose orders have different labels. `label`, the human
    label, `rating`, the same with its fraction, `group` and `scores` are present if known. `texts` has two texts about
    one image, `orders` the answers about a pair, `ranking` the images of a list, best first, `votes` the answers
    behind the verdict of a judge with votes. A judge of several tasks names the `task`, and the id is the image's own.
    Where a second judge decided, `escalated` is true, `first` has the first judge's verdict, and `usage` counts both.
    """
    return json.dumps(_content(item), ensure_ascii=False) + "\n"


def _content(item: JudgedSample) -> dict[str, object]:
    sample, verdict = item.sample, item.verdict
    return {
        "id": sample.item,
        **({"task": sample.task} if sample.task else {}),
        "image": image_of(sample),
        **({} if sample.texts is None else {"texts": sample.texts}),
        "status": verdict.status,
        "verdict": verdict.label,
        "reason": verdict.reason,
        **({} if sample.label is None else {"label": sample.label}),
        **({} if sample.rating is None else {"rating": sample.rating}),
        **({} if sample.group is None else {"group": sample.group}),
        **({"scores": dict(verdict.scores)} if verdict.scores else {}),
        **({} if item.confidence is None else {"confidence": round(item.confidence, 6)}),
        **({} if item.trusted is None else {"trusted": item.trusted}),
        **({} if item.share is None else {"share": round(item.share, 6)}),
        **({} if item.first is None else {"escalated": True, "first": _by_judge(item.first)}),
        **({"ranking": ranked} if (ranked := _images_by_rank(sample, verdict)) else {}),
        **({"orders": list(map(order_fields, verdict.orders))} if verdict.orders else {}),
        **({"votes": [vote.fields for vote in verdict.votes]} if verdict.votes else {}),
        "usage": item.usage,
        **({} if item.judge is None else {"judge": item.judge.fields}),
    }


def _by_judge(item: JudgedSample) -> dict[str, object]:
    return {name: value for name, value in _content(item).items() if name in _OF_JUDGE}


def _images_by_rank(sample: Sample, verdict: Verdict) -> list[str]:
    """Return the images of a ranking, best first; empty for other verdicts."""
    images = image_of(sample)
    if isinstance(images, str) or verdict.orders or not is_ranking_of(verdict.label, len(images)):
        return []
    return [images[place - 1] for place in permutation_of(str(verdict.label))]


def image_of(sample: Sample) -> str | list[str]:
    """Return the image's file or table cell; a list for several images."""
    images = image_places(sample)
    return images[0] if len(images) == 1 else images


def image_places(sample: Sample) -> list[str]:
    """Return the file or table cell of each image."""
    return [str(getattr(image, "path", image.name)) for image in sample.images]


def read_line(text: str, scale: TaskSettings | Mapping[str, TaskSettings]) -> VerdictLine:
    """Read a line of `line_of`; raises `ValueError` for any other text.

    `scale` is the task of the judge, or the tasks of the judge by name.
    """
    try:
        content: Mapping[str, Any] = json.loads(text)
        name = content.get("task", "")
        task = scale if isinstance(scale, TaskSettings) else scale.get(name)
        if task is None:
            raise ValueError(f"its task {name!r} is none of this judge")
        line = _line(content, task)
        if content.get("escalated"):
            of_sample = {name: value for name, value in content.items() if name not in (*_OF_JUDGE, "first")}
            line = replace(line, first=_line({**of_sample, **content["first"]}, task))
        return line
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError, RecursionError, ValidationError) as error:
        raise ValueError("the line was not written by blpo judge") from error


def _line(content: Mapping[str, Any], task: TaskSettings) -> VerdictLine:
    status, label = content["status"], content["verdict"]
    labels: dict[str, Label] = {str(value): value for value in task.values}
    orders = _ORDERS.validate_python(content.get("orders", ()))
    size = len(content["image"]) if isinstance(content["image"], list) else 1
    is_ranking = task.kind == "ranking"
    if not (_is_ranked(status, label, size) if is_ranking else _is_consistent(status, label, orders, task)):
        raise ValueError("its verdict is no label of this judge")
    scores = tuple((labels[name], float(score)) for name, score in content.get("scores", {}).items())
    usage = _USAGE.validate_python(content["usage"], strict=True)
    reason = str(content["reason"])
    texts = _TEXTS.validate_python(content.get("texts"))
    judge = JudgeIdentity.read(content.get("judge"))
    answer = (content["id"], content["image"], texts, status, label, reason, scores, orders, usage, judge)
    votes = _VOTES.validate_python(content.get("votes", ()))
    return VerdictLine(*answer, _confidence(content), _truth(content), content.get("task", ""), votes=votes)


def _confidence(content: Mapping[str, Any]) -> float | None:
    value = content.get("confidence")
    if value is not None and not 0 <= value <= 1:
        raise TypeError("a confidence is a share")
    return value if value is None else float(value)


def _truth(content: Mapping[str, Any]) -> bool | None:
    value = content.get("trusted")
    if value not in (None, True, False):
        raise TypeError("trusted is true or false")
    return value


def _is_ranked(status: str, label: object, images: int) -> bool:
    """Return True if exactly a status ok comes with a ranking of all images."""
    if status != "ok":
        return status in get_args(Status) and label is None
    return is_ranking_of(label, images)


def _is_consistent(status: str, label: object, orders: Sequence[OrderedVerdict], task: TaskSettings) -> bool:
    """Return True if exactly the answers with the status ok have a label of the task.

    A pair has no label if its orders have different labels. A pair has as many orders as the task asks, or none if an
    image can't be read.
    """
    if status == "error":
        return label is None
    answers: list[tuple[str, object]] = [(each.status, each.label) for each in orders] or [(status, label)]
    if any(one not in get_args(Status) or (answer in task.values) != (one == "ok") for one, answer in answers):
        return False
    if task.kind != "pairwise":
        return not orders
    labels = {answer for _, answer in answers}
    agreed = labels.pop() if len(labels) == 1 else None
    return len(orders) == task.questions and label == (agreed if status == "ok" else None)
