"""Chat models that answer by a function of the conversation, named `scripted:NAME`."""

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from blpo.models.registry import register
from state.settings import ModelSettings

Script = Callable[[Sequence[BaseMessage]], str]
SCRIPTS: dict[str, Script] = {}


class ScriptedModel(BaseChatModel):
    """Answers with the script's reply to the messages."""

    script: Script

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
        message = AIMessage(content=self.script(messages), usage_metadata=usage)
        return ChatResult(generations=[ChatGeneration(message=message)])


def _build(settings: ModelSettings) -> BaseChatModel:
    return ScriptedModel(script=SCRIPTS[settings.name.split(":", 1)[1]])


def scripted(name: str, script: Script) -> str:
    """Register `script` and return the model name."""
    register("scripted", _build)
    SCRIPTS[name] = script
    return f"scripted:{name}"
