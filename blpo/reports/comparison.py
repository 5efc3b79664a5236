"""Comparison of several runs: paired tests of the selected prompts on the shared test samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from blpo.metrics.agreement import metrics
from blpo.metrics.holm import holm
from blpo.metrics.pairs import VerdictPairs
from blpo.metrics.readings import strict_value
from blpo.metrics.resampling import own_groups
from blpo.metrics.significance import compare_prompts
from blpo.metrics.task_metrics import compare_on_tasks, measured
from blpo.runs.run_record import RunRecord
from blpo.runs.task_record import TaskRecord
from blpo.runs.verdict_rows import VerdictRow
from blpo.runs.wording import counted, higher_limits
from state.errors import RunError
from state.metrics import Metrics
from state.sample import Label, Sample
from state.settings import Metric
from state.verdict import Verdict

_ORDERS_DIFFER = {
    "pairwise": "an answer in one order stands for both orders",
    "ranking": "lists are judged whole (both), by their single images (apart) or by their pairs (pairs)",
}
"""Meaning of different values of `task.order`, by kind."""


@dataclass(frozen=True, slots=True)
class Against:
    """Selected prompt of a run against the selected prompt of the first run, on the shared samples."""

    difference: float
    """Metric of the run minus metric of the first run, with failures as wrong."""
    left_out: int
    """Shared samples with an error in one of the two runs."""
    low: float
    high: float
    p_value: float
    adjusted: float
    """p-value after Holm's correction for the number of compared runs."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A run in a comparison."""

    name: str
    run: RunRecord
    metrics: Metrics
    """Metrics of the selected prompt on the shared samples."""
    initial: Metrics
    """Metrics of the first prompt on the shared samples."""
    against: Against | None
    """Test against the first run; None for the first run."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs on the shared test samples."""

    metric: Metric
    entries: tuple[Entry, ...]
    shared: tuple[str, ...]
    """Ids of the test samples of all runs with equal labels in all runs, in the order of the first run."""
    notes: tuple[str, ...]
    """Notes for the reader: samples left out, different metrics."""

    @property
    def groups(self) -> int:
        """Number of groups of the shared samples."""
        rows = self.entries[0].run.best
        return len(set(own_groups([rows[key].group for key in self.shared])))

    @property
    def differing(self) -> list[str]:
        """Ids of the shared samples with different answers."""
        answers = {key: {_answers(entry.run.best[key]) for entry in self.entries} for key in self.shared}
        return [key for key in self.shared if len(answers[key]) > 1]


def compare_runs(runs: Sequence[RunRecord], task: str | None = None) -> Comparison:
    """Compare two runs or more; raises `RunError` with the name of an incomparable run.

    `task`: compare by one of several tasks alone; a run of a single task then stands for that task.
    """
    runs = runs if task is None else [_by_task(run, task) for run in runs]
    first = runs[0]
    for run in runs:
        _require_tested(run)
    for run in runs[1:]:
        _require_same(first, run)
    common = [key for key in _test(first) if all(key in _test(run) for run in runs[1:])]
    if not common:
        raise RunError("the runs share no test sample; give them the same data.split and search.seed")
    shared = tuple(key for key in common if all(run.best[key].label == first.best[key].label for run in runs[1:]))
    if not shared:
        raise RunError("every shared test sample has a corrected label in one of the runs; nothing can be compared")
    against = [_against(first, run, shared) for run in runs[1:]]
    names = _names(runs)
    entries = [
        Entry(name, run, _measured(run, shared, "best"), _measured(run, shared, "initial"), tested)
        for name, run, tested in zip(names, runs, [None, *_adjusted(against)], strict=True)
    ]
    return Comparison(first.settings.search.metric, tuple(entries), shared, tuple(_notes(runs, names, common, shared)))


def _test(run: RunRecord) -> Mapping[str, VerdictRow]:
    return {key: row for key, row in run.best.items() if row.split == "test"}


def _require_tested(run: RunRecord) -> None:
    if not _test(run):
        status, limits = run.result["status"], run.settings.limits
        higher = f" {higher_limits(limits)}" if status == "budget" else ""
        raise RunError(
            f"{run.directory} has no verdicts on its test split ({status}); finish it:"
            f" blpo resume {run.directory}{higher}"
        )


def _by_task(run: RunRecord, task: str) -> RunRecord:
    names = run.settings.task_names
    if names and task not in names:
        raise RunError(f"{run.directory} has no task {task}; its tasks are {', '.join(names)}")
    return TaskRecord.of(run, task) if names else run


def _require_same_tasks(first: RunRecord, run: RunRecord) -> None:
    """Refuse runs of different tasks, with the tasks in common."""
    one, other = ({name: _scale(each, name) for name in each.settings.task_names} for each in (first, run))
    if one == other:
        return
    shared = [name for name in one if other.get(name) == one[name]]
    advice = f"; compare by one task of both: --task {shared[0]}" if shared else ""
    if bool(one) != bool(other):
        advice = f"; --task NAME compares it by one of {', '.join(one or other)}"
    raise RunError(f"{run.directory} has other tasks than {first.directory}{advice}")


def _scale(run: RunRecord, name: str) -> tuple[object, ...]:
    own = run.settings.of_task(name)
    return own.task.kind, own.task.values, own.search.metric


