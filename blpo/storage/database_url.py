"""Address of a team's PostgreSQL, from the environment alone, because the URL holds a password."""

import os
from typing import Any

from state.errors import ConfigError

VARIABLE = "BLPO_DATABASE_URL"

_DEFAULTS = {
    "application_name": "blpo",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""Values for parameters outside the URL. The client notices a lost server within a minute."""
_EXAMPLE = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
_MISPLACED_SIGNS = (("host", "@"), ("dbname", "@"), ("dbname", "/"))
"""Signs in the wrong part of a URL: the password is not encoded."""


def connection_parameters() -> dict[str, Any]:
    """Return the connection's parameters by libpq's names.

    Raises `ConfigError` if the extra `postgres` or a valid URL is missing. No message quotes the URL.
    """
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:
        raise ConfigError(
            "run.checkpoints: postgres needs the extra 'postgres'; install it with: pip install -e '.[postgres]'"
        ) from None
    url = os.environ.get(VARIABLE, "").strip()
    if not url:
        raise ConfigError(f"run.checkpoints: postgres needs the environment variable {VARIABLE}, such as {_EXAMPLE}")
    if not url.startswith(("postgresql://", "postgres://")) or url.count("@") > 1:
        raise _bad_url()
    try:
        parameters = conninfo_to_dict(url)
    except (ProgrammingError, ValueError):
        raise _bad_url() from None
    if _has_misplaced_sign(parameters) or not _has_valid_ports(parameters):
        raise _bad_url()
    return {**_DEFAULTS, **parameters}


def _has_misplaced_sign(parameters: dict[str, Any]) -> bool:
    return any(sign in str(parameters.get(name) or "") for name, sign in _MISPLACED_SIGNS)


def _has_valid_ports(parameters: dict[str, Any]) -> bool:
    ports = str(parameters.get("port") or "5432").split(",")
    return all(not port or (port.isdecimal() and 0 < int(port) < 65536) for port in ports)


def _bad_url() -> ConfigError:
    return ConfigError(
        f"{VARIABLE}: must read {_EXAMPLE}, with signs such as @ / : # % in user or password as %40 %2F %3A %23 %25"
    )
