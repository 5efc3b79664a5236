"""Trainings by TRL, each in a process of its own: what they learn, adapters, preferences, their files, and exports."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from datasets import Dataset
from safetensors.torch import load_file

from benchmarks.trained_judge import draw_colours, export, log_of, texts_of

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
SHORT = ["dtype=float32", "batch=4", "micro_batch=4", "steps=3", "save_steps=2"]


def python(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, cwd=ROOT, check=False)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with an export for SFT, and a random model that its recipe names."""
    folder = tmp_path_factory.mktemp("tiny")
    sft = export(
        draw_colours(folder / "colours", 30, seed=0), folder / "sft", "sft", f"model={folder / 'model'}", *SHORT
    )
    (folder / "texts.json").write_text(json.dumps(texts_of(sft)))
    make = (
        "import json, sys; from pathlib import Path; from benchmarks.tiny_vlm import make_tiny_vlm;"
        "make_tiny_vlm(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))"
    )
    done = python("-c", make, folder / "model", folder / "texts.json")
    assert done.returncode == 0, done.stderr
    return folder


def test_a_tiny_model_learns_by_sft_and_by_grpo_and_goes_on_after_a_kill() -> None:
    done = python("-m", "benchmarks.trained_judge")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line[:3] for line in done.stdout.splitlines()] == ["ok "] * 3


def test_adapters_are_merged_into_a_whole_model(tiny: Path) -> None:
    command: list[str | Path] = [
        "-m",
        "blpo",
        "train",
        "run",
        tiny / "sft",
        "--set",
        "lora={rank: 4}",
        "--out",
        tiny / "lora",
    ]
    done = python(*command)
    assert done.returncode == 0, done.stderr
    model = Path(done.stdout.strip())
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= {path.name for path in model.iterdir()}
    assert not (model / "adapter_model.safetensors").exists()
    assert [line["step"] for line in log_of(tiny / "lora")] == [1, 2, 3]
    assert (tiny / "lora" / "curve.svg").read_text().startswith("<svg")
    again = python(*command)
    assert again.stdout == done.stdout and "update 3 of 3" not in again.stderr  # a finished training is left as it is
    other = python(*command, "--set", "batch=2")
    assert other.returncode == 2 and "a training by another recipe" in other.stderr


def test_small_updates_are_not_lost_in_bfloat16(tiny: Path) -> None:
    changes = ["dtype=bfloat16", "learning_rate=0.000001"]
    options = [part for change in changes for part in ("--set", change)]
    done = python("-m", "blpo", "train", "run", tiny / "sft", *options, "--out", tiny / "half")
    assert done.returncode == 0, done.stderr
    first, trained = (load_file(path / "model.safetensors") for path in (tiny / "model", tiny / "half/checkpoint-2"))
    changed = sum(int((trained[name] != first[name]).sum()) for name in first)
    assert changed > 0.8 * sum(weights.numel() for weights in first.values())
    final = load_file(Path(done.stdout.strip()) / "model.safetensors")
    assert {weights.dtype for weights in final.values()} == {torch.bfloat16}


def test_processes_of_a_launcher_train_together(tiny: Path) -> None:
    """Two processes with half of each batch do the updates of a single process."""
    command = ["-m", "blpo", "train", "run", str(tiny / "sft"), "--set", "micro_batch=2", "--out"]
    alone = python(*command, tiny / "alone")
    together = python("-m", "torch.distributed.run", "--nproc_per_node", "2", *command, tiny / "together")
    assert (alone.returncode, together.returncode) == (0, 0), together.stderr
    assert together.stdout == f"{tiny / 'together' / 'final'}\n"
    first, second = ([line["loss"] for line in log_of(tiny / name)] for name in ("alone", "together"))
    assert len(second) == 3 and second == pytest.approx(first, rel=1e-4)


def test_preferences_train(tiny: Path) -> None:
    """The rows of an export for DPO, with the columns that the writer gives them."""
    dpo = export(tiny / "colours" / "config.yaml", tiny / "dpo", "sft", f"model={tiny / 'model'}", *SHORT)
    rows = Dataset.from_parquet(str(dpo / "train.parquet"), cache_dir=str(tiny / "cache"))
    rows = rows.rename_column("completion", "chosen")
    rows.add_column("rejected", rows["chosen"][::-1]).to_parquet(dpo / "train.parquet")
    recipe = dpo / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("stage: sft", "stage: dpo"))
    done = python("-m", "blpo", "train", "run", dpo)
    assert done.returncode == 0, done.stderr
    assert len(log_of(dpo / "model")) == 3


def test_a_model_that_is_not_there_is_said_in_a_line(tiny: Path) -> None:
    done = python("-m", "blpo", "train", "run", tiny / "sft", "--set", "model=no/model", "--out", tiny / "none")
    assert done.returncode == 2, done.stderr
    assert "model: no/model can't be loaded" in done.stderr and "Traceback" not in done.stderr


def test_trl_reads_the_exports_and_trains_an_update_on_each() -> None:
    done = python("-m", "benchmarks.training_loaders")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("ok ")]
    assert [line.split()[:3] for line in lines] == [["ok", "trl", stage] for stage in ("sft:", "grpo:", "dpo:")]
    assert all("an update by a batch of tokens (" in line for line in lines)
