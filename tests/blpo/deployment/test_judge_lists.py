"""`blpo.judge_set` on lists of images, by a judge of rankings."""

import io
import json
import shutil
from base64 import b64decode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage
from PIL import Image
from scipy.stats import kendalltau

import blpo
from blpo.config.settings_file import load_settings
from blpo.data.dataset import load_dataset
from blpo.deployment.table_input import InputColumns
from blpo.deployment.verdict_lines import read_line
from blpo.metrics.rankings import list_means
from blpo.runs.judge_file import JudgeFile
from state.errors import DataError, RunError
from state.ranking import MOST_IMAGES
from state.settings import ModelSettings, TaskSettings
from tests.list_set import draw_lists
from tests.public_sources import SCHEMAS, write_csv
from tests.scripted import scripted
from tests.small_set import edit_labels

TASK = TaskSettings(kind="ranking", best="highest")
PROMPT = "Rank the images.\n\n- Lower the rating strongly when noise is high or above and raise it when it is very low."
LISTS = InputColumns(group="list")
REAL_LISTS = SCHEMAS / "imagereward" / "test.json"


@pytest.fixture
def judge(tmp_path: Path) -> blpo.Judge:
    file = JudgeFile(judge_prompt=PROMPT, task=TASK, model=ModelSettings(name="embedded:judge", max_concurrency=2))
    (tmp_path / "judge.yaml").write_text(file.dump())
    return blpo.load_judge(tmp_path / "judge.yaml")


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    return draw_lists(tmp_path / "set", 12)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_the_lists_of_a_table_are_ranked(judge: blpo.Judge, lists: Path, tmp_path: Path) -> None:
    gates = ["kendall_tau_b>=-1", "top_1>=2"]
    summary = await blpo.judge_set(judge, lists, out=tmp_path / "out.jsonl", columns=LISTS, gates=gates)
    rows = lines_of(tmp_path / "out.jsonl")
    assert [row["id"] for row in rows] == [f"list {n}" for n in range(12)]
    for row in rows:
        assert [row["image"][int(place) - 1] for place in row["verdict"].split(">")] == row["ranking"]
        assert Path(row["ranking"][0]).exists() and "orders" not in row
    labelled = [row for row in rows if "label" in row]
    means = list_means([row["label"] for row in labelled], [row["verdict"] for row in labelled])
    assert summary["metrics"] is not None and summary["metrics"]["n"] == len(labelled)
    assert summary["metrics"]["ndcg"] == pytest.approx(means["ndcg"])
    assert [gate["kept"] for gate in summary["gates"]] == [True, False]
    assert summary["shares"] is None


async def test_a_config_gives_the_same_lists_and_requests_as_its_table(
    judge: blpo.Judge, lists: Path, tmp_path: Path
) -> None:
    """The order of images in a list is the same in a search and at work."""
    settings = load_settings(lists / "config.yaml")
    dataset = load_dataset(settings.data, settings.task, 0)
    await blpo.judge_set(judge, lists, out=tmp_path / "table.jsonl", columns=LISTS)
    summary = await blpo.judge_set(judge, lists / "config.yaml", out=tmp_path / "config.jsonl")
    by_id = {row["id"]: row for row in lines_of(tmp_path / "table.jsonl")}
    assert summary["judged"] == len(dataset.by_id)
    for row in lines_of(tmp_path / "config.jsonl"):
        names = [Path(name).name for name in row["image"]]
        assert names == [Path(name).name for name in by_id[row["id"]]["image"]]
        assert (row["label"], row["verdict"]) == (by_id[row["id"]]["label"], by_id[row["id"]]["verdict"])


async def test_the_folders_of_a_folder_are_lists(judge: blpo.Judge, lists: Path, tmp_path: Path) -> None:
    for name, images in (("a", ["01-0", "01-1", "01-2"]), ("b", ["03-0", "03-1"]), ("c", ["02-0"])):
        (tmp_path / "new" / name).mkdir(parents=True)
        for image in images:
            shutil.copy(lists / "images" / f"{image}.png", tmp_path / "new" / name)
    summary = await blpo.judge_set(judge, tmp_path / "new", out=tmp_path / "out.jsonl")
    rows = lines_of(tmp_path / "out.jsonl")
    assert [(Path(row["id"]).name, row["status"]) for row in rows] == [("a", "ok"), ("b", "ok"), ("c", "error")]
    assert len(rows[0]["ranking"]) == 3 and rows[2]["reason"].endswith("c: has one image, and a ranking needs two")
    assert summary["metrics"] is None


async def test_a_line_of_stdin_is_a_list_in_the_given_order(
    judge: blpo.Judge, lists: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [str(lists / "images" / f"03-{i}.png") for i in (2, 0, 1)]
    rows = [
        {"id": "x", "images": paths, "label": "1>2=3"},
        {"images": paths[:1]},
        {"images": paths, "label": "1>2"},
        {"image": paths[0]},
    ]
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(json.dumps(row) + "\n" for row in rows)))
    await blpo.judge_set(judge, "-", out=tmp_path / "out.jsonl")
    first, single, other, missing = lines_of(tmp_path / "out.jsonl")
    assert (first["id"], first["image"], first["label"]) == ("x", paths, "1>2=3")
    assert single["status"] == missing["status"] == "error"
    assert 'has no "images" with the paths of 2 to 8 images' in single["reason"]
    assert "label" not in other and other["verdict"] == first["verdict"]


