"""Training by TRL from an export: checkpoints, resume, a log, a curve, and the model to serve.

A folder of a training holds `checkpoint-N/`, `log.jsonl`, `curve.svg`, `recipe.yaml` and, at the end, `final/`: a whole
model with its processor, adapters merged, for `vllm serve`. The same call goes on after a kill.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blpo.storage.locks import lock_folder
from blpo.storage.whole_files import put_in_place, write_whole
from blpo.training.parquet_file import TRAIN
from blpo.training.processes import is_main
from blpo.training.recipe import RECIPE, Recipe, read_recipe, recipe_text
from blpo.training.training_curve import CURVE, curve_svg
from blpo.training.training_log import LogLine, keep_until, read_log
from blpo.training.trl_files import CONFIG
from state.errors import ConfigError

FINAL, MODEL = "final", "model"
OnLine = Callable[[LogLine], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished training."""

    model: Path
    """Folder of the model to serve."""
    steps: int
    log: tuple[LogLine, ...]
    """Lines of all updates, over all resumes."""


def run_training(
    export: Path, changes: Sequence[str] = (), out: Path | None = None, on_line: OnLine = lambda line: None
) -> Trained:
    """Train by the recipe of an export for TRL, changed by `key=value`; a finished training is just returned.

    `out` is the folder of the training; None: `model` in the export. `on_line` is called after every update. Trains on
    the GPUs of this machine, else on its processor. Raises `ConfigError` for another folder, an unusable recipe, a
    missing extra, and a training with another recipe; `RunError` if another training goes on there. Of the processes
    that a launcher starts, the main one alone writes.
    """
    if not (export / CONFIG).is_file() or not (export / TRAIN).is_file():
        raise ConfigError(f"{export} is no export for TRL; make one with blpo train export --for trl")
    recipe, out = read_recipe(export / RECIPE, changes), out or export / MODEL
    out.mkdir(parents=True, exist_ok=True)
    with lock_folder(out) if is_main() else nullcontext():
        if is_main():
            _keep_recipe(out, recipe)
        if not (out / FINAL).is_dir():
            _train(export, recipe, out, on_line)
        log = read_log(out)
        if is_main():
            write_whole(out / CURVE, curve_svg(log, recipe.stage), durable=False)
    return Trained(out / FINAL, log[-1].step if log else 0, tuple(log))


def _keep_recipe(out: Path, recipe: Recipe) -> None:
    """Keep the recipe in the folder; raises `ConfigError` if a training by another recipe is there."""
    file, text = out / RECIPE, recipe_text(recipe)
    has_begun = (out / FINAL).exists() or last_checkpoint(out) is not None
    if has_begun and file.exists() and file.read_text(encoding="utf-8") != text:
        raise ConfigError(f"{out} holds a training by another recipe ({file.name}); undo the change, or give --out")
    write_whole(file, text)


def _train(export: Path, recipe: Recipe, out: Path, on_line: OnLine) -> None:
    from blpo.training.trainers import open_trainer

    checkpoint = last_checkpoint(out)
    if is_main():
        keep_until(out, 0 if checkpoint is None else _step(checkpoint))
    trainer = open_trainer(export, recipe, out, checkpoint, on_line)
    trainer.train(checkpoint)
    if not is_main():
        return
    draft = out / f".{FINAL}.part"
    shutil.rmtree(draft, ignore_errors=True)
    trainer.save(draft)
    put_in_place(draft, out / FINAL)


def last_checkpoint(out: Path) -> Path | None:
    """Return the last whole checkpoint; None without. A checkpoint whose writing was killed is removed."""
    for path in sorted(out.glob("checkpoint-*"), key=_step, reverse=True):
        if _is_whole(path):
            return path
        shutil.rmtree(path, ignore_errors=True)
    return None


def _is_whole(checkpoint: Path) -> bool:
    """Return True if the state of the trainer can be read: the trainer writes it last."""
    try:
        state: Any = json.loads((checkpoint / "trainer_state.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(state, dict) and state.get("global_step") == _step(checkpoint)


def _step(checkpoint: Path) -> int:
    number = checkpoint.name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1
