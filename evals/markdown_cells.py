"""Cells of Markdown tables."""

from collections.abc import Callable, Sequence

from evals.paired_tests import PairedTest


def table_line(cells: Sequence[str]) -> str:
    """Return a row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    """Escape a text for a Markdown table: names and messages come from configurations and servers."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def number(value: float | None, digits: int) -> str:
    """Return a number with so many digits after the point; empty for None."""
    return "" if value is None else f"{value:.{digits}f}"


def of_test(test: PairedTest | None, text: Callable[[PairedTest], str]) -> str:
    """Return the text of a test; empty without a test."""
    return "" if test is None else text(test)


def interval_text(test: PairedTest) -> str:
    """Return the 95 % interval."""
    return f"{test.interval[0]:+.3f} to {test.interval[1]:+.3f}"


def p_text(p: float) -> str:
    """Return a p-value with three decimals."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def test_cells(test: PairedTest | None) -> list[str]:
    """Return the difference, its interval, p and the corrected p; empty without a test."""
    texts: tuple[Callable[[PairedTest], str], ...] = (
        lambda test: f"{test.difference:+.3f}",
        interval_text,
        lambda test: p_text(test.p_value),
        lambda test: p_text(test.p_holm),
    )
    return [of_test(test, text) for text in texts]
