"""Text of standalone modules, for files that must work without blpo.

A standalone module imports the standard library, Pillow, and other standalone modules. blpo itself imports these
modules, so there is one implementation, and an exported file can't fall behind.
"""

import re
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

_OWN_IMPORT = re.compile(r"^from blpo\.[^\n]* import [^\n(]+\n+", re.MULTILINE)


def standalone_text(modules: Iterable[str]) -> str:
    """Return the text of `modules`, one after the other, without their imports of one another.

    A module stands below the modules that it imports; no name is defined in two of them (tested).
    """
    return "\n\n\n".join(f"# {name}\n\n{_OWN_IMPORT.sub('', _text(name)).strip()}" for name in modules)


def _text(module: str) -> str:
    spec = find_spec(module)
    assert spec is not None and spec.origin is not None, module
    return Path(spec.origin).read_text(encoding="utf-8")
