"""Text of standalone modules, for files that must work without blpo.

A standalone module imports the standard library, Pillow, and standalone modules alone. blpo imports the modules too, so
there is one implementation, and an exported file can't fall behind.
"""

import re
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

_OWN_IMPORT = re.compile(r"^from (?:blpo|state)\.[^\n]* import [^\n(]+\n+", re.MULTILINE)


def standalone_text(modules: Iterable[str]) -> str:
    """Return the text of `modules` in order, without imports from blpo and state.

    Imported modules stand above importing modules. No name is defined in two modules (tested).
    """
    return "\n\n\n".join(f"# {name}\n\n{_OWN_IMPORT.sub('', _text(name)).strip()}" for name in modules)


def _text(module: str) -> str:
    spec = find_spec(module)
    assert spec is not None and spec.origin is not None, module
    return Path(spec.origin).read_text(encoding="utf-8")
