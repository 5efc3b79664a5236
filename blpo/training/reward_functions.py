"""Reward functions in the forms of the trainers, for the exported reward.py.

Standard library alone: `blpo train export` puts this file into the exported reward.py as it stands.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from blpo.training.reward import reward

FORMAT_WEIGHT = 0.1
"""Default share of the format reward; the accuracy reward has the rest."""
REWARD_NAME = "blpo"
REWARD_TYPE = "batch"
"""EasyR1 reads both names: `compute_score` takes a batch."""


def format_reward(completions: Sequence[Any], answer: Sequence[str], **_: Any) -> list[float]:
    """Return the format reward of every completion, for TRL. `answer` is the column of the export."""
    return [reward(_text(each), right, FORMAT_WEIGHT).format for each, right in zip(completions, answer, strict=True)]


def accuracy_reward(completions: Sequence[Any], answer: Sequence[str], **_: Any) -> list[float]:
    """Return the accuracy reward of every completion, for TRL. `answer` is the column of the export."""
    return [reward(_text(each), right, FORMAT_WEIGHT).accuracy for each, right in zip(completions, answer, strict=True)]


def compute_score(
    reward_inputs: Sequence[Mapping[str, Any]], format_weight: float = FORMAT_WEIGHT
) -> list[dict[str, float]]:
    """Return `overall`, `format` and `accuracy` of every response, for EasyR1."""
    return [reward(each["response"], each["ground_truth"], format_weight)._asdict() for each in reward_inputs]


def _text(completion: Any) -> str:
    """Return the text of a completion: a text, or the messages of the assistant."""
    if isinstance(completion, str):
        return completion
    content = completion[-1]["content"]
    return content if isinstance(content, str) else "".join(part.get("text") or "" for part in content)
