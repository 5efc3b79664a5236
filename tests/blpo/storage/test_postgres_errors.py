"""Mistakes with a team's database: every mistake is told in a clear line without the password."""

import asyncio
import logging
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blpo.cli.main import main
from blpo.storage.checkpoints import open_checkpoints
from blpo.storage.database_url import VARIABLE, connection_parameters
from blpo.storage.postgres import connect
from blpo.storage.postgres_errors import one_line_errors, run_error
from blpo.storage.team_schema import MIGRATIONS
from blpo.storage.team_store import TeamRun, TeamStore
from state.errors import ConfigError, RunError, StoreError
from state.response import Response
from tests.servers.postgres import Cluster

SECRET = "s3cr3t-of-th3-t3am"


@pytest.fixture
def optimize(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Callable[..., tuple[int, str]]:
    """Return a function: run `blpo optimize` with a URL, and return the exit code and the line on stderr."""
    caplog.set_level(logging.DEBUG, logger="psycopg")

    def run(url: str | None, checkpoints: str = "postgres") -> tuple[int, str]:
        if url is None:
            monkeypatch.delenv(VARIABLE, raising=False)
        else:
            monkeypatch.setenv(VARIABLE, url)
        settings = (f"run.checkpoints={checkpoints}", f"run.dir={tmp_path / 'run'}", "data.limit=20")
        code = main(["optimize", "--quiet", "--json", *(word for setting in settings for word in ("--set", setting))])
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("blpo: ") and err.count("\n") == 1, err
        assert SECRET not in err + caplog.text
        assert not (tmp_path / "run").exists()
        return code, err

    return run


Optimize = Callable[..., tuple[int, str]]


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        SECRET,
        f"mysql://team:{SECRET}@host/team",
        f"postgresql+psycopg://team:{SECRET}@host/team",
        f"host=host password={SECRET}",
        f"postgresql://team:%{SECRET}@host/team",
        f"postgresql://team:a@{SECRET}@host/team",
        f"postgresql://team:a/{SECRET}@host/team",
        f"postgresql://team:1/{SECRET}@host/team",
        f"postgresql://team:{SECRET}@host:port/team",
        f"postgresql://team:{SECRET}@host:99999/team",
        f"postgresql://host:{SECRET}/team",
        f"postgresql://team:{SECRET}@[::1/team",
        f"postgresql://team@host/team?passwort={SECRET}",
    ],
)
def test_a_bad_url(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, url)
    with pytest.raises(ConfigError, match="BLPO_DATABASE_URL: must read postgresql://USER:PASSWORD@HOST") as caught:
        connection_parameters()
    assert SECRET not in str(caught.value)


@given(st.text(alphabet="abc@:/?#%[]=& '\\\n", max_size=20), st.sampled_from(("", ":1", ":x")))
def test_no_message_holds_a_password_however_it_is_written(given_password: str, port: str) -> None:
    secret = f"{SECRET}{given_password}{SECRET}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, f"postgresql://team:{secret}@host{port}/team")
        try:
            parameters = connection_parameters()
        except ConfigError as error:
            assert SECRET not in str(error)
        else:
            echo = run_error(ValueError(f"no such thing as {parameters.get('password')}"))
            assert SECRET not in str(echo)
            assert SECRET not in str(run_error(ValueError("connection refused")))


def test_nothing_to_connect_with(optimize: Optimize, monkeypatch: pytest.MonkeyPatch) -> None:
    for url in (None, "  "):
        code, line = optimize(url)
        assert (code, "needs the environment variable BLPO_DATABASE_URL" in line) == (2, True)
    code, line = optimize(f"postgresql://team:a/{SECRET}@host/team")
    assert (code, "BLPO_DATABASE_URL: must read postgresql://" in line) == (2, True)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    code, line = optimize(f"postgresql://team:{SECRET}@host/team")
    assert (code, "pip install -e '.[postgres]'" in line) == (2, True)


def test_files_need_no_driver() -> None:
    script = "import sys; sys.modules['psycopg'] = sys.modules['psycopg_pool'] = None; import blpo, blpo.cli.main"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("url", ["postgresql://", "postgres://u:%40@a,b:1/d", "postgresql:///d?host=/run/postgresql"])
def test_a_good_url(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, url)
    assert connection_parameters()["application_name"] == "blpo"


@pytest.mark.parametrize("url", [f"postgresql://team:{SECRET}@host/team", f"postgres:{SECRET}@host", f"x://{SECRET}"])
def test_the_url_belongs_into_the_environment(optimize: Optimize, url: str) -> None:
    code, line = optimize(None, checkpoints=url)
    assert code == 2
    assert "run.checkpoints: write postgres, and put the database's URL into the environment variable" in line


