"""The response store: exact, durable against kills, clear about bad files."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blpo.models.messages import user
from blpo.models.request import Request
from blpo.storage.database import Connection
from blpo.storage.response_store import ResponseStore
from blpo.storage.sqlite_connection import open_sqlite
from state.errors import RunError, StoreError
from state.response import Failure, Response
from state.sample import EncodedImage

ROOT = Path(__file__).parents[3]


async def test_answers_calls_texts_and_counts_survive_reopening(tmp_path: Path) -> None:
    path = tmp_path / "run" / "responses.sqlite"
    answer = Response('{"label": 4}', False, "stop", 10, 3, "m-1")
    store = await ResponseStore.open(path)
    assert await store.get("k") is None
    await store.finish(await store.begin("k", "judge", "m"), answer, usd=0.25, attempts=2)
    await store.fail(await store.begin("l", "judge", "m"), Failure("timeout", "no answer"))
    await store.begin("n", "optimizer", "o")
    store.hit("judge")
    digest = await store.put_text("a prompt")
    store.hit("judge")
    await store.close()
    await store.close()

    store = await ResponseStore.open(path)
    usage = await store.usage()
    assert await store.get("k") == answer
    assert await store.get("l") is None
    assert await store.text(digest) == "a prompt"
    assert await store.issued_twice() == 0
    await store.begin("n", "optimizer", "o")
    assert await store.issued_twice() == 1
    await store.close()
    judge, optimizer = usage["judge"], usage["optimizer"]
    assert (judge.issued, judge.answered, judge.failed, judge.cached, judge.usd) == (2, 1, 1, 2, 0.25)
    assert (judge.input_tokens, judge.output_tokens, judge.unpriced) == (10, 3, 0)
    assert (optimizer.issued, optimizer.answered, optimizer.failed) == (1, 0, 0)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(), st.text())
async def test_any_text_comes_back_as_it_was(text: str, reason: str) -> None:
    store = await ResponseStore.open(":memory:")
    await store.finish(await store.begin("k", "judge", "m"), Response(text, finish_reason=reason))
    digest = await store.put_text(text)
    answer = await store.get("k")
    assert answer is not None
    assert (answer.text, answer.finish_reason, await store.text(digest)) == (text, reason, text)
    await store.close()


async def test_a_file_without_later_columns_is_read_unchanged_and_gets_the_columns_on_writing(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    store = await ResponseStore.open(path)
    await store.finish(await store.begin("k", "judge", "m"), Response("a", input_tokens=9, cached_tokens=4))
    await store.close()
    with closing(sqlite3.connect(path)) as file:
        file.execute("ALTER TABLE calls DROP COLUMN cached_tokens")
        file.commit()
    content = path.read_bytes()
    for _ in range(2):
        old = await ResponseStore.open_to_read(path)
        usage = (await old.usage())["judge"]
        await old.close()
        assert (usage.issued, usage.input_tokens, usage.cached_tokens) == (1, 9, 0)
    assert path.read_bytes() == content
    stores = await asyncio.gather(*(ResponseStore.open(path) for _ in range(3)))
    await stores[0].finish(await stores[1].begin("l", "judge", "m"), Response("b", input_tokens=9, cached_tokens=5))
    assert (await stores[2].usage())["judge"].cached_tokens == 5
    for each in stores:
        await each.close()


async def test_writes_at_the_same_time_share_transactions(tmp_path: Path) -> None:
    store = await ResponseStore.open(tmp_path / "r.sqlite")
    start = time.process_time()
    await asyncio.gather(*(store.begin(f"{i}", "judge", "m") for i in range(5000)))
    assert time.process_time() - start < 1.0  # measured: 0.1 s
    assert (await store.usage())["judge"].issued == 5000
    await store.close()


async def test_a_number_that_no_column_holds_fails_its_write_and_the_store_goes_on(tmp_path: Path) -> None:
    store = await ResponseStore.open(tmp_path / "r.sqlite")
    call = await store.begin("k", "judge", "m")
    with pytest.raises(StoreError, match=r"r\.sqlite: can't be used \(OverflowError: .*\); resume the run$"):
        await asyncio.wait_for(store.finish(call, Response("ok", input_tokens=2**63)), 5)
    await store.finish(call, Response("ok"))
    assert await store.get("k") == Response("ok")
    await store.close()


async def test_any_exception_in_the_thread_of_the_database_reaches_all_its_callers() -> None:
    database = await open_sqlite(":memory:", "", 1)

    def fail(connection: Connection) -> None:
        raise AttributeError("two\nlines")

    operations = [database.write(lambda db: db.execute("SELECT 1").fetchone()), database.read(fail)]
    results = await asyncio.wait_for(asyncio.gather(*operations, return_exceptions=True), 5)
    assert all(isinstance(each, StoreError) and "AttributeError: two lines" in str(each) for each in results)
    await database.close()


async def test_a_cancelled_write_leaves_the_others_alone(tmp_path: Path) -> None:
    store = await ResponseStore.open(tmp_path / "r.sqlite")
    writes = [asyncio.create_task(store.put_text(str(i))) for i in range(10)]
    await asyncio.sleep(0)
    writes[3].cancel()
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert [isinstance(outcome, str) for outcome in outcomes] == [i != 3 for i in range(10)]
    await store.close()


async def test_another_process_reads_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    store = await ResponseStore.open(path)
    await store.begin("k", "judge", "m")
    count = (
        "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM calls').fetchone()[0])"
    )
    reader = subprocess.run([sys.executable, "-c", count, str(path)], capture_output=True, text=True, check=True)
    assert reader.stdout.strip() == "1"
    await store.close()


async def test_two_stores_may_write_to_one_file(tmp_path: Path) -> None:
    stores = [await ResponseStore.open(tmp_path / "r.sqlite") for _ in range(2)]

    async def write(store: ResponseStore, i: int) -> None:
        await store.get(f"{i}")
        await store.finish(await store.begin(f"{i}", "judge", "m"), Response("a"))

    await asyncio.gather(*(write(store, i) for i in range(200) for store in stores))
    usage = (await stores[0].usage())["judge"]
    assert (usage.issued, usage.answered, await stores[1].issued_twice()) == (400, 400, 200)
    for store in stores:
        await store.close()


async def test_bad_files_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE things (name)")
        db.execute("PRAGMA user_version = 9")
    db.close()
    (tmp_path / "text.sqlite").write_text("no database at all, but long enough to be looked at " * 40)
    (tmp_path / "file").write_text("")
    for path, word in [
        (other, "format 9"),
        (tmp_path / "text.sqlite", "not a database"),
        (tmp_path, "can't be opened"),
        (tmp_path / "file" / "r.sqlite", "can't be opened"),
    ]:
        with pytest.raises(RunError, match=word) as caught:
            await ResponseStore.open(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


async def test_a_text_of_another_run_is_missed(tmp_path: Path) -> None:
    store = await ResponseStore.open(tmp_path / "r.sqlite")
    with pytest.raises(RunError, match="holds no text"):
        await store.text("0" * 64)
    await store.close()
    with pytest.raises(RunError, match="closed"):
        await store.get("k")


def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    """The limit on file sizes stands for a full disk: the operating system refuses the write."""
    script = """
        import asyncio, resource, signal, sys
        from blpo.storage.response_store import ResponseStore
        from state.errors import StoreError

        async def main():
            store = await ResponseStore.open(sys.argv[1])
            digest = await store.put_text("kept")
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
            outcomes = await asyncio.gather(
                *(store.put_text(f"{i}" * 20_000) for i in range(500)), return_exceptions=True
            )
            assert {type(o) for o in outcomes} == {StoreError}, outcomes[:3]
            print(outcomes[0])
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            assert await store.text(digest) == "kept"
            assert await store.text(await store.put_text("afterwards")) == "afterwards"
            await store.close()

        asyncio.run(main())
    """
    path = tmp_path / "r.sqlite"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert str(path) in done.stdout
    assert "free disk space" in done.stdout
    assert len(done.stdout.splitlines()) == 1


WRITER = """
    import asyncio, sys
    from state.response import Response
    from blpo.storage.response_store import ResponseStore

    async def main():
        store = await ResponseStore.open(sys.argv[1])
        first = (await store.usage()).get("judge")
        first = first.issued if first else 0

        async def call(i):
            call_id = await store.begin(f"{i}", "judge", "m")
            await store.finish(call_id, Response(f"answer {i} " + "x" * (i % 3000)))
            print(i, flush=True)

        for start in range(first, 1_000_000, 16):
            await asyncio.gather(*(call(i) for i in range(start, start + 16)))

    asyncio.run(main())
