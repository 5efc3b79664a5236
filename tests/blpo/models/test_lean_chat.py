"""The lean client beside langchain-openai's: the same requests, and the same readings of what servers answer."""

import asyncio
import itertools
import json
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import BaseMessage, FunctionMessage, HumanMessage, SystemMessage
from langchain_core.runnables.config import var_child_runnable_config

from blpo.config.settings_file import load_settings
from blpo.models.calls import ModelCaller
from blpo.models.messages import Message, assistant, user
from blpo.models.openai.proxy import proxy_of
from blpo.models.openai.request_body import body_pieces
from blpo.models.registry import chat_model, provider_of
from blpo.models.retries import Backoff
from blpo.models.verdict_format import verdict_schema
from blpo.storage.response_store import ResponseStore
from state.errors import BlpoError, ConfigError, ModelError
from state.response import Failure, Response
from state.sample import EncodedImage
from state.settings import LimitSettings, ModelSettings, ModelsSettings, TaskSettings
from tests.servers.chat_server import ChatServer, Fault, Messages

IMAGE = EncodedImage("0" * 64, "image/png", "aGVsbG8=" * 400)
SMALL = EncodedImage("1" * 64, "image/jpeg", "aGVsbG8=")
CONVERSATION = [
    Message("system", ("You judge images.",)),
    user(IMAGE, 'rate it: "good"\n\\ ü 猫 \x00', SMALL),
    assistant("4"),
    user("sure?"),
]
SCHEMA = verdict_schema(TaskSettings())


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "OPENAI_BASE_URL",
        "OPENAI_API_BASE",
        "OPENAI_ORG_ID",
        "OPENAI_PROJECT_ID",
        "HTTP_PROXY",
        "http_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VLLM_API_KEY", "sk-vllm-0123456789")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai-0123456789")


def answer(messages: Messages) -> str:
    return '{"reason": "fine", "label": 4}'


def model(server: ChatServer, **changes: Any) -> ModelSettings:
    return ModelSettings(
        **{"name": "vllm:tiny", "base_url": server.base_url, "timeout": 10, "max_retries": 0, **changes}
    )


async def outcome(settings: ModelSettings, messages: Sequence[Message] = CONVERSATION) -> Response | Failure | str:
    """What a call gives: an answer, a failure, or the kind of the error that it raises."""
    try:
        return await asked(settings, messages)
    except BlpoError as error:
        return type(error).__name__


async def asked(settings: ModelSettings, messages: Sequence[Message] = CONVERSATION) -> Response | Failure:
    """What a call gives; raises what it raises."""
    store = await ResponseStore.open(":memory:")
    models = ModelsSettings(judge=settings, optimizer=settings)
    calls = await ModelCaller.create(models, LimitSettings(), store, Backoff(first=0.01))
    try:
        return await calls.ask("judge", messages, schema=SCHEMA)
    finally:
        await calls.close()
        await store.close()


async def both(server: ChatServer, **changes: Any) -> list[Response | Failure | str]:
    return [await outcome(model(server, client=client, **changes)) for client in ("lean", "langchain")]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": "openai:gpt-4o", "max_tokens": 50, "temperature": 0.3},
        {"name": "openai:o3", "max_tokens": 50, "reasoning_effort": "low"},
        {"max_tokens": 50, "max_tokens_parameter": "max_tokens", "temperature": None},
        {"structured_output": False, "logprobs": True},
        {"structured_output": "choice"},
        {"reasoning": True, "logprobs": True},
        {"name": "openai:o3-like", "reasoning": False, "temperature": 1},
    ],
    ids=str,
)
async def test_both_clients_send_the_same(changes: dict[str, Any]) -> None:
    async with ChatServer(answer) as server:
        lean, general = await both(server, **changes)
        first, second = server.requests
    assert lean == general
    assert isinstance(lean, Response)
    assert first == second


