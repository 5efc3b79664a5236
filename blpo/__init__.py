"""Align a frozen multimodal judge with people's labels.

result = await blpo.optimize("config.yaml")
judge = blpo.load_judge("runs/mine")  # or any judge.yaml
verdicts = await judge(["a.png", "b.png"])
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blpo.facade import (
        Config,
        Disagreement,
        InputColumns,
        Judge,
        OnEvent,
        Summary,
        correct,
        disagreements,
        fork,
        judge_set,
        load_judge,
        optimize,
        report,
        resume,
    )

__all__ = [
    "Config",
    "Disagreement",
    "InputColumns",
    "Judge",
    "OnEvent",
    "Summary",
    "correct",
    "disagreements",
    "fork",
    "judge_set",
    "load_judge",
    "optimize",
    "report",
    "resume",
]


def __getattr__(name: str) -> object:
    """Import the facade on first use, because importing it takes seconds."""
    if name in __all__:
        return getattr(import_module("blpo.facade"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, also before the facade is imported."""
    return sorted({*globals(), *__all__})
