"""Errors of PostgreSQL in one line with the remedy. No line holds the password.

SQLSTATE tells the server's errors apart in any language. A failed connection has no SQLSTATE, because libpq passes on
the message alone. The cause of a failed connection follows from psycopg's classes and attributes, then from words.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from blpo.storage.database_url import VARIABLE, connection_parameters
from state.errors import RunError, StoreError

if TYPE_CHECKING:  # an extra
    import psycopg

Meaning = tuple[type[RunError], str]

_UNKNOWN_HOST: Meaning = (RunError, "the host {host} is unknown; correct the address")
_WRONG_USER: Meaning = (
    RunError,
    "the server at {place} does not accept the user {user} with this password; correct user or password",
)
_NO_DATABASE: Meaning = (RunError, "the server at {place} has no database {dbname}; make it with createdb")
_NOT_ADMITTED: Meaning = (
    RunError,
    "the server at {place} does not admit the user {user} from here; see its pg_hba.conf",
)
_NO_RIGHTS: Meaning = (
    RunError,
    "the user {user} lacks rights in the database {dbname}; grant them as docs/teams.md says",
)
_READ_ONLY: Meaning = (RunError, "the server at {place} is read-only; give the address of the primary")
_NO_TLS: Meaning = (RunError, "the server at {place} can't be reached as sslmode and the like demand; correct them")
_FULL: Meaning = (StoreError, "the server at {place} has no free connection; try again, or allow more")
_STARTING: Meaning = (StoreError, "the server at {place} is starting or stopping; try again")
_LOST: Meaning = (
    StoreError,
    "the connection to {place} was lost; when the server is back, resume: what was answered is kept",
)
_NO_SERVER: Meaning = (StoreError, "no server answers at {place}; start it, or correct the address")

_BY_SQLSTATE: dict[str, Meaning] = {
    "08": _LOST,  # connection exception
    "25006": _READ_ONLY,  # read-only transaction
    "28": _WRONG_USER,  # invalid authorization
    "3D000": _NO_DATABASE,  # invalid catalog name
    "3F000": _NO_RIGHTS,  # invalid schema name: no schema of the search path may be used
    "42501": _NO_RIGHTS,  # insufficient privilege
    "53300": _FULL,  # too many connections
    "57P01": _LOST,  # admin shutdown
    "57P02": _LOST,  # crash shutdown
    "57P03": _STARTING,  # cannot connect now
    "57P05": _LOST,  # idle session timeout
}
"""Meanings by SQLSTATE, or by its first two characters, its class."""

_BY_WORDS: tuple[tuple[str, Meaning], ...] = (
    ("password authentication failed|role .* does not exist|not permitted to log in", _WRONG_USER),
    ("database .* does not exist", _NO_DATABASE),
    ("pg_hba.conf", _NOT_ADMITTED),
    ("read-only", _READ_ONLY),
    ("SSL", _NO_TLS),
    ("too many|connection slots", _FULL),
    ("starting up|shutting down|recovery", _STARTING),
    ("refused|No such file|time(d )?out|unreachable|No route|is bad|closed the connection|reset by peer", _NO_SERVER),
)
"""Meanings of a failed connection by a pattern of its message."""


@contextmanager
def one_line_errors(*, connecting: bool = False) -> Iterator[None]:
    """Raise the driver's errors in the block as `RunError` with one line. `connecting`: the block makes a connection.

    psycopg looks a host up by Python's own functions, so an odd host name raises `UnicodeError`.
    """
    import psycopg

    try:
        yield
    except (psycopg.Error, UnicodeError) as error:
        raise run_error(error, connecting=connecting) from None


def run_error(error: Exception, *, connecting: bool = False) -> RunError:
    """Return a database's error in one line without the password. `connecting`: the connection failed."""
    parameters = connection_parameters()
    host, port = parameters.get("hostaddr") or parameters.get("host") or "localhost", parameters.get("port") or "5432"
    names = {
        "host": host,
        "place": f"{host}:{port}",
        "user": parameters.get("user") or "of this process",
        "dbname": parameters.get("dbname") or "of the user's name",
    }
    if meaning := _meaning(error, connecting):
        kind, text = meaning
        return kind(f"{VARIABLE}: {text.format(**names)}")
    return StoreError(f"{VARIABLE}: the server at {names['place']} says: {_masked(str(error), parameters)}")


def _meaning(error: Exception, connecting: bool) -> Meaning | None:
    import psycopg

    if not isinstance(error, psycopg.Error):
        return _UNKNOWN_HOST if connecting and isinstance(error, UnicodeError) else None
    if error.sqlstate is not None:
        return _BY_SQLSTATE.get(error.sqlstate) or _BY_SQLSTATE.get(error.sqlstate[:2])
    if connecting:
        return _meaning_of_failed_connection(error)
    # The driver's own errors: the server ended the connection, or the connection is closed.
    return _LOST if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) else None


def _meaning_of_failed_connection(error: "psycopg.Error") -> Meaning | None:
    from psycopg.errors import ConnectionTimeout

    if isinstance(error, ConnectionTimeout):
        return _NO_SERVER
    if error.pgconn is None:
        return _UNKNOWN_HOST
    if error.pgconn.needs_password:
        return _WRONG_USER
    return next((meaning for words, meaning in _BY_WORDS if re.search(words, str(error), re.IGNORECASE)), None)


def _masked(text: str, parameters: dict[str, Any]) -> str:
    for name in ("password", "sslpassword", "passfile"):
        if parameters.get(name):
            text = text.replace(str(parameters[name]), "***")
    return " ".join(text.split())[:300]
