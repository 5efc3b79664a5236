"""Response store in PostgreSQL: shared answers, a run's own rows, and the payment of a request by one run."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blpo.models.calls import ModelCaller
from blpo.models.messages import user
from blpo.models.retries import Backoff
from blpo.storage.checkpoints import open_checkpoints
from blpo.storage.postgres import connect
from blpo.storage.response_store import ResponseStore
from blpo.storage.team_connection import knows_run
from blpo.storage.team_schema import MIGRATIONS, migrate
from blpo.storage.team_store import TeamRun, TeamStore
from state.errors import RunError
from state.response import Failure, Response
from state.settings import LimitSettings, ModelSettings, ModelsSettings
from tests.scripted import scripted

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.usefixtures("database_url")


async def run_store(name: str) -> TeamStore:
    return await TeamStore.open_run(TeamRun(name, Path("runs") / name))


async def test_a_run_keeps_its_own_and_finds_the_answers_of_all() -> None:
    answer = Response('{"label": 4}', True, "stop", 10, 3, "m-1", (("4", 0.75), ("5", 0.25)))
    one, other = await run_store("one"), await run_store("other")
    await one.finish(await one.begin("k", "judge", "m"), answer, usd=0.25, attempts=2)
    await one.fail(await one.begin("l", "judge", "m"), Failure("timeout", "no answer"))
    await one.begin("n", "optimizer", "o")
    await one.put_server("m", "", "refuses")
    await one.put_server("m", "", "obeys")
    digest = await one.put_text("a prompt")
    assert await one.put_text("a prompt") == digest
    for _ in range(3):
        one.hit("judge")
    await one.close()
    await one.close()

    one = await run_store("one")
    one.hit("judge")
    await one.begin("n", "optimizer", "o")
    usage = await one.usage()
    judge, optimizer = usage["judge"], usage["optimizer"]
    assert (judge.issued, judge.answered, judge.failed, judge.cached, judge.usd) == (2, 1, 1, 4, 0.25)
    assert (judge.input_tokens, judge.output_tokens, judge.unpriced) == (10, 3, 0)
    assert (optimizer.issued, optimizer.answered, optimizer.failed, await one.issued_twice()) == (2, 0, 0, 1)
    assert (await one.get("k"), await one.text(digest)) == (answer, "a prompt")
    assert await one.failure("l") == Failure("timeout", "no answer")
    assert await one.servers() == {("m", ""): "obeys"}

    assert await other.get("k") == answer
    assert await other.usage() == {}
    assert await other.failure("l") is None
    await other.finish(await other.begin("l", "judge", "m"), answer)
    assert await one.get("l") == answer
    assert [key for key, _ in await one.unanswered()] == ["l"]  # the run went on without the answer
    assert await other.unanswered() == []
    await one.finish(await one.begin("l", "judge", "m"), answer)
    assert await one.unanswered() == []
    assert await other.servers() == {}
    with pytest.raises(RunError, match="holds no text"):
        await other.text(digest)
    await one.close()
    await other.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\0", codec="utf-8")), min_size=1, max_size=5))
async def test_any_text_comes_back_as_it_was(texts: Sequence[str]) -> None:
    store = await run_store("texts")
    for text in texts:
        key = f"{len(text)} {text}"
        await store.finish(await store.begin(key, text, text), Response(text, finish_reason=text, model_version=text))
        assert await store.get(key) is not None
        assert await store.text(await store.put_text(text)) == text
    await store.close()


async def test_nul_ends_no_run() -> None:
    store = await run_store("nul")
    await store.finish(await store.begin("k", "judge", "m"), Response("a\0b"))
    assert await store.get("k") == Response("a\N{REPLACEMENT CHARACTER}b")
    await store.close()


async def test_a_run_is_held_by_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blpo.storage.team_connection._PATIENCE", 0.2)
    assert not await asyncio.to_thread(knows_run, "one")
    one = await run_store("one")
    with pytest.raises(RunError, match="another process, perhaps on another machine, is working on the run one"):
        await run_store("one")
    await one.close()
    await (await run_store("one")).close()
    assert await asyncio.to_thread(knows_run, "one")


async def test_the_claim_of_a_killed_process_is_free(database_url: str) -> None:
    script = """
        import asyncio
        from pathlib import Path
        from blpo.storage.team_store import TeamRun, TeamStore

        async def main():
            store = await TeamStore.open_run(TeamRun("killed", Path("killed")))
            claim = await store.claim("k")
            await store.begin("k", "judge", "m")
            print(claim, flush=True)
            await asyncio.sleep(600)

        asyncio.run(main())
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "None"
        store = await run_store("other")
        waiting = asyncio.create_task(store.claim("k"))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        os.kill(process.pid, signal.SIGKILL)
        assert await waiting is None
        await store.close()
    store = await run_store("killed")  # the run's lock is free too
    assert (await store.usage())["judge"].issued == 1
    await store.close()


async def test_a_claim_that_was_cancelled_is_free() -> None:
    one, other = await run_store("one"), await run_store("other")

    async def hold(store: ResponseStore) -> None:
        assert await store.claim("k") is None
        await store.release("k")

    for turns in range(12):
        holder = asyncio.create_task(hold(one))
        for _ in range(turns):
            await asyncio.sleep(0)
        holder.cancel()
        await asyncio.gather(holder, return_exceptions=True)
        async with asyncio.timeout(10):
            await hold(other)
    await one.close()
    await other.close()


