"""Lists ranked by a judge of single images (sorted ratings) or of pairs (Bradley-Terry)."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

import blpo
from blpo.cli.main import main
from blpo.deployment.judge import Judge
from blpo.deployment.list_judging import JudgeOfLists
from blpo.deployment.table_input import InputColumns
from blpo.runs.judge_file import JudgeFile
from state.errors import ConfigError
from state.sample import Sample
from state.settings import ModelSettings, TaskSettings
from tests.list_set import draw_lists
from tests.scripted import scripted

RATINGS = TaskSettings(min=1, max=9)
YES_NO = TaskSettings(kind="categorical", labels=("poor", "good"), positive="good")
PAIRS = TaskSettings(kind="pairwise")
PROMPT = "Lower the rating strongly when colourfulness is very high and raise it when it is low or below."
LISTS = InputColumns(group="list")


def judge_of(task: TaskSettings, name: str = "embedded:judge", prompt: str = PROMPT) -> Judge:
    return Judge(JudgeFile(judge_prompt=prompt, task=task, model=ModelSettings(name=name)))


class Named:
    """Image whose bytes a scripted judge recognizes."""

    def __init__(self, path: Path) -> None:
        self.name, self.path = path.name, str(path)

    def read(self) -> bytes:
        return Path(self.path).read_bytes()


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    return draw_lists(tmp_path / "set", 12)


def by_size(content: Any) -> list[int]:
    """Return the lengths of the data URLs of a message's images."""
    return [len(part["image_url"]["url"]) for part in content if part["type"] == "image_url"]


def script(answer: Callable[[list[int]], object]) -> str:
    def reply(messages: Sequence[BaseMessage]) -> str:
        return json.dumps({"reason": "", "label": answer(by_size(messages[0].content))})

    return scripted("parts", reply)


@pytest.fixture
def sample(lists: Path) -> Sample:
    """List of four images, the first has the smallest file."""
    files = sorted((lists / "images").glob("02-*.png"), key=lambda file: file.stat().st_size)
    return Sample("s", tuple(Named(files[i]) for i in (0, 2, 1, 3)), None, "A field.")


async def test_ratings_are_sorted_and_equal_ratings_are_ties(sample: Sample) -> None:
    sizes = sorted(len(image.read()) for image in sample.images)
    middle = 4 * (sizes[1] + sizes[2]) / 2 / 3

    def rate(urls: list[int]) -> int:
        return 2 if urls[0] > middle else 7

    (verdict,) = await JudgeOfLists(judge_of(RATINGS, script(rate)), "highest")([sample])
    assert verdict.label == "1=3>2=4"
    assert verdict.reason == "Rated alone: image 1 is 7, image 2 is 2, image 3 is 7, image 4 is 2."
    (verdict,) = await JudgeOfLists(
        judge_of(YES_NO, script(lambda urls: "good" if rate(urls) == 2 else "poor")), "highest"
    )([sample])
    assert verdict.label == "2=4>1=3"


async def test_all_pairs_are_compared_in_both_orders(sample: Sample) -> None:
    requests: list[list[int]] = []

    def smaller(urls: list[int]) -> str:
        requests.append(urls)
        return "first" if urls[0] < urls[1] else "second"

    (verdict,) = await JudgeOfLists(judge_of(PAIRS, script(smaller)), "highest")([sample])
    assert verdict.label == "1>3>2>4"
    assert len(requests) == 12 and len({tuple(urls) for urls in requests}) == 12
    assert verdict.reason == "Of 12 comparisons: image 1 wins 6, image 2 wins 2, image 3 wins 4, image 4 wins 0."


async def test_a_judge_that_names_a_place_finds_all_images_equal(sample: Sample) -> None:
    (verdict,) = await JudgeOfLists(judge_of(PAIRS, script(lambda urls: "first")), "highest")([sample])
    assert verdict.label == "1=2=3=4"


async def test_a_failed_part_fails_the_list(sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")
    broken = Sample("s", (*sample.images[:1], Named(tmp_path / "broken.png")), None)
    for task in (RATINGS, PAIRS):
        (verdict,) = await JudgeOfLists(judge_of(task), "highest")([broken])
        assert (verdict.status, verdict.label) == ("error", None) and "broken.png" in verdict.reason
    silent = judge_of(RATINGS, scripted("silent", lambda messages: "I can't say."))
    (verdict,) = await JudgeOfLists(silent, "highest")([sample])
    assert verdict.status == "unparseable" and verdict.reason.startswith("image 1: no label in")


@pytest.mark.parametrize("task", [RATINGS, PAIRS])
async def test_a_set_of_lists_is_measured_and_goes_on(task: TaskSettings, lists: Path, tmp_path: Path) -> None:
    judge, out = JudgeOfLists(judge_of(task), "highest"), tmp_path / "out.jsonl"
    summary = await blpo.judge_set(judge, lists, out=out, columns=LISTS, gates=["kendall_tau_b>=0.3"])
    assert summary["statuses"] == {"ok": 12}
    assert [gate["kept"] for gate in summary["gates"]] == [True]
    whole = out.read_text()
    out.write_text("".join(whole.splitlines(keepends=True)[:5]))
    again = await blpo.judge_set(judge, lists, out=out, columns=LISTS)
    assert out.read_text() == whole and again["calls"]["issued"] == summary["calls"]["issued"]
    row = json.loads(whole.splitlines()[3])
    assert len(row["ranking"]) == len(row["image"]) and row["usage"]["input_tokens"] > 0


def test_the_command_needs_a_judge_of_parts_and_the_best_rank(
    lists: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(task: TaskSettings, *options: str) -> int:
        (tmp_path / "judge.yaml").write_text(judge_of(task).file.dump())
        return main(["judge", str(tmp_path / "judge.yaml"), str(lists / "config.yaml"), *options])

    assert run(RATINGS, "--as", "ranking", "--best", "highest") == 0
    output = capsys.readouterr()
    assert "agreement with people" in output.err and "Kendall's tau-b" in output.err
    assert run(RATINGS, "--as", "ranking") == 2
    assert "--best lowest (ranks) or --best highest (ratings) belong together" in capsys.readouterr().err
    assert run(TaskSettings(kind="ranking", best="lowest"), "--as", "ranking", "--best", "highest") == 2
    assert "the judge ranks lists already" in capsys.readouterr().err
    with pytest.raises(ConfigError, match=r"sorted by task\.positive alone"):
        JudgeOfLists(judge_of(TaskSettings(kind="categorical", labels=("x", "y"))), "highest")
