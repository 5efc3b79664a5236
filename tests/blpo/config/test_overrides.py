"""Overrides of settings: `search.seed=3`."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blpo.config.settings_file import load_settings
from state.errors import ConfigError
from tests.blpo.config.config_files import refusal, write_config


@pytest.mark.parametrize(
    ("override", "path", "expected"),
    [
        ("search.seed=3", "search.seed", 3),
        (" search.seed = -3 ", "search.seed", -3),
        ("search.patience=null", "search.patience", None),
        ("search.patience=", "search.patience", None),
        ("data.split.train=0.7", "data.split.train", 0.7),
        ("data.split={column: fold}", "data.split.column", "fold"),
        ("models.judge.temperature=0.5", "models.judge.temperature", 0.5),
        ("models.judge.temperature=0.5", "models.judge.name", "embedded:judge"),
        ("models.optimizer.name=openai:o3", "models.optimizer.name", "openai:o3"),
        ("data.image=[left, right]", "data.image", ("left", "right")),
        ("prompts.judge=x = y", "prompts.judge", "x = y"),
        ("run.dir=/runs/2024-01-01", "run.dir", "/runs/2024-01-01"),
    ],
)
def test_overrides(override: str, path: str, expected: object) -> None:
    value: object = load_settings(None, [override])
    for part in path.split("."):
        value = getattr(value, part)
    assert value == expected


def test_the_last_override_wins_over_earlier_ones_and_the_file(tmp_path: Path) -> None:
    path = write_config(
        tmp_path, "search: {seed: 1, error_batch: 2}\nmodels: {judge: {name: 'embedded:judge', timeout: 5}}"
    )
    loaded = load_settings(path, ["search.seed=2", "search.seed=3", "models.judge.max_retries=0"])
    assert (loaded.search.seed, loaded.search.error_batch) == (3, 2)
    assert (loaded.models.judge.timeout, loaded.models.judge.max_retries) == (5, 0)


def test_a_mapping_that_is_overridden_is_not_changed() -> None:
    source = {"search": {"seed": 1}}
    assert load_settings(source, ["search.seed=2", "data.path=x"]).search.seed == 2
    assert source == {"search": {"seed": 1}}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("search.seed", "--set search.seed: must be NAME=VALUE, for instance search.seed=3"),
        ("=3", "--set =3: must be NAME=VALUE"),
        ("search.sed=3", "--set search.sed: unknown; did you mean search.seed?"),
        ("search.seed=x", "--set search.seed: must be a valid integer"),
        ("search.seed.x=1", "--set search.seed: must be a valid integer"),
        ("search.seed=[1", "--set search.seed: line 1: while parsing a flow sequence"),
        ("search=3", "--set search: must hold settings"),
    ],
)
def test_a_wrong_override_is_named(override: str, message: str) -> None:
    assert refusal(None, override).startswith(message)


def test_an_override_below_a_value_is_refused() -> None:
    text = refusal({"search": {"seed": 1}}, "search.seed.x=1")
    assert text == "--set search.seed.x=1: search.seed holds no settings of its own"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_settings_or_one_clear_refusal(text: str) -> None:
    try:
        load_settings(None, [f"search.seed={text}"])
    except ConfigError as error:
        assert str(error).startswith("--set search.seed")
