"""`blpo judge --engine local`: Parquet in, a folder of Parquet out."""

import asyncio
import json
from itertools import chain, repeat
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from blpo.bulk.bulk_judging import BulkJudging, BulkOptions
from blpo.bulk.engine import Stop
from blpo.bulk.local_engine import judge_here
from blpo.bulk.out_folder import OutFolder
from blpo.bulk.shard import Shard
from blpo.cli.main import main
from blpo.deployment.judge import load_judge
from state.errors import BlpoError, BudgetSpent, RunError
from state.settings import LimitSettings
from tests.parquet_set import draw_shards, png, rows, verdicts_in, write_judge
from tests.servers.chat_server import ChatServer, Fault
from tests.servers.object_storage import object_storage

PLAIN = '{"reason": "plain", "label": 3}'
FIELDS = ("id", "status", "verdict", "usage")


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_shards(tmp_path_factory.mktemp("bulk") / "shards")


async def judged(
    judge: Path, shards: Path, out: Path, stop: Stop | None = None, **options: object
) -> tuple[BulkJudging, BlpoError | None]:
    folder = OutFolder(str(out))
    bulk = BulkOptions(block_rows=16, **options)  # type: ignore[arg-type]
    with folder.locked(bulk.shard.name):
        work = BulkJudging(load_judge(judge), [str(shards)], folder, bulk)
        return work, await work.run(judge_here, lambda spent: None, stop or Stop())


