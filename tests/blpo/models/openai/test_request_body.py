"""Request bodies: plain JSON of the messages, without copies of images."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage, FunctionMessage, HumanMessage, SystemMessage

from blpo.models.openai.request_body import body_pieces
from state.sample import EncodedImage
from tests.blpo.models.openai.exchange import (
    IMAGE,
)

TEXTS = st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from('"\\\n\x00{}'), max_size=50)


URLS = TEXTS.map(lambda text: f"data:image/png;base64,{text}") | st.binary().map(
    lambda data: EncodedImage("0", "image/png", b64encode(data).decode()).data_url
)


@given(st.lists(TEXTS), st.lists(URLS))
def test_a_body_is_the_json_of_its_messages_whatever_they_hold(texts: list[str], urls: list[str]) -> None:
    content: list[str | dict[Any, Any]] = [{"type": "text", "text": text} for text in texts]
    content += [{"type": "image_url", "image_url": {"url": url, "detail": "high"}} for url in urls]
    messages: list[BaseMessage] = [SystemMessage("hi"), HumanMessage(content)]
    body = json.loads("".join(body_pieces("tiny", messages, {"temperature": 0})))
    expected = [{"role": "system", "content": "hi"}, {"role": "user", "content": content}]
    assert body == {"model": "tiny", "messages": expected, "temperature": 0}


def test_an_image_is_not_copied() -> None:
    url = IMAGE.data_url
    pieces = body_pieces("m", [HumanMessage([{"type": "image_url", "image_url": {"url": url}}])], {})
    assert any(piece is url for piece in pieces)


def test_what_can_not_be_sent_is_named() -> None:
    with pytest.raises(ValueError, match="function"):
        body_pieces("m", [FunctionMessage(content="", name="f")], {})
