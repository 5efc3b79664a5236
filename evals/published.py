"""Numbers that the paper reports (Pan et al. 2026, arXiv 2602.11340), for comparison with our tables.

The paper's optimizer is o3 at temperature 0, with five rounds, five inner steps and ten errors a batch. A number stands
here as printed; its spread is not known.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Published:
    """One result of the paper."""

    f1: float | None
    """As printed; None if the paper has the result and the number is not known here."""
    accuracy: float | None = None
    """None if the paper gives F1 alone, or if the number is not known here."""


SCOUT, MAVERICK = "llama-4-scout", "llama-4-maverick"

_MAIN: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "unsafebench": {
        "none": (0.65, 0.69),
        "textgrad": (0.68, 0.73),
        "opro": (0.72, 0.76),
        "apo_image": (0.67, 0.70),
        "blpo": (0.89, 0.90),
    },
    "agin": {
        "none": (0.26, 0.30),
        "textgrad": (0.30, 0.38),
        "opro": (0.26, 0.30),
        "apo_image": (0.32, 0.37),
        "blpo": (0.33, 0.38),
    },
}
"""With the judge Maverick, by dataset and method: F1, accuracy."""

_ABLATION: Mapping[str, Mapping[str, float]] = {
    "agin": {"fixed_i2t": 0.18, "judge_as_i2t": 0.19, "blpo": 0.23},
    "seetrue": {"fixed_i2t": 0.73, "judge_as_i2t": 0.74, "blpo": 0.77},
    "imagereward": {"fixed_i2t": 0.25, "judge_as_i2t": 0.32, "blpo": 0.34},
    "unsafebench": {"fixed_i2t": 0.73, "judge_as_i2t": 0.78, "blpo": 0.81},
}
"""With the judge Scout, by dataset and method: F1."""


_TABLE1_METHODS = frozenset({"none", "textgrad", "opro", "apo_image", "blpo"})
"""Methods of the paper's Table 1; the other methods of its ablation are `fixed_i2t` and `judge_as_i2t`."""
_DATASETS = frozenset(_ABLATION)


def published(method: str, dataset: str, judge: str) -> Published | None:
    """Return the paper's result for a cell, without numbers if they are not known; None if the paper has no result."""
    if judge == MAVERICK and method in _MAIN.get(dataset, {}):
        return Published(*_MAIN[dataset][method])
    if judge == SCOUT and method in _ABLATION.get(dataset, {}):
        return Published(_ABLATION[dataset][method])
    if judge in (SCOUT, MAVERICK) and dataset in _DATASETS and method in _TABLE1_METHODS:
        return Published(None)
    return None
