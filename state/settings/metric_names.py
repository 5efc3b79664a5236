"""Names of metrics: METRIC, or METRIC.LABEL for a metric of a single label, as `macro_f1` and `recall.unsafe`."""

from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator

from state.settings.task_settings import TaskSettings

NOMINAL_METRICS = ("macro_f1", "accuracy", "balanced_accuracy", "kappa", "mcc")
"""Metrics of every task; higher is better."""
ORDINAL_METRICS = ("quadratic_kappa", "spearman", "kendall_tau_b", "pearson")
"""Further metrics of ratings; higher is better."""
PAIR_METRICS = ("consistent_accuracy",)
"""Further metrics of pairs that are asked in both orders; higher is better. Such a metric counts pairs. All other
metrics count answers, a row for every order."""
PAIR_RATES = ("consistency", "first_rate", "ties")
"""Shares of a judge's answers about pairs. A share is for gates alone: no share is agreement with people."""
RANKING_METRICS = ("kendall_tau_b", "ndcg", "top_1")
"""All metrics of rankings, as means over the lists; higher is better."""
ABOVE_CHANCE = "above_chance"
"""Metric of several tasks: the mean over tasks of (value - chance) / (1 - chance), by each task's own metric."""
LABEL_METRICS = ("f1", "recall", "precision", "specificity")
"""Metrics of a single label against all other labels; higher is better."""


def split_metric(name: str) -> tuple[str, str | None]:
    """Return metric and label: `("recall", "unsafe")`, `("macro_f1", None)`."""
    metric, dot, label = name.partition(".")
    return metric, label if dot else None


def metric_problem(name: str, task: TaskSettings, further: tuple[str, ...] = ()) -> str | None:
    """Return the problem with a metric's name in a task; None for a good name. `further` are more allowed names."""
    if task.kind == "ranking":
        names = (*RANKING_METRICS, *further)
        return None if name in names else f"{name} is no metric of rankings; the metrics are {', '.join(names)}"
    metric, label = split_metric(name)
    names = (*NOMINAL_METRICS, *_metrics_of_kind(task), *further)
    if metric in LABEL_METRICS:
        return _label_problem(metric, label, task)
    if metric in RANKING_METRICS and metric not in ORDINAL_METRICS:
        return f"{metric} needs a ranking; the metrics are {_listed(names)}"
    if metric in ORDINAL_METRICS and task.kind != "ordinal":
        return f"{metric} needs an ordinal task; the metrics are {_listed(names)}"
    if metric in PAIR_METRICS and metric not in names:
        return f"{metric} needs pairs in both orders (task.kind: pairwise, task.order: both)"
    if name == ABOVE_CHANCE:
        return f"{name} is the metric of several tasks; the metrics are {_listed(names)}"
    if metric not in names:
        close = get_close_matches(metric, (*names, *LABEL_METRICS), 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        return f"unknown metric {metric!r}; {hint}the metrics are {_listed(names)}"
    return None if label is None else f"{metric} is a metric of all labels; write {metric} alone"


def _metrics_of_kind(task: TaskSettings) -> tuple[str, ...]:
    """Return the metrics of the task beyond those of every task."""
    if task.kind == "ordinal":
        return ORDINAL_METRICS
    return PAIR_METRICS if task.kind == "pairwise" and task.questions > 1 else ()


def _label_problem(metric: str, label: str | None, task: TaskSettings) -> str | None:
    labels = [str(value) for value in task.values]
    if label is None:
        return f"{metric} is a metric of one label; write {metric}.{task.positive or labels[0]}"
    return None if label in labels else f"{label!r} is no label of the task ({', '.join(labels)})"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join((*names, *(f"{name}.LABEL" for name in LABEL_METRICS)))


def _require_known(name: str) -> str:
    metric, label = split_metric(name)
    of_one_task = (*NOMINAL_METRICS, *ORDINAL_METRICS, *PAIR_METRICS, *RANKING_METRICS)
    names_alone = tuple(dict.fromkeys((*of_one_task, ABOVE_CHANCE)))
    if metric not in (names_alone if label is None else LABEL_METRICS):
        names = [f"'{name}'" for name in names_alone]
        raise ValueError(f"must be {', '.join(names)}, or a metric with a label, such as 'recall.unsafe'")
    return name


Metric = Annotated[str, AfterValidator(_require_known)]
"""Metric that selects prompts: METRIC or METRIC.LABEL."""
