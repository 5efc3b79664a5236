"""Completions whose alternatives are parsed at the first access: equal to a full parse, in less time."""

import asyncio
import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from blpo.models.calls import ModelCaller
from blpo.models.label_scores import label_scores
from blpo.models.messages import user
from blpo.models.openai.deferred_alternatives import DeferredAlternatives, parse_completion
from blpo.models.retries import Backoff
from blpo.storage.response_store import ResponseStore
from state.response import Response
from state.settings import LimitSettings, ModelsSettings
from tests.blpo.models.openai.exchange import SCHEMA, model
from tests.servers.chat_server import ChatServer
from tests.servers.hostile_replies import LARGE, completion, with_log_probabilities

LABELS = ("1", "2", "3", "4", "5")
PADDING = "a" * 16_384
TEXTS = st.sampled_from(
    ('{"label": ', '"', "\\", "\\\\", '\\"', "}]", '"}]', "} ]", "[{", '"top_logprobs": [{', "4", "é")
) | (st.text(max_size=4))
TOKENS = st.builds(
    lambda token, logprob: {"token": token, "logprob": logprob}, TEXTS, st.sampled_from((0.0, -1.5, -1e9))
)
ALTERNATIVES: st.SearchStrategy[Any] = st.lists(TOKENS, max_size=4) | st.sampled_from(
    (None, 5, "deferred alternatives 0", [3], [{}], [[{}], {}], [{"a": [{}]}])
)


def _loaded(content: Any) -> Any:
    """Return the content with all alternatives parsed."""
    if isinstance(content, DeferredAlternatives):
        return list(content)
    if isinstance(content, dict):
        return {key: _loaded(value) for key, value in content.items()}
    return [_loaded(value) for value in content] if isinstance(content, list) else content


def _outcome(body: bytes, parse: Any) -> Any:
    try:
        return _loaded(parse(body))
    except ValueError:
        return "faulty"


@given(
    st.lists(st.tuples(TOKENS, ALTERNATIVES), max_size=5),
    st.booleans(),
    st.sampled_from((None, 0, 2)),
    st.booleans(),
)
def test_the_parse_equals_a_full_parse_for_any_tokens(
    tokens: list[tuple[dict[str, Any], Any]], ascii_only: bool, indent: int | None, alternatives_first: bool
) -> None:
    content = [
        {"top_logprobs": alternatives, **token} if alternatives_first else {**token, "top_logprobs": alternatives}
        for token, alternatives in tokens
    ]
    reply = completion(PADDING, logprobs={"content": content})
    text = json.dumps(reply, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    assert _outcome(text, parse_completion) == _outcome(text, json.loads)
    parsed = parse_completion(text)["choices"][0]["logprobs"]
    assert label_scores(parsed, LABELS) == label_scores({"content": content}, LABELS)


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.sampled_from((b"", b'"', b"\\", b"}]", b"[{", b"\xff")))
@example(start=0, length=0, piece=b"")
def test_a_damaged_body_is_read_as_by_a_full_parse(start: int, length: int, piece: bytes) -> None:
    alternatives = [{"token": text, "logprob": -0.5} for text in ("4", '"}]', "\\")]
    tokens = [{"token": text, "logprob": -0.5, "top_logprobs": alternatives} for text in ('{"', 'label": ', "4", "}")]
    body = json.dumps({"padding": PADDING, **completion(logprobs={"content": tokens})}).encode()
    start = len(PADDING) + start % (len(body) - len(PADDING))
    damaged = body[:start] + piece + body[start + length % 40 :]
    assert _outcome(damaged, parse_completion) == _outcome(damaged, json.loads)


@pytest.mark.parametrize(
    "reply",
    [
        {"choices": [], "top_logprobs": [{"token": "4"}], "padding": PADDING},
        {"choices": [{"logprobs": {"content": {"top_logprobs": [{"token": "4"}]}}}], "padding": PADDING},
        {"error": {"top_logprobs": [{"token": "}]" * 2000}]}, "padding": PADDING},
        [{"top_logprobs": [{"token": "4"}]}, PADDING],
    ],
)
def test_a_reply_without_tokens_is_parsed_as_a_whole(reply: Any) -> None:
    assert parse_completion(json.dumps(reply).encode()) == reply


def test_ends_of_arrays_inside_strings_take_no_long_time() -> None:
    token = {"token": "}]" * 1_000_000, "logprob": 0.0}
    reply = completion(logprobs={"content": [{**token, "top_logprobs": [token]}]})
    start = time.process_time()
    assert _loaded(parse_completion(json.dumps(reply).encode())) == reply
    assert time.process_time() - start < 1


def test_a_long_reply_with_log_probabilities_takes_less_than_half_of_a_full_parse() -> None:
    body = json.dumps(with_log_probabilities(1000)).encode()

    def seconds(parse: Any) -> float:
        times = []
        for _ in range(2):
            start = time.process_time()
            label_scores(parse(body)["choices"][0]["logprobs"], LABELS)
            times.append(time.process_time() - start)
        return min(times)

    assert seconds(parse_completion) < seconds(json.loads) / 2


async def test_many_long_replies_at_once_are_answers_with_scores() -> None:
    reply = LARGE["7 MB of log-probabilities"]
    async with ChatServer(raw=lambda request: reply()) as server:
        settings = model(server, logprobs=True, timeout=30, max_concurrency=6)
        store = await ResponseStore.open(":memory:")
        models = ModelsSettings(judge=settings, optimizer=settings)
        calls = await ModelCaller.create(models, LimitSettings(), store, Backoff(first=0.01))
        answers = await asyncio.gather(*(calls.ask("judge", [user(str(i))], schema=SCHEMA) for i in range(6)))
        await calls.close()
        await store.close()
    for answer in answers:
        assert isinstance(answer, Response)
        assert dict(answer.scores) == pytest.approx({"1": 0, "2": 0, "3": 0, "4": 0.5, "5": 0.5})
