"""Presets of experiments: methods and varied settings."""

from typing import Any, Literal

from evals.methods import installed_methods

ExperimentPreset = Literal["table1", "table2", "pairs", "rankings", "unified", "mt-rl", "figure4", "figure1", "budget"]
PRESETS: dict[str, dict[str, Any]] = {
    "table1": {"methods": installed_methods()},
    "table2": {"methods": ("none", "blpo", "fixed_i2t", "judge_as_i2t", "random_i2t", "random_i2t_pooled", "no_image")},
    "pairs": {"methods": ("none", "blpo", "one_order", "random_order", "pointwise")},
    "rankings": {"methods": ("none", "blpo", "pointwise_sort", "bradley_terry")},
    "unified": {"methods": ("none", "separate_runs", "blpo")},
    "mt-rl": {"methods": ("none", "blpo")},
    "figure4": {
        "methods": ("blpo",),
        "sweeps": {
            "error_batch": (1, 5, 10, 15, 20, 30),
            "inner_steps": (0, 1, 2, 3, 5, 8),
            "outer_rounds": (0, 1, 2, 3, 5, 8),
        },
    },
    "budget": {
        "methods": ("blpo",),
        "test": "on_top",
        "grid": {"error_batch": (20, 40, 80), "inner_steps": (1, 3, 5), "calls": (600, 800, 2000)},
    },
    "figure1": {"methods": ("apo_image",), "sweeps": {"error_batch": (1, 2, 3, 5, 8, 10, 15, 20)}},
}
"""Defaults of each preset: methods and sweeps of the paper's tables and figures. An explicit key overrides them."""
