import asyncio
import base64
from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from PIL import Image

from blpo.models.embedded.chat import prompt_and_frame, reply, texts
from blpo.models.embedded.message_images import images
from blpo.models.embedded.message_reading import read_values
from blpo.models.embedded.perception import perceive
from blpo.models.embedded.verbalizer_model import MAX_SENTENCES, EmbeddedVerbalizer, attribute_sentence
from blpo.models.embedded.vocabulary import ATTRIBUTES, BY_NAME
from blpo.models.messages import Part, to_langchain, user
from blpo.prompts.delimiters import element
from blpo.prompts.template import render
from state.sample import EncodedImage

VERBALIZER = EmbeddedVerbalizer()


def picture(size: tuple[int, int] = (64, 64), end: str = "red") -> tuple[bytes, EncodedImage]:
    buffer = BytesIO()
    gradient = Image.linear_gradient("L").resize(size)
    Image.composite(Image.new("RGB", size, "teal"), Image.new("RGB", size, end), gradient).save(buffer, "PNG")
    data = buffer.getvalue()
    return data, EncodedImage(end, "image/png", base64.b64encode(data).decode())


IMAGE_DATA, IMAGE = picture()
SECOND_DATA, SECOND = picture(end="yellow")


def request(i2t_prompt: str, *parts: Part) -> list[BaseMessage]:
    frame = render("verbalize", i2t_prompt=i2t_prompt, place="above", text_note="", max_words="120")
    return to_langchain([user(*parts, frame)])


def description(i2t_prompt: str, *parts: Part) -> str:
    return str(VERBALIZER.invoke(request(i2t_prompt, *parts)).content)


def expected(names: list[str], data: bytes = IMAGE_DATA) -> str:
    values = perceive(data)
    return " ".join(attribute_sentence(name, values[name]) for name in names)


GENERAL = [attribute.name for attribute in ATTRIBUTES if attribute.general]


def test_it_says_what_the_prompt_asks_for_in_the_order_of_mention() -> None:
    assert description("State the sharpness, the grain and any colour clipping.", IMAGE) == expected(
        ["sharpness", "noise", "colour clipping"]
    )


def test_sentences_have_one_form() -> None:
    assert attribute_sentence("noise", 72.4) == "Noise is high (72)."
    assert attribute_sentence("focus on the centre", 59.6) == "Focus on the centre is high (60)."
    assert attribute_sentence("share of blue", 0.0) == "Share of blue is very low (0)."


def test_at_most_six_of_what_is_asked_for() -> None:
    names = [attribute.name for attribute in ATTRIBUTES][::3]
    assert len(names) > MAX_SENTENCES
    assert description("Note " + ", ".join(names), IMAGE) == expected(names[:MAX_SENTENCES])


@pytest.mark.parametrize("i2t_prompt", ["Describe the image.", "", "Say everything that matters, in detail."])
def test_a_prompt_that_asks_for_nothing_known_gets_a_general_caption(i2t_prompt: str) -> None:
    assert description(i2t_prompt, IMAGE) == expected(GENERAL)


def test_a_general_caption_is_nothing_technical() -> None:
    assert len(GENERAL) == MAX_SENTENCES
    technical = {"noise", "blockiness", "sharpness", "blur", "fine detail", "highlight clipping", "texture variance"}
    assert technical <= set(BY_NAME) - set(GENERAL)


def test_neither_the_frame_nor_a_shown_text_asks_for_anything() -> None:
    text = element("text", "A noise meter\n---\nand its sharpness")
    assert description("State the warmth.", IMAGE, text) == expected(["warmth"])
    prompt_first = to_langchain([user("State the warmth.\n\n---\nKeep noise in mind.", IMAGE, text)])
    assert VERBALIZER.invoke(prompt_first).content == expected(["warmth"])
    message = HumanMessage([{"type": "text", "text": "State the warmth.\n---\nKeep noise in mind."}, *_image_parts()])
    assert VERBALIZER.invoke([message]).content == expected(["warmth"])


