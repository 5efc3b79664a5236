"""Images that were decoded before are not decoded again, and a damaged image is named every time."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from blpo.data.image_file_cache import ImageFileCache
from blpo.data.images import check_images, encode_image
from blpo.data.whole_images import image_key, is_whole, keep_whole
from blpo.storage.user_cache import user_cache
from state.errors import DataError
from state.sample import Sample
from tests.blpo.data.pictures import MemoryImage


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    place = user_cache("images")
    assert place is not None
    return place


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def picture(kind: str = "PNG", size: tuple[int, int] = (30, 20)) -> bytes:
    buffer = BytesIO()
    Image.effect_noise(size, 50).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


def sample(data: bytes) -> Sample:
    return Sample("a", (MemoryImage(data),), None)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_a_check_keeps_whole_images(folder: Path, kind: str) -> None:
    data = picture(kind)
    assert not is_whole(image_key(data))
    for _ in range(2):
        assert list(check_images([sample(data)])) == []
        assert is_whole(image_key(data))
    assert len(files_of(folder)) == 1


def test_a_check_does_not_decode_a_kept_image(folder: Path) -> None:
    keep_whole(image_key(b"no image, but kept as one"))
    assert list(check_images([sample(b"no image, but kept as one")])) == []


def test_a_damaged_image_is_named_every_time(folder: Path) -> None:
    damaged = sample(picture()[:-40])
    assert len(list(check_images([damaged]))) == len(list(check_images([damaged]))) == 1
    for _ in range(2):
        with pytest.raises(DataError):
            ImageFileCache(None).encode(damaged.images[0], 2**20, 2048)
    assert files_of(folder) == []


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_another_process_sends_the_same_original(folder: Path, kind: str) -> None:
    source = MemoryImage(picture(kind))
    images = [ImageFileCache(None).encode(source, 2**20, 2048) for _ in range(3)]
    assert images == [encode_image(source, 2**20, 2048)] * 3
    assert len(files_of(folder)) == 1
    assert ImageFileCache(None).encode(source, 100, 2048) == encode_image(source, 100, 2048)


def test_images_sent_once_are_not_kept(folder: Path) -> None:
    ImageFileCache(None, remember=False).encode(MemoryImage(picture()), 2**20, 2048)
    assert files_of(folder) == []


def test_without_a_folder_that_can_be_written_images_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    source = MemoryImage(picture())
    assert list(check_images([sample(source.data), sample(source.data[:-40])])) != []
    assert ImageFileCache(None).encode(source, 2**20, 2048) == encode_image(source, 2**20, 2048)
