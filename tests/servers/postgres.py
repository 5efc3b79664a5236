"""A real PostgreSQL for tests: a temporary cluster on a free loopback port, made by initdb and stopped by process id.

PostgreSQL refuses to run as root. For root the server runs as the user `postgres` of Debian's package, or as `nobody`.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

PASSWORD = "S3cret-of-the-owner"
_PATIENCE = 60.0


def programs() -> Path | None:
    """Return the folder of initdb and postgres: Debian's newest, or the one in PATH; None if not installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    program = shutil.which("postgres")
    folders = [*debian, *([Path(program).resolve().parent] if program else [])]
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


class Cluster:
    """A server with data; `start` and `stop` may be called repeatedly."""

    def __init__(self, programs: Path, folder: Path, user: int | None) -> None:
        self.programs = programs
        self.folder = folder
        self.port = _free_port()
        self._user = user
        self._server: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres", user: str = "postgres", password: str = PASSWORD) -> str:
        """Return the address of a database."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        """Return a connection of the superuser, in autocommit."""
        return psycopg.connect(self.url(database), autocommit=True, connect_timeout=10)

    def new_database(self, *, owner: str | None = None) -> str:
        """Make an empty database and return the name."""
        name = f"test_{secrets.token_hex(6)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
            if owner is not None:
                connection.execute(f"ALTER DATABASE {name} OWNER TO {owner}")
        return name

    def initialize(self) -> None:
        """Make the data folder, with a password for the superuser."""
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        place = ["-D", str(self.folder / "data"), "--pwfile", str(secret)]
        self._run(["initdb", *place, "-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync"])

    def start(self) -> None:
        """Start the server and wait for the first connection."""
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "port": self.port,
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": 60,
            "shared_buffers": "32MB",
            "dynamic_shared_memory_type": "mmap",
        }
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [str(self.programs / "postgres"), "-D", str(self.folder / "data"), *settings],
                stdout=log,
                stderr=log,
                cwd="/",
                user=self._user,
            )
        self._wait()

    def stop(self, *, abruptly: bool = False) -> None:
        """Stop the server by process id; clients lose connections. `abruptly`: as in a crash."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT if abruptly else signal.SIGINT)
            self._server.wait(_PATIENCE)
            self._server = None

    def _wait(self) -> None:
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                assert self._server is not None
                if self._server.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"postgres does not start:\n{(self.folder / 'log').read_text()}") from None
                time.sleep(0.05)
            else:
                return

    def _run(self, command: Sequence[str]) -> None:
        done = subprocess.run(
            [str(self.programs / command[0]), *command[1:]],
            capture_output=True,
            text=True,
            cwd="/",
            user=self._user,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Run a cluster until the end of the block; needs `programs`."""
    folder_of_programs = programs()
    assert folder_of_programs is not None, "PostgreSQL is not installed"
    with tempfile.TemporaryDirectory(prefix="blpo-postgres-", ignore_cleanup_errors=True) as name:
        folder, user = Path(name), _user()
        folder.chmod(0o755)
        if user is not None:
            os.chown(folder, user, -1)
        server = Cluster(folder_of_programs, folder, user)
        server.initialize()
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _user() -> int | None:
    """Return the user id for the server; None if the tests do not run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise RuntimeError("there is neither a user postgres nor nobody to run PostgreSQL as")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
