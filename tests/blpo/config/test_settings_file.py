"""Settings from presets, files and mappings, their paths, and the way back to YAML."""

import os
import re
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blpo.config.config_hash import config_hash
from blpo.config.settings_file import dump_settings, load_settings
from blpo.inference.initial_prompts import initial_prompts
from blpo.runs.judge_file import JudgeFile, read_judge_file
from state.errors import ConfigError
from state.settings import PRESETS, ModelSettings, RunSettings, SearchSettings, Settings, TaskSettings
from tests.blpo.config.config_files import refusal, write_config


def test_nothing_given_is_the_built_in_sample_with_embedded_models() -> None:
    loaded = load_settings(None)
    assert loaded == Settings() == load_settings({})
    assert loaded.data.path is None
    assert [loaded.models.of(role).name for role in ("judge", "verbalizer", "optimizer")] == [
        *("embedded:judge", "embedded:verbalizer", "embedded:optimizer")
    ]


@pytest.mark.parametrize(("preset", "steps", "batch"), [("default", 5, 120), ("paper", 5, 10)])
def test_a_preset_sets_its_keys(preset: str, steps: int, batch: int) -> None:
    search = load_settings({"search": {"preset": preset}}).search
    assert {name: getattr(search, name) for name in PRESETS[preset]} == PRESETS[preset]
    assert (search.outer_rounds, search.inner_steps, search.error_batch) == (5, steps, batch)


def test_given_keys_override_the_preset_wherever_they_are_given() -> None:
    loaded = load_settings({"search": {"preset": "paper", "anchors": 3}}, ["search.patience=4"])
    assert (loaded.search.anchors, loaded.search.patience, loaded.search.draw) == (3, 4, "uniform")
    assert load_settings({"search": {"anchors": 3}}, ["search.preset=paper"]).search.anchors == 3


@pytest.mark.parametrize(("trials", "steps"), [("pooled", [5, 2, 2]), ("scored", [5, 5, 5])])
def test_a_later_round_of_pooled_trials_has_few_prompts(trials: str, steps: list[int]) -> None:
    search = load_settings({"search": {"trials": trials}}).search
    assert [search.steps_of_round(t) for t in range(3)] == steps
    few = load_settings({"search": {"trials": trials, "inner_steps": 0}}).search
    assert few.steps_of_round(1) == 0


def test_an_embedded_model_takes_more_calls_at_once() -> None:
    models = {"judge": {"name": "openai:gpt-4o"}, "optimizer": {"name": "embedded:optimizer"}}
    loaded = load_settings({"models": models}).models
    assert (loaded.judge.max_concurrency, loaded.of("optimizer").max_concurrency) == (16, 64)
    assert load_settings().models.of("verbalizer").max_concurrency == 64
    assert load_settings(overrides=["models.judge.max_concurrency=3"]).models.judge.max_concurrency == 3


def test_scored_trials_bring_the_defaults_of_scored_trials() -> None:
    search = load_settings({"search": {"trials": "scored", "anchors": 4}}).search
    assert (search.batch, search.select_on, search.adopt) == ("split", "validation", "clear")
    assert (search.error_batch, search.anchors, search.inner_steps, search.patience) == (10, 4, 5, 3)
    assert load_settings(load_settings({"search": search})).search == search


def test_the_optimizer_and_the_task_set_defaults_of_the_search() -> None:
    models = {"judge": {"name": "embedded:judge"}, "optimizer": {"name": "openai:o3"}}
    search = load_settings({"models": models}).search
    assert (search.error_batch, search.inner_steps, search.patience) == (40, 3, 3)
    given = {"error_batch": 60, "inner_steps": 5, "patience": 2}
    search = load_settings({"models": models, "search": given}).search
    assert (search.error_batch, search.inner_steps, search.patience) == (60, 5, 2)
    search = load_settings({"models": models, "search": {"patience": None}}).search
    assert (search.error_batch, search.patience) == (40, None)
    assert load_settings({"models": models, "search": {"preset": "paper"}}).search.patience is None
    assert load_settings().search.patience == 2
    assert load_settings().search.metric == "quadratic_kappa"
    task = {"kind": "categorical", "labels": ["a", "b"]}
    categorical = load_settings({"task": task, "data": {"path": "x"}}, ["search.seed=1"])
    assert (categorical.search.metric, categorical.search.error_batch) == ("macro_f1", 120)


def test_a_configuration_that_an_old_run_wrote_out_stays_scored() -> None:
    old = load_settings({"search": {"trials": "scored"}}).search.model_dump()
    for name in ("trials", "batch", "select_on"):
        del old[name]
    search = load_settings({"search": old}).search
    assert (search.trials, search.batch, search.select_on) == ("scored", "split", "validation")
    older = {name: value for name, value in {**old, "trials": "scored"}.items() if name != "score_on"}
    assert load_settings({"search": older}).search.score_on == "batch"
    assert load_settings({"search": {"trials": "scored"}}).search.score_on == "unseen"


