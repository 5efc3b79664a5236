"""Facts of models: sources in order, and the profiles shipped with langchain-openai."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from langchain_openai import ChatOpenAI

from blpo.models.catalogue import AS_OF, LIST_PRICES, Fact, ModelFacts, facts
from blpo.models.catalogue.profiles import shipped_profiles
from state.settings import ModelSettings
from tests.blpo.models.judges import model

ROOT = Path(__file__).parents[3]
NAMES = sorted(shipped_profiles())

THINKS_BY_DEFAULT = {"gpt-5.1", "gpt-5.2", "gpt-5.3-codex", "gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano"}
"""Models that take a temperature by their profile, but in fact only with `reasoning_effort: none`.

ChatOpenAI drops the temperature of such models too, unless the effort is `none`.
"""


def facts_of(name: str, **settings: Any) -> ModelFacts:
    return facts(ModelSettings(name=name, **settings))


def test_profiles_are_shipped() -> None:
    assert len(NAMES) >= 50
    assert shipped_profiles()["o3"]["reasoning_output"] is True


@pytest.mark.parametrize("name", NAMES)
def test_facts_agree_with_the_public_profile(name: str) -> None:
    profile = ChatOpenAI(model=name, api_key="sk-not-a-key").profile  # type: ignore[arg-type] # a plain text will do
    assert profile is not None
    own = facts_of(f"openai:{name}")
    if "image_inputs" in profile:
        assert own.sees_images == Fact(profile["image_inputs"], "profile")
    if "reasoning_output" in profile:
        assert own.reasons == Fact(profile["reasoning_output"], "profile")
    if "temperature" in profile:
        takes = profile["temperature"] and name not in THINKS_BY_DEFAULT
        assert own.takes_temperature == Fact(takes, "profile")
        told_not_to_think = facts_of(f"openai:{name}", reasoning_effort="none")
        assert told_not_to_think.takes_temperature == Fact(profile["temperature"], "profile")


@pytest.mark.parametrize("name", sorted(THINKS_BY_DEFAULT))
def test_a_temperature_goes_with_the_effort_none_alone_as_with_chat_openai(name: str) -> None:
    for effort in ("low", "none"):
        key: Any = "sk-not-a-key"
        chat = ChatOpenAI(model=name, api_key=key, temperature=0, reasoning_effort=effort)
        own = facts_of(f"openai:{name}", reasoning_effort=effort)
        assert own.takes_temperature.value == (chat.temperature is not None)


def test_a_dated_version_has_the_facts_of_its_model() -> None:
    dated = facts_of("openai:o3-2025-04-16")
    assert (dated.sees_images, dated.reasons) == (Fact(True, "profile"), Fact(True, "profile"))
    assert dated.price == facts_of("openai:o3").price


def test_a_profile_comes_before_the_table() -> None:
    assert facts_of("openai:gpt-6-astra").reasons == Fact(True, "profile")
    assert facts_of("openai:gpt-daybreak-red-latest").takes_temperature == Fact(False, "profile")  # no name of ours


def test_a_setting_comes_before_the_profile() -> None:
    own = facts_of("openai:o3", vision=False, reasoning=False, price={"input": 1, "output": 2})
    assert own.sees_images == Fact(False, "setting")
    assert own.reasons == Fact(False, "setting")
    assert own.takes_temperature == Fact(True, "setting")
    assert own.price.source == "setting"
    assert facts_of("openai:gpt-4o", reasoning=True).takes_temperature == Fact(False, "setting")


def test_the_table_serves_where_no_profile_does() -> None:
    thinker = facts_of("vllm:Qwen/QwQ-32B")
    assert (thinker.reasons, thinker.sees_images) == (Fact(True, "table"), Fact(False, "table"))
    assert thinker.takes_temperature == Fact(True, "default")
    assert facts_of("openai:o1-mini").takes_temperature == Fact(False, "table")
    assert (
        facts_of("vllm:o3", base_url="http://h/v1").sees_images.source == "default"
    )  # a different model of the same name
    assert facts_of("openai:o3").price.source == "table"


def test_an_unknown_model_has_the_defaults() -> None:
    unknown = facts_of("vllm:someone/unheard-of")
    sources = (unknown.sees_images, unknown.reasons, unknown.takes_temperature, unknown.image_formula, unknown.price)
    assert {fact.source for fact in sources} == {"default"}
    assert (unknown.sees_images.value, unknown.reasons.value, unknown.takes_temperature.value) == (True, False, True)
    assert unknown.price.value is None
    assert "assumed" in unknown.image_formula.value.words


def test_list_prices_have_a_date() -> None:
    assert AS_OF == "March 2026"


def test_facts_need_no_client_and_profiles_are_read_for_openai_models_alone() -> None:
    script = """