REPLIES = [
    Fault(),
    *(Fault(status=status) for status in (400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503)),
    *(Fault(body=body) for body in ("malformed", "html", "no_choices", "half", "dropped", "refusal", "empty")),
    Fault(status=400, code="content_filter"),
    Fault(status=400, param="temperature"),
    Fault(status=429, code="insufficient_quota"),
    Fault(status=400, message="This model's maximum context length is 4096 tokens."),
    Fault(status=400, code="context_length_exceeded"),
    Fault(status=400, message="Image exceeds the maximum of 5 MB"),
]


@pytest.mark.parametrize("fault", REPLIES, ids=lambda f: f"{f.status} {f.body} {f.code} {f.param}")
async def test_both_clients_read_the_same(fault: Fault) -> None:
    async with ChatServer(answer, itertools.repeat(fault)) as server:
        lean, general = await both(server)
    if isinstance(lean, Failure) and isinstance(general, Failure) and fault.status == 200:
        assert lean.kind == general.kind  # the words are the client's own
    else:
        assert lean == general


@pytest.mark.parametrize("usage", [True, False])
@pytest.mark.parametrize("reason", ["stop", "length", "content_filter"])
async def test_both_clients_count_tokens_and_see_cut_answers_alike(usage: bool, reason: str) -> None:
    async with ChatServer(answer, usage=usage, finish_reason=reason) as server:
        lean, general = await both(server)
    assert lean == general
    assert isinstance(lean, Response)
    assert lean.finish_reason == reason


def test_keys_do_not_depend_on_the_client() -> None:
    lean, general = (ModelSettings(name="openai:gpt-4o", client=client) for client in ("lean", "langchain"))
    assert provider_of(lean).parameters(lean) == provider_of(general).parameters(general)


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


