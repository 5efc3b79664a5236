"""Error for a package that only some models need, and that is missing."""

from state.errors import ModelError
from state.settings import ModelSettings


def missing_extra(settings: ModelSettings, extra: str) -> ModelError:
    """Return an error that names the extra and the command that installs the extra."""
    return ModelError(f"{settings.name}: needs the extra {extra!r}; install it with: pip install -e '.[{extra}]'")
