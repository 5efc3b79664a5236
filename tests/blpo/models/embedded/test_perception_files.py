"""Measures of images in the user's cache folder."""

from hashlib import sha256
from pathlib import Path

import pytest

from blpo.data.image_encoding import EncodedFile
from blpo.data.images import encoded
from blpo.models.embedded.judge_model import EmbeddedJudge
from blpo.models.embedded.perception import perceive, perceive_cached
from blpo.models.embedded.perception_files import FILES, read_kept_values, write_values
from blpo.models.messages import to_langchain, user
from blpo.storage.user_cache import MOST_FILES, CachedFiles, user_cache
from tests.blpo.models.embedded.photographs import photograph, png

DATA = png(photograph())
VALUES = perceive(DATA)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    place = user_cache("perception")
    assert place is not None and place.is_relative_to(tmp_path)
    return place


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def digest_of(number: int) -> bytes:
    return sha256(str(number).encode()).digest()


def test_an_image_measured_once_is_read_again(folder: Path) -> None:
    image = png(photograph().rotate(90))
    values = dict(perceive_cached(image))
    assert read_kept_values(sha256(image).digest()) == values == perceive(image)
    assert len(files_of(folder)) == 1


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: b"\0" + content[1:], lambda _: b""])
def test_a_damaged_file_counts_as_missing(folder: Path, damage: object) -> None:
    assert callable(damage)
    write_values(digest_of(0), VALUES)
    (file,) = files_of(folder)
    file.write_bytes(damage(file.read_bytes()))
    assert read_kept_values(digest_of(0)) is None
    write_values(digest_of(0), VALUES)
    assert read_kept_values(digest_of(0)) == VALUES


def test_the_file_of_another_image_is_not_read(folder: Path) -> None:
    write_values(digest_of(0), VALUES)
    (file,) = files_of(folder)
    write_values(digest_of(1), {name: 1.0 for name in VALUES})
    (other,) = set(files_of(folder)) - {file}
    other.write_bytes(file.read_bytes())
    assert read_kept_values(digest_of(1)) is None


def test_other_code_does_not_read_the_contents(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "b.py").write_text("2")
    first, second = (CachedFiles("perception", (tmp_path / name,), ()) for name in ("a.py", "b.py"))
    first.write(b"key", b"content")
    assert first.read(b"key") == b"content"
    assert second.read(b"key") is None
    assert CachedFiles("perception", (tmp_path / "none.py",), ()).path(b"key") is None


def test_the_folders_stay_bounded(folder: Path) -> None:
    of_folder: dict[Path, list[int]] = {}
    number = 0
    while max(map(len, of_folder.values()), default=0) <= MOST_FILES:
        path = FILES.path(digest_of(number))
        assert path is not None
        of_folder.setdefault(path.parent, []).append(number)
        number += 1
    full = max(of_folder.values(), key=len)
    for number in full:
        write_values(digest_of(number), VALUES)
    assert len(files_of(folder)) == len(full) - len(full) // 2
    assert read_kept_values(digest_of(full[-1])) == VALUES


def test_without_a_folder_that_can_be_written_images_are_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    image = png(photograph().rotate(180))
    assert dict(perceive_cached(image)) == perceive(image)
    assert read_kept_values(sha256(image).digest()) is None


async def test_a_reply_is_that_of_an_invocation() -> None:
    judge = EmbeddedJudge()
    image = encoded(EncodedFile(DATA, "PNG", is_original=True))
    messages = to_langchain([user(image, "Rate it.\n\n---\n\nAnswer an integer from 1 to 5.")])
    reply, invoked = await judge.reply(messages), await judge.ainvoke(messages)
    assert reply.content == invoked.content
    assert reply.usage_metadata == invoked.usage_metadata
    assert reply.response_metadata.items() <= invoked.response_metadata.items()
