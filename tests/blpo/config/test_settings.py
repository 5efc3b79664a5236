"""Settings: presets, files, overrides, messages, the way back to YAML, and the hash of a configuration."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blpo.config.config_hash import config_hash
from blpo.config.graph_context import CONTEXT
from blpo.config.settings_file import dump_settings, load_settings
from blpo.config.yaml_text import parse_yaml, write_yaml
from blpo.inference.initial_prompts import initial_prompts
from blpo.runs.judge_file import JudgeFile, read_judge_file
from graph.outer import graph
from state.errors import ConfigError
from state.settings import PRESETS, ModelSettings, ModelsSettings, RunSettings, SearchSettings, Settings, TaskSettings

SERVED = "models: {judge: {name: 'vllm:qwen', base_url: %s}, optimizer: {name: 'openai:o3'}}"


def written(folder: Path, text: str | bytes, name: str = "config.yaml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(source: Any, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(source, overrides)
    assert caught.value.exit_code == 2
    return str(caught.value)


# presets


def test_nothing_given_is_the_built_in_sample_with_embedded_models() -> None:
    loaded = load_settings(None)
    assert loaded == Settings() == load_settings({})
    assert loaded.data.path is None
    assert [loaded.models.of(role).name for role in ("judge", "verbalizer", "optimizer")] == [
        *("embedded:judge", "embedded:verbalizer", "embedded:optimizer")
    ]


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_a_preset_sets_its_keys(preset: str) -> None:
    search = load_settings({"search": {"preset": preset}}).search
    assert {name: getattr(search, name) for name in PRESETS[preset]} == PRESETS[preset]
    assert (search.outer_rounds, search.inner_steps, search.error_batch) == (5, 5, 10)


def test_given_keys_override_the_preset_wherever_they_are_given() -> None:
    loaded = load_settings({"search": {"preset": "paper", "anchors": 3}}, ["search.patience=4"])
    assert (loaded.search.anchors, loaded.search.patience, loaded.search.draw) == (3, 4, "uniform")
    assert load_settings({"search": {"anchors": 3}}, ["search.preset=paper"]).search.anchors == 3


def test_the_preset_of_settings_made_in_python_can_be_overridden() -> None:
    given_search = Settings(search=SearchSettings(anchors=3))
    assert load_settings(given_search, ["search.preset=paper"]) == load_settings(
        {"search": {"preset": "paper", "anchors": 3}}
    )


# files and paths


def test_paths_in_a_file_are_relative_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "Rate it.", "p.md")
    path = written(
        tmp_path,
        "data: {path: images}\nprompts: {judge_file: p.md}\nrun: {dir: runs/one, checkpoints: /elsewhere/c.sqlite}\n",
    )
    monkeypatch.chdir("/")
    loaded = load_settings(path)
    assert loaded.data.path == str(tmp_path / "images")
    assert loaded.prompts.judge_file == str(tmp_path / "p.md")
    assert (loaded.run.dir, loaded.run.checkpoints) == (str(tmp_path / "runs/one"), "/elsewhere/c.sqlite")
    monkeypatch.chdir(tmp_path)
    assert load_settings("config.yaml") == loaded


def test_other_paths_are_relative_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "data: {path: images}")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert load_settings(path, ["run.dir=here"]).run.dir == str(elsewhere / "here")
    assert load_settings({"data": {"path": Path("x")}}).data.path == str(elsewhere / "x")
    assert load_settings({"data": {"path": "~/x"}}).data.path == os.path.expanduser("~/x")
    assert load_settings(Settings(run=RunSettings(dir="r"))).run.dir == str(elsewhere / "r")


@pytest.mark.parametrize("path", ["hub:owner/name", "https://example.org/x", "s3://bucket/x"])
def test_what_is_no_path_stays_as_it_is(path: str) -> None:
    assert load_settings({"data": {"path": path}}).data.path == path


def test_a_missing_prompt_file_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "prompts: {i2t_file: q.md}")
    assert refusal(path) == f"{path}: prompts.i2t_file: {tmp_path / 'q.md'} is no file"


def test_a_section_without_content_means_its_defaults(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "search:\n# all commented out\ndata:\n")) == Settings()


def test_yes_and_no_are_labels(tmp_path: Path) -> None:
    path = written(tmp_path, "task: {kind: categorical, labels: [yes, no, 2020-01-01]}\ndata: {path: x}")
    assert load_settings(path).task.labels == ("yes", "no", "2020-01-01")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; write settings into it"),
        ("# nothing but a comment\n", "is empty"),
        ("- a\n- b\n", "holds no settings; it must be a mapping"),
        ("search", "holds no settings; it must be a mapping"),
        (b"\x89PNG\r\n\x1a\n\x00", "is not UTF-8 text"),
        (b"\x00\x01\x02", "holds control characters"),
        ("a: " + "x" * 300_000, "is larger than 256 KiB"),
        ("search: {seed: 1}\nsearch: {seed: 2}\n", "line 2: search is given twice; keep one"),
        ("search:\n  seed: 1\n  seed: 1\n", "line 3: seed is given twice; keep one"),
        ("search: [1\n", "line 2: while parsing a flow sequence"),
        ("a: !!python/object/apply:os.getcwd []", "could not determine a constructor for the tag"),
        ("a: &a [*a]", "an alias contains itself"),
        ("[" * 2_000, "is nested too deeply"),
        ("search: {seed: " + "9" * 5_000 + "}", "a value can't be read"),
    ],
)
def test_a_file_that_holds_no_settings(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = written(tmp_path, content)
    text = refusal(path)
    assert text.startswith(str(path))
    assert message in text
    assert "\n" not in text


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "stands for more than 20000 values" in refusal(written(tmp_path, "\n".join(lines)))


def test_aliases_and_merges_are_understood(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "models:\n  judge: &m {name: 'vllm:q', base_url: http://h/v1}\n  verbalizer: *m\n"
        "  optimizer: {<<: *m, temperature: 1}\n",
    )
    models = load_settings(path).models
    assert models.judge == models.verbalizer == ModelSettings(name="vllm:q", base_url="http://h/v1")
    assert models.optimizer == ModelSettings(name="vllm:q", base_url="http://h/v1", temperature=1)


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    assert "nope.yaml does not exist" in refusal(tmp_path / "nope.yaml")
    assert refusal(tmp_path) == f"{tmp_path} can't be read: Is a directory"
    assert "can't be read" in refusal("a\0b")


# messages


@pytest.mark.parametrize(
    ("given_settings", "message"),
    [
        ({"search": {"outer_round": 3}}, "search.outer_round: unknown; did you mean search.outer_rounds?"),
        ({"serch": {"seed": 3}}, "serch: unknown; did you mean search?"),
        ({"seed": 3}, "seed: unknown; did you mean search.seed?"),
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
        ({"data": {"split": {"validation_share": 0.4}}}, "data.split.column: must be given"),
        ({"data": {"split": {"column": 5}}}, "data.split.column: must be text, so write it in quotes (got 5)"),
        ({"data": {"threshold": "mean"}}, "or must be 'median' (got \"mean\")"),
        (
            {"task": {"kind": "categorical", "labels": [1, "b"]}},
            "task.labels.0: must be text, so write it in quotes (got 1)",
        ),
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
    path = written(tmp_path, "search: {seed: x, paticence: 2}\n")
    assert refusal(path, "limits.calls=0").splitlines() == [
        f'{path}: search.seed: must be a valid integer (got "x")',
        f"{path}: search.paticence: unknown; did you mean search.patience?",
        "--set limits.calls: must be greater than or equal to 1 (got 0)",
    ]


def test_long_and_odd_names_stay_in_one_line() -> None:
    text = refusal({"search": {"a\nb" * 200: 1, "seed": "x" * 1000}})
    assert len(text.splitlines()) == 2
    assert all(len(line) < 500 for line in text.splitlines())


# secrets


@pytest.mark.parametrize(
    "url", ["http://me:hunter22@host/v1", "http://hunter22@host", "http://host/v1?api_key=hunter22"]
)
def test_an_address_with_a_secret_is_refused_without_repeating_it(tmp_path: Path, url: str) -> None:
    text = refusal(written(tmp_path, SERVED % f"'{url}'"))
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


# overrides


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
    path = written(tmp_path, "search: {seed: 1, anchors: 2}\nmodels: {judge: {name: 'embedded:judge', timeout: 5}}")
    loaded = load_settings(path, ["search.seed=2", "search.seed=3", "models.judge.max_retries=0"])
    assert (loaded.search.seed, loaded.search.anchors) == (3, 2)
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


# and back

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
names = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
shares = st.floats(0.01, 1)
tasks = st.one_of(
    st.builds(
        lambda low, steps: {"kind": "ordinal", "min": low, "max": low + steps}, st.integers(-9, 9), st.integers(1, 9)
    ),
    st.lists(texts, min_size=2, max_size=4, unique=True).map(lambda labels: {"kind": "categorical", "labels": labels}),
)
splits = st.one_of(
    st.fixed_dictionaries({}, optional={"train": shares, "validation": shares, "test": shares}),
    st.fixed_dictionaries({"column": texts}, optional={"validation_share": st.floats(0.01, 0.99)}),
)
prompts = texts.filter(str.strip)
configurations = st.fixed_dictionaries(
    {
        "task": tasks,
        "data": st.fixed_dictionaries(
            {"path": names},
            optional={
                "image": texts | st.tuples(texts, texts),
                "text": texts,
                "split": splits,
                "limit": st.integers(1),
            },
        ),
        "search": st.fixed_dictionaries(
            {},
            optional={
                "preset": st.sampled_from(["default", "paper"]),
                "patience": st.none() | st.integers(1, 9),
                "anchors": st.integers(0, 9),
                "seed": st.integers(),
            },
        ),
        "prompts": st.fixed_dictionaries({}, optional={"judge": prompts, "i2t": prompts}),
        "models": st.fixed_dictionaries(
            {
                "judge": st.fixed_dictionaries({"name": names}, optional={"temperature": st.none() | st.floats(0, 2)}),
                "optimizer": st.fixed_dictionaries({"name": texts}, optional={"timeout": st.floats(0.001, 1e9)}),
            }
        ),
        "limits": st.fixed_dictionaries({}, optional={"calls": st.integers(1), "tokens": st.none()}),
    }
)


@settings(max_examples=60, deadline=None)
@given(configurations)
def test_settings_survive_the_way_through_yaml(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]
) -> None:
    loaded = load_settings(content)
    path = written(tmp_path_factory.getbasetemp(), dump_settings(loaded), "dumped.yaml")
    again = load_settings(path)
    assert again == loaded
    assert config_hash(again) == config_hash(loaded)
    assert load_settings(loaded) == loaded


line_ends_and_signs = st.text(
    st.sampled_from("a \n\t\r\x85\u2028\ufeff\x00#:-'\"|>%&*!`{}[],?~=.0y\N{GRINNING FACE}"), max_size=12
)
scalars = texts | line_ends_and_signs | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none()


@settings(max_examples=200, deadline=None)
@given(st.recursive(scalars, st.lists, max_leaves=5))
def test_yaml_is_read_as_it_was_written(content: Any) -> None:
    assert parse_yaml(write_yaml({"value": content}), "text") == {"value": content}


def test_a_dumped_prompt_stays_readable() -> None:
    assert "judge: |-\n    Rate it.\n    Look closely.\n" in dump_settings(
        load_settings({"prompts": {"judge": "Rate it.\nLook closely."}})
    )


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_settings_or_one_clear_refusal(text: str) -> None:
    try:
        load_settings(None, [f"search.seed={text}"])
    except ConfigError as error:
        assert str(error).startswith("--set search.seed")


# the hash of a configuration


@pytest.mark.parametrize(
    "override",
    [
        "search.seed=1",
        "search.preset=paper",
        "search.anchors=3",
        "data.limit=5",
        "models.judge.temperature=1",
        "models.judge.max_pixels=2048",
        "models.judge.part_order=rubric_first",
        "models.judge.arguments={top_p: 0.5}",
        "models.verbalizer.name=embedded:judge",
        "prompts.judge=other",
    ],
)
def test_what_determines_results_changes_the_hash(override: str) -> None:
    assert config_hash(load_settings(None, [override])) != config_hash(Settings())


@pytest.mark.parametrize(
    "override",
    [
        "data.path=other",
        "limits.calls=5",
        "limits.max_failure_rate=0.5",
        "run.dir=elsewhere",
        "run.checkpoints=c.sqlite",
        "models.judge.base_url=http://localhost:8000/v1",
        "models.judge.timeout=5",
        "models.judge.max_concurrency=5",
        "models.judge.max_retries=0",
        "models.judge.price={input: 1, output: 1}",
        "models.judge.vision=true",
        "models.optimizer.name=embedded:optimizer",
        "search.anchors=10",
    ],
)
def test_what_does_not_change_results_leaves_the_hash(override: str) -> None:
    assert config_hash(load_settings(None, [override])) == config_hash(Settings())
    assert re.fullmatch(r"[0-9a-f]{64}", config_hash(Settings()))


def test_a_preset_written_out_has_the_hash_of_the_preset() -> None:
    assert config_hash(load_settings({"search": PRESETS["paper"]})) == config_hash(
        load_settings({"search": {"preset": "paper"}})
    )


def test_a_prompt_file_counts_by_its_text(tmp_path: Path) -> None:
    file = written(tmp_path, "Rate it.\n", "p.md")
    from_file = load_settings({"prompts": {"judge_file": str(file)}})
    assert config_hash(from_file) == config_hash(load_settings({"prompts": {"judge": "Rate it."}}))
    before = config_hash(from_file)
    written(tmp_path, "Rate it well.\n", "p.md")
    assert config_hash(from_file) != before
    file.unlink()
    with pytest.raises(ConfigError, match=r"prompts.judge_file: .*p\.md can't be read: No such file"):
        config_hash(from_file)


def test_a_task_has_its_values_in_order() -> None:
    assert TaskSettings(min=-1, max=2).values == (-1, 0, 1, 2)
    assert TaskSettings(kind="categorical", labels=("b", "a")).values == ("b", "a")


LONG = "x" * 6_004


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ({"judge": " \n"}, 'prompts.judge: is empty; write the prompt (got " \\n")'),
        ({"i2t": ""}, 'prompts.i2t: is empty; write the prompt (got "")'),
        ({"judge": "\ud800"}, "prompts.judge: holds half a character"),
        ({"i2t_file": ""}, "prompts.i2t_file:  is no file"),
    ],
)
def test_a_prompt_that_is_none(prompts: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings({"prompts": prompts})
    assert str(caught.value).startswith(message)


def test_an_initial_prompt_keeps_to_the_longest_allowed(tmp_path: Path) -> None:
    allowed = "about 1501 tokens, and 1500 are allowed (search.max_prompt_tokens); shorten it, or raise that setting"
    (tmp_path / "p.md").write_text(LONG)
    for name, given_so in (
        ("prompts.judge", load_settings({"prompts": {"judge": LONG}})),
        (
            f"prompts.i2t_file: {tmp_path / 'p.md'}",
            load_settings({"prompts": {"i2t_file": str(tmp_path / "p.md")}}),
        ),
    ):
        with pytest.raises(ConfigError) as caught:
            initial_prompts(given_so)
        assert str(caught.value) == f"{name}: it has {allowed}"
    raised = load_settings({"prompts": {"judge": LONG}, "search": {"max_prompt_tokens": 1501}})
    assert initial_prompts(raised)[0] == LONG
    with pytest.raises(ConfigError, match=r"search\.max_prompt_tokens: must be less than or equal to 8000"):
        load_settings({"search": {"max_prompt_tokens": 8001}})


@pytest.mark.parametrize("character", ["x", "審", "🦊", "\x07", "x\n"])
def test_the_longest_prompts_can_be_read_again(tmp_path: Path, character: str) -> None:
    prompt = (character * 32_000)[:31_999] + "."
    judge = JudgeFile(judge_prompt=prompt, task=TaskSettings(), model=ModelSettings(name="embedded:judge"))
    (tmp_path / "judge.yaml").write_text(judge.dump())
    assert read_judge_file(tmp_path / "judge.yaml").judge_prompt == prompt


def test_settings_that_take_too_much_room_are_refused_before_they_are_written() -> None:
    labels = tuple(f"{i}-{'x' * 1000}" for i in range(300))
    task = {"kind": "categorical", "labels": labels}
    with pytest.raises(ConfigError, match="the settings take more than 256 KiB of YAML"):
        dump_settings(load_settings({"task": task, "data": {"path": "x"}}))


async def test_a_context_that_is_wrong_is_refused_in_the_same_words() -> None:
    context: Any = {"search": {"sed": 1}}
    with pytest.raises(ConfigError, match=r"^search\.sed: unknown; did you mean search\.seed\?$"):
        await graph.ainvoke({}, context=context)
    assert CONTEXT(search=SearchSettings(seed=3)).search.seed == 3
    assert set(graph.get_context_jsonschema() or {}) == set(Settings.model_json_schema())
