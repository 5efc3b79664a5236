"""A judged sample, and the JSON line that records the sample."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from state.sample import Label, Sample
from state.settings import TaskSettings
from state.verdict import Status, Verdict


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


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """Content of a line, less the facts that follow from the sample."""

    id: str
    image: str | list[str]
    status: Status
    label: Label | None
    """The judge's label."""
    reason: str
    scores: tuple[tuple[Label, float], ...]
    usage: Usage

    def judged(self, sample: Sample) -> JudgedSample:
        """Return `sample` with the verdict of this line."""
        verdict = Verdict(sample.id, self.status, self.label, self.reason, self.scores)
        return JudgedSample(sample, verdict, self.usage)


_USAGE = TypeAdapter(Usage)


def line_of(item: JudgedSample) -> str:
    """Return the line with its line end: id, image, status, verdict, reason, label, rating, group, scores, usage.

    `verdict` is null unless the status is ok. `label`, the human label, `rating`, the same with its fraction, `group`
    and `scores` are present if known.
    """
    sample, verdict = item.sample, item.verdict
    content = {
        "id": sample.id,
        "image": image_of(sample),
        "status": verdict.status,
        "verdict": verdict.label,
        "reason": verdict.reason,
        **({} if sample.label is None else {"label": sample.label}),
        **({} if sample.rating is None else {"rating": sample.rating}),
        **({} if sample.group is None else {"group": sample.group}),
        **({"scores": dict(verdict.scores)} if verdict.scores else {}),
        "usage": item.usage,
    }
    return json.dumps(content, ensure_ascii=False) + "\n"


def image_of(sample: Sample) -> str | list[str]:
    """Return the image's file or table cell; a list for a pair."""
    images = [str(getattr(image, "path", image.name)) for image in sample.images]
    return images[0] if len(images) == 1 else images


def read_line(text: str, task: TaskSettings) -> VerdictLine:
    """Read a line of `line_of`; raises `ValueError` for any other text."""
    try:
        content: Mapping[str, Any] = json.loads(text)
        status, label = content["status"], content["verdict"]
        labels: dict[str, Label] = {str(value): value for value in task.values}
        if status not in get_args(Status) or (label in task.values) != (status == "ok"):
            raise ValueError("its verdict is no label of this judge")
        scores = tuple((labels[name], float(score)) for name, score in content.get("scores", {}).items())
        usage = _USAGE.validate_python(content["usage"], strict=True)
        return VerdictLine(content["id"], content["image"], status, label, str(content["reason"]), scores, usage)
    except (KeyError, TypeError, AttributeError, RecursionError, ValidationError) as error:
        raise ValueError("the line was not written by blpo judge") from error
