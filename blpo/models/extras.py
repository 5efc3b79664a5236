"""Error for a missing package of some models."""

from state.errors import ModelError
from state.settings import ModelSettings


def missing_extra(settings: ModelSettings, extra: str) -> ModelError:
    """Return an error with the name of the extra and the command to install the extra."""
    return ModelError(f"{settings.name}: needs the extra {extra!r}; install it with: pip install -e '.[{extra}]'")
