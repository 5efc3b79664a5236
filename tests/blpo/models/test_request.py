"""Keys of requests: equal to the keys of version 0.1, so that response stores of old runs answer."""

from typing import Any

import pytest

from blpo.models.messages import Message, user
from blpo.models.named_model import NamedModel
from blpo.models.verdict_format import verdict_schema
from state.sample import EncodedImage
from state.settings import ModelSettings, TaskSettings

MESSAGES = [Message("system", ("x",)), user(EncodedImage("0" * 64, "image/png", "aGVsbG8="), "rate")]
SCHEMA = verdict_schema(TaskSettings())
QWEN = "vllm:Qwen/Qwen2.5-VL-32B-Instruct"

# First 16 digits of the keys without and with a schema, computed by version 0.1.
KEYS: list[tuple[str, dict[str, Any], str, str]] = [
    ("openai:gpt-4o", {}, "71ede90b32864b07", "d6b8653a1be55b6b"),
    ("openai:o3", {"reasoning_effort": "low"}, "2d48df7a7e71fb35", "819e2a9664478551"),
    (QWEN, {"structured_output": "choice"}, "e4cd607a574129b8", "20f1ed3c51410606"),
    (QWEN, {"structured_output": False}, "e4cd607a574129b8", "e4cd607a574129b8"),
    ("vllm-engine:Qwen/Qwen2.5-VL-3B", {"max_tokens": 9, "logprobs": True}, "041ba29197e4a822", "bae49a6a084e35ad"),
    ("langchain:a.B", {"arguments": {"model": "gpt-4o"}}, "44bc2ba264acb43d", "44bc2ba264acb43d"),
    ("embedded:judge", {}, "4ff71abf7101ca61", "4ff71abf7101ca61"),
]


@pytest.mark.parametrize(("name", "settings", "plain", "with_schema"), KEYS)
def test_keys_are_the_keys_of_old_stores(
    name: str, settings: dict[str, Any], plain: str, with_schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.delenv(variable, raising=False)
    model = NamedModel.of(ModelSettings(name=name, **settings))
    assert model.request(MESSAGES).key[:16] == plain
    assert model.request(MESSAGES, SCHEMA).key[:16] == with_schema


def test_a_schema_is_part_of_the_key_only_if_the_server_is_asked_to_keep_to_it() -> None:
    form = ModelSettings(name=QWEN)
    free = form.model_copy(update={"structured_output": False})
    assert NamedModel.of(form).request(MESSAGES, SCHEMA).constraint
    request = NamedModel.of(free).request(MESSAGES, SCHEMA)
    assert (request.schema, request.constraint) == (SCHEMA, {})
