"""Align a frozen multimodal judge with people's labels.

run = await blpo.optimize("config.yaml")
verdicts = await run.judge()(["a.png", "b.png"])
judge = blpo.load_judge("runs/mine")  # or any judge.yaml
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from blpo.shadowing import require_own_packages

if TYPE_CHECKING:
    from blpo.facade import (
        Config,
        Disagreement,
        InputColumns,
        Judge,
        JudgeBatch,
        OnEvent,
        Run,
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
    "JudgeBatch",
    "OnEvent",
    "Run",
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

_FACADE = "blpo.facade"


def __getattr__(name: str) -> object:
    """Import the facade on first use, because importing it takes seconds.

    Raises `ShadowedPackageError` (an `ImportError`) where a file of the user hides a package of blpo.
    """
    if name in __all__:
        if _FACADE not in sys.modules:
            require_own_packages()
        return getattr(import_module(_FACADE), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, also before the facade is imported."""
    return sorted({*globals(), *__all__})
