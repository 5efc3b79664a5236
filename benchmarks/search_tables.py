"""Tables of `benchmarks.search`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import hypot
from pathlib import Path
from statistics import fmean

from blpo.metrics.agreement import value
from blpo.metrics.holm import holm
from blpo.metrics.readings import reading
from blpo.metrics.seed_comparison import PairedAnswer, SeedsComparison, compare_seeds
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_rows import VerdictRow
from blpo.runs.verdict_sentence import outcome
from evals.attribute_classifier import ceiling
from evals.cells import Cell
from state.settings import Settings

YARDSTICK = "pooled"
"""Rule that is compared with all other rules."""


@dataclass(frozen=True, slots=True)
class Row:
    """A finished cell. All metrics are on the test split."""

    set: str
    rule: str
    calls: int
    """Budget."""
    seed: int
    metric: str
    value: float
    initial: float
    """Metric under p_0."""
    ceiling: float | None
    """Metric of the logistic regression; None for shuffled labels, which teach nothing."""
    outcome: str
    """Word of the report: better, worse, higher or open."""
    judge_calls: int
    verbalizer_calls: int
    optimizer_calls: int
    rounds: int
    run: str
    """Run directory."""


def rows_of(rule: str, calls: int, cells: Sequence[Cell], *, is_shuffled: bool = False) -> Iterator[Row]:
    """Yield the rows of finished cells. `is_shuffled`: the cells have shuffled labels."""
    for cell in cells:
        result = RunRecord.read(cell.path).result
        test, metric = result["test"], cell.settings.search.metric
        assert test is not None
        spent = {role: usage["issued"] for role, usage in result["calls"].items()}
        yield Row(
            set=cell.dataset,
            rule=rule,
            calls=calls,
            seed=cell.seed,
            metric=metric,
            value=value(test["best"], metric),
            initial=value(test["initial"], metric),
            ceiling=None if is_shuffled else _ceiling(_same_data(cell.settings), cell.seed, metric),
            outcome=outcome(result),
            judge_calls=spent.get("judge", 0),
            verbalizer_calls=spent.get("verbalizer", 0),
            optimizer_calls=spent.get("optimizer", 0),
            rounds=max(len(result["rounds"]) - 1, 0),
            run=str(cell.path),
        )


def _same_data(settings: Settings) -> Settings:
    """Return settings that are equal for all cells of a set."""
    return Settings(task=settings.task, data=settings.data)


@cache
def _ceiling(settings: Settings, seed: int, metric: str) -> float:
    return reading(ceiling(settings, seed).test, metric) or 0.0


def budget_table(rows: Sequence[Row], calls: int) -> str:
    """Return the table of a budget, with a mean over the sets for every rule.

    The interval of the mean difference takes the sets for independent.
    """
    own = [row for row in rows if row.calls == calls]
    rules, sets = list(dict.fromkeys(row.rule for row in own)), list(dict.fromkeys(row.set for row in own))
    lines = [
        f"{calls} calls",
        f"{'set':13}{'rule':12}{'seeds':>5}  {'metric':16}{'p_0':>6}{'mean':>7}{'ceiling':>8}{'way':>6}"
        f"{'  pooled better by':>20}{'p Holm':>9}  judge verbalizer optimizer  rounds",
    ]
    all_tests: dict[str, list[SeedsComparison]] = {rule: [] for rule in rules}
    for name in sets:
        groups = {rule: [row for row in own if (row.set, row.rule) == (name, rule)] for rule in rules}
        tests = {rule: test for rule in rules if (test := _test(groups[rule], groups.get(YARDSTICK, [])))}
        corrected = dict(zip(tests, holm([test.p_value for test in tests.values()]), strict=True))
        for rule, test in tests.items():
            all_tests[rule].append(test)
        for rule in rules:
            if groups[rule]:
                lines.append(_line(groups[rule], tests.get(rule), corrected.get(rule)))
    lines += [_mean_line(own, rule, sets) + _mean_difference(all_tests[rule]) for rule in rules]
    return "\n".join(lines)


def shuffled_line(rows: Sequence[Row], rule: str, calls: int) -> str:
    """Return the number of runs on shuffled labels that are called better."""
    own = [row for row in rows if (row.rule, row.calls) == (rule, calls)]
    better = sum(row.outcome == "better" for row in own)
    return f"{calls} calls, {rule}: {better} of {len(own)} runs on shuffled labels are called better"


def _line(rows: Sequence[Row], test: SeedsComparison | None, p_holm: float | None) -> str:
    first = rows[0]
    initial, mean, top = (fmean(getattr(row, name) for row in rows) for name in ("initial", "value", "ceiling"))
    text = f"{first.set:13}{first.rule:12}{len(rows):5}  {first.metric:16}{initial:6.3f}{mean:7.3f}{top:8.3f}"
    text += f"{(mean - initial) / (top - initial):6.0%}" if top > initial else f"{'-':>6}"
    if test is not None:
        text += f"  {test.difference:+.3f} [{test.interval[0]:+.3f}, {test.interval[1]:+.3f}]{p_holm:7.3f}"
    else:
        text += " " * 34
    spent = [fmean(getattr(row, f"{role}_calls") for row in rows) for role in ("judge", "verbalizer", "optimizer")]
    return text + f"  {spent[0]:5.0f}{spent[1]:11.0f}{spent[2]:10.0f}{fmean(row.rounds for row in rows):8.1f}"


def _mean_line(rows: Sequence[Row], rule: str, sets: Sequence[str]) -> str:
    groups = [[row for row in rows if (row.set, row.rule) == (name, rule)] for name in sets]
    means = [fmean(row.value for row in group) for group in groups if group]
    return f"{'mean':13}{rule:12}{sum(map(len, groups)):5}  over {len(means)} sets{fmean(means) if means else 0:16.3f}"


def _mean_difference(tests: Sequence[SeedsComparison]) -> str:
    if not tests:
        return ""
    mean = fmean(test.difference for test in tests)
    half = hypot(*((test.interval[1] - test.interval[0]) / 2 for test in tests)) / len(tests)
    return f"{'':16}{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]"


def _test(rows: Sequence[Row], yardstick: Sequence[Row]) -> SeedsComparison | None:
    by_seed = {row.seed: row for row in yardstick}
    pairs = [(row, by_seed[row.seed]) for row in rows if row.seed in by_seed and row.rule != YARDSTICK]
    if not pairs:
        return None
    record = RunRecord.read(Path(pairs[0][0].run))
    seeds = [_paired(_answers(own), _answers(best)) for own, best in pairs]
    return compare_seeds(seeds, record.settings.task, pairs[0][0].metric)


def _answers(row: Row) -> dict[str, VerdictRow]:
    return {each.id: each for each in RunRecord.read(Path(row.run)).best.values() if each.split == "test"}


def _paired(own: Mapping[str, VerdictRow], best: Mapping[str, VerdictRow]) -> list[PairedAnswer]:
    return [
        PairedAnswer(name, row.label, row.answer, best[name].answer, row.group)
        for name, row in own.items()
        if name in best and "error" not in (row.status, best[name].status)
    ]
