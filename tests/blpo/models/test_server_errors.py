"""Errors and refusals in the words of many vendors, through both clients."""

import itertools
import logging
from pathlib import Path
from typing import Any, Literal

import pytest

from blpo.models.failures import Transient, outcome_of
from blpo.models.openai.completion import ErrorInCompletion, ServerError, message_of
from blpo.models.rejections import MOST_ALIKE
from blpo.models.server_errors import is_broken_off, is_cut_off, is_filter_word, read_error
from state.errors import ModelError
from state.response import Failure, Response
from state.settings import ModelSettings
from tests.blpo.models.callers import KEY, SCHEMA, caller, question, served, served_by
from tests.servers.chat_server import ChatServer, Fault
from tests.servers.faults import FINE
from tests.servers.sayings import (
    BODIES,
    BROKEN,
    FEW_IMAGES,
    REFUSALS,
    SCHEMA_REFUSALS,
    UNKNOWN_PARAMETERS,
    UNREADABLE,
    says,
)

Client = Literal["lean", "langchain"]
GOOD = '{"reason": "fine", "label": 4}'

clients = pytest.mark.parametrize("client", ["lean", "langchain"])


@pytest.fixture(autouse=True)
def key_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", KEY)


def good(messages: object) -> str:
    return GOOD


def with_key(fault: Fault) -> Fault:
    return Fault(status=fault.status, text=(fault.text or "").replace("KEY", KEY), kind=fault.kind)


@clients
@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refusal_in_any_words_is_an_answer_paid_once(name: str, client: Client, tmp_path: Path) -> None:
    async with ChatServer(good, itertools.repeat(REFUSALS[name])) as server:
        models = served_by(served(server, client=client))
        for _process in range(2):
            async with caller(models, tmp_path / "r.sqlite") as (calls, _):
                answer = await calls.ask("judge", question("a"), schema=SCHEMA)
                assert isinstance(answer, Response)
                assert answer.refused
                assert answer.text
    assert len(server.requests) == 1


@clients
@pytest.mark.parametrize("name", BROKEN)
async def test_a_failure_inside_a_reply_passes(name: str, client: Client) -> None:
    async with (
        ChatServer(good, iter([BROKEN[name]])) as server,
        caller(served_by(served(server, client=client))) as (calls, _),
    ):
        answer = await calls.ask("judge", question("a"))
        server.faults = itertools.repeat(BROKEN[name])
        failure = await calls.ask("judge", question("b"))
    assert isinstance(answer, Response)
    assert answer.text == GOOD
    assert isinstance(failure, Failure)
    assert failure.kind == "server"
    assert "upstream lost" in failure.detail or "finish_reason" in failure.detail


@clients
@pytest.mark.parametrize("name", UNREADABLE)
async def test_a_reply_that_is_no_completion_is_quoted_without_keys(name: str, client: Client) -> None:
    async with (
        ChatServer(good, itertools.repeat(with_key(UNREADABLE[name]))) as server,
        caller(served_by(served(server, client=client, max_retries=0))) as (calls, _),
    ):
        failure = await calls.ask("judge", question("a"))
    assert isinstance(failure, Failure)
    assert failure.kind == "malformed"
    assert KEY not in failure.detail
    assert failure.detail.startswith("vllm:tiny: the reply is no chat completion (")
    assert ("***" in failure.detail) == ("KEY" in (UNREADABLE[name].text or ""))


@clients
@pytest.mark.parametrize("name", BODIES)
async def test_the_words_of_an_error_are_told_in_any_form(name: str, client: Client) -> None:
    fault, words = BODIES[name]
    async with (
        ChatServer(good, itertools.repeat(with_key(fault))) as server,
        caller(served_by(served(server, client=client))) as (calls, _),
    ):
        failure = await calls.ask("judge", question("a"))
    assert isinstance(failure, Failure)
    assert failure.kind == "rejected"
    assert failure.detail.endswith(f"{fault.status} - {words}") or words == "***"
    assert words in failure.detail
    assert KEY[:10] not in failure.detail