async def test_it_is_a_langchain_model_with_both_doors(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ChatServer(answer) as server:
        chat = chat_model(model(server))
        try:
            assert (await chat.ainvoke("rate", stop=["x"])).text == answer([])
            assert server.requests[-1]["stop"] == ["x"]
            assert (await asyncio.to_thread(chat.invoke, "rate")).text == answer([])
        finally:
            await provider_of(model(server)).close(chat)  # type: ignore[misc] # it has one
        assert "sk-vllm" not in repr(chat)


async def test_who_listens_to_langchain_hears_each_call() -> None:
    heard = []

    class Listener(AsyncCallbackHandler):
        async def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
            heard.append(messages)

    async with ChatServer(answer) as server:
        await outcome(model(server))
        assert not heard
        token = var_child_runnable_config.set({"callbacks": [Listener()]})
        try:
            assert isinstance(await outcome(model(server)), Response)
        finally:
            var_child_runnable_config.reset(token)
    assert len(heard) == 1


async def test_azure_style_addresses_and_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE", "az-secret-987654")
    monkeypatch.delenv("OPENAI_API_KEY")
    async with ChatServer(answer) as server:
        address = server.base_url.replace("/v1", "/openai/deployments/judge?api-version=2024-10-21")
        for client in ("lean", "langchain"):
            settings = ModelSettings(
                name="openai:gpt-4o", base_url=address, headers={"api-key": "${AZURE}"}, client=client, max_retries=0
            )
            assert isinstance(await outcome(settings), Response)
            assert server.target == "/openai/deployments/judge/chat/completions?api-version=2024-10-21"
            assert server.headers["api-key"] == "az-secret-987654"
        server.faults = itertools.repeat(Fault(status=400, message="key az-secret-987654 is not welcome"))
        failure = await outcome(settings)
    assert isinstance(failure, Failure)
    assert "az-secret" not in failure.detail


def test_headers_take_values_from_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    with pytest.raises(ModelError, match="NOT_SET"):
        chat_model(ModelSettings(name="vllm:m", base_url="http://h/v1", headers={"X-Key": "Bearer ${NOT_SET}"}))
    given_models = {"judge": {"name": "vllm:m", "base_url": "http://h/v1", "headers": {"api-key": "sk-1"}}}
    with pytest.raises(ConfigError, match="environment") as caught:
        load_settings({"models": {**given_models, "optimizer": given_models["judge"]}})
    assert "sk-1" not in str(caught.value)


def test_an_address_that_is_none_is_named() -> None:
    with pytest.raises(ModelError, match="base_url"):
        chat_model(ModelSettings(name="vllm:m", base_url="localhost:8000"))


async def test_proxies_of_the_environment_are_used_but_for_those_excepted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ChatServer(answer) as proxy:
        address = proxy.base_url.removesuffix("/v1").removeprefix("http://")
        monkeypatch.setenv("NO_PROXY", "")
        elsewhere = ModelSettings(name="vllm:m", base_url="http://models.invalid/v1", max_retries=0)
        for form in ("http://user:s3cret@{}", "{}"):
            monkeypatch.setenv("HTTP_PROXY", form.format(address))
            assert isinstance(await outcome(elsewhere), Response)
            assert proxy.target == "http://models.invalid/v1/chat/completions"
            expected = f"Basic {b64encode(b'user:s3cret').decode()}" if "@" in form else None
            assert proxy.headers.get("proxy-authorization") == expected
        monkeypatch.setenv("NO_PROXY", "models.invalid")
        failure = await outcome(elsewhere)
    assert isinstance(failure, Failure)
    assert failure.kind == "connection"


@asynccontextmanager
async def raw_server(reply: str) -> AsyncIterator[tuple[str, list[str]]]:
    """A server that gives the same head and body to all; its address, and the heads of the requests it got."""
    heads: list[str] = []

    async def answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        heads.append(head)
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        await reader.readexactly(int(length[1]) if length else 0)
        writer.write(reply.replace("\n", "\r\n").encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer_all, "127.0.0.1", 0) as server:
        yield "{}:{}".format(*server.sockets[0].getsockname()), heads


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("client", ["lean", "langchain"])
async def test_a_redirect_is_named_and_not_followed(
    status: int, client: Literal["lean", "langchain"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_KEY", "azure-0123456789")
    async with ChatServer(answer) as elsewhere:
        there = f"{elsewhere.base_url}/chat/completions"
        async with raw_server(f"HTTP/1.1 {status} Moved\nLocation: {there}\nContent-Length: 0\n\n") as (address, heads):
            moved = ModelSettings(name="openai:m", base_url=f"http://{address}/v1", client=client, max_retries=3)
            moved = moved.model_copy(update={"headers": {"api-key": "${AZURE_KEY}"}})
            with pytest.raises(ModelError, match=f"redirects to {there}, which is not followed: set base_url"):
                await asked(moved)
        assert (len(heads), elsewhere.count) == (1, 0)


@pytest.mark.parametrize(
    "body", ['{"detail": [{"loc": ["body", "response_format"]}]}', '{"error": "no response_format"}']
)
async def test_a_schema_is_refused_in_whatever_form(body: str) -> None:
    refusal = f"HTTP/1.1 422 Unprocessable\nContent-Length: {len(body)}\n\n{body}"
    async with raw_server(refusal) as (address, heads):
        for client in ("lean", "langchain"):
            refused = await asked(ModelSettings(name="vllm:m", base_url=f"http://{address}/v1", client=client))
            assert isinstance(refused, Failure)
            assert (refused.kind, "response_format" in refused.detail) == ("rejected", True), refused
    assert len(heads) == 4  # each asked again without the schema


async def test_a_proxy_that_passes_encrypted_requests_on_sees_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_server("HTTP/1.1 502 Bad Gateway\nContent-Length: 0\n\n") as (address, heads):
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:s3cret@{address}")
        monkeypatch.setenv("NO_PROXY", "")
        failure = await outcome(ModelSettings(name="vllm:m", base_url="https://models.invalid/v1", max_retries=0))
    assert isinstance(failure, Failure)
    assert (failure.kind, "s3cret" in failure.detail) == ("server", False)
    assert "Error code: 502 - the proxy does not connect (Bad Gateway)" in failure.detail
    assert heads[0].startswith("CONNECT models.invalid:443 ")
    assert f"Basic {b64encode(b'user:s3cret').decode()}" in heads[0]
    assert "Bearer" not in heads[0]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_refuses_its_password_is_named(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_server("HTTP/1.1 407 Proxy Authentication Required\nContent-Length: 0\n\n") as (address, _):
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"http://user:s3cret@{address}")
        monkeypatch.setenv("NO_PROXY", "")
        with pytest.raises(ModelError, match="The proxy wants other credentials"):
            await asked(ModelSettings(name="vllm:m", base_url=f"{scheme}://models.invalid/v1"))


async def test_a_proxy_that_does_not_answer_is_a_failure_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://user:s3cret@127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    failure = await outcome(ModelSettings(name="vllm:m", base_url="http://models.invalid/v1", max_retries=0))
    assert isinstance(failure, Failure)
    assert failure.kind == "connection"
    assert "s3cret" not in failure.detail


@pytest.mark.parametrize(
    "proxy",
    ["socks5://user:s3cret@h:1080", "http://user:s3/cret@h:1", "http://[bad", "http://p:x", "//p:1", "http://", "p:0"],
)
def test_what_is_no_proxy_is_named_without_its_password(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("NO_PROXY", "elsewhere")
    with pytest.raises(
        ModelError, match=r"^HTTP_PROXY: is not the address of an HTTP proxy.* name h in NO_PROXY$"
    ) as told:
        chat_model(ModelSettings(name="vllm:m", base_url="http://h:8000/v1"))
    assert "cret" not in str(told.value)


@pytest.mark.parametrize(
    ("excepted", "server"),
    [
        ("h", "h:8000"),
        ("h:8000", "h:8000"),
        ("x,::1", "[::1]:8000"),
        (".lan", "gpu.lan"),
        ("lan", "gpu.lan"),
        ("*", "h"),
    ],
)
def test_servers_excepted_from_the_proxy(excepted: str, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", " ")
    assert proxy_of(f"http://{server}/v1") is None
    monkeypatch.setenv("HTTP_PROXY", "p:3128")
    monkeypatch.setenv("NO_PROXY", "")
    assert proxy_of(f"http://{server}/v1") == "http://p:3128"
    assert proxy_of(f"https://{server}/v1") is None
    monkeypatch.setenv("NO_PROXY", excepted)
    assert proxy_of(f"http://{server}/v1") is None


def test_a_key_with_a_line_break_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "first-line\nsecond-line")
    with pytest.raises(ModelError, match=r"^vllm:m: the key for header Authorization holds a line break") as told:
        chat_model(ModelSettings(name="vllm:m", base_url="http://h/v1"))
    assert "line\n" not in str(told.value)


async def test_a_reply_nested_too_deeply_is_no_answer() -> None:
    async with raw_server(f"HTTP/1.1 200 OK\nContent-Length: 100000\n\n{'[' * 100_000}") as (address, _):
        failure = await asked(ModelSettings(name="vllm:m", base_url=f"http://{address}/v1", max_retries=0))
    assert isinstance(failure, Failure)
    assert failure.kind == "malformed"


async def test_a_certificate_that_is_not_trusted_is_refused_and_a_given_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil
    import ssl

    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    files = [str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")]
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    make += f" -addext subjectAltName=DNS:localhost -keyout {files[0]} -out {files[1]}"
    subprocess.run(make.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files[1], files[0])
    async with ChatServer(answer, tls=context) as server:
        address = server.base_url.replace("http://127.0.0.1", "https://localhost")
        settings = ModelSettings(name="vllm:m", base_url=address, max_retries=0)
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        refused = await outcome(settings)
        monkeypatch.setenv("SSL_CERT_FILE", files[1])
        assert isinstance(await outcome(settings), Response)
    assert isinstance(refused, Failure)
    assert refused.kind == "connection"


async def test_images_under_names_are_sent_once_and_again_when_they_were_dropped() -> None:
    async with ChatServer(answer) as server:
        settings = model(server, image_uuids=True)
        store = await ResponseStore.open(":memory:")
        calls = await ModelCaller.create(ModelsSettings(judge=settings, optimizer=settings), LimitSettings(), store)
        for number in range(3):
            assert isinstance(await calls.ask("judge", [user(IMAGE, str(number))]), Response)
        server.cached_images.clear()
        for number in range(3, 5):
            assert isinstance(await calls.ask("judge", [user(IMAGE, str(number))]), Response)
        await calls.close()
        await store.close()
    parts = [request["messages"][0]["content"][0] for request in server.requests]
    assert len({part["uuid"] for part in parts}) == 1
    assert [part["image_url"] is not None for part in parts] == [True, False, False, False, True, False]


@pytest.mark.parametrize("named_images", ["ignored", "refused"])
async def test_a_server_that_knows_no_names_gets_images_in_full(
    named_images: Literal["ignored", "refused"],
) -> None:
    async with ChatServer(answer, named_images=named_images) as server:
        settings = model(server, image_uuids=True)
        store = await ResponseStore.open(":memory:")
        calls = await ModelCaller.create(ModelsSettings(judge=settings, optimizer=settings), LimitSettings(), store)
        for number in range(4):
            assert isinstance(await calls.ask("judge", [user(IMAGE, str(number))]), Response)
        server.faults = itertools.repeat(Fault(status=400, message="cannot identify image file"))
        assert isinstance(await calls.ask("judge", [user(IMAGE, "bad")]), Failure)
        await calls.close()
        await store.close()
    assert server.count == 4 + 1 + 1  # one was asked again; a bad request by then is not
    assert "uuid" not in server.requests[-1]["messages"][0]["content"][0]


def test_image_names_are_refused_where_they_would_not_be_sent() -> None:
    with pytest.raises(ModelError, match=r"^vllm:m: image_uuids needs client: lean; "):
        chat_model(ModelSettings(name="vllm:m", base_url="http://h/v1", client="langchain", image_uuids=True))
    with pytest.raises(ModelError, match=r"^embedded:judge: image_uuids is for openai: and vllm: servers"):
        chat_model(ModelSettings(name="embedded:judge", image_uuids=True))


def test_it_is_imported_only_where_it_is_used() -> None:
    code = "import sys, blpo.models.calls; assert 'aiohttp' not in sys.modules"
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True, timeout=60)


def test_the_first_call_imports_nothing() -> None:
    """An import takes tens of milliseconds, in which no other call goes on."""
    code = """
import asyncio, sys
from langchain_core.messages import HumanMessage
from blpo.models.messages import user
from blpo.models.calls import ModelCaller
from state.response import Response
from blpo.storage.response_store import ResponseStore
from state.settings import LimitSettings, ModelSettings, ModelsSettings
from tests.servers.chat_server import ChatServer

async def ask():
    async with ChatServer(lambda messages: "yes") as server:
        model = ModelSettings(name="vllm:m", base_url=server.base_url)
        store = await ResponseStore.open(":memory:")
        calls = await ModelCaller.create(ModelsSettings(judge=model, optimizer=model), LimitSettings(), store)
        before = set(sys.modules)
        assert isinstance(await calls.ask("judge", [user("?")]), Response)
        print(sorted(set(sys.modules) - before))
        await calls.close()
        await store.close()

asyncio.run(ask())
"""
    root = Path(__file__).parents[3]
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, check=True, timeout=60, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout.strip() == "[]"
