"""Exports for trainers: the train split alone, the judge's own request, and the answers from a run's store."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from langchain_core.messages import BaseMessage
from PIL import Image, ImageOps

import blpo
from blpo.cli.main import main
from blpo.config.settings_file import load_settings
from blpo.data.images import encode_image
from blpo.data.run_dataset import dataset_of
from blpo.training.reward import is_in_form, read_answer, reward
from state.errors import ConfigError
from state.sample import Sample
from state.settings import Settings
from tests.criteria_set import criteria_config, draw_criteria
from tests.scripted import scripted
from tests.small_set import draw_dataset, edit_labels, write_labels

MOODS = ["calm", "wild"]


def export(out: Path, *arguments: str | Path) -> dict[str, Any]:
    """Run `blpo train export` and return samples.jsonl's lines and the rows of the data."""
    assert main(["train", "export", "--out", str(out), *map(str, arguments)]) == 0
    lines = [json.loads(line) for line in (out / "samples.jsonl").read_text().splitlines()]
    parquet, text = out / "train.parquet", out / "train.jsonl"
    rows = (
        pq.read_table(parquet).to_pylist() if parquet.exists() else list(map(json.loads, text.read_text().splitlines()))
    )
    return {"lines": lines, "rows": rows}


def moody(messages: Sequence[BaseMessage]) -> str:
    """Answer at random: repeats of a question disagree."""
    return json.dumps({"reason": "I felt so", "label": _GENERATOR.choice(MOODS)})


_GENERATOR = random.Random(0)


