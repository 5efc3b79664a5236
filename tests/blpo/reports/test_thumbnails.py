"""Thumbnails in the user's cache folder."""

from io import BytesIO
from pathlib import Path

import numpy
import pytest
from PIL import Image

from blpo.data.image_sources import file_sample
from blpo.reports.thumbnails import thumbnails
from blpo.storage.user_cache import user_cache
from state.sample import Sample


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place = user_cache("thumbnails")
    assert place is not None
    return place


def samples_in(folder: Path, count: int) -> list[Sample]:
    for i in range(count):
        pixels = numpy.random.default_rng(i).integers(0, 255, (40, 60, 3), dtype=numpy.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return [file_sample(folder / f"{i}.png") for i in range(count)]


def files_of(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_second_page_reads_the_thumbnails_of_the_first(folder: Path, tmp_path: Path) -> None:
    samples = samples_in(tmp_path, 3)
    first = thumbnails(samples)
    files = files_of(folder)
    assert len(files) == 3
    assert thumbnails(samples) == first
    assert files_of(folder) == files


def test_every_side_and_every_limit_has_its_own_thumbnail(folder: Path, tmp_path: Path) -> None:
    samples = samples_in(tmp_path, 1)
    variants = [thumbnails(samples, side, most) for side, most in ((50, 40_000), (20, 40_000), (50, 600))]
    assert len(files_of(folder)) == 3
    assert [thumbnails(samples, side, most) for side, most in ((50, 40_000), (20, 40_000), (50, 600))] == variants
    assert len({str(each) for each in variants}) == 3


def test_a_changed_image_is_another_image(folder: Path, tmp_path: Path) -> None:
    samples = samples_in(tmp_path, 2)
    before = thumbnails(samples)
    (tmp_path / "0.png").write_bytes((tmp_path / "1.png").read_bytes())
    after = thumbnails(samples)
    assert after[samples[0].id] == before[samples[1].id] != before[samples[0].id]
    (tmp_path / "0.png").write_bytes(b"gone")
    assert list(thumbnails(samples)) == [samples[1].id]


@pytest.mark.parametrize("content", [b"", b"\0" * 200])
def test_a_damaged_file_is_made_again(folder: Path, tmp_path: Path, content: bytes) -> None:
    samples = samples_in(tmp_path, 1)
    first = thumbnails(samples)
    (file,) = files_of(folder)
    whole = file.read_bytes()
    file.write_bytes(content)
    assert thumbnails(samples) == first
    assert file.read_bytes() == whole


def test_without_a_folder_that_can_be_written_thumbnails_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    samples = samples_in(tmp_path, 2)
    assert len(thumbnails(samples)) == 2


@pytest.mark.slow
def test_the_folder_stays_bounded(folder: Path) -> None:
    class Drawn:
        name = "drawn"

        def __init__(self, number: int) -> None:
            self.number = number

        def read(self) -> bytes:
            buffer = BytesIO()
            Image.new("RGB", (2, 1), (self.number % 256, self.number // 256, 0)).save(buffer, "PNG")
            return buffer.getvalue()

    samples = [Sample(str(number), (Drawn(number),), None) for number in range(6000)]
    assert len(thumbnails(samples)) == 6000
    assert 2000 < len(files_of(folder)) <= 256 * 16
