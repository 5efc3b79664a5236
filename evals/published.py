"""Numbers that papers report, for comparison with our tables. A number stands here as printed; its spread is not known.

BLPO (Pan et al. 2026, arXiv 2602.11340): the optimizer is o3 at temperature 0, with five rounds, five inner steps and
ten errors a batch. MT-RL-Judge (Wu et al. 2026, arXiv 2603.11665): a judge trained on six yes/no tasks, and pairs of
MJ-Bench that it was not trained on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args


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


MtRlTask = Literal["AGIN-Nat", "AGIN-Tech", "AGIN-Rat", "SeeTRUE", "ImageReward", "UnsafeBench"]
MT_RL_TASKS: tuple[MtRlTask, ...] = get_args(MtRlTask)
MjBenchSet = Literal["alignment", "safety"]
MJ_BENCH_SETS: tuple[MjBenchSet, ...] = get_args(MjBenchSet)

MT_RL: Mapping[str, tuple[float, ...]] = {
    "off-the-shelf": (67.99, 63.24, 64.77, 80.01, 55.07, 72.78),
    "SFT-Single": (78.64, 77.04, 78.08, 80.41, 64.95, 90.28),
    "SFT-Unified": (81.75, 81.22, 81.31, 82.32, 63.34, 89.49),
    "RL-Single": (80.50, 80.77, 82.71, 83.41, 65.07, 86.92),
    "MT-RL-Judge": (81.63, 81.37, 81.58, 83.67, 64.97, 85.22),
}
"""Table 2 of MT-RL-Judge: macro F1 in percent, by row, in the order of `MT_RL_TASKS`."""

MJ_BENCH: Mapping[str, tuple[float, ...]] = {
    "off-the-shelf": (59.41, 73.07),
    "SFT-Unified": (55.82, 49.40),
    "MT-RL-Judge": (60.59, 82.23),
}
"""Table 3 of MT-RL-Judge: accuracy in percent, by row, in the order of `MJ_BENCH_SETS`."""