def test_the_preset_of_settings_made_in_python_can_be_overridden() -> None:
    given_search = Settings(search=SearchSettings(patience=4))
    assert load_settings(given_search, ["search.preset=paper"]) == load_settings(
        {"search": {"preset": "paper", "patience": 4}}
    )


def test_paths_in_a_file_are_relative_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config(tmp_path, "Rate it.", "p.md")
    path = write_config(
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
    path = write_config(tmp_path, "data: {path: images}")
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
    path = write_config(tmp_path, "prompts: {i2t_file: q.md}")
    assert refusal(path) == f"{path}: prompts.i2t_file: {tmp_path / 'q.md'} is no file"


def test_a_section_without_content_means_its_defaults(tmp_path: Path) -> None:
    assert load_settings(write_config(tmp_path, "search:\n# all commented out\ndata:\n")) == Settings()


def test_yes_and_no_are_labels(tmp_path: Path) -> None:
    path = write_config(tmp_path, "task: {kind: categorical, labels: [yes, no, 2020-01-01]}\ndata: {path: x}")
    assert load_settings(path).task.labels == ("yes", "no", "2020-01-01")


def test_aliases_and_merges_are_understood(tmp_path: Path) -> None:
    path = write_config(
        tmp_path,
        "models:\n  judge: &m {name: 'vllm:q', base_url: http://h/v1}\n  verbalizer: *m\n"
        "  optimizer: {<<: *m, temperature: 1}\n",
    )
    models = load_settings(path).models
    assert models.judge == models.verbalizer == ModelSettings(name="vllm:q", base_url="http://h/v1")
    assert models.optimizer == ModelSettings(name="vllm:q", base_url="http://h/v1", temperature=1)


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
                "error_batch": st.integers(1, 9),
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
    path = write_config(tmp_path_factory.getbasetemp(), dump_settings(loaded), "dumped.yaml")
    again = load_settings(path)
    assert again == loaded
    assert config_hash(again) == config_hash(loaded)
    assert load_settings(loaded) == loaded


def test_a_dumped_prompt_stays_readable() -> None:
    assert "judge: |-\n    Rate it.\n    Look closely.\n" in dump_settings(
        load_settings({"prompts": {"judge": "Rate it.\nLook closely."}})
    )


def test_settings_that_take_too_much_room_are_refused_before_they_are_write_config() -> None:
    labels = tuple(f"{i}-{'x' * 1000}" for i in range(300))
    task = {"kind": "categorical", "labels": labels}
    with pytest.raises(ConfigError, match="the settings take more than 256 KiB of YAML"):
        dump_settings(load_settings({"task": task, "data": {"path": "x"}}))


def test_a_task_has_its_values_in_order() -> None:
    assert TaskSettings(min=-1, max=2).values == (-1, 0, 1, 2)
    assert TaskSettings(kind="categorical", labels=("b", "a")).values == ("b", "a")
    assert TaskSettings(kind="pairwise").values == ("a", "b")
    assert TaskSettings(kind="pairwise", ties=True).values == ("a", "b", "tie")


@pytest.mark.parametrize(("ties", "answers"), [(False, ("first", "second")), (True, ("first", "second", "tie"))])
def test_the_judge_answers_by_the_place_in_a_pair(ties: bool, answers: tuple[str, ...]) -> None:
    scale = TaskSettings(kind="pairwise", ties=ties).answer_scale
    assert scale == TaskSettings(kind="categorical", labels=answers)
    for task in (TaskSettings(max=9), TaskSettings(kind="categorical", labels=("x", "y"))):
        assert task.answer_scale is task and task.questions == 1


@pytest.mark.parametrize(("order", "questions"), [("both", 2), ("one", 1), ("random", 1)])
def test_a_pair_is_judged_once_for_each_order(order: Literal["both", "one", "random"], questions: int) -> None:
    assert TaskSettings(kind="pairwise", order=order).questions == questions


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            {"kind": "pairwise", "labels": ["a", "b"]},
            "labels belongs to kind: categorical; a pair has the labels a and b",
        ),
        ({"kind": "pairwise", "round": "nearest"}, "round belongs to kind: ordinal"),
        ({"kind": "pairwise", "positive": "a"}, "positive (a) is not one of labels"),
        ({"ties": True}, "ties and order belong to kind: pairwise"),
        ({"kind": "categorical", "labels": ["x", "y"], "order": "one"}, "ties and order belong to kind: pairwise"),
    ],
)
def test_settings_of_another_kind_are_refused(task: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_settings({"task": task, "data": {"path": "x"}})


def test_a_pair_is_selected_by_accuracy_unless_set() -> None:
    pairs = {"task": {"kind": "pairwise"}, "data": {"path": "x", "image": ["a", "b"]}}
    assert load_settings(pairs).search.metric == "accuracy"
    assert load_settings({**pairs, "search": {"metric": "kappa"}}).search.metric == "kappa"


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
