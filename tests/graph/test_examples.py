"""Runs whose judge sees labelled examples."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import blpo
from blpo.config.config_hash import config_hash
from blpo.config.settings_file import load_settings
from blpo.data.run_dataset import dataset_of
from blpo.runs.judge_file import read_judge_file
from state.errors import ConfigError, DataError
from state.settings import ModelSettings
from tests.criteria_set import criteria_config, draw_criteria
from tests.servers.chat_server import ChatServer
from tests.servers.embedded_answers import embedded_answer
from tests.short_runs import FREE, comparable


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_criteria(tmp_path_factory.mktemp("examples") / "set")


def config(images: Path, directory: Path, **prompts: Any) -> dict[str, Any]:
    return {
        "data": {"path": str(images / "labels.csv"), "label": "quality"},
        "prompts": {"examples": 5, **prompts},
        "search": {"outer_rounds": 1, "inner_steps": 1, "error_batch": 8},
        "run": {"dir": str(directory)},
    }


def test_examples_have_each_label_and_leave_train(images: Path, tmp_path: Path) -> None:
    settings = load_settings(config(images, tmp_path))
    whole, dataset = dataset_of(load_settings(config(images, tmp_path, examples=0))), dataset_of(settings)
    assert Counter(sample.label for sample in dataset.examples) == dict.fromkeys(range(1, 6), 1)
    ids = {sample.id for sample in dataset.examples}
    assert [s.id for s in dataset.splits["train"]] == [s.id for s in whole.splits["train"] if s.id not in ids]
    assert (dataset.splits["test"], dataset.splits["validation"]) == (whole.splits["test"], whole.splits["validation"])
    assert dataset.fingerprint != whole.fingerprint and config_hash(settings) != config_hash(load_settings())
    criteria = dataset_of(load_settings(criteria_config(images, tmp_path, prompts={"examples": 3})))
    assert Counter(sample.item for sample in criteria.examples) == dict.fromkeys(
        {sample.item for sample in criteria.examples}, 2
    )
    with pytest.raises(DataError, match="leave too few samples in the train split"):
        dataset_of(load_settings(config(images, tmp_path, examples=16)))


@pytest.mark.parametrize("form", ["images", "descriptions"])
async def test_the_judge_sees_examples_before_the_item(images: Path, tmp_path: Path, form: str) -> None:
    async with ChatServer(respond=embedded_answer) as server:
        model = {"base_url": server.base_url, "price": FREE}
        models = {role: {"name": f"vllm:{role}", **model} for role in ("judge", "verbalizer", "optimizer")}
        served = await blpo.optimize(config(images, tmp_path / "served", examples_as=form) | {"models": models})
        contents = [request["messages"][0]["content"] for request in server.requests]
    asked = [
        parts for parts in contents if isinstance(parts, list) and "Judge the last item alone" in parts[-1]["text"]
    ]
    assert len({len(parts) for parts in asked}) == 1 and len(asked) >= 35
    words = [part["text"] if part["type"] == "text" else "(image)" for part in asked[0]]
    labels = [int(number) for word in words for number in re.findall(r"Label of example \d: (\d)", word)]
    assert sorted(labels) == [1, 2, 3, 4, 5]
    assert words.count("(image)") == (6 if form == "images" else 1)
    assert words[-3:-1] == ["Judged image:", "(image)"]
    own = await blpo.optimize(config(images, tmp_path / "own", examples_as=form))
    assert comparable(own.result)["test"] == comparable(served.result)["test"]


async def test_criteria_in_one_request_show_all_labels_of_an_example(images: Path, tmp_path: Path) -> None:
    settings = criteria_config(images, tmp_path / "run", prompts={"examples": 2})
    settings["search"] = {"outer_rounds": 0}
    async with ChatServer(respond=embedded_answer) as server:
        models = {"judge": {"name": "vllm:judge", "base_url": server.base_url, "price": FREE}}
        models["optimizer"] = {"name": "embedded:optimizer"}
        await blpo.optimize(settings | {"models": models})
        texts = json.dumps(server.requests[-1]["messages"][0]["content"])
    assert len(re.findall(r"Label of example \d: \{\\\\\\\"quality\\\\\\\": \d, ", json.dumps(texts))) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": {"kind": "pairwise"}, "data": {"path": "x", "image": ["a", "b"]}}, "shows single images"),
        ({"data": {"path": "x", "reference": "r"}}, "shows images without a reference"),
    ],
)
def test_other_samples_have_no_examples(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"prompts.examples: {message}"):
        load_settings({"prompts": {"examples": 2}, **change})


@pytest.mark.parametrize("form", ["images", "descriptions"])
async def test_the_judge_of_the_run_keeps_its_examples(images: Path, tmp_path: Path, form: str) -> None:
    settings = config(images, tmp_path / "run", examples_as=form)
    settings["search"] = {"outer_rounds": 0}
    await blpo.optimize(settings)
    shutil.move(tmp_path / "run", tmp_path / "moved")
    file = read_judge_file(tmp_path / "moved")
    assert sorted(int(example.label) for example in file.examples) == [1, 2, 3, 4, 5]
    async with ChatServer(respond=embedded_answer) as server:
        model = ModelSettings(name="vllm:judge", base_url=server.base_url)
        judge = blpo.Judge(file.model_copy(update={"model": model}))
        (verdict,) = await judge([images / "images" / "000.png"])
        content = server.requests[0]["messages"][0]["content"]
    assert verdict.status == "ok"
    assert sum(part["type"] == "image_url" for part in content) == (6 if form == "images" else 1)
    assert sum("Label of example" in part.get("text", "") for part in content) == 5
