"""HTTP headers of the requests to an OpenAI-compatible server."""

import re
from collections.abc import Iterable

from blpo.models.secret_masking import environment_secret
from state.errors import ModelError
from state.settings import ModelSettings

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_CREDENTIALS = {"authorization", "api-key", "x-api-key"}
"""Names of headers that carry a key."""


def has_credentials(names: Iterable[str]) -> bool:
    """Return true if one of the names is a header that carries a key."""
    return not _CREDENTIALS.isdisjoint(name.lower() for name in names)


def request_headers(settings: ModelSettings, account: dict[str, str], key: str | None) -> dict[str, str]:
    """Return the headers of the settings, and the `account` headers (name: variable) set in the environment.

    Raises `ModelError` for a missing variable, and for a value or `key` unfit for a header.
    """
    headers = {name: value for name, variable in account.items() if (value := environment_secret(variable))}
    headers |= {name: _filled(settings, name, template) for name, template in settings.headers.items()}
    for name, value in {"Authorization": key or "", **headers}.items():
        if not value.isprintable():
            raise ModelError(f"{settings.name}: the key for header {name} holds a line break or the like; set it anew")
    return headers


def _filled(settings: ModelSettings, header: str, template: str) -> str:
    """Put the values of the environment into a template such as `Bearer ${KEY}`."""
    for variable in _VARIABLE.findall(template):
        value = environment_secret(variable)
        if not value:
            raise ModelError(f"{settings.name}: header {header} needs {variable}; set it in the environment")
        template = template.replace(f"${{{variable}}}", value)
    return template
