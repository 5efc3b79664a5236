"""Whole runs by several tasks or criteria under one judge prompt."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from langchain_core.messages import BaseMessage

import blpo
from benchmarks.checkpoints import growth
from blpo.config.settings_file import dump_settings, load_settings
from blpo.data.run_dataset import dataset_of
from blpo.models.embedded.chat import texts
from state.errors import ConfigError, DataError
from tests.criteria_set import criteria_config, draw_criteria, tasks_config
from tests.scripted import scripted
from tests.servers.chat_server import ChatServer
from tests.servers.embedded_answers import embedded_answer
from tests.short_runs import FREE, comparable, requests
from tests.small_set import edit_labels


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_criteria(tmp_path_factory.mktemp("criteria") / "set")


async def result_of(config: dict[str, Any]) -> dict[str, Any]:
    run = await blpo.optimize(config)
    result: dict[str, Any] = json.loads((Path(run.directory) / "result.json").read_text())
    return result


def calls(directory: Path) -> Counter[str]:
    return Counter(role for role, _ in requests(directory))


async def test_criteria_share_a_request_and_learn_each_label(images: Path, tmp_path: Path) -> None:
    result = await result_of(criteria_config(images, tmp_path / "one"))
    test, rounds = result["test"], result["rounds"]
    assert result["metric"] == "above_chance" and set(test["by_task"]) == {"quality", "light"}
    first, last = (rounds[place]["labelled"]["strict"]["above_chance"] for place in (0, -1))
    assert last > first + 0.2
    prompts = {record["judge_prompt"] for record in rounds}
    assert calls(tmp_path / "one")["judge"] == 28 * len(prompts) + 12 * 2
    assert all("## quality" in prompt and "## light" in prompt for prompt in prompts)
    means = [(task["best"] - task["chance"]) / (1 - task["chance"]) for task in test["by_task"].values()]
    assert test["best"]["strict"]["above_chance"] == pytest.approx(sum(means) / 2)
    assert test["by_task"]["light"]["strict"]["recall"].keys() == {"dark", "light"}
    assert test["groups"] == 12 and test["best"]["n"] == 24


async def test_a_request_for_each_criterion_names_the_task_at_hand(images: Path, tmp_path: Path) -> None:
    config = criteria_config(images, tmp_path / "each", criteria_calls="each")
    config["search"] = {"outer_rounds": 0}
    await result_of(config)
    assert calls(tmp_path / "each") == {"judge": 80}
    async with ChatServer(respond=embedded_answer) as server:
        model = {"base_url": server.base_url, "price": FREE}
        models = {role: {"name": f"vllm:{role}", **model} for role in ("judge", "verbalizer", "optimizer")}
        served = await result_of({**config, "run": {"dir": str(tmp_path / "served")}, "models": models})
        frames = [request["messages"][0]["content"][-1]["text"] for request in server.requests[-80:]]
    named = Counter(re.findall(r'The task at hand is "(.+?)"(.*)\.\n', "\n".join(frames)))
    assert named == {("quality", ": how good the image looks"): 40, ("light", ""): 40}
    own = json.loads((tmp_path / "each" / "result.json").read_text())
    assert served["test"] == own["test"] and served["rounds"] == own["rounds"]


@pytest.mark.slow
@pytest.mark.parametrize("parts", ["one", "per_task"])
async def test_an_interrupted_run_of_tasks_ends_as_the_uninterrupted_run(
    images: Path, tmp_path: Path, parts: str
) -> None:
    whole = await result_of(tasks_config(images, tmp_path / "whole", prompts={"parts": parts}))

    class Stop(Exception):
        pass

    def interrupt(event: Any) -> None:
        if event["event"] == "judged" and event["round"] == 1:
            raise Stop

    with pytest.raises(Stop):
        await blpo.optimize(tasks_config(images, tmp_path / "cut", prompts={"parts": parts}), on_event=interrupt)
    resumed = await blpo.resume(tmp_path / "cut")
    assert comparable(resumed.result)["test"] == whole["test"]
    assert [r["judge_prompt"] for r in resumed.result["rounds"]] == [r["judge_prompt"] for r in whole["rounds"]]
    assert len(set(requests(tmp_path / "cut"))) == len(requests(tmp_path / "cut"))
    updates = calls(tmp_path / "whole")["optimizer"] - 2 * 3  # beside the three new I2T prompts
    assert updates == 4 if parts == "one" else 4 < updates <= 12


@pytest.mark.slow
async def test_a_prompt_that_trades_a_task_for_another_is_not_adopted(images: Path, tmp_path: Path) -> None:
    """The first prompt judges both well; the optimizer then reverses the labels of one task."""

    def judge(messages: Sequence[BaseMessage]) -> str:
        text = texts(messages)
        name = re.findall(r'The task at hand is "(\w+)"', text)[-1]
        number = int(re.findall(r"number (\d+)", text)[-1])
        rating, light = 5 - number % 5, "light" if number % 3 == 0 else "dark"
        if "only light counts" in text:
            rating = 6 - rating
        elif number % 2:  # some light is wrong at first
            light = "dark"
        return json.dumps({"reason": "", "label": rating if name == "quality" else light})

    def optimizer(messages: Sequence[BaseMessage]) -> str:
        tag = re.findall(r"inside <(critique|judge_prompt|i2t_prompt)>", texts(messages))[-1]
        return f"<{tag}>only light counts {len(texts(messages))}</{tag}>"

    edit_labels(draw_criteria(tmp_path / "set"), number_rows)
    config = tasks_config(tmp_path / "set", tmp_path / "run")
    for task in config["tasks"]:
        task["data"]["text"] = "text"
    config["models"] = {
        "judge": {"name": scripted("trading judge", judge), "structured_output": False},
        "verbalizer": {"name": "embedded:verbalizer"},
        "optimizer": {"name": scripted("trading optimizer", optimizer)},
    }
    result = await result_of(config)
    assert [record.get("fallen") for record in result["rounds"]] == [None, ["quality"], ["quality"]]
    assert result["best_round"] == 0
    result = await result_of(
        {**config, "search": {**config["search"], "floor": 2}, "run": {"dir": str(tmp_path / "no")}}
    )
    assert [record.get("fallen") for record in result["rounds"]] == [None, None, None]


def number_rows(rows: list[dict[str, str]]) -> None:
    for number, row in enumerate(rows):
        row["text"] = f"number {number}"
        row["quality"], row["light"] = str(5 - number % 5), "light" if number % 3 == 0 else "dark"


def test_an_image_is_in_one_split_for_all_tasks(images: Path, tmp_path: Path) -> None:
    for config in (criteria_config(images, tmp_path), tasks_config(images, tmp_path)):
        dataset = dataset_of(load_settings(config))
        places = [{sample.item for sample in samples} for samples in dataset.splits.values()]
        assert sum(map(len, places)) == len(set().union(*places)) == 40
        assert all(
            Counter(s.task for s in samples).keys() == {"quality", "light"} for samples in dataset.splits.values()
        )
        limited = {**config, **({"data": {**config["data"], "limit": 20}} if "data" in config else {})}
        items = {sample.item for sample in dataset_of(load_settings(limited)).by_id.values()}
        assert len(items) == (20 if "data" in config else 40)


def test_written_settings_read_as_they_were(images: Path, tmp_path: Path) -> None:
    (tmp_path / "light.yaml").write_text(
        yaml.safe_dump(
            {
                "task": {"kind": "categorical", "labels": ["dark", "light"]},
                "data": {"path": "set/labels.csv", "label": "light"},
                "search": {"metric": "recall.light", "seed": 7},
                "prompts": {"judge": "Is it light?"},
            }
        )
    )
    entries = [{"name": "light", "config": "light.yaml"}, {"name": "dim", "config": "light.yaml", "metric": "kappa"}]
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"tasks": entries}))
    settings = load_settings(tmp_path / "config.yaml")
    own = settings.of_task("light")
    assert own.data.path == str(tmp_path / "set" / "labels.csv") and own.search.metric == "recall.light"
    assert (settings.of_task("dim").search.metric, settings.search.seed, settings.tasks[0].judge) == (
        "kappa",
        0,
        "Is it light?",
    )
    for config in (settings, load_settings(criteria_config(images, tmp_path))):
        assert load_settings(yaml.safe_load(dump_settings(config))) == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tasks": [{"name": "a"}, {"name": "A"}]}, "tasks: two have the same name"),
        ({"tasks": [{"name": "reason"}]}, "tasks.0.name: reason is a key of the judge's answer"),
        ({"tasks": [{"name": "a"}], "data": {"path": "x"}}, "data: each of tasks has its own"),
        ({"tasks": [{"name": "a", "task": {"kind": "pairwise"}}]}, "a: data.path: the built-in sample"),
        ({"tasks": [{"name": "a"}], "search": {"metric": "accuracy"}}, "search.metric: is above_chance for several"),
        ({"criteria": [{"name": "a"}]}, "criteria: the built-in sample has one label an image"),
        ({"tasks": [{"name": "a", "config": "gone.yaml"}]}, "tasks.0.config: "),
        ({"criteria_aggregate": "share"}, "criteria_aggregate: needs criteria"),
        (
            {"criteria": [{"name": "a"}], "criteria_aggregate": "share", "data": {"path": "x"}},
            "criteria_aggregate: needs criteria with two labels and positive",
        ),
        ({"tasks": [{"name": "a", "data": {"corrections": "c.csv"}}]}, "data.corrections: are of a run of one task"),
        ({"prompts": {"parts": "per_task"}}, "prompts.parts: needs tasks or criteria"),
        ({"search": {"metric": "above_chance"}}, "search.metric: above_chance is the metric of several tasks"),
    ],
)
def test_unusable_settings_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_settings(change)


def test_problems_of_data_name_the_task(images: Path, tmp_path: Path) -> None:
    config = tasks_config(images, tmp_path)
    config["tasks"][1]["data"]["label"] = "quality"
    with pytest.raises(DataError, match=r"light: labels\.csv:2: "):
        dataset_of(load_settings(config))


@pytest.mark.slow
async def test_the_state_of_twelve_tasks_stays_small(images: Path, tmp_path: Path) -> None:
    config = criteria_config(images, tmp_path / "run")
    quality, light = config["criteria"]
    config["criteria"] = [
        *({**quality, "name": f"quality {place}", "label": "quality"} for place in range(6)),
        *({**light, "name": f"light {place}", "label": "light"} for place in range(6)),
    ]
    result = await result_of(config)
    assert len(result["test"]["by_task"]) == 12
    _, _, largest = growth(tmp_path / "checkpoints.sqlite")
    assert largest < 64_000
