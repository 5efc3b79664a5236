"""Does a training by `blpo train run` learn? A tiny random model learns colours, by SFT and by GRPO.

    python -m benchmarks.trained_judge [--out FOLDER]

Needs the extra `train`. Makes all models and images here; takes about three minutes of a core, and uses a GPU where
one is. Prints a line for each claim, and fails if one does not hold:

* SFT: the share of right labels on images that were held out, at least .95.
* SFT killed (kill -9) in the middle and started again: alike in the final loss and the held out share.
* GRPO from a model that is unsure (SFT, three labels in five drawn at random): the mean reward of the last updates is
  at least .2 above that of the first.
"""

import argparse
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import yaml
from PIL import Image

from benchmarks.tiny_vlm import SIDE, make_tiny_vlm
from blpo.training.reward import reward

COLOURS = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (50, 60, 200), "yellow": (220, 210, 60)}
HELD_OUT, GAIN = 0.95, 0.2
"""Bounds of the claims."""
_SAME_SHARE, _SAME_LOSS = 0.025, 1e-3
"""Largest differences that are alike: sums on a GPU have no fixed order. On a processor both are equal."""
_FIRST = _LAST = 10
"""Updates at both ends whose rewards are compared."""
_SMALL = ["dtype=float32", "epochs=100", "save_steps=20"]
_SFT = [*_SMALL, "batch=16", "micro_batch=16", "learning_rate=0.003"]
_GRPO = [
    *_SMALL,
    *("batch=8", "rollout_batch=8", "rollouts=8", "micro_batch=64", "learning_rate=0.002", "kl=0"),
    *("max_completion=24", "steps=60"),
]
_BLPO = [sys.executable, "-m", "blpo"]


