"""Images are encoded once for a model: then they come from memory, from the run directory, or from the source."""

import asyncio
import hashlib
import tracemalloc
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy
import pytest
from PIL import Image

from blpo.data.image_file_cache import ImageFileCache
from blpo.data.images import encode_image
from blpo.inference.image_cache import ImageCache
from state.errors import DataError
from state.sample import Sample
from state.settings import ModelSettings

LARGE, SMALL = ModelSettings(name="embedded:judge"), ModelSettings(name="embedded:judge", max_pixels=1024)


@dataclass
class CountingImage:
    """Image that counts its reads."""

    data: bytes
    name: str = "row 1"
    reads: list[None] = field(default_factory=list)

    def read(self) -> bytes:
        self.reads.append(None)
        return self.data


def jpeg(width: int = 100, height: int = 80, colour: str = "teal", quality: int = 75) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def test_what_was_made_is_kept_and_found_again_by_another_process(tmp_path: Path) -> None:
    source, folder = CountingImage(jpeg()), tmp_path / "run" / "images"
    first = ImageFileCache(folder).encode(source, 1024, 2048)
    assert first == encode_image(source, 1024, 2048)
    (file,) = folder.iterdir()
    assert hashlib.sha256(file.read_bytes()).hexdigest() == first.sha256
    file.write_bytes(file.read_bytes() + b"still this file")
    again = ImageFileCache(folder).encode(source, 1024, 2048)
    assert again.sha256 != first.sha256  # the bytes come from the file
    larger = ImageFileCache(folder).encode(source, 2048, 2048)
    assert larger == encode_image(source, 2048, 2048)
    assert len(list(folder.iterdir())) == 2


def test_what_is_sent_as_it_is_stored_is_not_kept(tmp_path: Path) -> None:
    files, source = ImageFileCache(tmp_path / "images"), CountingImage(jpeg())
    first, second = (files.encode(source, 2**20, 2048) for _ in range(2))
    assert first == second == encode_image(source, 2**20, 2048)
    assert not (tmp_path / "images").exists()


def test_a_stored_file_that_changes_is_another_image(tmp_path: Path) -> None:
    files, source = ImageFileCache(tmp_path), CountingImage(jpeg())
    for limit in (1024, 2**20):
        before = files.encode(source, limit, 2048)
        source.data = jpeg(colour="orange")
        assert files.encode(source, limit, 2048) == encode_image(source, limit, 2048) != before
        source.data = jpeg()
    source.data = jpeg()[:-30]
    with pytest.raises(DataError, match="row 1"):
        files.encode(source, 1024, 2048)


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "images").write_text("in the way")
    files, source = ImageFileCache(tmp_path / "images" / "deeper"), CountingImage(jpeg())
    with pytest.raises(NotADirectoryError):
        (tmp_path / "images" / "deeper").mkdir()
    assert files.encode(source, 1024, 2048) == encode_image(source, 1024, 2048)


async def test_an_image_is_made_once_for_each_limit_and_shared_by_prompts() -> None:
    cache, source = ImageCache(), CountingImage(jpeg())
    sample = Sample("a", (source, source), None)
    results = await asyncio.gather(*(cache.of(sample, model) for model in [LARGE, SMALL] * 20))
    assert len({image.sha256 for images in results for image in images}) == 2
    assert len(source.reads) == 4  # two positions, two limits


async def test_samples_with_one_id_keep_their_own_images() -> None:
    cache = ImageCache()
    sources = [CountingImage(jpeg(colour=colour), name=colour) for colour in ("teal", "orange")]
    images = [await cache.of(Sample("same", (source,), None), LARGE) for source in sources]
    assert images[0] != images[1]


async def test_memory_stays_flat_with_the_number_of_images(tmp_path: Path) -> None:
    cache = ImageCache(tmp_path / "images", max_bytes=2**20)
    random = numpy.random.default_rng(0)
    samples = [Sample(str(i), (CountingImage(noise(random), name=f"row {i}"),), None) for i in range(120)]
    tracemalloc.start()
    try:
        memory = []
        for i, sample in enumerate(samples):
            await cache.of(sample, (LARGE, SMALL)[i % 2])
            memory.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert max(memory[60:]) - max(memory[:60]) < 200_000
    assert await cache.of(samples[0], LARGE) == (encode_image(samples[0].images[0], 2**20, 2048),)


def noise(random: numpy.random.Generator) -> bytes:
    buffer = BytesIO()
    Image.fromarray(random.integers(0, 256, (128, 128, 3), dtype=numpy.uint8)).save(buffer, "PNG")
    return buffer.getvalue()