@clients
@pytest.mark.parametrize("name", SCHEMA_REFUSALS)
async def test_a_schema_refused_in_any_words_is_left_out_from_then_on(
    name: str, client: Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def faults(request: dict[str, Any]) -> Fault:
        return SCHEMA_REFUSALS[name] if "response_format" in request else Fault()

    async with ChatServer(good, faults) as server:
        for process in range(2):
            async with caller(served_by(served(server, client=client)), tmp_path / "r.sqlite") as (calls, _):
                for i in range(2):
                    assert isinstance(await calls.ask("judge", question(f"{process} {i}"), schema=SCHEMA), Response)
    assert ["response_format" in request for request in server.requests] == [True, False, False, False, False]
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


@clients
@pytest.mark.parametrize("name", UNKNOWN_PARAMETERS)
async def test_an_unknown_parameter_ends_the_run_and_names_the_setting(name: str, client: Client) -> None:
    async with (
        ChatServer(good, itertools.repeat(UNKNOWN_PARAMETERS[name])) as server,
        caller(served_by(served(server, client=client, max_tokens=9, max_concurrency=1))) as (calls, _),
    ):
        with pytest.raises(ModelError, match=r"change models\.judge\.max_tokens_parameter or max_tokens"):
            await calls.ask("judge", question("a"))
    assert len(server.requests) == 1


REJECTIONS = [
    says(403, {"error": {"message": "zut alors"}}),
    says(403, {"error": {"message": "Access denied"}}),
    says(404, ""),
    says(400, {"error": {"message": "no", "param": "temperature"}}),
    says(418, {"error": {"message": "a teapot"}}),
    says(402, {"error": {"message": "pay"}}),
]


@clients
@pytest.mark.parametrize("fault", REJECTIONS, ids=lambda fault: f"{fault.status} {fault.text[:30]}")
async def test_a_rejection_of_one_image_while_others_succeed_is_a_failure_of_the_image(
    fault: Fault, client: Client
) -> None:
    async with (
        ChatServer(good, iter([Fault(), Fault(), fault])) as server,
        caller(served_by(served(server, client=client))) as (calls, _),
    ):
        outcomes = [await calls.ask("judge", question(str(i)), schema=SCHEMA) for i in range(5)]
    assert [isinstance(outcome, Response) for outcome in outcomes] == [True, True, False, True, True]


@pytest.mark.parametrize(
    ("fault", "setting"),
    [
        (says(403, {"error": {"message": "zut alors"}}), "check the key"),
        (says(400, {"error": {"message": "zut alors 7"}}), "models.judge.name, max_tokens"),
        (says(422, {"detail": "zut"}), "models.judge.max_tokens_parameter"),
        (says(400, "image one of two has odd pixels", "text/plain"), "models.judge.max_pixels"),
        (says(405, ""), "models.judge.base_url"),
        (says(402, {"error": {"message": "pay"}}), "balance"),
    ],
)
async def test_the_same_rejection_of_every_image_ends_the_run_and_names_a_setting(fault: Fault, setting: str) -> None:
    async with (
        ChatServer(good, itertools.repeat(fault)) as server,
        caller(served_by(served(server, max_concurrency=1))) as (calls, _),
    ):
        for i in range(MOST_ALIKE - 1):
            assert isinstance(await calls.ask("judge", question(str(i))), Failure)
        with pytest.raises(ModelError, match=f"rejected the first {MOST_ALIKE} requests alike: .*{setting}") as caught:
            await calls.ask("judge", question("last"))
    assert len(server.requests) == MOST_ALIKE
    assert ".." not in str(caught.value)


async def test_a_first_image_rejected_in_words_never_seen_ends_nothing() -> None:
    async with (
        ChatServer(good, iter([says(403, {"error": {"message": "zut alors"}})])) as server,
        caller(served_by(served(server))) as (calls, _),
    ):
        assert isinstance(await calls.ask("judge", question("a")), Failure)
        assert isinstance(await calls.ask("judge", question("b")), Response)


@pytest.mark.parametrize(
    ("status", "message", "meaning"),
    [
        (403, "Your account was flagged for a violation of our policies", "account"),
        (401, "Your input was flagged", None),
        (400, "The name is case-sensitive content", None),
        (400, "request (5000 tokens) exceeds the available context size (4096 tokens)", "too_long"),
        (400, "The input token count (1200) exceeds the maximum number of tokens allowed (1000).", "too_long"),
        (400, "Range of input length should be [1, 1000]", "too_long"),
        (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 1000. Given: 1200", "too_long"),
        (422, "`inputs` must have less than 1000 tokens. Given: 1200", "too_long"),
        (400, "Input is too long for the model", "too_long"),
        (400, "The input (1200 tokens) is longer than the model's context length (1000 tokens).", "too_long"),
        (400, "Please reduce the length of the messages or completion.", "too_long"),
        (400, "max_tokens must be at most 1000", None),
        (400, "input_schema has an unsafe default", None),
        (500, "image input is not supported - hint: start with the projector", "blind"),
        (429, "You exceeded your current quota", "quota"),
        (400, "User input was flagged", "refused"),
        (400, "The input is blocked: adjust the prompt", "refused"),
        (400, "Request blocked. Reason: PROHIBITED_CONTENT", "refused"),
        (400, "The picture may hold risky material", "refused"),
        (403, "The content is not compliant", "refused"),
        (451, "zut", "refused"),
        (403, "Your account balance is insufficient", "quota"),
        (400, "Your credit balance is too low", "quota"),
        (400, "The API key is not valid", "account"),
        (400, "Your location is not supported here", "account"),
        (400, "The maximum prompt length is 1000 but the request has 1200 tokens", "too_long"),
        (400, "the number of input tokens 1200 cannot exceed 1000", "too_long"),
        (400, "messages[0]: unknown variant `image_url`, expected `text`", "blind"),
        (400, "messages[0].content must be a string", "blind"),
        (400, "Invalid image_url: the data can't be decoded", "image"),
        (404, "No endpoint handles the requested parameters", "schema"),
    ],
)
def test_meanings_of_words(status: int, message: str, meaning: str | None) -> None:
    assert read_error(status, f'{{"error": {{"message": "{message}"}}}}'.encode()).meaning == meaning


PAGE = "<!DOCTYPE html><html><body>Sorry, your request has been blocked by the firewall</body></html>"


@pytest.mark.parametrize(
    ("body", "meaning", "words"),
    [
        ('{"error_code": 9, "error_msg": "the content is unsafe"}', "refused", "the content is unsafe"),
        ('{"error": {"code": "system_unsafe", "message": "field is invalid"}}', "refused", "field is invalid"),
        (
            '{"error": {"message": "Upstream failed", "raw": "{\\"error\\": {\\"message\\": \\"NSFW\\"}}"}}',
            "refused",
            "Upstream failed: NSFW",
        ),
        ('{"message": "Upstream: [{\\"code\\": \\"content_filter\\"}]"}', "refused", 'Upstream: [{"code": "content'),
        ('{"error": {"message": "no JSON", "failed_generation": "{\\"message\\": \\"nsfw\\"}"}}', None, "no JSON"),
        (PAGE, None, "<!DOCTYPE html>"),
    ],
    ids=["name of the words", "code", "wrapped", "wrapped in words", "an answer", "page"],
)
def test_meaning_and_words_of_a_body(body: str, meaning: str | None, words: str) -> None:
    error = read_error(400, body.encode())
    assert error.meaning == meaning
    assert error.message.startswith(words)


@pytest.mark.parametrize(
    ("status", "message", "setting"),
    [
        (400, "temperature is not supported with this model", "temperature"),
        (400, "Logprobs is not enabled", "logprobs"),
        (400, "This model does not support parameter reasoningEffort", "reasoning_effort"),
        (400, "extraneous key [max_completion_tokens] is not permitted", "max_tokens"),
        (400, "API key not valid", "Check the key"),
        (403, "This API key may not use the model", "Check the key"),
    ],
)
def test_a_refusal_of_all_requests_names_the_setting(status: int, message: str, setting: str) -> None:
    error = ServerError(status, f'{{"message": "{message}"}}'.encode(), {})
    with pytest.raises(ModelError, match=setting):
        outcome_of(error, ModelSettings(name="vllm:m"))


@pytest.mark.parametrize("message", ["Access denied", "Forbidden", "Request not allowed", ""])
def test_a_first_403_without_words_of_a_key_is_the_matter_of_the_image(message: str) -> None:
    failure = outcome_of(ServerError(403, f'{{"message": "{message}"}}'.encode(), {}), ModelSettings(name="vllm:m"))
    assert isinstance(failure, Failure)
    assert failure.kind == "rejected"


@pytest.mark.parametrize(
    ("body", "wait"),
    [
        ('{"error": {"message": "exceeded your current quota", "details": [{"retryDelay": "23.5s"}]}}', 23.5),
        ('{"message": "Limit reached. Please try again in 6m1.5s. See your billing page"}', 361.5),
        ('{"message": "billing: try again in 700ms"}', 0.7),
        ('{"message": "billing: please retry after 10 seconds"}', 10),
        ('{"message": "slow down, and try again in some time"}', None),
    ],
)
def test_a_limit_of_the_rate_passes_after_the_wait_in_its_words(body: str, wait: float | None) -> None:
    outcome = outcome_of(ServerError(429, body.encode(), {}), ModelSettings(name="vllm:m"))
    assert isinstance(outcome, Transient)
    assert (outcome.wait, outcome.failure.kind) == (wait, "rate_limit")


@pytest.mark.parametrize(
    ("fields", "finish_reason"),
    [
        ({"finish_reason": "stop", "native_finish_reason": "SAFETY"}, "content_filter"),
        ({"finish_reason": "stop", "content_filter_results": {"violence": {"filtered": True}}}, "content_filter"),
        ({"finish_reason": "stop", "content_filter_results": {"violence": {"filtered": False}}}, "stop"),
        ({"finish_reason": "RECITATION"}, "RECITATION"),
    ],
)
def test_a_filter_is_found_in_any_field_of_an_empty_choice(fields: dict[str, object], finish_reason: str) -> None:
    reply = message_of({"choices": [{"message": {"content": None}, **fields}]}, "m")
    assert reply.response_metadata["finish_reason"] == finish_reason


def test_a_failure_may_stand_in_the_message_or_the_finish_reason() -> None:
    for choice in ({"message": {"content": "", "error": {"message": "lost"}}}, {"finish_reason": "timeout"}):
        with pytest.raises(ErrorInCompletion):
            message_of({"choices": [choice]}, "m")


def test_arguments_of_a_tool_are_an_answer_without_text() -> None:
    tool = {"type": "function", "function": {"name": "verdict", "arguments": GOOD}}
    assert message_of({"choices": [{"message": {"content": None, "tool_calls": [tool]}}]}, "m").content == GOOD
    others: tuple[object, ...] = ([], [None], [{}], [{"function": {"arguments": 3}}], 7)
    for calls in others:
        assert message_of({"choices": [{"message": {"content": None, "tool_calls": calls}}]}, "m").content == ""


def test_a_long_error_is_compared_in_part() -> None:
    error = read_error(400, b"[" * 60_000 + b" content filter")
    assert (error.meaning, len(error.words)) == (None, 4000)


def test_a_repeated_request_is_no_word_of_the_server() -> None:
    body = b'{"errors": [{"loc": ["body", "messages"], "input": "judge nsfw content, inappropriate, moderation"}]}'
    assert read_error(422, body).meaning is None


@pytest.mark.parametrize("word", ["stop", "length", "STOP", "MAX_TOKENS", "tool_calls", "OTHER", "None", ""])
def test_other_finish_reasons_are_no_refusals(word: str) -> None:
    assert not is_filter_word(word)


def test_finish_reasons_of_vendors() -> None:
    assert all(map(is_filter_word, ("ERROR_TOXIC", "content_filtered", "IMAGE_PROHIBITED_CONTENT", "refusal")))
    assert all(map(is_cut_off, ("length", "MAX_TOKENS", "model_length", "max_output_tokens", "token_limit")))
    assert all(map(is_broken_off, ("error", "abort", "insufficient_system_resource")))
    assert not any(map(is_broken_off, ("stop", "ERROR_TOXIC", "ERROR_LIMIT")))
    assert not any(map(is_cut_off, ("stop", "STOP", "", "end_turn", "content_filter")))


@clients
@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"prompt_tokens": 70, "completion_tokens": 9}, (70, 9)),
        ({"prompt_tokens": 70.0, "completion_tokens": 9.0}, (70, 9)),
        ({"input_tokens": 70, "output_tokens": 9}, (70, 9)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, (5, 8)),
        ({"prompt_tokens": -5, "completion_tokens": -1}, (5, 8)),
        ({"prompt_tokens": 70, "completion_tokens": 9.5}, (70, 8)),
        ({"prompt_tokens": "many", "completion_tokens": True}, (5, 8)),
        ({"prompt_tokens": None}, (5, 8)),
        ([], (5, 8)),
        ("none", (5, 8)),
    ],
    ids=str,
)
async def test_counts_that_can_not_be_true_are_estimated(
    usage: object, counts: tuple[int, int], client: Client
) -> None:
    message = {"role": "assistant", "content": GOOD}
    reply = says(200, {"model": "m", "usage": usage, "choices": [{"message": message, "finish_reason": "stop"}]})
    async with (
        ChatServer(good, iter([reply])) as server,
        caller(served_by(served(server, client=client))) as (calls, _),
    ):
        answer = await calls.ask("judge", question("abcd" * 5))
    assert isinstance(answer, Response)
    assert (answer.input_tokens, answer.output_tokens) == counts


