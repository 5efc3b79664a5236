"""A whole run on clips: lists of frames with one label, and its judge at work on new clips."""

import csv
import json
import shutil
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

import blpo
from blpo.config.settings_file import load_settings
from blpo.data.image_sources import FileImage
from blpo.deployment.list_judging import JudgeOfLists
from blpo.deployment.pair_forms import pair_forms
from blpo.reports.exports.write import export_disagreements
from blpo.runs.judge_file import read_judge_file
from blpo.runs.run_record import RunRecord
from state.errors import ConfigError, ModelError
from state.sample import Sample
from tests.clip_set import draw_clips
from tests.servers.chat_server import ChatServer
from tests.servers.embedded_answers import embedded_answer
from tests.short_runs import FREE, comparable


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_clips(tmp_path_factory.mktemp("clips") / "set")


@pytest.fixture(scope="module")
def run(clips: Path) -> Path:
    import asyncio

    directory = clips.parent / "run"
    asyncio.run(blpo.optimize(clips / "config.yaml", overrides=[f"run.dir={directory}"]))
    return directory


def test_a_search_learns_from_all_frames(run: Path) -> None:
    record = RunRecord.read(run)
    first, last = (record.result["rounds"][place]["validation"]["quadratic_kappa"] for place in (0, -1))
    assert first is not None and last is not None and last > first + 0.2
    judge = read_judge_file(run)
    assert (judge.images, judge.image_names) == (4, ())
    assert "image_names: []" in (run / "judge.yaml").read_text()
    assert json.loads((run / "verdicts" / "best.jsonl").read_text().splitlines()[0])["verdict"] in range(1, 6)


async def test_over_http_as_in_process(clips: Path, run: Path, tmp_path: Path) -> None:
    config = load_settings(clips / "config.yaml").model_dump(mode="json", include={"data", "search"})
    async with ChatServer(respond=embedded_answer) as server:
        model = {"base_url": server.base_url, "price": FREE}
        models = {role: {"name": f"vllm:{role}", **model} for role in ("judge", "verbalizer", "optimizer")}
        result = (await blpo.optimize({**config, "models": models, "run": {"dir": str(tmp_path / "run")}})).result
    assert comparable(result) == comparable(RunRecord.read(run).result)
    few = {role: {**each, "max_images": 3} for role, each in models.items()}
    with pytest.raises(ModelError, match=r"takes 3 images a request .* sample has 4; .* models.judge.max_images"):
        await blpo.optimize({**config, "models": few, "run": {"dir": str(tmp_path / "few")}})
    assert not (tmp_path / "few").exists()


async def test_its_judge_takes_configs_tables_folders_and_lines(
    clips: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts: dict[str, list[tuple[list[str], object]]] = {}
    columns = blpo.InputColumns(images=("folder",))
    rows = [json.loads(row["frames"]) for row in csv.DictReader(StringIO((clips / "labels.csv").read_text()))]
    lines = [json.dumps({"images": [str(clips / name) for name in names]}) + "\n" for names in rows]
    monkeypatch.setattr("sys.stdin", StringIO("".join(lines)))
    for name, place in (
        ("config", clips / "config.yaml"),
        ("table", clips / "labels.csv"),
        ("folders in a table", clips),
        ("folder", clips / "clips"),
        ("stdin", "-"),
    ):
        out = tmp_path / f"{name}.jsonl"
        own = columns if name == "folders in a table" else blpo.InputColumns()
        summary = await blpo.judge_set(run, [place], out=out, columns=own)
        assert summary["statuses"] == {"ok": 30}
        read = [json.loads(line) for line in out.read_text().splitlines()]
        verdicts[name] = [([Path(image).name for image in line["image"]], line["verdict"]) for line in read]
    assert all(each == verdicts["config"] for each in verdicts.values())
    assert [len(images) for images, _ in verdicts["config"]] == [len(names) for names in rows]


async def test_samples_that_do_not_fit_are_lines_with_their_error(clips: Path, run: Path, tmp_path: Path) -> None:
    names = [str(path) for path in sorted((clips / "clips").rglob("*.png"))]
    table = tmp_path / "new.jsonl"
    shutil.copytree(clips / "clips", tmp_path / "clips")
    paths = [str(Path(name).relative_to(clips)) for name in names]
    rows = [paths[:2], paths[:17], [], [*paths[:2], "none.png"], paths[0], "clips/04"]
    table.write_text("".join(json.dumps({"id": str(n), "image": row}) + "\n" for n, row in enumerate(rows)))
    judge = blpo.load_judge(run)
    few = judge.file.model_copy(update={"model": judge.file.model.model_copy(update={"max_images": 3})})
    out = tmp_path / "out.jsonl"
    await blpo.judge_set(blpo.Judge(few), [table], out=out)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["status"] for line in lines] == ["ok", "error", "error", "error", "ok", "ok"]
    assert "has 17 images, and a sample has at most 16" in lines[1]["reason"]
    assert "image is an empty list" in lines[2]["reason"]
    assert "none.png does not exist" in lines[3]["reason"]
    four = Sample("clip", tuple(FileImage(name, name) for name in names[:4]), None)
    (verdict,) = await blpo.Judge(few)([four])
    assert verdict.reason == "clip: has 4 images, and the judge's model takes 3 a request (max_images of the model)"
    named = few.model_copy(update={"image_names": ("front", "side", "top")})
    (verdict,) = await blpo.Judge(named)([replace(four, images=four.images[:2])])
    assert verdict.reason == "clip: has 2 images, and data.image_names names 3"
    single = few.model_copy(update={"images": 1, "image_names": None})
    with pytest.raises(ConfigError, match="0: is of pairs, and this judge labels single images"):
        await blpo.judge_set(blpo.Judge(single), [table])
    with pytest.raises(ConfigError, match="this judge labels several images together"):
        pair_forms(judge.file)
    with pytest.raises(ConfigError, match="this one labels several images"):
        JudgeOfLists(judge, "highest")


async def test_the_report_and_label_studio_show_all_frames(run: Path, tmp_path: Path) -> None:
    await blpo.report(run)
    page = (run / "report.html").read_text()
    assert 'alt="Image 4 of sample clip ' in page and 'aria-hidden="true">4</b>' in page
    folder, count = export_disagreements(run, tmp_path / "studio")
    tasks = json.loads((folder / "tasks.json").read_text())
    assert len(tasks) == count > 0
    shown = [[name for name, url in task["data"].items() if str(url).startswith("data:image/png")] for task in tasks]
    assert all(names == [f"image_{place}" for place in range(1, len(names) + 1)] for names in shown)
    assert {len(names) for names in shown} <= {2, 3, 4}
    assert all("image_2" in task["data"] for task in tasks)
