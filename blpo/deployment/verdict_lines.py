"""One judged sample, and the JSON line that tells of it."""

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
    """What the replies to one sample took, a repair included; nothing where there was no reply."""

    input_tokens: int
    output_tokens: int
    usd: float | None
    """None where the model's price is not known."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A sample with its verdict."""

    sample: Sample
    verdict: Verdict
    usage: Usage


@dataclass(frozen=True, slots=True)
class KeptLine:
    """What a line says, as far as it does not follow from its sample."""

    id: str
    image: str | list[str]
    status: Status
    label: Label | None
    """The judge's."""
    reason: str
    scores: tuple[tuple[Label, float], ...]
    usage: Usage

    def judged(self, sample: Sample) -> Judged:
        """The same of `sample`."""
        return Judged(sample, Verdict(sample.id, self.status, self.label, self.reason, self.scores), self.usage)


_USAGE = TypeAdapter(Usage)


def line_of(judged: Judged) -> str:
    """The line, its end included: id, image, status, verdict, reason, label, scores, usage.

    `verdict` is null unless the status is ok; `label`, the human one, and `scores` are there where they are known.
    """
    sample, verdict = judged.sample, judged.verdict
    content = {
        "id": sample.id,
        "image": image_of(sample),
        "status": verdict.status,
        "verdict": verdict.label,
        "reason": verdict.reason,
        **({} if sample.label is None else {"label": sample.label}),
        **({"scores": dict(verdict.scores)} if verdict.scores else {}),
        "usage": judged.usage,
    }
    return json.dumps(content, ensure_ascii=False) + "\n"


def image_of(sample: Sample) -> str | list[str]:
    """Where the image is: its file, or the cell of a table; a list for a pair."""
    images = [str(getattr(image, "path", image.name)) for image in sample.images]
    return images[0] if len(images) == 1 else images


def read_line(text: str, task: TaskSettings) -> KeptLine:
    """What `line_of` wrote; raises `ValueError` for anything else."""
    try:
        content: Mapping[str, Any] = json.loads(text)
        status, label = content["status"], content["verdict"]
        written: dict[str, Label] = {str(value): value for value in task.values}
        if status not in get_args(Status) or (label in task.values) != (status == "ok"):
            raise ValueError("its verdict is none of this judge's")
        scores = tuple((written[name], float(score)) for name, score in content.get("scores", {}).items())
        usage = _USAGE.validate_python(content["usage"], strict=True)
        return KeptLine(content["id"], content["image"], status, label, str(content["reason"]), scores, usage)
    except (KeyError, TypeError, AttributeError, RecursionError, ValidationError) as error:
        raise ValueError("it was not written by blpo judge") from error
