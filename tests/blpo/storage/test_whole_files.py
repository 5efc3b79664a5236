"""Files appear whole or not at all, and one process at a time works on a folder."""

import os
import re
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from blpo.storage.locks import is_locked, lock_folder
from blpo.storage.whole_files import put_in_place, whole_file, whole_folder, write_whole
from state.errors import RunError, StoreError

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_written_or_replaced(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "a.txt"
    for content in ("naïve\r\n", b"\x00\xff", ""):
        write_whole(path, content, durable=durable)
        assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_raises_leaves_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_whole(path, "former")
    with pytest.raises(KeyError), whole_file(path) as file:
        file.write(b"half")
        raise KeyError
    assert path.read_text() == "former"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "set"
    with whole_folder(path) as draft:
        (draft / "a.txt").write_text("a")
        assert not path.exists() and draft.parent == path.parent
    assert [file.name for file in path.iterdir()] == ["a.txt"]
    with pytest.raises(KeyError), whole_folder(tmp_path / "new" / "half"):
        raise KeyError
    with pytest.raises(StoreError, match="can't be written"), whole_folder(path):
        pass  # the folder holds a file
    with pytest.raises(StoreError, match="can't be written"), whole_folder(path / "a.txt" / "below"):
        pass
    assert [file.name for file in path.parent.iterdir()] == ["set"]


def test_a_full_disk_leaves_the_former_file(tmp_path: Path) -> None:
    """The limit on file sizes stands for a full disk: the operating system refuses the write."""
    script = """
        import pathlib, resource, signal, sys
        from blpo.storage.whole_files import write_whole

        path = pathlib.Path(sys.argv[1])
        write_whole(path, "former")
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        write_whole(path, "x" * 5000)
    """
    path = tmp_path / "a.txt"
    command = [sys.executable, "-c", textwrap.dedent(script), str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == (
        f"state.errors.StoreError: {path} can't be written: File too large; free disk space or fix its permissions"
    )
    assert path.read_text() == "former"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "reason"), [("missing/a", "No such file or directory"), ("file/a", "Not a directory"), (".", "directory")]
)
def test_an_error_is_one_line_that_names_the_file(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / name
    with pytest.raises(StoreError, match=re.escape(f"{path} can't be written: ") + f".*{reason}") as caught:
        write_whole(path, "text")
    assert "\n" not in str(caught.value)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_folder_is_put_in_place_but_replaces_no_content(tmp_path: Path) -> None:
    draft, target = tmp_path / "draft", tmp_path / "target"
    draft.mkdir()
    (draft / "a").write_text("a")
    put_in_place(draft, target)
    assert (target / "a").read_text() == "a"
    draft.mkdir()
    with pytest.raises(StoreError, match=re.escape(f"{target} can't be written: Directory not empty")):
        put_in_place(draft, target)


def test_writers_of_one_file_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    texts = [letter * 100_000 for letter in "abcd"]
    threads = [threading.Thread(target=write_whole, args=(path, text)) for text in texts * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() in texts
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("durable", "syncs"), [(True, ["draft", "folder"]), (False, [])])
def test_a_durable_write_syncs_file_and_folder(tmp_path: Path, durable: bool, syncs: list[str]) -> None:
    calls: list[str] = []

    def record(descriptor: int, sync: Callable[[int], None] = os.fsync) -> None:
        sync(descriptor)
        calls.append("folder" if Path(f"/proc/self/fd/{descriptor}").readlink() == tmp_path else "draft")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", record)
        write_whole(tmp_path / "a.txt", "text", durable=durable)
    assert calls == syncs


def test_one_process_holds_a_lock(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with lock_folder(tmp_path):
        assert is_locked(tmp_path)
        start = time.monotonic()
        with pytest.raises(RunError, match=re.escape(f"another process is working on {tmp_path}; wait for it")):
            lock_folder(tmp_path, patience=0.3)
        assert time.monotonic() - start >= 0.3
    assert not is_locked(tmp_path)
    lock_folder(tmp_path).close()


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    lock = lock_folder(tmp_path)
    threading.Timer(0.2, lock.close).start()
    lock_folder(tmp_path, patience=10).close()


def test_a_child_process_keeps_the_lock(tmp_path: Path) -> None:
    lock = lock_folder(tmp_path)
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[lock.fileno()])
    lock.close()
    assert is_locked(tmp_path)
    child.communicate()
    assert not is_locked(tmp_path)


def test_a_lock_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=re.escape(f"{tmp_path / 'missing' / 'lock'} can't be written: No such file")):
        lock_folder(tmp_path / "missing")
