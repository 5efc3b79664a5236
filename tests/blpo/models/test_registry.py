"""Models by name: settings and keys of models, and messages for wrong settings."""

import subprocess
import sys
from pathlib import Path

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel

from blpo.models.registry import chat_model, provider_of, register
from blpo.models.secret_masking import one_line
from state.errors import ModelError
from state.settings import ModelSettings

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (ModelSettings(name="opnai:o3"), "did you mean openai:"),
        (ModelSettings(name="xyz:o3"), "known are community:, embedded:, langchain:, openai:"),
        (ModelSettings(name="gpt-4o"), "provider:model"),
        (ModelSettings(name="embedded:jugde"), "embedded:judge"),
        (ModelSettings(name="vllm:tiny"), "base_url"),
        (ModelSettings(name="openai:o3"), "OPENAI_API_KEY"),
    ],
)
def test_what_is_wrong_is_said(settings: ModelSettings, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ModelError, match=message) as caught:
        chat_model(settings)
    assert settings.name in str(caught.value)


def test_a_provider_is_registered_in_a_line() -> None:
    register("parrot", lambda settings: FakeListChatModel(responses=[settings.name]))
    assert chat_model(ModelSettings(name="parrot:x")).invoke("hello").text == "parrot:x"


@pytest.mark.parametrize("name", ["o3", "o1-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5-mini", "gpt-5.2", "o/o3-pro"])
def test_reasoning_models_get_no_temperature(name: str) -> None:
    settings = ModelSettings(name=f"openai:{name}")
    assert provider_of(settings).parameters(settings)["temperature"] is None


@pytest.mark.parametrize("name", ["gpt-4o", "gpt-4.1", "omni", "o3x", "Qwen/Qwen2.5-VL-32B-Instruct", "olmo"])
def test_other_models_get_theirs(name: str) -> None:
    settings = ModelSettings(name=f"openai:{name}", temperature=0.5)
    assert provider_of(settings).parameters(settings)["temperature"] == 0.5


def test_the_address_is_part_of_a_request_however_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1/")
    settings = ModelSettings(name="openai:gpt-4o")
    assert provider_of(settings).parameters(settings)["base_url"] == "http://localhost:1/v1"


def test_keys_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk/abc+123456")
    monkeypatch.setenv("HF_TOKEN", "hf_987654321")
    line = one_line(
        "no: sk/abc+123456, sk%2Fabc%2B123456\nhf_987654321 Bearer qwerty http://me:word@host/v1 " + "x" * 900
    )
    for secret in ("abc", "987654321", "qwerty", "word"):
        assert secret not in line
    assert "http://***@host/v1" in line
    assert "\n" not in line
    assert len(line) <= 400


def test_importing_the_layer_is_cheap_and_building_a_model_opens_no_connection() -> None:
    script = """
import socket, sys
import blpo.models.calls, blpo.models.registry, blpo.models.verdict_format
heavy = {"openai", "langchain_openai", "langchain_core.language_models", "torch", "numpy"} & set(sys.modules)
assert not heavy, heavy
def refuse(*args): raise AssertionError("a connection")
socket.socket.connect = socket.getaddrinfo = refuse
from state.settings import ModelSettings
print(blpo.models.registry.chat_model(ModelSettings(name="vllm:m", base_url="http://example.invalid/v1")))
"""
    environment = {"PATH": "", "VLLM_API_KEY": "sk-never-printed"}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "never-printed" not in done.stdout
