"""Our own functions as source text, for files that must work without us.

What an exported judge needs of ours (how images are prepared, how replies are read) is copied from the modules that do
it here, with everything it uses in turn, so that there is one implementation and the copy can't fall behind it.
"""

import ast
import inspect
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module

_OURS = ("blpo.data", "blpo.models", "blpo.prompts", "state")
"""Packages that are copied from; what comes from any other is imported by the copy too."""


def own_source(wanted: Iterable[tuple[str, str]], given: Collection[str] = ()) -> str:
    """The source of the `wanted` (module, name) pairs, and of what of ours they use, the used before the users.

    What they import from other packages the file imports itself; names that are `given` it defines itself. Raises
    `RuntimeError` where two modules define the same name.
    """
    copy = _Copy(frozenset(given))
    for module, name in wanted:
        copy.add(module, name)
    return copy.text()


@dataclass(frozen=True, slots=True)
class _Module:
    lines: tuple[str, ...]
    definitions: dict[str, tuple[ast.stmt, ...]]
    """By name: the statement, and the text below it that says what it is."""
    imported: dict[str, str]
    """By name: the module of ours that it is imported from."""


@dataclass(slots=True)
class _Copy:
    given: frozenset[str]
    _taken: dict[str, str] = field(default_factory=dict)
    """The module of each name, those at the bottom first."""
    _order: list[str] = field(default_factory=list)

    def add(self, module: str, name: str) -> None:
        if name in self.given or self._taken.get(name) == module:
            return
        if name in self._taken:
            raise RuntimeError(f"{name} is in both {self._taken[name]} and {module}: rename one of them")
        self._taken[name] = module
        own = _module(module)
        for used in _names(own.definitions[name]):
            if used in own.definitions:
                self.add(module, used)
            elif used in own.imported:
                self.add(own.imported[used], used)
        if module not in self._order:
            self._order.append(module)

    def text(self) -> str:
        """All definitions, in the order of their modules; constants close together."""
        text, was_constant = "", False
        for module in self._order:
            own = _module(module)
            for name in (name for name in own.definitions if self._taken.get(name) == module):
                is_constant = isinstance(own.definitions[name][0], ast.Assign | ast.AnnAssign)
                text += ("\n" if was_constant and is_constant else "\n\n\n") + _text(own.lines, own.definitions[name])
                was_constant = is_constant
        return text.strip()


@cache
def _module(name: str) -> _Module:
    import_module(name)
    source = inspect.getsource(sys.modules[name])
    body = ast.parse(source).body
    definitions: dict[str, tuple[ast.stmt, ...]] = {}
    imported: dict[str, str] = {}
    for statement, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.ImportFrom):
            if statement.module and statement.module.startswith(_OURS):
                imported |= {alias.name: statement.module for alias in statement.names}
        elif (defined := _defined(statement)) is not None:
            explained = isinstance(statement, ast.Assign | ast.AnnAssign) and _is_text(following)
            definitions[defined] = (statement, following) if explained and following else (statement,)
    return _Module(tuple(source.splitlines()), definitions, imported)


def _defined(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return statement.name
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    target = statement.target if isinstance(statement, ast.AnnAssign) else target
    return target.id if isinstance(target, ast.Name) else None


def _is_text(statement: ast.stmt | None) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _names(statements: Iterable[ast.stmt]) -> list[str]:
    found = (node.id for each in statements for node in ast.walk(each) if isinstance(node, ast.Name))
    return list(dict.fromkeys(found))


def _text(lines: tuple[str, ...], statements: tuple[ast.stmt, ...]) -> str:
    first, last = statements[0], statements[-1]
    decorators = getattr(first, "decorator_list", [])
    start = min([first.lineno, *(decorator.lineno for decorator in decorators)])
    return "\n".join(lines[start - 1 : last.end_lineno])
