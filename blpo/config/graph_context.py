"""Settings as the context of the graphs."""

from typing import Any

from pydantic import ValidationError

from blpo.config.setting_problems import config_error, setting_problems
from state.settings import Settings


class Context(Settings):
    """Settings made by LangGraph from a mapping. Errors are worded as errors of a file."""

    def __init__(self, **sections: Any) -> None:
        """Take settings by section; raises `ConfigError`."""
        try:
            super().__init__(**sections)
        except ValidationError as error:
            raise config_error(setting_problems(error)) from None


CONTEXT: type[Settings] = Context
"""Value for `context_schema`. The type is `Settings`, so that nodes know a `Context` and plain settings alike."""
