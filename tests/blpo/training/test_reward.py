"""The reward: equal to the parser of verdicts on any reply, in blpo and in the exported file."""

import importlib.util
import json
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from blpo.models.verdict_format import obeys, verdict_schema
from blpo.models.verdict_reading import parse_verdict
from blpo.training.reward import Reward, RightLabel, answer_text, is_in_form, read_answer, reward
from blpo.training.reward_file import reward_file
from state.ranking import agrees
from state.settings import TaskSettings

TASKS: dict[str, tuple[TaskSettings, int | str]] = {
    "rating": (TaskSettings(), 4),
    "safety": (TaskSettings(kind="categorical", labels=("safe", "unsafe")), "unsafe"),
    "pair": (TaskSettings(kind="pairwise").answer_scale, "second"),
    "ranking": (TaskSettings(kind="ranking", best="lowest", max=3), "2>1=3"),
}
PIECES = (
    *("4", "unsafe", "safe", "second", "first", "[2, 1, 3]", "2 > 1 > 3", "4/5", "4.0", '"4"', "true", "7", "null"),
    *("Rating: ", "label is ", "**", "<think>", "</think>", "```json\n", "\n```", "<answer>", "</answer>", "{", "}"),
    *('{"reason": "so", "label": ', '{"label": ', ', "reason": "late"', '{"reason": "é\\n", "LABEL": ', ": ", ",", " "),
    *("<|im_end|>", "not ", " or ", "\u200b", "\ud83d", "\\boxed{4}", "The image is fine. "),
)
WHOLE = ('{"reason": "so", "label": %s}', '{"label": %s}', '{"reason": "", "label": %s, "x": 1}')
REPLIES = 1000


def right(name: str) -> RightLabel:
    task, label = TASKS[name]
    assert task.kind != "pairwise"
    return RightLabel("label", label, task.kind, task.min, task.max, task.labels)


def fuzzed(generator: random.Random) -> str:
    """Return a reply: pieces in any order, often around a whole answer."""
    pieces = [generator.choice(PIECES) for _ in range(generator.randrange(6))]
    if generator.random() < 0.6:
        value = generator.choice(["4", "3", '"unsafe"', '"safe"', '"second"', "[2, 1, 3]", "[2, 3, 1]", "[1, 2, 3]"])
        whole = generator.choice(
            ['{"reason": "so", "label": %s}', '{"label": %s}', '{"reason": "", "label": %s, "x": 1}']
        )
        pieces.insert(generator.randrange(len(pieces) + 1) if generator.random() < 0.5 else 0, whole % value)
        pieces = pieces[: generator.randrange(1, 4)]
    return "".join(pieces)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Import reward.py as an export has it."""
    path = tmp_path_factory.mktemp("reward") / "exported_reward.py"
    path.write_text(reward_file(), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("exported_reward", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["exported_reward"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", TASKS)
def test_the_accuracy_is_the_label_that_the_parser_reads(name: str, exported: ModuleType) -> None:
    task, label = TASKS[name]
    generator = random.Random(name)
    answer = answer_text((right(name),))
    outcomes = set()
    for _ in range(REPLIES):
        reply = fuzzed(generator)
        status, read, _ = parse_verdict(reply, task)
        ours = reward(reply, answer, 0.3)
        assert ours.accuracy == float(agrees(read, label)), reply
        if ours.format:
            assert status == "ok" and obeys(reply, verdict_schema(task)), reply
        assert ours.overall == 0.3 * ours.format + 0.7 * ours.accuracy
        (theirs,) = exported.compute_score([{"response": reply, "ground_truth": answer}], 0.3)
        assert theirs == ours._asdict(), reply
        outcomes.add((ours.format, ours.accuracy))
    assert {(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)} <= outcomes


@pytest.mark.parametrize("name", TASKS)
def test_form_and_label_have_their_shares(name: str) -> None:
    answer = answer_text((right(name),))
    good, bad = {
        "rating": ("4", "5"),
        "safety": ('"unsafe"', '"safe"'),
        "pair": ('"second"', '"first"'),
        "ranking": ("[2, 3, 1]", "[1, 2, 3]"),  # people find the images 1 and 3 equal
    }[name]
    assert reward(f'{{"reason": "so", "label": {good}}}', answer, 0.1) == Reward(1, 1, 1)
    assert reward(f'{{"label": {good}}}', answer, 0.1) == Reward(0, 1, 0.9)
    assert reward(f'{{"reason": "so", "label": {bad}}}', answer, 0.1) == Reward(1, 0, 0.1)
    assert reward("I can't say", answer, 0.1) == Reward(0, 0, 0)


@pytest.mark.parametrize(
    "reply",
    [
        '{"label": 4, "reason": "the label came first"}',
        '{"reason": "so", "label": "4"}',
        '{"reason": "so", "label": 4.0}',
        '{"reason": "so", "label": true}',
        '{"reason": 3, "label": 4}',
        '{"reason": "so", "label": 9}',
        '{"reason": "so", "label": 4, "more": 1}',
        'Here: {"reason": "so", "label": 4}',
        "4",
        "",
        "[" * 5000,
    ],
)
def test_another_form_has_no_format_reward(reply: str) -> None:
    assert not is_in_form(reply, (right("rating"),))


def test_thoughts_and_the_end_of_the_turn_are_no_part_of_the_form() -> None:
    assert is_in_form('<think>hm</think>{"reason": "so", "label": 4}<|im_end|>', (right("rating"),))


def test_criteria_have_equal_shares_of_the_accuracy() -> None:
    labels = (
        RightLabel("grain", 2, "ordinal", 1, 3),
        RightLabel("mood", "high", "categorical", labels=("low", "high")),
    )
    answer = answer_text(labels)
    assert read_answer(answer) == labels
    assert reward('{"reason": "so", "grain": 2, "mood": "high"}', answer, 0.2).overall == 1
    assert reward('{"reason": "so", "grain": 2, "mood": "low"}', answer, 0.2) == Reward(1, 0.5, 0.2 + 0.8 * 0.5)
    assert reward('{"reason": "so", "mood": "high", "grain": 2}', answer, 0.2).format == 0


def test_the_exported_file_needs_the_standard_library_alone(tmp_path: Path) -> None:
    (tmp_path / "reward.py").write_text(reward_file(), encoding="utf-8")
    answer = answer_text((right("rating"),))
    use = (
        "import sys; sys.path.insert(0, sys.argv[1]); import reward; reply = [[{'content': sys.argv[2]}]];"
        "print([f(reply, answer=[sys.argv[3]]) for f in (reward.format_reward, reward.accuracy_reward)])"
    )
    reply = json.dumps({"reason": "so", "label": 4})
    command = [sys.executable, "-I", "-S", "-c", use, str(tmp_path), reply, answer]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[[1.0], [1.0]]\n"
