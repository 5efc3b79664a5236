"""Output of `blpo judge` on stderr: a bar in a terminal, and the summary."""

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from blpo.cli.confidence_sentences import confidence_sentences
from blpo.cli.drift_sentences import drift_sentences
from blpo.cli.error_lines import say
from blpo.cli.vote_sentences import vote_sentences
from blpo.data.message_text import in_task
from blpo.deployment.input_labels import InputLabels
from blpo.deployment.inputs import Input, count_of
from blpo.metrics.readings import strict_reading
from blpo.runs.lean_sentence import lean_sentence
from blpo.runs.wording import count, counted, figure, metric_name, single_line
from state.settings import RANKING_METRICS
from state.verdict import Verdict

if TYPE_CHECKING:
    from blpo.deployment.summary import GateResult, SharesRecord, Summary, TaskSummary

_MOST_SHARES = 20
"""Labels in the table of shares; --json has all labels."""


class Rate(ProgressColumn):
    """Images a second."""

    def render(self, task: Task) -> Text:
        """Return the current rate; nothing while unknown."""
        speed = task.finished_speed or task.speed
        return Text("" if not speed else f"{speed:.1f}/s" if speed < 100 else f"{count(round(speed))}/s")


class JudgeView:
    """Bar with the counts of judged and failed images, the rate, and the time left; nothing without a terminal."""

    def __init__(self, inputs: Sequence[Input], *, visible: bool) -> None:
        console = Console(stderr=True)
        columns = (
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            Rate(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[failed]}"),
        )
        self._visible = visible and console.is_terminal and not console.is_dumb_terminal
        self._bar = Progress(
            *columns, console=console, transient=True, disable=not self._visible, redirect_stdout=False
        )
        self._inputs = inputs
        self._failed = 0

    def __enter__(self) -> Self:
        self._bar.start()
        total = count_of(self._inputs) if self._visible else None
        self._task = self._bar.add_task("images", total=total, failed="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def advance(self, verdict: Verdict) -> None:
        """Count one verdict."""
        self._failed += verdict.status != "ok"
        failed = f"{count(self._failed)} without a verdict" if self._failed else ""
        self._bar.update(self._task, advance=1, failed=failed)


def print_judged(summary: "Summary", labels: Mapping[str, InputLabels], *, is_calibrated: bool, quiet: bool) -> None:
    """Print the summary on stderr; quiet: only missed gates. `labels` are those of the inputs by task."""
    parts: Mapping[str, TaskSummary] = summary.get("by_task", {"": summary})
    if not quiet:
        if len(parts) > 1:
            say(_statuses(summary))
            for line in _checklist(summary):
                say(line)
        for name, part in parts.items():
            for line in (*_counts(part, labels[name]), *confidence_sentences(part), *_drift(part)):
                say(in_task(name, line))
    for gate in summary["gates"]:
        if not gate["kept"] or not quiet:
            say(f"gate {gate['gate']} is {'kept' if gate['kept'] else 'missed'}: {_gate_value(gate)}")
    for name, part in parts.items():
        shares = part["shares"]
        if shares is not None and not quiet and (is_calibrated or shares["labelled"] < part["judged"]):
            _print_shares(name, shares)


def _statuses(summary: "TaskSummary") -> str:
    statuses = ", ".join(f"{n} {s}" for s, n in summary["statuses"].items())
    return f"judged {counted(summary['judged'], 'sample')}: {statuses}"


def _checklist(summary: "Summary") -> Iterator[str]:
    """Yield the mean share of a checklist, and its agreement with people's shares; nothing for other judges."""
    record = summary.get("checklist")
    if record is None or record["mean"] is None:
        return
    yield f"share of the checklist: {record['mean']:.1%} in the mean over {counted(record['images'], 'image')}"
    if (people := record["people"]) is not None:
        order, distance = figure(people["spearman"]), figure(people["mae"])
        yield f"share with people, over {record['labelled']} labelled: Spearman {order}, MAE {distance}"


def _counts(summary: "TaskSummary", labels: InputLabels) -> Iterator[str]:
    """Yield statuses, ignored labels, agreement with people, and the lean of a judge of pairs."""
    yield _statuses(summary)
    if labels.ignored:
        yield f"{labels.ignored} labels are not the judge's and were ignored, the first: {labels.first_ignored}"
    if (measured := summary["metrics"]) is not None:
        strict: Mapping[str, Any] = measured["strict"]
        names = [f"{name}.{labels.task.positive}" for name in ("f1", "recall")] if labels.task.positive else []
        of_task = RANKING_METRICS if labels.task.kind == "ranking" else _SHOWN
        metrics = [*names, *(name for name in of_task if name in strict)]
        listed = ", ".join(f"{metric_name(name)} {figure(strict_reading(measured, name))}" for name in metrics)
        yield f"agreement with people, over {measured['n']} labelled: {listed} (coverage {measured['coverage']:.1%})"
    if (positions := summary.get("positions")) is not None and labels.task.questions > 1:
        same = figure(positions["consistency"])
        lean = lean_sentence(positions["first_rate"], positions["first_rate_ci95"])
        yield f"consistency of the two orders {same}. {lean}"
    if (votes := summary.get("votes")) is not None:
        yield from vote_sentences(votes)


def _drift(summary: "TaskSummary") -> Iterator[str]:
    if "drift" in summary:
        yield from drift_sentences(summary["drift"])


def _gate_value(gate: "GateResult") -> str:
    return f"undefined ({gate.get('undefined')})" if gate["value"] is None else f"{gate['value']:.4g}"


_SHOWN = ("macro_f1", "accuracy", "consistent_accuracy", "kappa", "mae", "quadratic_kappa")


def _print_shares(name: str, shares: "SharesRecord") -> None:
    if shares["undefined"]:
        say(in_task(name, f"shares of labels can't be corrected: {shares['undefined']}"))
        return
    line = f"share of each label, corrected for the judge's errors by {shares['labelled']} labelled samples:"
    say(in_task(name, line))
    if shares["absent"]:
        say(f"no labelled sample is {', '.join(map(str, shares['absent']))}: such are taken not to occur")
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 2))
    for name in ("label", "judged", "corrected", "95 % interval"):
        table.add_column(name, justify="left" if name == "label" else "right", no_wrap=name != "label")
    rows = [share for share in shares["shares"] if share["judged"] or share["corrected"]]
    for share in rows[:_MOST_SHARES]:
        interval = "" if share["interval"] is None else "{:.1%} to {:.1%}".format(*share["interval"])
        label = Text(single_line(str(share["label"])))
        table.add_row(label, f"{share['judged']:.1%}", f"{share['corrected']:.1%}", interval)
    Console(stderr=True, highlight=False).print(table)
    if len(rows) > _MOST_SHARES:
        say(f"and {len(rows) - _MOST_SHARES} more, all with --json")
