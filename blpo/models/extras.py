"""What to say where a package is missing that only some models need."""

from state.errors import ModelError
from state.settings import ModelSettings


def missing_extra(settings: ModelSettings, extra: str) -> ModelError:
    """An error that names the extra and the command that installs it."""
    return ModelError(f"{settings.name}: needs the extra {extra!r}; install it with: pip install -e '.[{extra}]'")