@clients
async def test_a_reply_cut_off_before_its_message_is_an_empty_answer(client: Client) -> None:
    reply = says(200, {"model": "m", "choices": [{"index": 0, "finish_reason": "length"}]})
    async with (
        ChatServer(good, iter([reply])) as server,
        caller(served_by(served(server, client=client))) as (calls, _),
    ):
        answer = await calls.ask("judge", question("a"))
    assert isinstance(answer, Response)
    assert (answer.text, answer.finish_reason) == ("", "length")


@clients
@pytest.mark.parametrize("content", [{"reason": "fine", "label": 4}, {"type": "text", "text": GOOD}], ids=str)
async def test_an_answer_that_the_server_parsed_is_text_again(content: object, client: Client) -> None:
    message = {"role": "assistant", "content": content}
    reply = says(200, {"model": "m", "choices": [{"message": message, "finish_reason": "stop"}]})
    async with (
        ChatServer(good, iter([reply])) as server,
        caller(served_by(served(server, client=client))) as (calls, _),
    ):
        answer = await calls.ask("judge", question("a"), schema=SCHEMA)
    assert isinstance(answer, Response)
    assert answer.text == GOOD
    assert len(server.requests) == 1


@clients
@pytest.mark.parametrize(
    "usage", [{"prompt_tokens": 2**63}, {"completion_tokens": 2**62}, {"prompt_tokens": 1e300}], ids=str
)
async def test_a_count_above_all_contexts_makes_a_reply_malformed(usage: object, client: Client) -> None:
    message = {"role": "assistant", "content": GOOD}
    reply = says(200, {"model": "m", "usage": usage, "choices": [{"message": message, "finish_reason": "stop"}]})
    async with (
        ChatServer(good, itertools.repeat(reply)) as server,
        caller(served_by(served(server, client=client, max_retries=1))) as (calls, store),
    ):
        failure = await calls.ask("judge", question("a"), schema=SCHEMA)
        counts = (await store.usage())["judge"]
    assert isinstance(failure, Failure)
    assert failure.kind == "malformed"
    assert "its usage can't be true: " in failure.detail
    assert (counts.input_tokens, counts.output_tokens, len(server.requests)) == (0, 0, 2)


@clients
@pytest.mark.parametrize("name", FEW_IMAGES)
async def test_a_server_of_one_image_a_request_ends_the_run_at_its_first_words(name: str, client: Client) -> None:
    async with (
        ChatServer(good, iter([FINE, FEW_IMAGES[name], FEW_IMAGES[name]])) as server,
        caller(served_by(served(server, client=client))) as (calls, _),
    ):
        assert isinstance(await calls.ask("judge", question("a")), Response)
        assert isinstance(await calls.ask("judge", question("b"), schema=SCHEMA), Failure)
    async with (
        ChatServer(good, itertools.repeat(FEW_IMAGES[name])) as server,
        caller(served_by(served(server, client=client))) as (calls, _),
    ):
        with pytest.raises(ModelError, match=r"takes fewer images a request: .*--limit-mm-per-prompt"):
            await calls.ask("judge", question("a"), schema=SCHEMA)
        assert server.count == 1
