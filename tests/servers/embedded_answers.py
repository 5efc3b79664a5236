"""Answers of the embedded models to requests in OpenAI's form, by the model's name: judge, verbalizer or optimizer."""

from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from blpo.models.registry import chat_model
from state.settings import ModelSettings
from tests.servers.chat_server import Reply

_KINDS: dict[str, type[BaseMessage]] = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}


async def embedded_answer(request: dict[str, Any]) -> Reply:
    """What the embedded model of this name says, with the tokens that it counts."""
    model = chat_model(ModelSettings(name=f"embedded:{request['model']}"))
    messages = [_KINDS[message["role"]](content=message["content"]) for message in request["messages"]]
    said = await model.ainvoke(messages)
    assert said.usage_metadata is not None
    return Reply(said.text, said.usage_metadata["input_tokens"], said.usage_metadata["output_tokens"])
