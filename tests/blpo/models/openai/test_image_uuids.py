"""Images by name: sent in full once, and again if the server has dropped an image."""

import itertools
from typing import Literal

import pytest

from blpo.models.calls import ModelCaller
from blpo.models.messages import user
from blpo.models.registry import chat_model
from blpo.storage.response_store import ResponseStore
from state.errors import ModelError
from state.response import Failure, Response
from state.settings import LimitSettings, ModelSettings, ModelsSettings
from tests.blpo.models.openai.exchange import (
    IMAGE,
    answer,
    model,
)
from tests.servers.chat_server import ChatServer, Fault


async def test_images_under_names_are_sent_once_and_again_when_they_were_dropped() -> None:
    async with ChatServer(answer) as server:
        settings = model(server, image_uuids=True)
        store = await ResponseStore.open(":memory:")
        calls = await ModelCaller.create(ModelsSettings(judge=settings, optimizer=settings), LimitSettings(), store)
        for number in range(3):
            assert isinstance(await calls.ask("judge", [user(IMAGE, str(number))]), Response)
        server.cached_images.clear()
        for number in range(3, 5):
            assert isinstance(await calls.ask("judge", [user(IMAGE, str(number))]), Response)
        await calls.close()
        await store.close()
    parts = [request["messages"][0]["content"][0] for request in server.requests]
    assert len({part["uuid"] for part in parts}) == 1
    assert [part["image_url"] is not None for part in parts] == [True, False, False, False, True, False]


@pytest.mark.parametrize("named_images", ["ignored", "refused"])
async def test_a_server_that_knows_no_names_gets_images_in_full(
    named_images: Literal["ignored", "refused"],
) -> None:
    async with ChatServer(answer, named_images=named_images) as server:
        settings = model(server, image_uuids=True)
        store = await ResponseStore.open(":memory:")
        calls = await ModelCaller.create(ModelsSettings(judge=settings, optimizer=settings), LimitSettings(), store)
        for number in range(4):
            assert isinstance(await calls.ask("judge", [user(IMAGE, str(number))]), Response)
        server.faults = itertools.repeat(Fault(status=400, message="cannot identify image file"))
        assert isinstance(await calls.ask("judge", [user(IMAGE, "bad")]), Failure)
        await calls.close()
        await store.close()
    assert server.count == 4 + 1 + 1  # the first image was sent again; a later bad request is not
    assert "uuid" not in server.requests[-1]["messages"][0]["content"][0]


def test_image_names_are_refused_where_they_would_not_be_sent() -> None:
    with pytest.raises(ModelError, match=r"^vllm:m: image_uuids needs client: lean; "):
        chat_model(ModelSettings(name="vllm:m", base_url="http://h/v1", client="langchain", image_uuids=True))
    with pytest.raises(ModelError, match=r"^embedded:judge: image_uuids is for openai: and vllm: servers"):
        chat_model(ModelSettings(name="embedded:judge", image_uuids=True))
