"""The lean client and ChatOpenAI: the same requests, and the same readings of replies."""

import asyncio
import itertools
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.runnables.config import var_child_runnable_config

from blpo.config.settings_file import load_settings
from blpo.models.registry import chat_model, provider_of
from blpo.models.sentences import sentence
from state.errors import ConfigError, ModelError
from state.response import Failure, Response
from state.settings import ModelSettings
from tests.blpo.models.openai.exchange import (
    answer,
    both,
    model,
    outcome,
    raw_server,
    result,
)
from tests.servers.chat_server import ChatServer, Fault


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


async def test_it_is_a_langchain_model_with_both_doors(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ChatServer(answer) as server:
        chat = chat_model(model(server))
        try:
            assert (await chat.ainvoke("rate", stop=["x"])).text == answer([])
            assert server.requests[-1]["stop"] == ["x"]
            assert (await asyncio.to_thread(chat.invoke, "rate")).text == answer([])
        finally:
            await provider_of(model(server)).close(chat)  # type: ignore[misc] # not None
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


@pytest.mark.parametrize("client", ["lean", "langchain"])
@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("localhost:8000", "is no address"),
        ("http://", "is no address"),
        ("http://a host:8000/v1", "is no address"),
        ("http://h:0/v1", "is no address"),
        ("http://h:99999/v1", r"no valid host or port \(0 to 65535\)"),
        ("http://[h/v1", "no valid host or port"),
        (
            "http://h:8000/v1/chat/completions",
            "ends in /chat/completions, which is added to every request; take it out",
        ),
        ("http://h/v1/chat/completions/?api-version=1", "ends in /chat/completions"),
        ("http://h/v1/models", "ends in /models"),
    ],
)
def test_an_address_that_is_none_is_named(address: str, words: str, client: Literal["lean", "langchain"]) -> None:
    with pytest.raises(ModelError, match=f"^vllm:m: base_url {'has ' if 'valid' in words else ''}{words}"):
        chat_model(ModelSettings(name="vllm:m", base_url=address, client=client))


@pytest.mark.parametrize("client", ["lean", "langchain"])
async def test_an_address_without_v1_is_named_after_404(client: Literal["lean", "langchain"]) -> None:
    async with ChatServer(answer, itertools.repeat(Fault(status=404, message="Valid aliases: x."))) as server:
        address = server.base_url.removesuffix("/v1")
        with pytest.raises(ModelError, match=rf"aliases: x\. Check name .*; most servers listen at {address}/v1$"):
            await result(model(server, client=client, base_url=address))
        with pytest.raises(ModelError, match=r"/v1$") as caught:
            await result(model(server, client=client))
    assert "most servers" not in str(caught.value)


async def test_a_question_follows_a_whole_sentence() -> None:
    failure = await result(ModelSettings(name="vllm:m", base_url="http://127.0.0.1:1/v1", max_retries=0))
    assert isinstance(failure, Failure)
    assert re.search(r"[^.]\. Is a server running at http://127.0.0.1:1/v1\?$", failure.detail)


@pytest.mark.parametrize(
    ("words", "expected"),
    [("no", "no."), ("no.", "no."), ("no.. ", "no."), ("no?", "no?"), ("不…", "不…"), ("x, ", "x.")],
)
def test_foreign_words_end_as_a_sentence(words: str, expected: str) -> None:
    assert sentence(words) == expected


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
                await result(moved)
        assert (len(heads), elsewhere.count) == (1, 0)


@pytest.mark.parametrize(
    "body", ['{"detail": [{"loc": ["body", "response_format"]}]}', '{"error": "no response_format"}']
)
async def test_a_schema_is_refused_in_whatever_form(body: str) -> None:
    refusal = f"HTTP/1.1 422 Unprocessable\nContent-Length: {len(body)}\n\n{body}"
    async with raw_server(refusal) as (address, heads):
        for client in ("lean", "langchain"):
            failure = await result(ModelSettings(name="vllm:m", base_url=f"http://{address}/v1", client=client))
            assert isinstance(failure, Failure)
            assert (failure.kind, "response_format" in failure.detail) == ("rejected", True), failure
    assert len(heads) == 4  # two clients, with and without the schema


def test_a_key_with_a_line_break_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "first-line\nsecond-line")
    with pytest.raises(ModelError, match=r"^vllm:m: the key for header Authorization holds a line break") as caught:
        chat_model(ModelSettings(name="vllm:m", base_url="http://h/v1"))
    assert "line\n" not in str(caught.value)


async def test_a_reply_nested_too_deeply_is_no_answer() -> None:
    async with raw_server(f"HTTP/1.1 200 OK\nContent-Length: 100000\n\n{'[' * 100_000}") as (address, _):
        failure = await result(ModelSettings(name="vllm:m", base_url=f"http://{address}/v1", max_retries=0))
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
        for client in ("lean", "langchain"):
            distrusting = settings.model_copy(update={"client": client, "max_retries": 4})
            with pytest.raises(ModelError, match=r"localhost:\d+/v1 is not trusted: .*\. Set SSL_CERT_FILE to"):
                await result(distrusting)
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
            with pytest.raises(ModelError, match=r"none\.pem, which is no file"):
                await result(distrusting)
            monkeypatch.delenv("SSL_CERT_FILE")
        monkeypatch.setenv("SSL_CERT_FILE", files[1])
        for client in ("lean", "langchain"):
            assert isinstance(await outcome(settings.model_copy(update={"client": client})), Response)


def test_it_is_imported_only_where_it_is_used() -> None:
    code = "import sys, blpo.models.calls; assert 'aiohttp' not in sys.modules"
    root = Path(__file__).parents[4]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True, timeout=60)


def test_the_first_call_imports_nothing() -> None:
    """An import takes tens of milliseconds, and holds up all calls."""
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
    root = Path(__file__).parents[4]
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, check=True, timeout=60, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout.strip() == "[]"
