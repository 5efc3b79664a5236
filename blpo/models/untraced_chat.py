"""Chat models that answer without LangChain's callbacks, which cost more CPU than a lean call does."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

# The first call asks the tracers for callbacks, and would hold up all other calls by this import.
import langchain_core.tracers.context
import langchain_core.tracers.stdout  # noqa: F401
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage


class UntracedChat(BaseChatModel):
    """Chat model with a method that calls no callback."""

    @abstractmethod
    async def reply(self, messages: Sequence[BaseMessage], **arguments: Any) -> AIMessage:
        """Return and raise exactly what `ainvoke` does; call no callback."""
