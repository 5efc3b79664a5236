"""Ray, and a cluster of Ray for the time of a command: one of this machine, or one at an address."""

import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from state.errors import ConfigError, RunError

_PATIENCE = 10.0
"""Seconds that a cluster may take to accept a connection."""
_MEMORY = 100 * 2**20
"""Bytes of Ray's object store on one machine: only parts and counts pass through it."""


def ray_library() -> Any:
    """Import Ray; raises `ConfigError` without the extra."""
    try:
        import ray
    except ImportError:
        raise ConfigError("--engine ray needs the extra 'ray'; install it with: pip install -e '.[ray]'") from None
    return ray


@contextmanager
def cluster(address: str | None, cpus: int) -> Iterator[None]:
    """Connect to a cluster, or start one on this machine that ends with the block. Raises `RunError`."""
    ray = ray_library()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")  # Ray gives 15: on a busy machine such workers hardly run
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    folder = None if address else tempfile.mkdtemp(prefix="blpo-ray-", dir=_short_folder())
    _require_answer(address)
    on_sigterm = signal.getsignal(signal.SIGTERM)
    own = {"num_cpus": cpus, "include_dashboard": False, "object_store_memory": _MEMORY, "_temp_dir": folder}
    try:
        try:
            ray.init(address=address or "local", **quiet, **(own if folder else {}))
        except (ConnectionError, RuntimeError, TimeoutError, ValueError) as error:
            raise _no_cluster(address, error) from None
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_sigterm)  # Ray's own handler would end the process at once
        yield
    finally:
        ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _require_answer(address: str | None) -> None:
    """Raise `RunError` if nobody listens at an address `host:port`; Ray itself would try for many minutes."""
    host, colon, port = (address or "").rpartition(":")
    if colon and port.isdigit() and "/" not in host:
        try:
            socket.create_connection((host, int(port)), timeout=_PATIENCE).close()
        except OSError as error:
            raise _no_cluster(address, error) from None


def _no_cluster(address: str | None, error: Exception) -> RunError:
    place = f"--ray-address {address}" if address else "Ray"
    reason = " ".join(str(error).split())[:150]
    return RunError(f"{place}: no cluster answers ({reason}); a cluster with a token needs RAY_AUTH_TOKEN")


def _short_folder() -> str | None:
    """Return a folder with a short path, because sockets have short paths."""
    return "/tmp" if Path("/tmp").is_dir() else None
