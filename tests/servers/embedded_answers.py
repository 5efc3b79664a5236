"""Answers of the embedded models (judge, verbalizer, optimizer) to requests in OpenAI's form."""

from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from blpo.models.registry import chat_model
from state.settings import ModelSettings
from tests.servers.chat_server import Reply

_KINDS: dict[str, type[BaseMessage]] = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}


async def embedded_answer(request: dict[str, Any]) -> Reply:
    """Return the answer of the embedded model named in the request, with its token counts."""
    model = chat_model(ModelSettings(name=f"embedded:{request['model']}"))
    messages = [_KINDS[message["role"]](content=message["content"]) for message in request["messages"]]
    answer = await model.ainvoke(messages)
    assert answer.usage_metadata is not None
    return Reply(answer.text, answer.usage_metadata["input_tokens"], answer.usage_metadata["output_tokens"])
