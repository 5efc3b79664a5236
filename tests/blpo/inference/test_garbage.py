"""Garbage collection while models are open."""

import gc
from collections.abc import Iterator

import pytest

from blpo.inference.open_models import open_models
from state.settings import Settings


@pytest.fixture(autouse=True)
def nothing_put_aside() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


async def test_what_was_in_memory_before_is_not_collected_while_a_session_is_open() -> None:
    async with open_models(Settings()):
        put_aside = gc.get_freeze_count()
        assert put_aside > 10_000
        async with open_models(Settings()):
            assert gc.get_freeze_count() <= put_aside
        assert gc.get_freeze_count() > 10_000
    assert gc.get_freeze_count() == 0


async def test_new_objects_are_collected_less_often_while_a_session_is_open() -> None:
    thresholds = gc.get_threshold()
    async with open_models(Settings()):
        assert gc.get_threshold()[0] > thresholds[0]
    assert gc.get_threshold() == thresholds


async def test_what_the_program_put_aside_itself_stays_aside() -> None:
    gc.freeze()
    async with open_models(Settings()):
        pass
    assert gc.get_freeze_count() > 10_000
