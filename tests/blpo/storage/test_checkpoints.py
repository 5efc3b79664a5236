"""Checkpoints hold plain values: no saver builds an object planted in the database."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, Checkpoint, CheckpointTuple, empty_checkpoint
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from blpo.storage.checkpoints import Target, open_checkpoints
from state.settings import POSTGRES

BUILT: list[str] = []
THREAD: RunnableConfig = {"configurable": {"thread_id": "thread", "checkpoint_ns": ""}}


@dataclass
class Planted:
    """Object with a record of every construction in `BUILT`."""

    place: str

    def __post_init__(self) -> None:
        BUILT.append(self.place)


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    if request.param == "sqlite":
        return tmp_path / "checkpoints.sqlite"
    request.getfixturevalue("database_url")
    return POSTGRES


async def plant(saver: BaseCheckpointSaver[str]) -> None:
    """Write objects into a channel and into a pending write. Strictness concerns reading alone."""
    values = {"plain": {"label": 4}, "channel": Planted("channel")}
    versions: dict[str, str | int | float] = dict.fromkeys(values, saver.get_next_version(None, None))
    checkpoint: Checkpoint = {**empty_checkpoint(), "channel_values": values, "channel_versions": versions}
    saved = await saver.aput(THREAD, checkpoint, {"source": "loop", "step": 1}, versions)
    await saver.aput_writes(saved, [("plain", {"label": 5}), ("channel", Planted("write"))], "task")
    BUILT.clear()


async def read(saver: BaseCheckpointSaver[str]) -> CheckpointTuple:
    checkpoint_tuple = await saver.aget_tuple(THREAD)
    assert checkpoint_tuple is not None
    return checkpoint_tuple


async def latest(saver: BaseCheckpointSaver[str]) -> CheckpointTuple:
    tuples = [each async for each in saver.alist(THREAD)]
    return tuples[0]


@pytest.mark.parametrize("load", [read, latest])
async def test_a_planted_object_is_not_built(target: Target, load: Callable[..., Any]) -> None:
    async with open_checkpoints(target) as saver:
        await plant(saver)
        checkpoint_tuple = await load(saver)
        assert BUILT == []
        assert checkpoint_tuple.checkpoint["channel_values"]["plain"] == {"label": 4}
        assert not isinstance(checkpoint_tuple.checkpoint["channel_values"]["channel"], Planted)
        writes = {name: value for _, name, value in checkpoint_tuple.pending_writes or ()}
        assert writes["plain"] == {"label": 5}
        assert not isinstance(writes["channel"], Planted)


async def test_the_planted_objects_are_built_by_a_saver_that_allows_all(target: Target) -> None:
    """A permissive saver builds the planted objects, so the test above tests the strict saver."""
    async with open_checkpoints(target) as saver:
        await plant(saver)
        saver.serde = JsonPlusSerializer(allowed_msgpack_modules=True)
        await read(saver)
    assert sorted(set(BUILT)) == ["channel", "write"]
