"""The methods of the comparison: each runs to its end within its budget, and again, and after an interrupt."""

from evals.methods import METHODS


def test_methods_are_known_by_name() -> None:
    assert all(name == method.name and method.title for name, method in METHODS.items())
    assert next(iter(METHODS)) == "none"