def test_verdicts_and_summary_equal_those_of_json_lines(
    shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge = write_judge(tmp_path / "judge.yaml")
    command = ["judge", str(judge), "--json", "--gate", "accuracy>=0.1", "--out"]
    assert main([*command, str(tmp_path / "out"), str(shards), "--engine", "local", "--block-rows", "10"]) == 0
    bulk = json.loads(capsys.readouterr().out)
    files = sorted(map(str, shards.glob("*.parquet")))
    assert main([*command, str(tmp_path / "lines.jsonl"), *files]) == 0
    whole = json.loads(capsys.readouterr().out)
    lines = [json.loads(line) for line in (tmp_path / "lines.jsonl").read_text().splitlines()]
    table = verdicts_in(tmp_path / "out")
    assert [{name: row[name] for name in (*FIELDS, "reason")} for row in table] == [
        {name: line[name] for name in (*FIELDS, "reason")} for line in lines
    ]
    assert [(Path(row["file"]).name, row["row"]) for row in table] == [
        (Path(file).name, row) for file in files for row in range(1, 21)
    ]
    del whole["calls"]["cached_tokens"]
    assert bulk == whole
    assert len(list((tmp_path / "out").glob("*.parquet"))) == 10  # row groups of 8, 8 and 4 rows, parts of at most 5


async def test_only_missing_parts_and_errors_are_judged_again(shards: Path, tmp_path: Path) -> None:
    refusal = Fault(status=400, message="no such request")
    faults = chain(repeat(Fault(), 10), [refusal], repeat(Fault()))
    async with ChatServer(lambda messages: PLAIN, faults) as server:
        judge = write_judge(tmp_path / "judge.yaml", name="vllm:judge", base_url=server.base_url)
        work, end = await judged(judge, shards, tmp_path / "out")
        assert end is None and work.summary()["statuses"] == {"ok": 39, "error": 1}
        failed = next(row for row in verdicts_in(tmp_path / "out") if row["status"] == "error")
        assert "no such request" in failed["error"] and failed["reason"] is None and failed["verdict"] is None
        assert server.count == 40
        work, end = await judged(judge, shards, tmp_path / "out")
        assert server.count == 41 and (work.before, work.total) == (39, 40)
        next(iter((tmp_path / "out").glob("photos-1*08.parquet"))).unlink()
        work, end = await judged(judge, shards, tmp_path / "out")
        assert end is None and work.summary()["statuses"] == {"ok": 40}
        assert server.count == 49 == work.summary()["calls"]["issued"]
    assert len({row["id"] for row in verdicts_in(tmp_path / "out")}) == 40 == len(verdicts_in(tmp_path / "out"))


async def test_a_budget_is_kept_over_commands_and_nothing_is_paid_twice(shards: Path, tmp_path: Path) -> None:
    async with ChatServer(lambda messages: PLAIN) as server:
        judge = write_judge(tmp_path / "judge.yaml", name="vllm:judge", base_url=server.base_url)
        work, end = await judged(judge, shards, tmp_path / "out", limits=LimitSettings(calls=13))
        assert isinstance(end, BudgetSpent) and "--max-calls 13" in str(end)
        assert server.count == 13 and work.summary()["statuses"]["ok"] == 13
        _, end = await judged(judge, shards, tmp_path / "out", limits=LimitSettings(calls=20))
        assert isinstance(end, BudgetSpent) and server.count == 20
        work, end = await judged(judge, shards, tmp_path / "out", limits=LimitSettings(calls=40))
        assert end is None and server.count == 40 and work.summary()["statuses"] == {"ok": 40}


async def test_a_stop_keeps_all_answers(shards: Path, tmp_path: Path) -> None:
    stop, count = Stop(), 0

    def answer(messages: object) -> str:
        nonlocal count
        count += 1
        if count == 5:
            asyncio.get_running_loop().call_soon(stop.request, RunError("stopped"))
        return PLAIN

    async with ChatServer(answer) as server:
        judge = write_judge(tmp_path / "judge.yaml", name="vllm:judge", base_url=server.base_url)
        work, end = await judged(judge, shards, tmp_path / "out", stop)
        assert str(end) == "stopped"
        assert 5 <= work.summary()["statuses"]["ok"] == server.count < 16
        assert {row["error"] for row in verdicts_in(tmp_path / "out")} == {None, "not judged: stopped"}
        _, end = await judged(judge, shards, tmp_path / "out")
        assert end is None and server.count == 40


async def test_a_refused_key_ends_the_work_with_one_sentence(shards: Path, tmp_path: Path) -> None:
    async with ChatServer(lambda messages: PLAIN, api_key="right") as server:
        judge = write_judge(tmp_path / "judge.yaml", name="vllm:judge", base_url=server.base_url)
        _, end = await judged(judge, shards, tmp_path / "out")
        assert end is not None and "401" in str(end) and server.count < 10


async def test_shards_share_the_rows(shards: Path, tmp_path: Path) -> None:
    judge = write_judge(tmp_path / "judge.yaml")
    await judged(judge, shards, tmp_path / "whole")
    for number in (2, 1):
        work, _ = await judged(judge, shards, tmp_path / "out", shard=Shard(number, 2))
        assert work.summary()["judged"] == work.total == 20
    work, _ = await judged(judge, shards, tmp_path / "out")
    assert (work.before, work.summary()["judged"]) == (40, 40)
    assert verdicts_in(tmp_path / "out") == verdicts_in(tmp_path / "whole")


def test_bad_images_and_paths_are_rows_with_reasons(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.png").write_bytes(png(0))
    (folder / "b.png").write_bytes(b"no image")
    names = ["a.png", "b.png", "c.png", "../judge.yaml", None, "s3://bucket/a.png"]
    pyarrow.parquet.write_table(pyarrow.table({"image": names}), folder / "photos.parquet")
    judge = write_judge(tmp_path / "judge.yaml")
    assert main(["judge", str(judge), str(folder), "--engine", "local", "--out", str(tmp_path / "out")]) == 1
    table = verdicts_in(tmp_path / "out")
    assert [row["id"] for row in table] == [*names[:4], "photos.parquet:5", names[5]]
    assert [row["status"] for row in table] == ["ok"] + ["error"] * 5
    words = ("", "", "does not exist", "outside", "path", "URL")
    assert all(word in (row["error"] or "") for row, word in zip(table, words, strict=True))


def test_a_damaged_row_group_costs_its_rows_alone(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    file = tmp_path / "shards" / "photos.parquet"
    pyarrow.parquet.write_table(pyarrow.table(rows(0, 24)), file, row_group_size=8, compression="zstd")
    start = pyarrow.parquet.ParquetFile(file).metadata.row_group(1).column(1).data_page_offset
    content = bytearray(file.read_bytes())
    content[start : start + 60] = bytes(60)
    file.write_bytes(content)
    judge = write_judge(tmp_path / "judge.yaml")
    command = ["judge", str(judge), str(file), "--engine", "local", "--block-rows", "16"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 1
    table = verdicts_in(tmp_path / "out")
    assert [row["status"] for row in table] == ["ok"] * 8 + ["error"] * 8 + ["ok"] * 8
    assert all("can't be read as a table" in row["error"] for row in table[8:16])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{shards}", "--engine", "local"], "--out DIR"),
        (["{shards}", "--engine", "local", "--out", "{file}"], "is a file"),
        (["{shards}", "--shard", "17/16", "--out", "{out}"], "as in 3/16"),
        (["{shards}", "--engine", "local", "--out", "{out}", "--image-column", "picture"], "picture"),
        (["{shards}", "--engine", "local", "--out", "{out}", "--baseline", "{file}"], "--baseline"),
        (["{shards}", "--engine", "local", "--out", "{out}", "--max-usd", "1"], "price"),
        (["{file}", "--engine", "local", "--out", "{out}"], "can't be read as a table"),
        (["nowhere", "--engine", "local", "--out", "{out}"], "nowhere: no Parquet file"),
        (["{shards}", "--max-calls", "3"], "--engine"),
        (["{shards}", "--engine", "local", "--out", "{out}", "--actors", "3"], "--engine ray"),
        (["{shards}", "--engine", "ray", "--out", "{out}"], "extra 'ray'"),
    ],
)
def test_a_bad_command_gets_one_line(
    words: list[str], message: str, shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge = write_judge(tmp_path / "judge.yaml", name="vllm:judge", base_url="http://127.0.0.1:9/v1")
    names = {"shards": shards, "file": judge, "out": tmp_path / "out"}
    assert main(["judge", str(judge), *(word.format(**names) for word in words)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_a_folder_keeps_to_its_judge_and_inputs(
    shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge = write_judge(tmp_path / "judge.yaml")
    command = ["--engine", "local", "--out", str(tmp_path / "out")]
    first = str(shards / "photos-0.parquet")
    assert main(["judge", str(judge), first, *command]) == 0
    assert main(["judge", str(judge), str(shards), *command]) == 0  # more inputs
    capsys.readouterr()
    assert main(["judge", str(judge), first, *command]) == 2
    assert "verdicts of other inputs" in capsys.readouterr().err
    assert main(["judge", str(judge), str(shards), *command, "--block-rows", "10"]) == 2
    assert "was begun with --block-rows 4000" in capsys.readouterr().err
    write_judge(judge, max_pixels=2000)
    assert main(["judge", str(judge), str(shards), *command]) == 2
    assert "another judge" in capsys.readouterr().err


def test_object_storage_holds_inputs_images_and_verdicts(shards: Path, tmp_path: Path) -> None:
    judge = write_judge(tmp_path / "judge.yaml")
    with object_storage() as storage:
        buffer = pyarrow.BufferOutputStream()
        images = ["images/0.png", "s3://photos/set/images/1.png", "s3://other/1.png", "images/missing.png"]
        pyarrow.parquet.write_table(pyarrow.table({"image": images}), buffer)
        storage.objects["photos/set/table.parquet"] = buffer.getvalue().to_pybytes()
        storage.objects |= {f"photos/set/images/{number}.png": png(number) for number in range(2)}
        out = "s3://photos/verdicts"
        assert main(["judge", str(judge), "s3://photos/set/*.parquet", "--engine", "local", "--out", out]) == 1
        (name,) = [name for name in storage.objects if "verdicts/table" in name]
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(storage.objects[name])).to_pylist()
        assert [row["status"] for row in table] == ["ok", "ok", "error", "error"]
        assert "outside the folder" in table[2]["error"] and "can't be read" in table[3]["error"]
        assert [row["id"] for row in table] == images