import sys
from blpo.models.catalogue import facts
from blpo.models.catalogue.profiles import shipped_profiles
from state.settings import ModelSettings
facts(ModelSettings(name="vllm:Qwen/Qwen2.5-VL-3B"))
assert shipped_profiles.cache_info().currsize == 0
assert facts(ModelSettings(name="openai:o3")).reasons.source == "profile"
heavy = {"openai", "langchain_openai", "langchain_core"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("settings", "price"),
    [
        (model("openai:o3"), (2, 8)),
        (model("openai:o3-2025-04-16"), (2, 8)),
        (model("openai:gpt-4o-2024-05-13"), (5, 15)),
        (model("openai:gpt-4o-2024-11-20"), (2.5, 10)),
        (model("openai:o3", price={"input": 1, "output": 0}), (1, 0)),
        (model("openai:o3", base_url="https://api.openai.com/v1"), (2, 8)),
        (model("openai:o3", base_url="https://resold.example/v1"), None),
        (model("openai:o3-unheard-of"), None),
        (model("vllm:o3", base_url="http://h/v1"), None),
        (model("langchain:package.Class"), None),
        (model("embedded:judge"), (0, 0)),
        (model("embedded:judge", price={"input": 3, "output": 4}), (3, 4)),
    ],
)
def test_a_price_is_the_one_set_or_listed_or_unknown(
    settings: ModelSettings, price: tuple[float, float] | None
) -> None:
    fact = facts(settings).price.value
    assert (None if fact is None else (fact.input, fact.output)) == price


def test_a_server_named_in_the_environment_has_its_own_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://resold.example/v1")
    assert facts(model("openai:o3")).price.value is None


def test_the_list_is_plausible() -> None:
    assert all(0 < price.input < price.output <= 100 for price in LIST_PRICES.values())


TEXT_ONLY = (
    "openai:gpt-3.5-turbo",
    "openai:gpt-4",
    "openai:gpt-4-0613",
    "openai:o3-mini",
    "openai:o1-mini",
    "openai:gpt-oss-120b",
    "vllm:deepseek-ai/DeepSeek-R1",
    "vllm:meta-llama/Llama-3.1-8B-Instruct",
    "vllm:meta-llama/Llama-3.2-3B-Instruct",
    "vllm:Qwen/Qwen2.5-32B-Instruct",
    "vllm:Qwen/Qwen3-8B",
    "openai:SmolLM2-135M-Instruct",
    "vllm:mistralai/Mixtral-8x7B",
    "vllm:google/gemma-2-9b-it",
    "vllm:microsoft/phi-4",
    "vllm-engine:Qwen/Qwen2.5-7B-Instruct",
)


SEEING = (
    "openai:gpt-4o",
    "openai:gpt-4.1-mini",
    "openai:gpt-4-turbo",
    "openai:o3",
    "openai:o4-mini",
    "openai:o1",
    "openai:gpt-5",
    "vllm:Qwen/Qwen2.5-VL-32B-Instruct",
    "vllm:Qwen/Qwen3-VL-8B-Instruct",
    "vllm:Qwen/Qwen2.5-Omni-7B",
    "vllm:meta-llama/Llama-4-Scout-17B-16E-Instruct",
    "vllm:meta-llama/Llama-3.2-11B-Vision-Instruct",
    "vllm:deepseek-ai/deepseek-vl2",
    "vllm:google/gemma-3-27b-it",
    "vllm:microsoft/Phi-4-multimodal-instruct",
    "vllm:someone/unheard-of",
    "embedded:judge",
    "embedded:verbalizer",
    "embedded:optimizer",
)


def test_models_known_to_read_text_alone_are_known() -> None:
    assert [name for name in TEXT_ONLY if facts(model(name)).sees_images.value] == []
    assert [name for name in SEEING if not facts(model(name)).sees_images.value] == []
    assert not facts(model("langchain:langchain_openai.ChatOpenAI", arguments={"model": "o3-mini"})).sees_images.value
    assert facts(model("openai:o3-mini", vision=True)).sees_images.value
    assert not facts(model("openai:gpt-4o", vision=False)).sees_images.value


@pytest.mark.parametrize(
    ("settings", "fact"),
    [
        ({"name": "vllm:Qwen/Qwen2.5-VL-7B-Instruct"}, Fact(None, "default")),
        ({"name": "vllm:meta-llama/Llama-3.2-90B-Vision-Instruct"}, Fact(1, "table")),
        ({"name": "vllm:meta-llama/Llama-3.2-90B-Vision-Instruct", "max_images": 4}, Fact(4, "setting")),
        ({"name": "embedded:judge"}, Fact(None, "default")),
        ({"name": "vllm-engine:q", "arguments": {"limit_mm_per_prompt": {"image": 1}}}, Fact(1, "setting")),
        ({"name": "vllm-engine:q", "arguments": {"limit_mm_per_prompt": {"image": {"count": 2}}}}, Fact(2, "setting")),
        ({"name": "vllm-engine:q", "arguments": {"limit_mm_per_prompt": {"video": 1}}}, Fact(None, "default")),
        ({"name": "vllm-engine:q", "arguments": {"limit_mm_per_prompt": "image=1"}}, Fact(None, "default")),
    ],
)
def test_the_images_of_a_request_are_known_by_setting_or_name(settings: dict[str, Any], fact: Fact[int | None]) -> None:
    assert facts(ModelSettings.model_validate(settings)).max_images == fact