"""


@pytest.mark.parametrize("seed", range(4))
def test_what_was_confirmed_survives_kill_9_at_any_moment(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "r.sqlite"
    confirmed: list[str] = []
    for wait in random.Random(seed).choices((0.0, 0.003, 0.02, 0.1), k=2):
        command = [sys.executable, "-c", textwrap.dedent(WRITER), str(path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            confirmed.append(process.stdout.readline().strip())
            time.sleep(wait)
            os.kill(process.pid, signal.SIGKILL)
            confirmed += process.stdout.read().split("\n")[:-1]  # the last line may be cut off
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    stored = {key for (key,) in db.execute("SELECT key FROM responses WHERE text LIKE 'answer %'")}
    answered = {key for (key,) in db.execute("SELECT key FROM calls WHERE outcome = 'ok'")}
    db.close()
    assert set(confirmed) <= stored == answered


def test_a_key_follows_from_all_that_can_change_the_answer() -> None:
    image, same = EncodedImage("a" * 64, "image/png", "AAAA"), EncodedImage("a" * 64, "image/png", "BBBB")
    other = EncodedImage("b" * 64, "image/png", "AAAA")

    def key(model: str = "m", temperature: float = 0.0, image: EncodedImage = image, text: str = "rate") -> str:
        return Request(model, {"temperature": temperature, "max_tokens": None}, (user(image, text),)).key

    assert key() == key(image=same)
    assert len({key(), key("n"), key(temperature=1), key(image=other), key(text="rate it")}) == 5
    reordered = Request("m", {"max_tokens": None, "temperature": 0.0}, (user(image, "rate"),))
    assert reordered.key == key()
    assert Request("m", {}, (user("a", "b"),)).key != Request("m", {}, (user("ab"),)).key
