"""No setting holds a secret."""

from pathlib import Path

import pytest

from blpo.config.settings_file import dump_settings
from state.errors import ConfigError
from state.settings import ModelSettings, ModelsSettings, Settings
from tests.blpo.config.config_files import refusal, write_config

SERVED = "models: {judge: {name: 'vllm:qwen', base_url: %s}, optimizer: {name: 'openai:o3'}}"


@pytest.mark.parametrize(
    "url", ["http://me:hunter22@host/v1", "http://hunter22@host", "http://host/v1?api_key=hunter22"]
)
def test_an_address_with_a_secret_is_refused_without_repeating_it(tmp_path: Path, url: str) -> None:
    text = refusal(write_config(tmp_path, SERVED % f"'{url}'"))
    assert "models.judge.base_url: holds a user name, a password or a key" in text
    assert "hunter22" not in text
    judge = ModelSettings(name="vllm:q", base_url=url)
    models = ModelsSettings(judge=judge, optimizer=ModelSettings(name="embedded:optimizer"))
    with pytest.raises(ConfigError, match="base_url"):
        dump_settings(Settings(models=models))


@pytest.mark.parametrize("key", ["api_key", "apikey", "OPENAI_API_KEY", "password"])
def test_a_key_is_no_setting(key: str) -> None:
    text = refusal({"models": {"judge": {"name": "embedded:judge", key: "hunter22"}}})
    assert text == f"models.judge.{key}: unknown; secrets are read from the environment alone, so take it out"
