"""Requirements of `run.tracking`: an extra, and environment variables with address or key."""

import os
from importlib.util import find_spec

from state.errors import ConfigError
from state.settings import Settings, TrackerName

_VARIABLES: dict[TrackerName, tuple[str, str]] = {
    "mlflow": ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_URI, such as http://127.0.0.1:5000"),
    "wandb": ("WANDB_API_KEY", "WANDB_API_KEY, or WANDB_MODE=offline"),
    "langsmith": ("LANGSMITH_API_KEY", "LANGSMITH_API_KEY"),
}
"""Required environment variable of a tracker, and words for a person."""
_OFFLINE = ("offline", "dryrun")


def require_tracker(settings: Settings) -> None:
    """Raise `ConfigError` if the extra or the environment variable of the run's tracker is missing.

    Opens no connection, and imports no tracker.
    """
    name = settings.run.tracking
    if name is None:
        return
    spec = find_spec(name)
    if spec is None or spec.origin is None:  # a folder ./wandb of an earlier run is no package
        raise ConfigError(f"run.tracking: {name} needs the extra {name!r}; install it with: pip install -e '.[{name}]'")
    variable, words = _VARIABLES[name]
    if not os.environ.get(variable, "").strip() and not _is_offline(name):
        raise ConfigError(
            f"run.tracking: {name} needs the environment variable {words}; set it, or go on without: --set"
            " run.tracking=null"
        )


def _is_offline(name: TrackerName) -> bool:
    return name == "wandb" and os.environ.get("WANDB_MODE", "").strip().lower() in _OFFLINE
