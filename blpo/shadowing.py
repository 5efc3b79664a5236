"""Check that a user's own `state.py` or `graph/` does not hide a package of blpo.

Four packages of blpo have everyday names outside `blpo/`. Python takes the first module of a name on `sys.path`, and
the folder of the user's script comes first. This module imports the standard library alone, so that it always works.
"""

import os
import sys
from importlib.machinery import PathFinder

PACKAGES = ("evals", "graph", "nodes", "state")

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class ShadowedPackageError(ImportError):
    """Another module hides a package of blpo."""


def require_own_packages() -> None:
    """Raise `ShadowedPackageError` where Python would import another module in place of a package of blpo."""
    for name in PACKAGES:
        path = _module_file(name)
        if path is not None and not _is_own(name, path):
            raise ShadowedPackageError(
                f"{path} hides the package {name!r} of blpo; rename it, or run from another folder or with python -P",
                name=name,
                path=path,
            )


def _module_file(name: str) -> str | None:
    """Return the file that `import NAME` loads, or has loaded; None where there is none."""
    if (module := sys.modules.get(name)) is not None:
        return getattr(module, "__file__", None)
    spec = PathFinder.find_spec(name)
    return spec.origin if spec is not None and spec.has_location else None


def _is_own(name: str, path: str) -> bool:
    return os.path.realpath(os.path.dirname(path)) == os.path.realpath(os.path.join(_ROOT, name))