async def test_nine_images_are_a_line_with_advice(judge: blpo.Judge, lists: Path, tmp_path: Path) -> None:
    edit_labels(lists, lambda rows: [row.update(list="one", text="") for row in rows[:9]])
    await blpo.judge_set(judge, lists, out=tmp_path / "out.jsonl", columns=LISTS)
    row = lines_of(tmp_path / "out.jsonl")[0]
    assert (row["status"], row["usage"]["input_tokens"]) == ("error", 0)
    assert row["reason"] == "one: has 9 images, and a ranking has at most 8; divide the list"


async def test_what_is_no_list_is_refused_before_a_call(judge: blpo.Judge, lists: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no column group, and a ranking needs the list of every image"):
        await blpo.judge_set(judge, lists)
    with pytest.raises(DataError, match="is one image; give a folder with a folder for every list"):
        await blpo.judge_set(judge, lists / "images" / "01-0.png")
    with pytest.raises(DataError, match="rankings have no shares; leave out --calibration"):
        await blpo.judge_set(judge, lists, columns=LISTS, calibration=tmp_path)
    edit_labels(lists, lambda rows: rows[2].update(list=""))
    with pytest.raises(DataError, match=r"labels\.csv:4: group is missing; name the image's list"):
        await blpo.judge_set(judge, lists, columns=LISTS)


async def test_the_same_call_goes_on(judge: blpo.Judge, lists: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    await blpo.judge_set(judge, lists, out=out, columns=LISTS)
    whole = out.read_text()
    out.write_text("".join(whole.splitlines(keepends=True)[:5]))
    summary = await blpo.judge_set(judge, lists, out=out, columns=LISTS)
    assert out.read_text() == whole and summary["calls"]["issued"] == 12
    edit_labels(lists, lambda rows: rows.pop(0))
    with pytest.raises(RunError, match="give the inputs of the first command"):
        await blpo.judge_set(judge, lists, out=out, columns=LISTS)


@pytest.mark.parametrize(
    ("status", "verdict"), [("ok", "1>3"), ("ok", "2=1"), ("ok", None), ("error", "1>2"), ("ok", "a"), ("fine", "1>2")]
)
def test_a_line_with_another_verdict_is_refused(status: str, verdict: str | None) -> None:
    usage = {"input_tokens": 1, "output_tokens": 1, "usd": 0.0}
    line = {"id": "x", "image": ["a", "b"], "status": "ok", "verdict": "2>1", "reason": "", "usage": usage}
    assert read_line(json.dumps(line), TASK).label == "2>1"
    with pytest.raises(ValueError, match="no label of this judge"):
        read_line(json.dumps(line | {"status": status, "verdict": verdict}), TASK)


@pytest.mark.slow
@pytest.mark.skipif(not REAL_LISTS.exists(), reason="the real rankings are not part of the project")
async def test_real_lists_are_measured_as_by_scipy(tmp_path: Path) -> None:
    """A scripted judge ranks drawn images in place of the real ones by their bytes. Lists of nine images are pairs."""
    rows = [row for row in json.loads(REAL_LISTS.read_text(encoding="utf-8")) if len(row["ranking"]) <= MOST_IMAGES]
    (tmp_path / "images").mkdir()
    table: list[dict[str, object]] = []
    files: dict[str, str] = {}
    for row in rows:
        for path, rank in zip(row["generations"], row["ranking"], strict=True):
            name = f"images/{path.rpartition('/')[2].removesuffix('.webp')}.png"
            if name not in files:
                Image.new("RGB", (2, 2), (len(files) % 256, len(files) // 256, 7)).save(tmp_path / name)
                files[name] = sha256((tmp_path / name).read_bytes()).hexdigest()
            table.append({"image": name, "group": row["id"], "label": rank})
    write_csv(tmp_path / "labels.csv", table)

    def rank_by_bytes(messages: Sequence[BaseMessage]) -> str:
        content: Any = messages[0].content
        urls = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
        keys = [sha256(b64decode(url.partition(",")[2])).hexdigest() for url in urls]
        return json.dumps({"reason": "", "label": sorted(range(1, len(keys) + 1), key=lambda place: keys[place - 1])})

    task = TaskSettings(kind="ranking", best="lowest")
    model = ModelSettings(name=scripted("by-bytes", rank_by_bytes))
    judge = blpo.Judge(JudgeFile(judge_prompt="Rank the images.", task=task, model=model))
    summary = await blpo.judge_set(judge, tmp_path, out=tmp_path / "out.jsonl")
    expected = []
    for row in rows:
        names = [f"images/{path.rpartition('/')[2].removesuffix('.webp')}.png" for path in row["generations"]]
        expected.append(float(kendalltau(row["ranking"], [files[name] for name in names]).statistic))
    assert summary["statuses"] == {"ok": len(rows)} and summary["metrics"] is not None
    assert summary["metrics"]["n"] == len(rows)
    assert summary["metrics"]["kendall_tau_b"] == pytest.approx(sum(expected) / len(expected), abs=1e-12)
