"""A line for every problem of a configuration, with the setting and the remedy."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from blpo.config.graph_context import CONTEXT
from graph.outer import graph
from state.errors import ConfigError
from state.settings import SearchSettings, Settings
from tests.blpo.config.config_files import refusal, write_config


@pytest.mark.parametrize(
    ("given_settings", "message"),
    [
        ({"search": {"outer_round": 3}}, "search.outer_round: unknown; did you mean search.outer_rounds?"),
        ({"serch": {"seed": 3}}, "serch: unknown; did you mean search?"),
        ({"seed": 3}, "seed: unknown; did you mean data.split.seed or search.seed?"),
        ({"data": {"split": {"trian": 0.5}}}, "data.split.trian: unknown; did you mean data.split.train?"),
        ({"data": {"split": {"colum": "s"}}}, "data.split.colum: unknown; did you mean data.split.column?"),
        ({"models": {"judge": {"name": "embedded:judge", "time_out": 3}}}, "did you mean models.judge.timeout?"),
        ({"limits": {"zzz": 3}}, "limits.zzz: unknown; known here: calls, tokens, usd, max_failure_rate"),
        ({1: 2}, "1: unknown; known here: task, data,"),
        ({"search": {"seed": "x"}}, 'search.seed: must be a valid integer (got "x")'),
        ({"limits": {"max_failure_rate": "x"}}, 'limits.max_failure_rate: must be a valid number (got "x")'),
        ({"search": 3}, "search: must hold settings, one `name: value` a line (got 3)"),
        ({"search": {"preset": ["paper"]}}, "search.preset: must be 'default' or 'paper' (got [\"paper\"])"),
        ({"search": {"metric": "f1"}}, "search.metric: must be 'macro_f1', 'accuracy',"),
        ({"search": {"metric": "recall.6"}}, "search.metric: '6' is no label of the task (1, 2, 3, 4, 5)"),
        ({"search": {"metric": "mcc.5"}}, "search.metric: must be 'macro_f1', 'accuracy',"),
        ({"data": {"split": {"validation_share": 0.4}}}, "data.split.column: must be given"),
        ({"data": {"split": {"column": 5}}}, "data.split.column: must be text, so write it in quotes (got 5)"),
        ({"data": {"threshold": "mean"}}, "or must be 'median' (got \"mean\")"),
        (
            {"task": {"kind": "categorical", "labels": [1, "b"]}},
            "task.labels.0: must be text, so write it in quotes (got 1)",
        ),
        ({"tasks": {"safety": 1}}, "tasks: must be a list"),
        ({"task": {"min": 5, "max": 1}}, "task: min (5) must be below max (1)"),
        ({"task": {"max": 10**9}}, "task: a scale has at most 1001 ratings"),
        ({"limits": {"usd": float("inf")}}, "limits.usd: must be a finite number (got Infinity)"),
        ({"models": {"judge": {"name": "vllm:x"}}}, "models: optimizer must be given"),
        ({"models": {"judge": {}}}, "models.judge.name: must be given"),
        (
            {"task": {"kind": "categorical", "labels": ["a", "b"]}, "search": {"metric": "spearman"}},
            "search.metric: spearman needs an ordinal task",
        ),
    ],
)
def test_one_line_names_the_setting_and_what_to_do(given_settings: Mapping[Any, Any], message: str) -> None:
    text = refusal(given_settings)
    assert message in text
    assert "\n" not in text


def test_every_problem_gets_its_line_with_where_it_came_from(tmp_path: Path) -> None:
    path = write_config(tmp_path, "search: {seed: x, paticence: 2}\n")
    assert refusal(path, "limits.calls=0").splitlines() == [
        f'{path}: search.seed: must be a valid integer (got "x")',
        f"{path}: search.paticence: unknown; did you mean search.patience?",
        "--set limits.calls: must be greater than or equal to 1 (got 0)",
    ]


def test_long_and_odd_names_stay_in_one_line() -> None:
    text = refusal({"search": {"a\nb" * 200: 1, "seed": "x" * 1000}})
    assert len(text.splitlines()) == 2
    assert all(len(line) < 500 for line in text.splitlines())


async def test_a_context_that_is_wrong_is_refused_in_the_same_words() -> None:
    context: Any = {"search": {"sed": 1}}
    with pytest.raises(ConfigError, match=r"^search\.sed: unknown; did you mean search\.seed\?$"):
        await graph.ainvoke({}, context=context)
    assert CONTEXT(search=SearchSettings(seed=3)).search.seed == 3
    assert set(graph.get_context_jsonschema() or {}) == set(Settings.model_json_schema())
