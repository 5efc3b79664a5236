"""Reads an export for TRL by TRL's own parser and loader, and trains by TRL's own command: EXPORT MODEL STAGE."""

import os
import sys
from importlib import import_module
from typing import Any

import trl
from trl.data_utils import prepare_multimodal_messages

_HERE = ["--use_cpu", "true", "--dataloader_pin_memory", "false", "--save_strategy", "no"]
"""What trl.yaml asks of a GPU, changed for this processor."""
_SHORT = ["--max_steps", "1", "--per_device_train_batch_size", "2", "--gradient_accumulation_steps", "1"]
_FEW = ["--num_generations", "2", "--steps_per_generation", "1", "--max_completion_length", "8"]
"""GRPO: few and short completions."""


def read(export: str, model: str, stage: str) -> str:
    """Read all rows, and train one update by `trl STAGE`; return what was read, and what the model was given."""
    os.chdir(export)
    command = import_module(f"trl.scripts.{stage}")
    arguments = ["--config", "trl.yaml", "--model_name_or_path", model, *_HERE, *_SHORT]
    settings = command.make_parser().parse_args_and_config([*arguments, *(_FEW if stage == "grpo" else [])])
    rows = trl.get_dataset(settings[-1])["train"]
    for row in rows:
        messages = prepare_multimodal_messages(row["prompt"], row["images"])
        assert [part["image"].size for part in messages[0]["content"] if part["type"] == "image"]
    batches = _watched(getattr(trl, f"{stage.upper()}Trainer"))
    command.main(*settings)
    return f"{len(rows)} rows, an update by a batch of {_described(batches[0])}"


def _watched(trainer: Any) -> list[dict[str, Any]]:
    """Return a list that gets each batch of the trainer, as it reaches the model."""
    batches: list[dict[str, Any]] = []
    compute_loss = trainer.compute_loss

    def watched(self: Any, model: Any, inputs: dict[str, Any], *rest: Any, **named: Any) -> Any:
        batches.append(dict(inputs))
        return compute_loss(self, model, inputs, *rest, **named)

    trainer.compute_loss = watched
    return batches


def _described(batch: dict[str, Any]) -> str:
    tokens = batch["prompt_ids"] if "prompt_ids" in batch else batch["input_ids"]
    assert len(batch["pixel_values"])
    return f"tokens {tuple(tokens.shape)} and pixels {tuple(batch['pixel_values'].shape)}"


if __name__ == "__main__":
    print(read(*sys.argv[1:]))