@asynccontextmanager
async def callers(count: int, script: Callable[..., str]) -> AsyncIterator[list[ModelCaller]]:
    """Yield callers of a scripted model. Every caller belongs to a run of its own, as if in a process of its own."""
    model = ModelSettings(name=scripted("team", script), max_retries=0)
    models = ModelsSettings(judge=model, optimizer=model)
    async with AsyncExitStack() as stack:
        opened_callers = []
        for number in range(count):
            store = await run_store(f"run-{number}")
            stack.push_async_callback(store.close)
            caller = await ModelCaller.create(models, LimitSettings(), store, Backoff(first=0, longest=0))
            stack.push_async_callback(caller.close)
            opened_callers.append(caller)
        yield opened_callers


async def test_the_same_request_of_several_runs_is_paid_once() -> None:
    requests: list[str] = []

    def script(messages: Sequence[object]) -> str:
        requests.append(str(messages))
        return "an answer"

    async with callers(3, script) as run_callers:
        work: list[Awaitable[Response | Failure]] = [
            caller.ask("judge", [user(f"question {n}")]) for n in range(60) for caller in run_callers
        ]
        answers = await asyncio.gather(*work)
        assert {answer.text for answer in answers if isinstance(answer, Response)} == {"an answer"}
        assert len(answers) == 180
        assert len(requests) == 60
        usage = [(await caller.usage())["judge"] for caller in run_callers]
        assert sum(each["issued"] for each in usage) == 60
        assert [each["issued"] + each["cached"] for each in usage] == [60, 60, 60]


def test_the_same_requests_of_several_processes_are_paid_once(database_url: str) -> None:
    script = """
        import asyncio, random, sys
        from pathlib import Path
        from state.response import Response
        from blpo.storage.team_store import TeamRun, TeamStore

        async def ask(store, key):
            if await store.claim(key) is None:
                call = await store.begin(key, "judge", "m")
                await asyncio.sleep(0.02)
                await store.finish(call, Response(key))
                await store.release(key)

        async def main():
            store = await TeamStore.open_run(TeamRun(sys.argv[1], Path("run")))
            sys.stdin.readline()
            await asyncio.gather(*(ask(store, f"{n}") for n in random.Random(sys.argv[1]).sample(range(150), 150)))
            await store.close()

        asyncio.run(main())
    """
    _run_together(script, ("a", "b", "c"))
    with psycopg.connect(database_url) as connection:
        counts = connection.execute("SELECT run, count(*) FROM blpo.run_calls GROUP BY run").fetchall()
        answers = connection.execute("SELECT count(*) FROM blpo.responses").fetchone()
    assert sum(count for _, count in counts) == 150
    assert answers == (150,)


def _run_together(script: str, names: Sequence[str]) -> None:
    """Run a script in several processes, which begin together."""
    command = [sys.executable, "-c", textwrap.dedent(script)]
    starting = [
        subprocess.Popen([*command, name], cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for name in names
    ]
    for process in starting:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=120)[1] for process in starting]
    assert [process.returncode for process in starting] == [0] * len(names), errors


async def test_a_failure_is_not_shared() -> None:
    requests: list[str] = []

    def script(messages: Sequence[object]) -> str:
        requests.append(str(messages))
        if len(requests) == 1:
            raise TimeoutError("no answer")
        return "an answer"

    async with callers(2, script) as (one, other):
        outcomes = await asyncio.gather(*(each.ask("judge", [user("q")]) for each in (one, other)))
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Failure", "Response"]
        assert len(requests) == 2


@pytest.mark.slow
def test_two_first_starts_do_not_collide() -> None:
    script = """
        import asyncio, sys
        from pathlib import Path
        from blpo.storage.team_store import TeamRun, TeamStore
        from blpo.storage.checkpoints import open_checkpoints

        async def main():
            async with open_checkpoints("postgres"):
                store = await TeamStore.open_run(TeamRun(sys.argv[1], Path("run")))
                await store.close()

        sys.stdin.readline()
        asyncio.run(main())
    """
    _run_together(script, ("a", "b", "c"))
    assert all(knows_run(name) for name in ("a", "b", "c"))


async def test_the_first_tables_get_the_later_columns(database_url: str) -> None:
    with connect() as connection:
        migrate(connection, MIGRATIONS[:1])
    store = await run_store("one")
    await store.finish(await store.begin("k", "judge", "m"), Response("a", input_tokens=9, cached_tokens=4))
    assert (await store.usage())["judge"].cached_tokens == 4
    await store.close()


async def test_an_older_schema_is_migrated_and_a_newer_one_refused(database_url: str) -> None:
    await (await run_store("one")).close()
    newer = (*MIGRATIONS, "ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT 'none'")
    with connect() as connection:
        migrate(connection, newer)
        migrate(connection, newer)
        assert connection.execute("SELECT id, note FROM runs").fetchall() == [("one", "none")]
    with pytest.raises(RunError, match="have version 3, and this blpo knows 2; use a newer blpo"):
        await run_store("two")
    with psycopg.connect(database_url, autocommit=True) as other:
        async with open_checkpoints("postgres"):
            pass
        other.execute("DELETE FROM blpo.checkpoint_migrations WHERE v = 9")
        async with open_checkpoints("postgres"):
            assert other.execute("SELECT max(v) FROM blpo.checkpoint_migrations").fetchone() == (9,)
        other.execute("INSERT INTO blpo.checkpoint_migrations VALUES (99)")
    with pytest.raises(RunError, match="have version 99"):
        async with open_checkpoints("postgres"):
            pass
