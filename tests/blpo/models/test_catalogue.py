"""Facts of models: their sources in order, and the profiles that langchain-openai ships."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from langchain_openai import ChatOpenAI

from blpo.models.catalogue import AS_OF, Fact, ModelFacts, facts
from blpo.models.catalogue.profiles import shipped_profiles
from state.settings import ModelSettings

ROOT = Path(__file__).parents[3]
NAMES = sorted(shipped_profiles())

THINKS_BY_DEFAULT = {"gpt-5.1", "gpt-5.2", "gpt-5.3-codex", "gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano"}
"""Models whose profile says that they take a temperature, but which take one only with `reasoning_effort: none`.

ChatOpenAI drops the temperature of these models too, unless the effort is `none`.
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
    assert facts_of("vllm:o3", base_url="http://h/v1").sees_images.source == "default"  # another model of that name
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
