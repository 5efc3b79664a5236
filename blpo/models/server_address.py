"""Server and model name of the requests to an OpenAI-compatible model."""

import os
from urllib.parse import urlsplit, urlunsplit

from state.settings import ModelSettings

VENDOR_URL = "https://api.openai.com/v1"


def address_of(settings: ModelSettings) -> str | None:
    """Return the server's address from the settings or, for `openai:`, the environment; None: the vendor's own."""
    address = settings.base_url
    if address is None and settings.name.startswith("openai:"):
        address = os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_BASE")
    return address.rstrip("/") if address else None


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
