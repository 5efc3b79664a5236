"""Lines of `blpo judge` about pairs, and the counts of such lines."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blpo.deployment.calibration import read_calibration
from blpo.deployment.summary import summarize
from blpo.deployment.verdict_counts import VerdictCounts
from blpo.deployment.verdict_lines import JudgedSample, line_of, read_line
from blpo.metrics.agreement import metrics
from blpo.metrics.gate import parse_gates
from blpo.runs.judge_file import JudgeFile
from state.role_usage import RoleUsage
from state.sample import Label, Sample
from state.settings import ModelSettings, TaskSettings
from state.verdict import Order, OrderedVerdict, Status, Verdict

PAIRS = TaskSettings(kind="pairwise")
WITH_TIES = TaskSettings(kind="pairwise", ties=True)
USAGE: Any = {"input_tokens": 5, "output_tokens": 2, "usd": 0.25}
CALLS = RoleUsage(issued=0, cached=0, failed=0, input_tokens=0, output_tokens=0, usd=0.0)
answer = st.sampled_from(["a", "b", "tie", None])


def judged_pair(
    ab: Label | None, ba: Label | None, label: Label | None = None, group: str | None = None, name: str = "p"
) -> JudgedSample:
    orders: tuple[tuple[Order, Label | None], ...] = (("ab", ab), ("ba", ba))
    answers = tuple(OrderedVerdict(order, "ok" if each else "refused", each, "why") for order, each in orders)
    status: Status = "ok" if ab and ba else "refused"
    verdict = Verdict(name, status, ab if ab == ba and status == "ok" else None, "why", orders=answers)
    return JudgedSample(Sample(name, (), label, group=group), verdict, USAGE)


def counted(items: list[JudgedSample], task: TaskSettings = PAIRS) -> VerdictCounts:
    counts = VerdictCounts(task)
    for item in items:
        counts.add(item)
    return counts


@given(answer, answer)
def test_a_line_is_read_as_it_was_judged(ab: str | None, ba: str | None) -> None:
    item = judged_pair(ab, ba)
    line = line_of(item)
    assert read_line(line, WITH_TIES).judged(item.sample) == item
    assert json.loads(line)["verdict"] == (ab if ab == ba else None)


def test_a_line_about_two_texts_holds_the_texts() -> None:
    item = judged_pair("a", "a")
    item = replace(item, sample=replace(item.sample, texts=("a dog", "ein Hund \u2013 \u72d7")))
    line = read_line(line_of(item), PAIRS)
    assert json.loads(line_of(item))["texts"] == ["a dog", "ein Hund \u2013 \u72d7"]
    assert line.judged(item.sample) == item
    assert line.is_of(item.sample) and not line.is_of(replace(item.sample, texts=("a dog", "a cat")))
    assert replace(line, texts=None).is_of(item.sample)  # written by an older version
    with pytest.raises(ValueError, match="not written by blpo judge"):
        read_line(json.dumps({**json.loads(line_of(item)), "texts": 3}), PAIRS)


def test_a_pair_with_an_unreadable_image_has_a_line_without_orders() -> None:
    item = JudgedSample(Sample("p", (), None), Verdict("p", "error", None, "x.png: is no image"), USAGE)
    assert read_line(line_of(item), PAIRS).judged(item.sample) == item


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "b"},  # not the label of both orders
        {"verdict": None},
        {"orders": []},
        {"orders": [{"order": "ab", "status": "ok", "label": "a"}]},
        {"orders": [{"order": o, "status": "ok", "label": "c"} for o in ("ab", "ba")], "verdict": "c"},
        {"orders": [{"order": o, "status": "ok", "label": None} for o in ("ab", "ba")], "verdict": None},
        {"orders": [{"order": "no", "status": "ok", "label": "a"}] * 2},
        {"orders": 3},
        {"status": "refused"},
        {"orders": [{"order": o, "status": "ok", "label": "tie"} for o in ("ab", "ba")], "verdict": "tie"},
    ],
)
def test_a_line_that_no_pair_has(change: dict[str, Any]) -> None:
    line = json.loads(line_of(judged_pair("a", "a")))
    with pytest.raises(ValueError, match=r"label of this judge|not written by blpo judge"):
        read_line(json.dumps({**line, **change}), PAIRS)


def test_a_line_of_one_image_has_no_orders() -> None:
    item = JudgedSample(Sample("s", (), 3), Verdict("s", "ok", 3), USAGE)
    line = json.loads(line_of(item))
    assert "orders" not in line
    orders = [{"order": o, "status": "ok", "label": 3} for o in ("ab", "ba")]
    with pytest.raises(ValueError, match="no label of this judge"):
        read_line(json.dumps({**line, "orders": orders}), TaskSettings())


def test_counts_give_the_metrics_of_the_verdicts() -> None:
    items = [
        judged_pair("a", "a", "a", "g"),
        judged_pair("a", "b", "a", "g"),
        judged_pair("b", "b", "b"),
        judged_pair("a", None, "b", "h"),
        judged_pair("b", "a", "b", "h"),
    ]
    verdicts, labels = [item.verdict for item in items], [item.sample.label for item in items]
    groups = [item.sample.group for item in items]
    assert counted(items).agreement() == metrics(verdicts, labels, PAIRS, groups=groups)


def test_positions_of_pairs_without_labels() -> None:
    items = [judged_pair("a", "b", name=str(n)) for n in range(3)] + [judged_pair("a", "a"), judged_pair("b", None)]
    summary = summarize(counted(items), [], None, CALLS)
    assert summary["metrics"] is None
    assert summary["shares"] is None
    positions = summary["positions"]
    # ab: a a a a b are first four times and second once; ba: b b b a are first three times and second once
    assert positions["first_rate"] == 7 / 9
    assert positions["consistency"] == 1 / 5
    assert positions["ties"] == 0.0
    interval = positions["first_rate_ci95"]
    assert interval is not None
    assert interval[0] < 7 / 9 < interval[1]


def test_other_tasks_have_no_positions() -> None:
    counts = counted([JudgedSample(Sample("s", (), 3), Verdict("s", "ok", 3), USAGE)], TaskSettings())
    assert "positions" not in summarize(counts, [], None, CALLS)


def test_gates_of_pairs() -> None:
    counts = counted([judged_pair("a", "b", "a") for _ in range(6)])
    gates = parse_gates("first_rate<=0.6, consistent_accuracy>=0, accuracy>=0.5", PAIRS)
    assert [gate["kept"] for gate in summarize(counts, gates, None, CALLS)["gates"]] == [False, True, True]


def test_a_pair_with_two_answers_is_an_outcome_of_its_own_in_a_calibration(tmp_path: Any) -> None:
    items = [
        judged_pair("a", "a", "a"),
        judged_pair("a", "b", "b"),
        judged_pair("b", "b", "b"),
        judged_pair(None, None, "a"),
    ]
    (tmp_path / "lines.jsonl").write_text("".join(map(line_of, items)))
    judge = JudgeFile(judge_prompt="p", task=PAIRS, model=ModelSettings(name="embedded:judge"))
    calibration = read_calibration(tmp_path / "lines.jsonl", judge)
    assert calibration.counts == {("a", "a"): 1, ("b", None): 1, ("b", "b"): 1, ("a", None): 1}