def test_nobody_there(optimize: Optimize) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        code, line = optimize(f"postgresql://team:{SECRET}@127.0.0.1:{port}/team?connect_timeout=2")
        assert (code, f"no server answers at 127.0.0.1:{port}" in line) == (1, True)
    code, line = optimize(f"postgresql://team:{SECRET}@127.0.0.1:{port}/team")
    assert (code, f"no server answers at 127.0.0.1:{port}; start it, or correct" in line) == (1, True)
    code, line = optimize(f"postgresql://team:{SECRET}@no..host/team")
    assert (code, "the host no..host is unknown" in line) == (2, True)


@pytest.mark.parametrize(
    ("sqlstate", "words", "is_resumable"),
    [
        ("08006", "the connection to host:5432 was lost", True),
        ("25006", "is read-only; give the address of the primary", False),
        ("28P01", "does not accept the user team with this password", False),
        ("3D000", "has no database base; make it with createdb", False),
        ("42501", "the user team lacks rights in the database base", False),
        ("53300", "has no free connection", True),
        ("57P01", "the connection to host:5432 was lost", True),
        ("57P03", "is starting or stopping", True),
        ("53100", "says: kein Platz mit *** auf dem Gerät", True),
    ],
)
def test_the_server_may_speak_any_language(
    sqlstate: str, words: str, is_resumable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, f"postgresql://team:{SECRET}@host/base")
    error = run_error(psycopg.errors.lookup(sqlstate)(f"kein Platz mit {SECRET} auf dem Gerät"))
    assert words in str(error)
    assert SECRET not in str(error)
    assert error.resumable == is_resumable


async def test_a_session_that_the_server_ends(database_url: str) -> None:
    connection = connect()
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
    for _ in range(2):  # first the server's last message, then a closed connection
        with pytest.raises(StoreError, match="was lost; when the server is back, resume"), one_line_errors():
            connection.execute("SELECT 1")


async def test_a_database_that_is_read_only(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"{database_url}?options=-c%20default_transaction_read_only%3Don")
    with pytest.raises(RunError, match="is read-only; give the address of the primary"):
        await TeamStore.open_run(TeamRun("run", Path("run")))


@pytest.fixture(scope="module")
def team(postgres: Cluster) -> Iterator[Cluster]:
    """Server with a user `team` without rights, except to connect."""
    with postgres.connect() as connection:
        connection.execute(f"CREATE ROLE team LOGIN PASSWORD '{SECRET}'")
    yield postgres


def test_a_server_that_refuses(optimize: Optimize, team: Cluster) -> None:
    database = team.new_database()
    for url, code, words in [
        (team.url(database, "team", SECRET + "x"), 2, "does not accept the user team with this password"),
        (team.url(database, "nobody", SECRET), 2, "does not accept the user nobody with this password"),
        (team.url("no_database", "team", SECRET), 2, "has no database no_database; make it with createdb"),
        (team.url(database, "team", SECRET) + "?sslmode=require", 2, "as sslmode and the like demand"),
        (team.url(database, "team", SECRET), 2, f"the user team lacks rights in the database {database}"),
    ]:
        exit_code, line = optimize(url)
        assert (exit_code, words in line) == (code, True), line


def test_the_rights_of_a_member(optimize: Optimize, team: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member without rights gets a clear line. A member with the rights in docs/teams.md runs, without ownership."""
    page = (Path(__file__).parents[3] / "docs" / "teams.md").read_text(encoding="utf-8")
    grants = page.split("<!-- grants -->")[1].split("```")[1].removeprefix("sql")
    database = team.new_database()
    monkeypatch.setenv(VARIABLE, team.url(database))
    prepare("owner")
    assert "the user team lacks rights" in optimize(team.url(database, "team", SECRET))[1]
    with team.connect(database) as connection:
        connection.execute(grants.replace("member", "team").encode())
    monkeypatch.setenv(VARIABLE, team.url(database, "team", SECRET))
    prepare("member")


def prepare(run: str) -> None:
    """Open a run's store and the checkpoints, and write."""

    async def open_both() -> None:
        async with open_checkpoints("postgres") as saver:
            store = await TeamStore.open_run(TeamRun(run, Path(run)))
            await store.finish(await store.begin(run, "judge", "m"), Response("answer"))
            await store.put_text(run)
            await store.put_server("m", "", "obeys")
            store.hit("judge")
            await store.close()
            await saver.adelete_thread(run)

    asyncio.run(open_both())


def test_tables_of_a_newer_version(optimize: Optimize, postgres: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    database = postgres.new_database()
    monkeypatch.setenv(VARIABLE, postgres.url(database))
    prepare("owner")
    with postgres.connect(database) as connection:
        connection.execute("UPDATE blpo.version SET version = version + 1")
    code, line = optimize(postgres.url(database))
    assert code == 2
    assert f"have version {len(MIGRATIONS) + 1}, and this blpo knows {len(MIGRATIONS)}; use a newer blpo" in line
