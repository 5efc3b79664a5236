"""Chat models without LangChain's callbacks. The callbacks cost more CPU than a lean call."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

# Imported early: the first call asks the tracers for callbacks, and the import would hold up all further calls.
import langchain_core.tracers.context
import langchain_core.tracers.stdout  # noqa: F401
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage


class UntracedChat(BaseChatModel):
    """Chat model with a method free of callbacks."""

    @abstractmethod
    async def reply(self, messages: Sequence[BaseMessage], **arguments: Any) -> AIMessage:
        """Return and raise exactly what `ainvoke` does; call no callback."""