def mood_config(folder: Path, size: int = 30) -> Path:
    """Draw images with two moods, and write a config whose judge answers at random, three times a question."""
    draw_dataset(folder, size)
    edit_labels(folder, lambda rows: [row.update(label=MOODS[place % 3 == 0]) for place, row in enumerate(rows)])
    judge = {"name": scripted("moody", moody), "votes": 3}
    config = {
        "task": {"kind": "categorical", "labels": MOODS},
        "data": {"path": "labels.csv"},
        "models": {"judge": judge, "optimizer": {"name": "embedded:optimizer"}},
        "search": {"outer_rounds": 0},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder / "config.yaml"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a run without a search, whose judge gave three votes."""
    folder = tmp_path_factory.mktemp("moods")
    config = mood_config(folder)
    asyncio.run(blpo.optimize(config, overrides=[f"run.dir={folder / 'run'}"], progress=False))
    return folder / "run"


def held_out_images(settings: Settings) -> set[str]:
    splits = dataset_of(settings).splits
    samples: list[Sample] = [*splits["validation"], *splits["test"]]
    return {encode_image(image, 4_194_304, 4096).sha256 for sample in samples for image in sample.images}


def test_rows_ask_as_the_judge_is_asked(run: Path, tmp_path: Path) -> None:
    content = export(tmp_path / "out", run, "--for", "trl", "--stage", "sft")
    train = {sample.id: sample for sample in dataset_of(load_settings(run / "config.yaml")).splits["train"]}
    assert {row["id"] for row in content["rows"]} == set(train)
    for row in content["rows"]:
        (message,) = row["prompt"]
        assert [part["type"] for part in message["content"]] == ["image", "text"]
        assert '"reason" first and then "label"' in message["content"][1]["text"]
        (image,) = row["images"]
        assert Image.open(BytesIO(image["bytes"])).size == (32, 32)
        answer = json.loads(row["completion"][0]["content"][0]["text"])
        assert list(answer) == ["reason", "label"] and answer["label"] == train[row["id"]].label
        assert answer["reason"] in ("I felt so", "")
    assert sum(bool(json.loads(row["completion"][0]["content"][0]["text"])["reason"]) for row in content["rows"]) > 3


def test_the_trained_judge_is_measured_under_the_same_prompt(run: Path, tmp_path: Path) -> None:
    export(tmp_path / "out", run, "--for", "llamafactory", "--stage", "sft")
    trained, own = load_settings(tmp_path / "out" / "config.yaml"), load_settings(run / "config.yaml")
    assert trained.models.judge.name == "vllm:judge" and trained.models.judge.max_pixels == 4_194_304
    assert (trained.task, trained.data) == (own.task, own.data)
    (result,) = json.loads((run / "result.json").read_text())["rounds"]
    assert trained.prompts.judge == result["judge_prompt"]


def test_preferences_are_answers_of_the_judge_to_one_question(run: Path, tmp_path: Path) -> None:
    content = export(tmp_path / "out", run, "--for", "llamafactory", "--stage", "dpo")
    labels = {s.id: s.label for s in dataset_of(load_settings(run / "config.yaml")).splits["train"]}
    assert 3 < len(content["rows"]) <= len(labels)
    for row in content["rows"]:
        chosen, rejected = (json.loads(row[name]["content"]) for name in ("chosen", "rejected"))
        assert chosen == {"reason": "I felt so", "label": labels[row["id"]]} != rejected
        assert row["messages"][0]["content"].count("<image>") == len(row["images"]) == 1
        assert (tmp_path / "out" / row["images"][0]).is_file()


def test_preferences_need_repeats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = draw_dataset(tmp_path / "set", 20)
    command = ["train", "export", str(folder / "config.yaml"), "--for", "trl", "--stage", "dpo", "--out"]
    assert main([*command, str(tmp_path / "out")]) == 2
    assert "models.judge.votes above 1" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_images_of_other_splits_stay_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A split column may divide an image; also with other metadata the copy is known."""
    folder = draw_dataset(tmp_path / "set", 30)
    Image.open(folder / "images" / "000.png").save(folder / "images" / "copy.png", pnginfo=_note())

    def divide(rows: list[dict[str, str]]) -> None:
        for place, row in enumerate(rows):
            row["split"] = ("train", "validation", "test")[place % 3]
        rows[1]["image"] = "images/copy.png"  # validation, a copy of the first train image

    edit_labels(folder, divide)
    changes = ["--set", "data.split={column: split}"]
    content = export(tmp_path / "out", folder / "config.yaml", "--for", "easyr1", "--stage", "grpo", *changes)
    assert "s0" not in {line["sample"] for line in content["lines"]} and len(content["lines"]) == 9
    assert "1 train sample" in capsys.readouterr().err
    outside = held_out_images(load_settings(folder / "config.yaml", ["data.split={column: split}"]))
    assert outside.isdisjoint(image for line in content["lines"] for image in line["images"])


def _note() -> Any:
    from PIL.PngImagePlugin import PngInfo

    note = PngInfo()
    note.add_text("Comment", "a copy")
    return note


def test_several_sources_are_tasks_of_one_judge_with_their_shares(tmp_path: Path) -> None:
    folders = [draw_dataset(tmp_path / "small", 20), draw_dataset(tmp_path / "large", 60)]
    for image in (folders[1] / "images").iterdir():
        ImageOps.mirror(Image.open(image)).save(image)
    edit_labels(folders[1], lambda rows: [row.update(label=MOODS[place % 2]) for place, row in enumerate(rows)])
    task = {"kind": "categorical", "labels": MOODS}
    config = {"task": task, "data": {"path": "labels.csv"}, "prompts": {"judge": "Is it wild?"}}
    (folders[1] / "config.yaml").write_text(yaml.safe_dump(config))
    sources = [str(folders[0] / "config.yaml"), f"mood={folders[1] / 'config.yaml'}"]
    whole = export(tmp_path / "whole", *sources, "--for", "easyr1", "--stage", "grpo")
    few = export(tmp_path / "few", *sources, "--for", "easyr1", "--stage", "grpo", "--limit", "16")
    counts, drawn = (Counter(line["task"] for line in content["lines"]) for content in (whole, few))
    assert set(counts) == {"small", "mood"} and counts["mood"] > 2 * counts["small"]
    assert all(abs(drawn[name] - 16 * counts[name] / counts.total()) <= 1 for name in counts)
    by_task = {line["task"]: row for line, row in zip(few["lines"], few["rows"], strict=True)}
    assert "Is it wild?" in by_task["mood"]["prompt"] and "Is it wild?" not in by_task["small"]["prompt"]
    trained = {path.stem: load_settings(path) for path in (tmp_path / "whole" / "configs").iterdir()}
    assert set(trained) == {"small", "mood"}
    for settings in trained.values():  # the splits that measure the trained judge
        assert held_out_images(settings).isdisjoint(image for line in whole["lines"] for image in line["images"])


def test_an_image_that_one_source_tests_is_trained_in_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (draw_dataset(tmp_path / name, 30) for name in ("first", "second"))  # the same images
    edit_labels(second, lambda rows: [row.update(id=f"other{place}") for place, row in enumerate(rows)])
    sources = [first / "config.yaml", second / "config.yaml"]
    content = export(tmp_path / "out", *sources, "--for", "easyr1", "--stage", "grpo")
    assert "left out" in capsys.readouterr().err
    outside = set.union(*(held_out_images(load_settings(source)) for source in sources))
    assert content["lines"] and outside.isdisjoint(image for line in content["lines"] for image in line["images"])


def test_pairs_are_asked_in_both_orders(tmp_path: Path) -> None:
    folder = draw_dataset(tmp_path / "set", 24)
    images = [f"images/{i:03}.png" for i in range(24)]
    pairs = zip(images[::2], images[1::2], strict=True)
    write_labels(
        folder, [{"id": f"p{i}", "image_a": a, "image_b": b, "label": "ab"[i % 2]} for i, (a, b) in enumerate(pairs)]
    )
    config = {"task": {"kind": "pairwise"}, "data": {"path": "labels.csv", "image": ["image_a", "image_b"]}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    content = export(tmp_path / "out", folder / "config.yaml", "--for", "trl", "--stage", "grpo")
    orders: dict[str, list[Any]] = {}
    for row in sorted(content["rows"], key=lambda row: row["id"]):
        orders.setdefault(row["id"].split()[0], []).append((row["answer"], [cell["bytes"] for cell in row["images"]]))
    for (ab, first), (ba, second) in orders.values():
        assert {read_answer(ab)[0].label, read_answer(ba)[0].label} == {"first", "second"}
        assert first == second[::-1]


def test_criteria_asked_at_once_are_one_example(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(criteria_config(draw_criteria(tmp_path / "set", 30), tmp_path / "run")))
    late = ["--set", "models.judge.name=embedded:judge", "--set", "models.judge.reason=after"]
    rows = export(tmp_path / "out", config, "--for", "llamafactory", "--stage", "sft", *late)["rows"]
    assert '"reason" first' in rows[0]["messages"][0]["content"]  # the form of the paper, whatever the run has
    answer = json.loads(rows[0]["messages"][1]["content"])
    assert list(answer) == ["reason", "quality", "light"] and len(rows) == len({row["id"] for row in rows})


def test_the_reward_of_a_row_is_full_for_its_right_answer(tmp_path: Path) -> None:
    folder = draw_dataset(tmp_path / "set", 20)
    content = export(tmp_path / "out", folder / "config.yaml", "--for", "trl", "--stage", "grpo")
    for row in content["rows"]:
        (label,) = read_answer(row["answer"])
        reply = json.dumps({"reason": "so", "label": label.label})
        assert is_in_form(reply, (label,)) and reward(reply, row["answer"], 0.1).overall == 1
    assert (tmp_path / "out" / "reward.py").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--for", "llamafactory", "--stage", "grpo"], "use --for trl, easyr1"),
        (["--for", "easyr1", "--stage", "sft"], "use --for trl, llamafactory"),
        (["--for", "trl", "--stage", "sft", "--recipe", "bacth=3"], "did you mean batch?"),
        (["--for", "trl", "--stage", "grpo", "--recipe", "batch=100"], "must be a multiple of batch (100)"),
        (["--for", "easyr1", "--stage", "grpo", "--recipe", "schedule=linear"], "EasyR1 has cosine and constant"),
        (["--for", "trl", "--stage", "sft", "--set", "prompts.examples=2"], "a trained judge sees no examples"),
    ],
)
def test_what_cannot_be_exported_is_said_in_a_line(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = draw_dataset(tmp_path / "set", 20)
    assert main(["train", "export", str(folder / "config.yaml"), "--out", str(tmp_path / "out"), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_with_content_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = draw_dataset(tmp_path / "set", 20)
    command = ["train", "export", str(folder / "config.yaml"), "--for", "trl", "--stage", "sft"]
    assert main([*command, "--out", str(folder)]) == 2
    assert "holds something" in capsys.readouterr().err
    assert main(["train", "export", str(folder), *command[3:], "--out", str(tmp_path / "out")]) == 2
    assert "give the config in it" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="two sources are called set"):
        _read_twice(folder / "config.yaml")


def _read_twice(config: Path) -> None:
    from blpo.training.sources import read_sources

    read_sources([str(config), str(config)])


def test_a_text_that_names_a_place_of_an_image_is_no_image(tmp_path: Path) -> None:
    folder = draw_dataset(tmp_path / "set", 20)
    edit_labels(folder, lambda rows: [row.update(text="an <image> of <video>") for row in rows])
    content = export(tmp_path / "out", folder / "config.yaml", "--for", "easyr1", "--stage", "grpo")
    assert all(
        row["prompt"].count("<image>") == 1 and "an < image> of < video>" in row["prompt"] for row in content["rows"]
    )
