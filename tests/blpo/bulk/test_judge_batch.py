"""The judge as a callable on Arrow tables."""

import asyncio
import pickle
from pathlib import Path

import pyarrow
import pytest

from blpo.bulk.judge_batch import JudgeBatch
from blpo.deployment.judge import load_judge
from blpo.deployment.table_input import InputColumns
from blpo.runs.judge_file import JudgeFile
from state.errors import ConfigError, DataError, ModelError
from state.sample import Sample
from state.settings import ModelSettings, TaskSettings
from tests.parquet_set import png, rows, write_judge
from tests.servers.chat_server import ChatServer


async def test_a_row_in_is_a_row_out(tmp_path: Path) -> None:
    judge = write_judge(tmp_path / "judge.yaml")
    content = rows(0, 6)
    content["image"][2] = b"no image"
    content["label"][3] = 17
    batch = pickle.loads(pickle.dumps(JudgeBatch(judge)))
    table = batch(pyarrow.table(content))
    assert table.schema == batch.schema and table.column("id").to_pylist() == content["id"]
    assert table.column("status").to_pylist() == ["ok", "ok", "error", "ok", "ok", "ok"]
    assert table.column("error").null_count == 5 and "p2" not in content["image"]
    assert table.column("label").to_pylist() == [5, 4, 3, None, 1, 5]
    direct = [verdict.label for verdict in await load_judge(judge)(_samples(content["image"]))]
    assert table.column("verdict").to_pylist() == direct
    assert table.slice(1, 1).to_pylist() == batch(pyarrow.table(rows(1, 1))).to_pylist()
    batch.close()


def _samples(images: list[bytes]) -> list[Sample]:
    return [Sample(str(place), (_Bytes(image),), None) for place, image in enumerate(images)]


class _Bytes:
    name = "image"

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self) -> bytes:
        return self._content


def test_pairs_and_lists_of_images(tmp_path: Path) -> None:
    model = ModelSettings(name="embedded:judge")
    task = TaskSettings(kind="pairwise")
    file = JudgeFile(judge_prompt="Which is less noisy?", task=task, images=2, model=model)
    (tmp_path / "judge.yaml").write_text(file.dump())
    batch = JudgeBatch(tmp_path / "judge.yaml")
    pair = {"image_a": [{"bytes": png(0), "path": None}], "image_b": [{"bytes": png(4), "path": None}]}
    (row,) = batch(pyarrow.table(pair)).to_pylist()
    assert row["status"] == "ok" and row["orders"].count('"order"') == 2 and row["id"] == "row:1"
    batch.close()


def test_bad_tables_and_judges_are_told(tmp_path: Path) -> None:
    judge = write_judge(tmp_path / "judge.yaml")
    with pytest.raises(DataError, match="no column 'picture'"):
        JudgeBatch(judge, columns=InputColumns(images=("picture",)))(pyarrow.table(rows(0, 1)))
    ranking = JudgeFile(
        judge_prompt="Order.",
        task=TaskSettings(kind="ranking", best="lowest"),
        model=ModelSettings(name="embedded:judge"),
    )
    (tmp_path / "ranking.yaml").write_text(ranking.dump())
    with pytest.raises(ConfigError, match="whole lists"):
        JudgeBatch(tmp_path / "ranking.yaml")
    nowhere = write_judge(tmp_path / "nowhere.yaml", name="vllm:judge", base_url="http://127.0.0.1:9/v1", max_retries=0)
    batch = JudgeBatch(nowhere)
    (row,) = batch(pyarrow.table(rows(0, 1))).to_pylist()
    batch.close()
    assert row["status"] == "error" and row["error"]


async def test_an_error_of_all_requests_is_raised_and_the_next_batch_tries_again(tmp_path: Path) -> None:
    async with ChatServer(lambda messages: '{"reason": "plain", "label": 3}', api_key="right") as server:
        batch = JudgeBatch(write_judge(tmp_path / "judge.yaml", name="vllm:judge", base_url=server.base_url))
        for _ in range(2):
            with pytest.raises(ModelError, match="401"):
                await asyncio.to_thread(batch, pyarrow.table(rows(0, 3)))
        server.api_key = None
        table = await asyncio.to_thread(batch, pyarrow.table(rows(0, 3)))
        assert table.column("verdict").to_pylist() == [3, 3, 3]
        batch.close()
