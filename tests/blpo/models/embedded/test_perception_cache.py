"""Cache of perceived images: an image is measured once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from blpo.models.embedded.perception import PerceptionCache, perceive, perceive_cached
from state.errors import DataError
from tests.blpo.models.embedded.photographs import photograph, png


class TestPerceptionCache:
    def test_concurrent_callers_measure_an_image_once(self) -> None:
        measured: list[bytes] = []
        together = threading.Barrier(8)

        def count(data: bytes) -> dict[str, float]:
            measured.append(data)
            time.sleep(0.05)
            return perceive(data)

        perceptions = PerceptionCache(count)
        data = [png(Image.new("RGB", (20, 20), colour)) for colour in ("red", "blue")]

        def ask(number: int) -> float:
            together.wait()
            return perceptions.perceive(data[number % 2])["brightness"]

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, range(8)))
        assert sorted(measured) == sorted(data)
        assert len(set(answers)) == 2

    def test_only_the_images_seen_last_are_kept(self) -> None:
        measured: list[bytes] = []

        def count(data: bytes) -> dict[str, float]:
            measured.append(data)
            return {"noise": 1.0}

        perceptions = PerceptionCache(count, max_images=2)
        for data in (b"a", b"b", b"a", b"c", b"a", b"b"):
            perceptions.perceive(data)
        assert measured == [b"a", b"b", b"c", b"b"]

    def test_a_failure_is_not_remembered(self) -> None:
        perceptions = PerceptionCache()
        for _ in range(2):
            with pytest.raises(DataError):
                perceptions.perceive(b"no image")

    def test_values_are_read_only_and_those_of_perceive(self) -> None:
        data = png(photograph())
        values = perceive_cached(data)
        assert dict(values) == perceive(data)
        with pytest.raises(TypeError):
            values["noise"] = 0.0  # type: ignore[index]
