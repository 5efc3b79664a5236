"""A panel beside its best member: chosen on validation, compared on test, and praised only by the paired test."""

from collections.abc import Sequence
from pathlib import Path

import pytest

import blpo
from blpo.inference.pair_orders import joined_verdict, ordered_verdict
from blpo.inference.panel_comparison import ONE_ANSWER, JudgedSplit, member_verdict, panel_test
from blpo.inference.votes import Ballot, CastVote, voted
from blpo.metrics.krippendorff import krippendorff_alpha
from blpo.metrics.significance import compare_prompts
from blpo.runs.judge_file import read_judge_file
from blpo.runs.panel_sentence import sentence_of
from state.panel_metrics import PanelTest
from state.sample import Label, Sample
from state.settings import ModelSettings, ModelsSettings, SearchSettings, Settings, TaskSettings
from state.verdict import Verdict
from tests.short_runs import comparable, requests
from tests.small_set import draw_dataset

SAFETY = TaskSettings(kind="categorical", labels=("safe", "unsafe"))
NAMES = ("embedded:judge", "embedded:judge #2", "embedded:judge #3")
SETTINGS = Settings.model_construct(
    task=SAFETY,
    models=ModelsSettings(judges=tuple(ModelSettings(name="embedded:judge", max_side=64 * k) for k in (1, 2, 3))),
    search=SearchSettings(metric="accuracy"),
)


def judged(rows: Sequence[Sequence[Label]]) -> JudgedSplit:
    """Return a split whose samples are all safe, with the votes of three members in each row."""
    verdicts = [
        voted(
            f"{place}",
            [
                CastVote(Ballot(f"judges.{k}", 0, NAMES[k]), Verdict(f"{place}", "ok", label))
                for k, label in enumerate(row)
            ],
            SAFETY,
        )
        for place, row in enumerate(rows)
    ]
    return JudgedSplit([Sample(f"{place}", (), "safe") for place in range(len(rows))], verdicts)


def one_errs(size: int) -> list[list[Label]]:
    """Return rows of which each has another member with an error: the majority is always right."""
    return [["unsafe" if k == place % 3 else "safe" for k in range(3)] for place in range(size)]


def compared(validation: Sequence[Sequence[Label]], test: Sequence[Sequence[Label]]) -> PanelTest:
    panel = panel_test(judged(validation), judged(test), SETTINGS)
    assert panel is not None
    return panel


def test_a_panel_of_members_with_different_errors_is_better_and_its_numbers_are_those_of_the_prompt_test() -> None:
    rows = one_errs(60)
    panel = compared([["unsafe", "safe", "unsafe"], *one_errs(30)], rows)
    assert panel["best_member"] == NAMES[1]
    assert [each["test"] for each in panel["members"]] == pytest.approx([2 / 3] * 3)
    assert panel["panel"] == 1.0 and panel["alpha"] == pytest.approx(krippendorff_alpha(rows, "nominal"))
    alone = [Verdict(f"{place}", "ok", row[1]) for place, row in enumerate(rows)]
    together = [Verdict(f"{place}", "ok", "safe") for place in range(len(rows))]
    p_value, interval = compare_prompts(alone, together, ["safe"] * 60, SAFETY, "accuracy", 0)
    assert (panel["p_value"], panel["difference_ci95"]) == (p_value, list(interval))
    assert sentence_of(panel, "accuracy", "The panel").startswith(
        f"The panel is better than {NAMES[1]}, the best alone"
    )


def test_a_panel_that_is_no_better_is_not_praised() -> None:
    alike = [["safe"] * 3 if place % 4 else ["unsafe"] * 3 for place in range(40)]
    open_words = "The panel could not be shown to be better than"
    assert sentence_of(compared(alike, alike), "accuracy", "The panel").startswith(open_words)
    spoiled: list[list[Label]] = [["safe", "unsafe", "unsafe"]] * 40
    assert sentence_of(compared(spoiled, spoiled), "accuracy", "The panel").startswith("The panel is worse than")
    assert panel_test(judged([]), JudgedSplit([], []), SETTINGS) is None


def test_members_of_pairs_and_the_first_of_several_votes() -> None:
    task = TaskSettings(kind="pairwise")
    shown = [
        voted("p", [CastVote(Ballot("judges.0", 0, name), Verdict("p", "ok", label)) for name, label in votes], task)
        for votes in (
            [("m", "first"), ("n", "second"), ("o", "first")],
            [("m", "second"), ("n", "second"), ("o", "first")],
        )
    ]
    pair = joined_verdict("p", [ordered_verdict(shown[0], "ab"), ordered_verdict(shown[1], "ba")])
    assert [member_verdict(pair, name, task).label for name in "mno"] == ["a", None, None]
    votes = [
        CastVote(Ballot("judge", k), Verdict("s", "ok", label)) for k, label in enumerate(["unsafe", "safe", "safe"])
    ]
    assert member_verdict(voted("s", votes, SAFETY), ONE_ANSWER, SAFETY).label == "unsafe"


async def test_a_run_keeps_its_panel_after_a_stop_and_reports_the_members(tmp_path: Path) -> None:
    draw_dataset(tmp_path, 24)
    judges = [{"name": "embedded:judge"}, {"name": "embedded:judge", "part_order": "rubric_first"}]
    config = {
        "data": {"path": str(tmp_path / "labels.csv")},
        "models": {"judges": judges, "panel": {"rule": "weighted"}},
        "search": {"outer_rounds": 1, "inner_steps": 1, "error_batch": 6},
    }
    whole = await blpo.optimize(config, overrides=[f"run.dir={tmp_path / 'whole'}"])
    stopped = await blpo.optimize(config, overrides=[f"run.dir={tmp_path / 'parts'}", "limits.calls=20"])
    assert stopped.result["status"] == "budget"
    parts = await blpo.resume(stopped.directory, overrides=["limits.calls=null"])
    assert comparable({**parts.result, "calls": {}}) == comparable({**whole.result, "calls": {}})
    assert sorted(requests(parts.directory)) == sorted(requests(whole.directory))
    files = [read_judge_file(run.directory) for run in (whole, parts)]
    assert files[0] == files[1] and files[0].panel is not None and files[0].panel.weights is not None
    assert whole.result["test"] is not None and len(whole.result["test"]["panel"]["members"]) == 2
    page = (await blpo.report(whole.directory)).read_text()
    assert "embedded:judge #2</bdi>" in page and "Who voted?" in page
    assert len(whole.judge().file.judges) == 2
