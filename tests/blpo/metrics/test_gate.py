"""Gates: parsing a user's text, and comparing metrics with the bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blpo.metrics.agreement import metrics
from blpo.metrics.gate import Gate, parse_gates
from state.errors import ConfigError
from state.metrics import Metrics
from state.sample import Label
from state.settings import NOMINAL_METRICS, ORDINAL_METRICS, TaskSettings
from state.verdict import Status, Verdict

TASK = TaskSettings(kind="categorical", labels=("safe", "unsafe"))
ORDINAL = TaskSettings()
NAMES = (*NOMINAL_METRICS, *ORDINAL_METRICS, "coverage", "n", "mae", "recall.1", "specificity.5")
bounds = st.floats(-1000, 1000).map(lambda bound: float(f"{bound:g}"))
gates = st.builds(
    Gate,
    st.sampled_from(["strict", "answered"]),
    st.sampled_from(NAMES),
    st.sampled_from([">=", "<=", ">", "<"]),
    bounds,
)


def measured(*rows: tuple[Label | None, Status, Label]) -> Metrics:
    verdicts = [Verdict("", status, label) for label, status, _ in rows]
    return metrics(verdicts, [label for *_, label in rows], TASK)


@given(st.lists(gates, min_size=1, max_size=4), st.sampled_from([",", " , ", ", "]))
def test_what_a_gate_says_is_read_as_that_gate(examples: list[Gate], separator: str) -> None:
    plain = [gate for gate in examples if "e" not in f"{gate.bound:g}"]
    if plain:
        assert parse_gates(separator.join(map(str, plain)), ORDINAL) == plain


@given(st.text(max_size=30))
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    try:
        parse_gates(text, ORDINAL)
    except ConfigError as error:
        assert str(error).startswith("gate ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be METRIC>=NUMBER"),
        ("macro_f1", "must be METRIC>=NUMBER"),
        ("macro_f1>=high", "must be METRIC>=NUMBER"),
        ("macro_f1>=0.8,", "must be METRIC>=NUMBER"),
        ("macro_f1>=nan", "must be METRIC>=NUMBER"),
        ("macro_f1>=80%", "must be METRIC>=NUMBER"),
        ("macro-f1>=0.8", "must be METRIC>=NUMBER"),
        ("makro_f1>=0.8", "did you mean 'macro_f1'"),
        ("loose.accuracy>=0.8", "write strict. or answered."),
        ("mae<=1", "mae needs an ordinal task"),
        ("spearman>=0.3", "spearman needs an ordinal task"),
        ("recall>=0.9", "recall is a metric of one label; write recall.safe"),
        ("recall.harmful>=0.9", "'harmful' is no label of the task (safe, unsafe)"),
        ("accuracy.safe>=0.9", "accuracy is a metric of all labels; write accuracy alone"),
        ("safety:recall.unsafe>=0.95", "this judge has a single task; leave out safety:"),
    ],
)
def test_mistakes_are_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_gates(text, TASK)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        ("accuracy>=0.5", True),  # strict: two of four
        ("accuracy>0.5", False),
        ("answered.accuracy>0.6", True),  # two of three
        ("coverage>=0.6, n>=5", True),
        ("coverage<0.6", False),
        ("recall.unsafe>=0.33", True),  # one of three
        ("recall.unsafe>0.34", False),
        ("answered.recall.unsafe>=0.5, precision.unsafe>=1", True),
    ],
)
def test_a_refusal_counts_as_wrong_unless_asked_otherwise(text: str, is_kept: bool) -> None:
    numbers = measured(
        ("safe", "ok", "safe"),
        ("unsafe", "ok", "unsafe"),
        ("safe", "ok", "unsafe"),
        (None, "refused", "unsafe"),
        (None, "error", "safe"),
    )
    assert all(gate.is_kept(numbers) for gate in parse_gates(text, TASK)) is is_kept


def test_nothing_answered_keeps_no_gate() -> None:
    numbers = measured((None, "error", "safe"))
    assert not any(gate.is_kept(numbers) for gate in parse_gates("accuracy>=0,accuracy<=1,n>=0", TASK))


def test_an_undefined_metric_keeps_no_gate_and_has_a_reason() -> None:
    numbers = measured(("safe", "ok", "safe"), ("safe", "ok", "safe"))
    gate = parse_gates("recall.unsafe>=0", TASK)[0]
    assert (gate.value(numbers), gate.is_kept(numbers)) == (None, False)
    assert gate.reason_undefined(numbers) == "no human label is unsafe"
    assert parse_gates("accuracy>=0", TASK)[0].reason_undefined(numbers) is None


def test_labels_with_spaces_commas_and_dots() -> None:
    task = TaskSettings(kind="categorical", labels=("very safe", "a, b", "v1.5"))
    texts = ["recall.very safe>=0.9", "f1.a, b>0.5", "answered.precision.v1.5>=1"]
    assert list(map(str, parse_gates(", ".join(texts), task))) == texts
