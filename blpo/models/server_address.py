"""Server and model name of the requests to an OpenAI-compatible model."""

import os
import re
from urllib.parse import urlsplit, urlunsplit

from blpo.models.secret_masking import one_line
from state.errors import ModelError
from state.settings import ModelSettings

VENDOR_URL = "https://api.openai.com/v1"
_ENDPOINT = re.compile(r"/(?:chat/)?completions/*$|/(?:responses|models|embeddings)/*$")
"""End of a path that belongs to a request, not to the server."""


def address_of(settings: ModelSettings) -> str | None:
    """Return the server's address from the settings or, for `openai:`, the environment; None: the vendor's own."""
    address = settings.base_url
    if address is None and settings.name.startswith("openai:"):
        address = os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_BASE")
    return address.rstrip("/") if address else None


def require_address(settings: ModelSettings) -> None:
    """Raise `ModelError` if the server's address can't be right, as far as the text shows."""
    address = address_of(settings)
    if address is None:
        return
    shape = "it looks like http://localhost:8000/v1"
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise ModelError(f"{settings.name}: base_url has no valid host or port (0 to 65535); {shape}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or re.search(r"\s", address):
        raise ModelError(f"{settings.name}: base_url is no address; {shape}")
    endpoint = _ENDPOINT.search(parts.path)
    if endpoint:
        end = endpoint[0].rstrip("/")
        raise ModelError(f"{settings.name}: base_url ends in {end}, which is added to every request; take it out")


def lacks_version(address: str | None) -> bool:
    """Return True if an address has no path: most servers listen below /v1."""
    return bool(address) and urlsplit(address or "").path.strip("/") == ""


def version_hint(address: str) -> str:
    """Return the address that most servers have, in words."""
    return f"most servers listen at {one_line(address.partition('?')[0].rstrip('/'))}/v1"


def at_address(settings: ModelSettings) -> str:
    """Return ` at ADDRESS` for a message; empty for the vendor's own address."""
    return f" at {one_line(settings.base_url)}" if settings.base_url else ""


def calls_the_vendor(settings: ModelSettings) -> bool:
    """Return true if requests go to the vendor behind `openai:`; resellers charge different prices."""
    address = address_of(settings)
    at_the_vendor = address is None or urlsplit(address).hostname == "api.openai.com"
    return settings.name.startswith("openai:") and at_the_vendor


def address_and_query(address: str) -> tuple[str, str]:
    """Split an address into the address without a query, and the query, such as Azure's api-version."""
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", "")), parts.query


def served_name(settings: ModelSettings) -> str:
    """Return the model's name as known to the server."""
    return settings.name.partition(":")[2]
