"""Trackers by name, and their addresses for messages."""

import os
import re

from blpo.models.secret_masking import excerpt
from blpo.tracking.tracker import Tracker
from state.settings import TrackerName

_ADDRESSES: dict[TrackerName, str] = {
    "mlflow": "MLFLOW_TRACKING_URI",
    "wandb": "WANDB_BASE_URL",
    "langsmith": "LANGSMITH_ENDPOINT",
}
_LOGIN = re.compile(r"(?<=://)\S*@")
_NO_CONNECTION = ("Max retries exceeded", "Connection refused", "Connection aborted", "timed out", "Connection error")
"""Signs of a server that can't be reached, in the long messages of libraries."""
_PARAMETERS = re.compile(r"[?#].*")
_SHORTEST = 6
"""Characters of a parameter that may be a secret; a shorter one could stand in any text."""


def open_tracker(name: TrackerName) -> Tracker:
    """Import and open a tracker; raises `ImportError` if the extra is missing."""
    match name:
        case "mlflow":
            from blpo.tracking.mlflow_tracker import MlflowTracker

            return MlflowTracker()
        case "wandb":
            from blpo.tracking.wandb_tracker import WandbTracker

            return WandbTracker()
        case "langsmith":
            from blpo.tracking.langsmith_tracker import LangsmithTracker

            return LangsmithTracker()


def tracker_place(name: TrackerName) -> str:
    """Return name and address of a tracker, without login and parameters."""
    address = os.environ.get(_ADDRESSES[name], "").strip()
    return f"{name} at {_LOGIN.sub('***@', _PARAMETERS.sub('', address))}" if address else name


def failure_text(name: TrackerName, error: BaseException) -> str:
    """Return the reason of a failure in a line, with keys and the login of the tracker's address masked."""
    text = str(error) or type(error).__name__
    if any(sign in text for sign in _NO_CONNECTION):
        return "no connection"
    for secret in _secrets(os.environ.get(_ADDRESSES[name], "")):
        text = text.replace(secret, "***")
    return excerpt(text)


def _secrets(address: str) -> list[str]:
    """Return the login, the password and the parameters of an address, the longest first."""
    logins = [match[0].rstrip("@") for match in _LOGIN.finditer(address)]
    passwords = [login.partition(":")[2] for login in logins]
    parameters = [match[0] for match in _PARAMETERS.finditer(address)]
    values = [value for text in parameters for value in re.split("[?#&=]", text) if len(value) >= _SHORTEST]
    return sorted(filter(None, (*logins, *passwords, *parameters, *values)), key=len, reverse=True)