def draw_colours(folder: Path, size: int, seed: int, *, random_share: float = 0.0) -> Path:
    """Draw noisy images of one colour with the colour as label, a share of labels at random; return the config."""
    generator, labels = np.random.default_rng(seed), random.Random(seed)
    (folder / "images").mkdir(parents=True)
    rows = []
    for number in range(size):
        colour = list(COLOURS)[number % len(COLOURS)]
        shade = np.array(COLOURS[colour]) + generator.normal(0, 15, (1, 1, 3))
        pixels = shade + generator.normal(0, 25, (SIDE, SIDE, 3))
        name = f"images/{number:03}.png"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name)
        label = labels.choice(list(COLOURS)) if labels.random() < random_share else colour
        rows.append({"id": f"{folder.name}-{number}", "image": name, "label": label})
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    config = {
        "task": {"kind": "categorical", "labels": list(COLOURS)},
        "data": {"path": "labels.csv", "split": {"train": 0.8, "validation": 0.1, "test": 0.1}},
        "prompts": {"judge": "Name the colour."},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return folder / "config.yaml"


def export(config: Path, out: Path, stage: str, *changes: str) -> Path:
    """Write the export by the command."""
    options = [part for change in changes for part in ("--recipe", change)]
    command = [*_BLPO, "train", "export", str(config), "--for", "trl", "--stage", stage, "--out", str(out), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return out


def train(folder: Path, out: Path | None = None) -> Path:
    """Train by the command, and return the model's folder."""
    done = subprocess.run(_training(folder, out), check=True, stdout=subprocess.PIPE, text=True)
    return Path(done.stdout.strip())


def kill_in_the_middle(folder: Path, out: Path) -> int:
    """Begin a training, kill it (kill -9) after its first checkpoint, and return the updates that it made."""
    process = subprocess.Popen(_training(folder, out), stdout=subprocess.DEVNULL)
    while process.poll() is None and not list(out.glob("checkpoint-*/trainer_state.json")):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return len(log_of(out))


def log_of(out: Path) -> list[dict[str, Any]]:
    """Return the lines of a training's log."""
    text = (out / "log.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]


def held_out_share(model: Path, exported: Path) -> float:
    """Return the mean accuracy reward of the model's answers to the rows of an export, without sampling."""
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    processor = AutoProcessor.from_pretrained(model)
    judge = AutoModelForImageTextToText.from_pretrained(model, dtype="float32").eval()
    judge.to("cuda" if torch.cuda.is_available() else "cpu")
    shares = []
    for row in pq.read_table(exported / "train.parquet").to_pylist():
        prompt = processor.apply_chat_template(row["prompt"], add_generation_prompt=True, tokenize=False)
        images = [Image.open(_stream(cell["bytes"])) for cell in row["images"]]
        inputs = processor(images=images, text=[prompt], return_tensors="pt").to(judge.device)
        with torch.no_grad():
            tokens = judge.generate(**inputs, max_new_tokens=24, do_sample=False)
        reply = processor.decode(tokens[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        shares.append(reward(reply, row["answer"], 0.1).accuracy)
    return fmean(shares)


def texts_of(exported: Path) -> list[str]:
    """Return the texts of an export for SFT: the words of the tokenizer."""
    rows = pq.read_table(exported / "train.parquet").to_pylist()
    messages = [message for row in rows for message in (*row["prompt"], *row["completion"])]
    return [part["text"] for message in messages for part in message["content"] if part["text"]]


def measure(out: Path, report: "Report") -> None:
    """Train, kill and resume, and report the claims."""
    colours = draw_colours(out / "colours", 200, seed=1)
    unseen = export(draw_colours(out / "unseen", 80, seed=2), out / "held-out", "grpo")
    tiny = f"model={out / 'tiny'}"
    sft = export(colours, out / "sft", "sft", tiny, *_SFT, "steps=120")
    make_tiny_vlm(out / "tiny", texts_of(sft))

    model = train(sft)
    share = held_out_share(model, unseen)
    report.claim(
        f"SFT: {share:.3f} right on {len(pq.read_table(unseen / 'train.parquet'))} held out images", share >= HELD_OUT
    )

    made = kill_in_the_middle(sft, out / "killed")
    resumed = held_out_share(train(sft, out / "killed"), unseen)
    losses = [log_of(folder)[-1]["loss"] for folder in (sft / "model", out / "killed")]
    near = abs(resumed - share) <= _SAME_SHARE and abs(losses[0] - losses[1]) <= _SAME_LOSS
    alike = made < len(log_of(sft / "model")) and near
    text = (
        f"killed after {made} updates and resumed: {resumed:.3f} right, last loss {losses[1]:.5f}, else {losses[0]:.5f}"
    )
    report.claim(text, alike)

    unsure = draw_colours(out / "unsure", 200, seed=3, random_share=0.6)
    start = train(export(unsure, out / "unsure-sft", "sft", tiny, *_SFT, "steps=100"))
    grpo = export(colours, out / "grpo", "grpo", f"model={start}", *_GRPO)
    train(grpo)
    rewards = [line["reward"] for line in log_of(grpo / "model") if "reward" in line]
    first, last = fmean(rewards[:_FIRST]), fmean(rewards[-_LAST:])
    report.claim(f"GRPO: mean reward {first:.3f} -> {last:.3f} in {len(rewards)} updates", last - first >= GAIN)


class Report:
    """Lines about the claims."""

    def __init__(self) -> None:
        self.missed: list[str] = []
        self._begin = time.monotonic()

    def claim(self, text: str, holds: bool) -> None:
        """Print a claim with the seconds so far."""
        print(f"{'ok ' if holds else 'NO '} {text} ({time.monotonic() - self._begin:.0f} s)", flush=True)
        if not holds:
            self.missed.append(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trained_judge", description=__doc__)
    parser.add_argument("--out", type=Path, help="a new folder for all files; default: a temporary one")
    out: Path | None = parser.parse_args(arguments).out
    os.environ["HF_HUB_OFFLINE"] = "1"  # nothing is downloaded
    report = Report()
    with _folder(out) as folder:
        measure(folder, report)
    return 1 if report.missed else 0


def _training(folder: Path, out: Path | None) -> list[str]:
    place = [] if out is None else ["--out", str(out)]
    return [*_BLPO, "train", "run", str(folder), "--quiet", *place]


def _stream(data: bytes) -> Any:
    from io import BytesIO

    return BytesIO(data)


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    if out is not None:
        out.mkdir(parents=True)
        yield out
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


if __name__ == "__main__":
    sys.exit(main())
