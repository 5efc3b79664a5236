"""Names, numbers and foreign text for people to read, on a terminal and on a page."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a slow import
    from state.settings import LimitSettings

METRICS = {
    "macro_f1": "macro-F1",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "kappa": "kappa",
    "mcc": "Matthews' correlation",
    "quadratic_kappa": "quadratic kappa",
    "mae": "MAE (lower is better)",
    "spearman": "Spearman",
    "kendall_tau_b": "Kendall's tau-b",
    "pearson": "Pearson",
    "consistent_accuracy": "consistent accuracy",
    "consistency": "consistency of the two orders",
    "first_rate": 'share of "first"',
    "ties": 'share of "tie"',
    "ndcg": "NDCG",
    "top_1": "top-1",
    "above_chance": "agreement above chance",
}
"""Metrics of `state.metrics.Agreement` with two readings, in the order of tables."""

STOP_REASONS = {
    "rounds": "all rounds were done (search.outer_rounds)",
    "no_errors": "no wrong verdict was left to learn from",
    "patience": "the metric that selects rose no further (search.patience)",
    "budget": "the budget pays for no more (limits)",
}

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


_LABEL_METRICS = {"f1": "F1", "recall": "recall", "precision": "precision", "specificity": "specificity"}


def metric_name(metric: str) -> str:
    """Return the usual name of a metric: `macro-F1`, `recall of unsafe`."""
    name, _, label = metric.partition(".")
    return f"{_LABEL_METRICS.get(name, name)} of {single_line(label)}" if label else METRICS.get(metric, metric)


def figure(value: float | None) -> str:
    """Return a metric with three decimals."""
    return "undefined" if value is None else f"{value:z.3f}"


def plain(text: str) -> str:
    """Return text of models or data without characters to move the cursor or reorder the line."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def single_line(text: str) -> str:
    """Return safe text on a single line."""
    return plain(" ".join(text.split()))


def count(number: int) -> str:
    """Return a count in at most five characters: 9500, 12.3k, 456k, 7.89M."""
    if number < 10_000:
        return str(number)
    for unit, size in (("k", 1e3), ("M", 1e6), ("G", 1e9)):
        if number < 999.5 * size:
            return f"{number / size:.3g}{unit}"
    return f"{number / 1e12:.0f}T"


def counted(number: int, noun: str) -> str:
    """Return a number with a noun: `1 sample`, `72 samples`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def in_groups(samples: int, groups: int | None, noun: str = "sample") -> str:
    """Return the size of a set: `72 samples in 54 groups`. With None or as many groups as samples: `72 samples`."""
    size = counted(samples, noun)
    return size if groups is None or groups == samples else f"{size} in {counted(groups, 'group')}"


def higher_limits(limits: "LimitSettings") -> str:
    """Return the options of `blpo resume` to raise the present limits."""
    names = [name for name in ("calls", "tokens", "usd") if getattr(limits, name) is not None]
    return " ".join(f"--set limits.{name}=..." for name in names or ["calls"])


def probability(p: float) -> str:
    """Return a p-value in words: `p = 0.03`, `p < 0.0001`."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.1g}" if p < 0.001 else f"p = {p:.2g}"


def duration(seconds: float) -> str:
    """Return hours, minutes and seconds: 0:42, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def dollars(usd: float | None) -> str:
    """Return dollars with cents, or `?` for an unknown price."""
    return "?" if usd is None else f"{usd:.2f}" if usd < 1000 else count(round(usd))