def _require_same(first: RunRecord, run: RunRecord) -> None:
    _require_same_tasks(first, run)
    one, other = first.settings.task, run.settings.task
    if not first.settings.task_names and (one.kind, one.values) != (other.kind, other.values):
        raise RunError(
            f"{run.directory} has another task than {first.directory}: {other.kind} {_listed(other.values)} instead of"
            f" {one.kind} {_listed(one.values)}; compare runs of one task"
        )
    if first.info.dataset == run.info.dataset:
        return
    here, there = ({key: row.label for key, row in each.best.items()} for each in (first, run))
    common = here.keys() & there.keys()
    unlike = sorted(key for key in common if here[key] != there[key])
    if unlike and not _are_versions(first, run):
        raise RunError(
            f"{run.directory} has another dataset than {first.directory}: people's label of {unlike[0]} is"
            f" {there[unlike[0]]!r} instead of {here[unlike[0]]!r}; compare runs over the same labels"
        )
    if _paths(first) != _paths(run) and here != there:
        raise RunError(
            f"{run.directory} has another dataset than {first.directory} ({len(common)} of {len(here)} samples in"
            " common); compare runs over the same samples"
        )


def _paths(run: RunRecord) -> list[str | None]:
    return [run.settings.of_task(name).data.path for name in run.settings.task_names or ("",)]


def _are_versions(first: RunRecord, run: RunRecord) -> bool:
    """Return True for runs over versions of one dataset: the same samples, with corrected labels in a run."""
    corrected = any(each.settings.data.corrections is not None for each in (first, run))
    return corrected and first.best.keys() == run.best.keys()


def _listed(values: Sequence[Label]) -> str:
    return f"{values[0]} to {values[-1]}" if isinstance(values[0], int) else ", ".join(map(str, values))


def _verdicts(run: RunRecord, keys: Sequence[str], prompt: str) -> list[Verdict]:
    rows = run.best if prompt == "best" else run.initial
    return [rows[key].in_verdict for key in keys]


def _answers(row: VerdictRow) -> tuple[Label | None, ...]:
    """Return the labels of a verdict by order; a single label if all orders agree, or a single order was asked."""
    labels = tuple(each.answer for each in row.answers)
    return labels if len(set(labels)) > 1 else labels[:1]


def _measured(run: RunRecord, keys: Sequence[str], prompt: str) -> Metrics:
    return measured(_verdicts(run, keys, prompt), [run.best[key].in_sample for key in keys], run.settings)


def _against(first: RunRecord, run: RunRecord, keys: Sequence[str]) -> Against:
    labels, search = [first.best[key].label for key in keys], first.settings.search
    task, metric = first.settings.task, search.metric
    pairs = VerdictPairs.of(_verdicts(first, keys, "best"), _verdicts(run, keys, "best"))
    if first.settings.task_names:
        return _against_on_tasks(first, pairs, [first.best[key].in_sample for key in keys])
    groups, ratings = [first.best[key].group for key in keys], [first.best[key].rating for key in keys]
    p_value, (low, high) = compare_prompts(
        pairs.first, pairs.second, labels, task, metric, search.seed, groups, ratings
    )
    old, new = (
        strict_value(metrics(verdicts, labels, task, ratings=ratings), metric)
        for verdicts in (pairs.first, pairs.second)
    )
    return Against(new - old, pairs.left_out, low, high, p_value, p_value)


def _against_on_tasks(first: RunRecord, pairs: VerdictPairs, samples: Sequence[Sample]) -> Against:
    settings = first.settings
    p_value, (low, high), _ = compare_on_tasks(pairs.first, pairs.second, samples, settings)
    old, new = (
        strict_value(measured(verdicts, samples, settings), settings.search.metric)
        for verdicts in (pairs.first, pairs.second)
    )
    return Against(new - old, pairs.left_out, low, high, p_value, p_value)


def _adjusted(against: Sequence[Against]) -> list[Against]:
    adjusted = holm([each.p_value for each in against])
    return [replace(each, adjusted=p) for each, p in zip(against, adjusted, strict=True)]


def _names(runs: Sequence[RunRecord]) -> list[str]:
    """Return the names of the folders, or whole paths if two names are equal."""
    names = [run.directory.name for run in runs]
    return names if len(set(names)) == len(names) else [str(run.directory) for run in runs]


def _notes(runs: Sequence[RunRecord], names: Sequence[str], common: Sequence[str], shared: Sequence[str]) -> list[str]:
    sizes = {len(_test(run)) for run in runs}
    notes = []
    if max(sizes) > len(common):
        notes.append(
            f"Only the {len(common)} samples that every run kept for its test are compared; the largest test split has"
            f" {max(sizes)}."
        )
    if len(common) > len(shared):
        notes.append(
            f"{counted(len(common) - len(shared), 'test sample')} left out: the label was corrected in one of the runs."
            " All numbers are over samples whose labels agree."
        )
    errors = sum(any(run.best[key].status == "error" for run in runs) for key in shared)
    if errors:
        notes.append(
            f"{counted(errors, 'sample')} with an error (network, server, quota) in one of the runs: a difference, its"
            " interval and its test leave out the samples with an error in either run."
        )
    orders = dict(zip(names, (run.settings.task.order for run in runs), strict=True))
    if len(set(orders.values())) > 1:
        listed = ", ".join(f"{name} {order}" for name, order in orders.items())
        notes.append(f"task.order differs ({listed}): {_ORDERS_DIFFER[runs[0].settings.task.kind]}.")
    metric = runs[0].settings.search.metric
    other = [name for name, run in zip(names, runs, strict=True) if run.settings.search.metric != metric]
    if other:
        notes.append(f"Selected by another metric than {metric}: {', '.join(other)}.")
    if len(runs) > 2:
        notes.append(
            f"{len(runs) - 1} runs are tested against {names[0]}; the adjusted p-value (Holm) allows for that."
        )
    return notes
