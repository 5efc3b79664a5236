"""Too many failed calls end a step at once."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image

import blpo
from blpo.data.image_sources import file_sample
from blpo.inference.open_models import OpenModels, open_models
from blpo.inference.verdicts import judge_samples
from blpo.models.rejections import MOST_ALIKE
from state.errors import ModelError, TooManyFailures
from state.sample import Sample
from state.settings import LimitSettings, ModelSettings, ModelsSettings, Settings
from tests.scripted import scripted
from tests.servers.chat_server import ChatServer, Fault
from tests.small_set import draw_dataset

GOOD = json.dumps({"reason": "fine", "label": 4})
AT_ONCE = 4
WIDTH = 2 * AT_ONCE
"""Samples at work at once."""


def drawn_samples(folder: Path, size: int) -> list[Sample]:
    folder.mkdir()
    for i in range(size):
        Image.new("RGB", (8, 8), (i, 0, 0)).save(folder / f"{i}.png")
    return [file_sample(folder / f"{i}.png") for i in range(size)]


@asynccontextmanager
async def models_at(server: ChatServer, rate: float, retries: int) -> AsyncIterator[OpenModels]:
    model = ModelSettings(
        name="vllm:q",
        base_url=server.base_url,
        max_retries=retries,
        max_concurrency=AT_ONCE,
        structured_output=False,
    )
    roles = ModelsSettings(judge=model, optimizer=model)
    async with open_models(Settings(models=roles, limits=LimitSettings(max_failure_rate=rate))) as models:
        yield models


@pytest.mark.parametrize("size", [28, 112])
async def test_a_dead_server_gets_no_more_requests_for_more_samples(tmp_path: Path, size: int) -> None:
    async with ChatServer(lambda messages: GOOD, lambda request: Fault(status=500)) as server:
        async with models_at(server, 0, retries=1) as models:
            with pytest.raises(TooManyFailures, match=f"1 of {size} judge calls failed after retries"):
                await judge_samples(models, "Rate it.", drawn_samples(tmp_path / "set", size))
        assert server.count <= 2 * WIDTH  # two attempts


async def test_calls_under_way_are_not_tried_again_after_the_last_allowed_error(tmp_path: Path) -> None:
    faults = iter([*[Fault(status=500)] * 3, *[Fault(status=400, message="bad image", delay=0.1)] * 30])
    async with ChatServer(lambda messages: GOOD, faults) as server:
        async with models_at(server, 0, retries=9) as models:
            with pytest.raises(TooManyFailures, match="bad image"):
                await judge_samples(models, "Rate it.", drawn_samples(tmp_path / "set", 20))
        assert server.count <= WIDTH + 3  # the first failure may count after a first retry


async def test_the_same_rejection_of_every_image_ends_the_step_and_names_the_setting(tmp_path: Path) -> None:
    words = r"zut alors\. (No call was answered|The server .* alike): check models\.judge\.max_tokens_parameter"
    async with ChatServer(lambda messages: GOOD, lambda request: Fault(status=422, message="zut alors.")) as server:
        async with models_at(server, 0.05, retries=1) as models:
            with pytest.raises((TooManyFailures, ModelError), match=words):
                await judge_samples(models, "Rate it.", drawn_samples(tmp_path / "set", 40))
        assert server.count <= MOST_ALIKE + 2 * AT_ONCE


async def test_as_many_errors_as_allowed_end_nothing(tmp_path: Path) -> None:
    faults = iter([Fault(status=400, message="bad image")] * 2)
    async with ChatServer(lambda messages: GOOD, faults) as server, models_at(server, 0.1, retries=0) as models:
        verdicts = await judge_samples(models, "Rate it.", drawn_samples(tmp_path / "set", 20))
    assert [verdict.status for verdict in verdicts].count("error") == 2


async def test_the_rate_counts_each_split_by_itself(tmp_path: Path) -> None:
    folder = draw_dataset(tmp_path / "set", 60)
    rows = (folder / "labels.csv").read_text().splitlines()
    splits = ["train"] * 30 + ["validation"] * 15 + ["test"] * 15
    text = [f"{rows[0]},split", *(f"{row},{split}" for row, split in zip(rows[1:], splits, strict=True))]
    (folder / "labels.csv").write_text("\n".join(text) + "\n")
    numbers = iter(range(1000))

    async with ChatServer(
        lambda messages: GOOD,  # the requests of the train split come first
        lambda request: Fault(status=400, message="bad image") if next(numbers) in (31, 33, 35) else Fault(),
    ) as server:
        model = {"name": "vllm:q", "base_url": server.base_url, "max_concurrency": 1, "structured_output": False}
        config = {
            "data": {"path": str(folder), "split": {"column": "split"}},
            "models": {"judge": model, "optimizer": {"name": scripted("unused", lambda messages: "")}},
            "run": {"dir": str(tmp_path / "run")},
            "limits": {"max_failure_rate": 0.1},  # 3 of all 45 samples would not exceed it
        }
        with pytest.raises(TooManyFailures, match="3 of 15 judge calls failed after retries on the validation split"):
            await blpo.optimize(config, progress=False)
