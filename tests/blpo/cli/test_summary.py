"""Summary of a run: plain words for every outcome, honest without an improvement."""

import re
from typing import cast

import pytest
from rich.console import Console

from blpo.cli.summary import agreement_table, print_summary
from blpo.reports.label_source import PEOPLE
from blpo.runs.verdict_sentence import verdict
from state.metrics import Agreement, Metrics, SplitMetrics
from state.metrics_on_test import TestMetrics as OnTest
from state.result import Result
from state.role_usage import RoleUsage
from state.round_result import RoundResult

USAGE = RoleUsage(issued=240, cached=96, failed=0, input_tokens=12345, output_tokens=678, usd=None)


def measured(macro_f1: float, coverage: float = 1.0, strict: float | None = None) -> Metrics:
    agreement = Agreement(accuracy=0.5, balanced_accuracy=0.4, macro_f1=macro_f1, kappa=0.1, majority_baseline=0.25)
    worse = Agreement({**agreement, "macro_f1": macro_f1 if strict is None else strict})
    return cast(Metrics, {**agreement, "n": 72, "coverage": coverage, "strict": worse, "mae": 1.25})


def result(before: Metrics, after: Metrics, p_value: float, interval: list[float]) -> Result:
    rounds = [
        RoundResult(round=t, judge_prompt=prompt, i2t_prompt="q", validation=before, errors=3, trials=[])
        for t, prompt in enumerate(("Rate it.\nBe fair.", "Rate it.\nLower it for \x1b[2Jnoise."))
    ]
    split = SplitMetrics(initial=before, best=after)
    return Result(
        format=1,
        status="complete",
        stop_reason="patience",
        metric="macro_f1",
        validation=split,
        test=OnTest(initial=before, best=after, p_value=p_value, difference_ci95=interval),
        rounds=rounds,
        best_round=1,
        calls={"judge": USAGE},
        seconds=3.0,
    )


BETTER = result(measured(0.21), measured(0.58), 0.0004, [0.22, 0.5])


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (
            BETTER,
            "Better: macro-F1 0.210 -> 0.580 on 72 untouched samples"
            " (difference +0.370, 95 % interval +0.220 to +0.500, p = 0.0004).",
        ),
        (
            result(measured(0.21), measured(0.25), 0.3, [-0.1, 0.2]),
            "No improvement could be shown: macro-F1 0.210 -> 0.250 on 72 untouched samples"
            " (difference +0.040, 95 % interval -0.100 to +0.200, p = 0.3).",
        ),
        (
            result(measured(0.58), measured(0.21), 0.00002, [-0.5, -0.2]),
            "Worse: macro-F1 0.580 -> 0.210 on 72 untouched samples"
            " (difference -0.370, 95 % interval -0.500 to -0.200, p < 0.0001).",
        ),
        (
            {**result(measured(0.21), measured(0.21), 1.0, [0.0, 0.0]), "best_round": 0},
            "The initial prompt stays: no other was selected (macro-F1 0.210 on 72 untouched samples).",
        ),
        (
            {**BETTER, "test": None, "status": "interrupted"},
            "Not tested: the test split is judged once, at the end of the search.",
        ),
        (
            {**BETTER, "test": None, "status": "budget"},
            "Not tested: what limits left did not suffice to judge the test split under both prompts.",
        ),
    ],
)
def test_verdict(outcome: Result, sentence: str) -> None:
    assert verdict(outcome) == sentence


def test_failures_are_told_apart_from_wrong_answers() -> None:
    outcome = result(measured(0.6, 0.75, strict=0.4), measured(0.7), 0.01, [0.1, 0.4])
    assert "0.400 -> 0.700" in verdict(outcome)
    assert verdict(outcome).endswith("p = 0.01; interval and p over samples answered under both prompts).")
    assert outcome["test"] is not None
    console = Console(width=80)
    with console.capture() as capture:
        console.print(agreement_table("test", outcome["test"], "macro_f1", PEOPLE))
    rows = [re.split(r"  +", line.strip()) for line in capture.get().splitlines()]
    assert ["macro-F1", "0.600", "0.700", "+0.100"] in rows
    assert ["macro-F1, failures as wrong", "0.400", "0.700", "+0.300"] in rows
    assert ["coverage", "0.750", "1.000", "+0.250"] in rows


def test_one_sample_is_told_in_the_singular_and_no_zero_is_negative() -> None:
    one: Metrics = {**measured(0.6), "n": 1, "kappa": -0.0001}
    outcome = result(one, {**one, "macro_f1": 0.7}, 1.0, [-0.1, 0.1])
    assert "on 1 untouched sample (" in verdict(outcome)
    assert outcome["test"] is not None
    console = Console(width=80)
    with console.capture() as capture:
        console.print(agreement_table("test", outcome["test"], "macro_f1", PEOPLE))
    text = capture.get()
    assert "on test, 1 sample\n" in text and "-0.000" not in text


@pytest.mark.parametrize("columns", ["40", "80"])
def test_summary_fits_and_holds_everything(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    print_summary(BETTER, "runs/x", PEOPLE)
    out = capsys.readouterr().out
    for part in ("-Be fair.", "+Lower it for �[2Jnoise.", "0.580", "Better:", "search.patience", "runs/x/judge.yaml"):
        assert part in " ".join(out.split()) or part in out
    assert "\x1b" not in out


def long_result() -> Result:
    """Result with a long prompt, advice and a warning, and F1 of one of nine labels."""
    names = [f"a rather long name of label {number}" for number in range(9)]
    by_label = {name: 0.5 for name in names}
    column = cast(Metrics, {**measured(0.58), "f1": by_label, "recall": by_label, "precision": by_label})
    lines = "\n".join(
        f"- Lower the rating when attribute {n} is high or above, else raise the rating." for n in range(30)
    )
    rounds = [BETTER["rounds"][0], {**BETTER["rounds"][1], "judge_prompt": f"Rate it.\n{lines}"}]
    content = {
        **result(measured(0.21), column, 0.0004, [0.22, 0.5]),
        "rounds": rounds,
        "positive": names[3],
        "advice": "More labels would help. " * 6,
        "warnings": ["The search found no new prompt to try. " * 4],
    }
    return cast(Result, content)


def test_a_terminal_of_80_columns_shows_whole_words_and_few_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")  # as a terminal
    print_summary(long_result(), "runs/x", PEOPLE)
    lines = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= 80 and len(lines) <= 45
    assert "... and 24 more lines; judge.yaml holds the whole prompt" in lines
    assert not any("specificity" in line or "MAE" in line for line in lines)
    words = " ".join(" ".join(lines).split())
    assert "+- Lower the rating when attribute 0 is high or above, else raise the rating." in words
    assert "F1 of a rather long name of label 3" in words