def test_two_images_are_described_one_after_the_other() -> None:
    both = description("State the warmth.", IMAGE, SECOND)
    assert both == f"First image: {expected(['warmth'])} Second image: {expected(['warmth'], SECOND_DATA)}"


def test_without_an_image_it_says_so() -> None:
    assert description("State the noise.") == "I see no image."
    unreadable = EncodedImage("x", "image/png", base64.b64encode(b"no image").decode())
    assert description("State the noise.", unreadable) == "I can't make out this image."


def test_the_optimizer_can_read_what_it_writes() -> None:
    for names in ([a.name for a in ATTRIBUTES][i : i + MAX_SENTENCES] for i in range(0, len(ATTRIBUTES), 6)):
        values = perceive(IMAGE_DATA)
        text = description("Note " + ", ".join(names), IMAGE)
        assert read_values(text) == {name: round(values[name]) for name in names}


async def test_the_same_messages_get_the_same_answer_at_the_same_time() -> None:
    messages = request("Describe the image.", IMAGE)
    answers = await asyncio.gather(*(VERBALIZER.ainvoke(messages) for _ in range(10)))
    assert {str(answer.content) for answer in answers} == {str(VERBALIZER.invoke(messages).content)}


async def test_usage_and_metadata_are_those_of_a_chat_model() -> None:
    large = picture((560, 280))[1]
    answer = await VERBALIZER.ainvoke(request("Describe the image.", large))
    text = texts(request("Describe the image."))
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["input_tokens"] == -(-len(text) // 4) + 200
    assert answer.usage_metadata["output_tokens"] == -(-len(str(answer.content)) // 4)
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.response_metadata["model_name"] == "embedded-verbalizer-1"


def test_the_tokens_of_an_image_are_capped() -> None:
    messages = to_langchain([user(picture((4000, 3000))[1])])
    message = reply("", messages, "m")
    assert message.usage_metadata is not None
    assert message.usage_metadata["input_tokens"] == 1536


def _image_parts(*urls: Any) -> list[Any]:
    return [{"type": "image_url", "image_url": url} for url in urls or ({"url": IMAGE.data_url},)]


class TestReadingMessages:
    def test_images_in_order(self) -> None:
        images_in_order = images(to_langchain([user(IMAGE, "and", SECOND), user(IMAGE)]))
        assert [image.data for image in images_in_order] == [IMAGE_DATA, SECOND_DATA, IMAGE_DATA]
        assert [image.digest for image in images_in_order[:2]] == [
            sha256(IMAGE_DATA).digest(),
            sha256(SECOND_DATA).digest(),
        ]

    def test_a_bare_url_is_read_too(self) -> None:
        assert [image.data for image in images([HumanMessage(_image_parts(IMAGE.data_url))])] == [IMAGE_DATA]

    @pytest.mark.parametrize(
        "url",
        [None, 3, {}, {"url": 3}, {"url": "file:///x.png"}, "data:image/png;base64,=", "data:text/plain;base64,AA=="],
    )
    def test_what_is_no_image_is_left_out(self, url: Any) -> None:
        assert images([HumanMessage(_image_parts(url))]) == []

    def test_texts_of_all_messages(self) -> None:
        messages = [SystemMessage("one"), *to_langchain([user("two", IMAGE, "three")]), AIMessage("four")]
        assert texts(messages) == "one\n\ntwo\n\nthree\n\nfour"

    def test_the_prompt_ends_at_the_first_line_of_dashes(self) -> None:
        messages = to_langchain([user(IMAGE, "shown", "a\n--- b\n---\nc\n---\nd"), user("again")])
        messages.append(AIMessage("x\n---\ny"))
        assert prompt_and_frame(messages) == ("a\n--- b", "c\n---\nd")
        assert prompt_and_frame(to_langchain([user("no frame")])) == ("no frame", "")

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.text(max_size=60), max_size=4), st.booleans())
    def test_any_text_gets_an_answer(self, parts: list[str], with_image: bool) -> None:
        messages = to_langchain([user(*parts, *([IMAGE] if with_image else []))])
        assert VERBALIZER.invoke(messages).content
