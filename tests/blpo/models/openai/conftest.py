"""Environment of the tests of OpenAI-compatible clients: API keys, no proxy, no address."""

import pytest


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
