"""Reads an export for TRL by TRL's own parser, loader and trainer: EXPORT MODEL STAGE."""

import os
import sys
from typing import Any

import trl
from transformers import AutoModelForImageTextToText, AutoProcessor
from trl.data_utils import prepare_multimodal_messages
from trl.scripts.grpo import GRPOScriptArguments

_HERE = ["--bf16", "false", "--use_cpu", "true", "--dataloader_pin_memory", "false"]
"""What trl.yaml asks of a GPU, changed for this processor."""


def read(export: str, model: str, stage: str) -> str:
    """Read all rows, and collate the first batch of SFT and DPO in the trainer; return what was read."""
    os.chdir(export)
    script = GRPOScriptArguments if stage == "grpo" else trl.ScriptArguments
    config = getattr(trl, f"{stage.upper()}Config")
    parser = trl.TrlParser((script, config, trl.ModelConfig, trl.DatasetMixtureConfig))
    _, training, _, data = parser.parse_args_and_config(["--config", "trl.yaml", *_HERE])
    rows = trl.get_dataset(data)["train"]
    for row in rows:
        messages = prepare_multimodal_messages(row["prompt"], row["images"])
        assert [part["image"].size for part in messages[0]["content"] if part["type"] == "image"]
    batch = "" if stage == "grpo" else f", a first batch of {_first_batch(model, stage, training, rows)}"
    return f"{len(rows)} rows{batch}"


def _first_batch(model: str, stage: str, training: Any, rows: Any) -> str:
    trainer = getattr(trl, f"{stage.upper()}Trainer")(
        model=AutoModelForImageTextToText.from_pretrained(model),
        args=training,
        train_dataset=rows,
        processing_class=AutoProcessor.from_pretrained(model),
    )
    batch = next(iter(trainer.get_train_dataloader()))
    assert len(batch["pixel_values"])
    return f"tokens {tuple(batch['input_ids'].shape)} and pixels {tuple(batch['pixel_values'].shape)}"


if __name__ == "__main__":
    print(read(*sys.argv[1:]))
