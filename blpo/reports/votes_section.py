"""Section of the report on the votes of one judge, or on the members of a panel."""

from dataclasses import dataclass

from blpo.inference.panel_comparison import JudgedSplit, panel_test
from blpo.metrics.readings import strict_reading
from blpo.runs.judge_file import read_judge_file
from blpo.runs.panel_sentence import sentence_of
from blpo.runs.run_record import RunRecord
from state.panel_metrics import PanelTest
from state.sample import SplitName


@dataclass(frozen=True, slots=True)
class VotesSection:
    """Numbers of a panel, or of the votes of one judge, under the selected prompt."""

    name: str
    """The rule and the members, or the number of votes."""
    test: PanelTest
    validation: float | None
    """Search metric of all together on validation; None if undefined."""
    sentence: str
    """Outcome of the paired test against the best member, or against one answer."""
    weights: tuple[float, ...] = ()
    """Weights by member; empty without learned or given weights."""


def votes_section(run: RunRecord) -> VotesSection | None:
    """Return the section; None without votes and without a test."""
    models, result = run.settings.models, run.result
    if result["test"] is None or models.answers == 1:
        return None
    test = result["test"].get("panel") if models.judges else _of_votes(run)
    if test is None:
        return None
    judge = "The panel" if models.judges else f"The majority of {models.answers} votes"
    name = models.judge_name if models.judges else f"{models.answers} votes of {models.judge_name}"
    validation = result["validation"] and strict_reading(result["validation"]["best"], result["metric"])
    return VotesSection(name, test, validation, sentence_of(test, result["metric"], judge), _weights(run))


def _of_votes(run: RunRecord) -> PanelTest | None:
    return panel_test(_judged(run, "validation"), _judged(run, "test"), run.settings)


def _judged(run: RunRecord, split: SplitName) -> JudgedSplit:
    rows = [row for row in run.best.values() if row.split == split]
    return JudgedSplit([row.in_sample for row in rows], [row.in_verdict for row in rows])


def _weights(run: RunRecord) -> tuple[float, ...]:
    panel = read_judge_file(run.directory).panel
    return panel.weights or () if panel else ()
