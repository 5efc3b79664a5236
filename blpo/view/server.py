"""Server of the pages on one address."""

import socket
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn

from blpo.view.app import view_app
from blpo.view.safety import Door
from blpo.view.site import Site
from state.errors import ConfigError

_GRACE = 2
"""Seconds for open requests at the end, such as those of live pages."""


@dataclass(frozen=True)
class ViewServer:
    """A bound server. `serve` runs until Ctrl-C."""

    site: Site
    door: Door
    listener: socket.socket

    @classmethod
    def bind(cls, site: Site, host: str, port: int) -> "ViewServer":
        """Take the port, or any free port for 0; raises `ConfigError` for an address that can't be used."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listener = socket.create_server((host, port), family=family)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigError(f"{host}:{port} can't be used: {reason}; give another --port") from None
        port = listener.getsockname()[1]
        return cls(site, Door(host, port, site.token, site.is_read_only), listener)

    @property
    def address(self) -> str:
        """First address, with the token."""
        name = f"[{self.door.host}]" if ":" in self.door.host else self.door.host
        name = "127.0.0.1" if name in ("0.0.0.0", "[::]") else name
        return f"http://{name}:{self.door.port}/?token={self.door.token}"

    def serve(self, on_start: Callable[[], object] = lambda: None) -> None:
        """Answer requests until SIGINT or SIGTERM; `on_start` is called before the first request."""
        config = uvicorn.Config(
            view_app(self.site, self.door),
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=_GRACE,
        )
        on_start()
        uvicorn.Server(config).run(sockets=[self.listener])
