"""Refusal of blind judges and of unknown prices, before anything is paid for."""

from pathlib import Path

import pytest

import blpo
from blpo.cli.main import main
from blpo.models.role_checks import require_images, require_labels_for_scores, require_prices, require_vision
from state.errors import ConfigError, ModelError
from state.settings import (
    DataSettings,
    LimitSettings,
    ModelSettings,
    ModelsSettings,
    PriceSettings,
    PromptSettings,
    Settings,
    TaskSettings,
)
from tests.blpo.models.judges import model
from tests.small_set import draw_dataset


def test_a_budget_in_dollars_needs_every_price() -> None:
    judge, optimizer = model("vllm:q", base_url="http://h/v1"), model("openai:o3")
    models = ModelsSettings(judge=judge, optimizer=optimizer)
    require_prices(models, LimitSettings(calls=5))
    with pytest.raises(ConfigError, match=r"^limits\.usd: .* set models\.judge\.price, in US dollars") as caught:
        require_prices(models, LimitSettings(usd=1))
    assert "verbalizer" not in str(caught.value)
    priced = judge.model_copy(update={"price": PriceSettings(input=0, output=0)})
    require_prices(ModelsSettings(judge=priced, optimizer=optimizer), LimitSettings(usd=1))
    with pytest.raises(ConfigError, match=r"models\.verbalizer\.price and models\.optimizer\.price"):
        require_prices(
            ModelsSettings(judge=priced, verbalizer=judge, optimizer=model("openai:unheard-of")), LimitSettings(usd=1)
        )


@pytest.mark.parametrize("role", ["judge", "verbalizer"])
def test_a_model_that_sees_nothing_is_refused_with_the_setting_to_change(role: str) -> None:
    roles = {"judge": model("openai:gpt-4o"), "optimizer": model("openai:o3-mini"), role: model("openai:o3-mini")}
    with pytest.raises(ModelError, match=rf"^models\.{role}: openai:o3-mini can't see .* models\.{role}\.vision: true"):
        require_vision(ModelsSettings.model_validate(roles))
    require_vision(ModelsSettings.model_validate({**roles, role: model("openai:o3-mini", vision=True)}))


@pytest.mark.parametrize("role", ["judge", "verbalizer"])
def test_a_model_of_one_image_a_request_is_refused_for_pairs(role: str) -> None:
    llama, pair = model("vllm:meta-llama/Llama-3.2-11B-Vision-Instruct"), DataSettings(path="x", image=("a", "b"))
    roles = {"judge": model("openai:gpt-4o"), "optimizer": model("openai:o3-mini"), role: llama}
    with pytest.raises(
        ModelError, match=rf"^models\.{role}: .* takes 1 image a request \(as far as its name is known\)"
    ):
        require_images(of_pairs(roles, pair))
    require_images(Settings(models=ModelsSettings.model_validate(roles), data=DataSettings(path="x")))
    able = {**roles, role: llama.model_copy(update={"max_images": 2})}
    require_images(of_pairs(able, pair))
    with pytest.raises(ModelError, match=r"takes 2 images a request \(by its setting\), and a sample has 3"):
        require_images(of_pairs(able, pair.model_copy(update={"before": "c"})))


@pytest.mark.parametrize("reference", ["both", "judge", "verbalizer"])
def test_a_reference_is_an_image_of_the_models_that_see_it(reference: str) -> None:
    few = model("openai:gpt-4o", max_images=1)
    data, prompts = DataSettings(path="x", reference="r"), PromptSettings.model_validate({"reference": reference})
    for role in ("judge", "verbalizer"):
        able = dict.fromkeys(("judge", "verbalizer", "optimizer"), model("openai:gpt-4o"))
        roles = {**able, role: few}
        settings = Settings(models=ModelsSettings.model_validate(roles), data=data, prompts=prompts)
        if reference in ("both", role):
            with pytest.raises(ModelError, match=rf"^models\.{role}: .* takes 1 image .* and a sample has 2"):
                require_images(settings)
        else:
            require_images(settings)


def of_pairs(roles: dict[str, ModelSettings], data: DataSettings) -> Settings:
    return Settings(task=TaskSettings(kind="pairwise"), models=ModelsSettings.model_validate(roles), data=data)


@pytest.mark.parametrize("role", ["judge", "verbalizer"])
def test_the_embedded_optimizer_sees_but_is_refused_in_other_roles(role: str) -> None:
    models = ModelsSettings.model_validate({role: model("embedded:optimizer")})
    with pytest.raises(ModelError, match=rf"^models\.{role}: embedded:optimizer is no {role}; name embedded:{role}"):
        require_vision(models)


def test_scores_of_labels_are_refused_for_the_optimizer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = draw_dataset(tmp_path / "set") / "config.yaml"
    scored = "{name: 'vllm:q', base_url: 'http://127.0.0.1:9/v1', logprobs: true}"
    for command_name in ("check", "optimize"):
        assert main([command_name, str(config), "--set", f"models.optimizer={scored}"]) == 2
        printed = capsys.readouterr()
        lines = [line for line in (printed.out + printed.err).splitlines() if "models.optimizer.logprobs" in line]
        assert len(lines) == 1
        assert "take logprobs out of models.optimizer" in lines[0]
    require_labels_for_scores(ModelsSettings(judge=model("vllm:q", logprobs=True), optimizer=model("openai:o3")))


def test_the_check_names_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = draw_dataset(tmp_path / "set") / "config.yaml"
    optimizer = "models.optimizer={name: 'vllm:q', base_url: 'http://127.0.0.1:9/v1'}"
    settings = ["--set", "models.judge.vision=false", "--set", "limits.usd=1", "--set", optimizer]
    assert main(["check", str(config), *settings]) == 2
    printed = capsys.readouterr()
    assert "can't see images (by its setting)" in printed.out
    assert "set models.optimizer.price" in printed.out
    assert "Traceback" not in printed.err


async def test_neither_leaves_a_run_behind(tmp_path: Path) -> None:
    config = draw_dataset(tmp_path / "set") / "config.yaml"
    run = f"run.dir={tmp_path / 'run'}"
    with pytest.raises(ModelError, match="can't see"):
        await blpo.optimize(config, overrides=[run, "models.judge.vision=false"])
    with pytest.raises(ConfigError, match=r"models\.optimizer\.price"):
        await blpo.optimize(config, overrides=[run, "limits.usd=1", "models.optimizer={name: 'vllm:q'}"])
    assert not (tmp_path / "run").exists()
