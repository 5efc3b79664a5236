"""Reads an export for LLaMA-Factory by its own parser, loader and template: EXPORT MODEL STAGE."""

import os
import sys
from pathlib import Path

import yaml
from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args
from llamafactory.model import load_tokenizer

_TOKENS = {"sft": ("input_ids",), "dpo": ("chosen_input_ids", "rejected_input_ids")}


def read(export: str, model: str, stage: str) -> str:
    """Read and tokenize all rows as a training does; return what was read."""
    os.chdir(export)
    settings = yaml.safe_load(Path("llamafactory.yaml").read_text(encoding="utf-8"))
    here = {"model_name_or_path": model, "template": "llava", "bf16": False, "use_cpu": True}
    model_part, data, training, *_ = get_train_args(settings | here)
    parts = load_tokenizer(model_part)
    template = get_template_and_fix_tokenizer(parts["tokenizer"], data)
    kind = "rm" if stage == "dpo" else stage  # as LLaMA-Factory's own DPO reads its pairs
    rows = get_dataset(template, model_part, data, training, stage=kind, **parts)["train_dataset"]
    for row in rows:
        assert len(row["images"]) == 1 and os.path.isfile(row["images"][0])
        assert all(len(row[name]) for name in _TOKENS[stage])
    longest = max(len(row[name]) for row in rows for name in _TOKENS[stage])
    return f"{len(rows)} rows of at most {longest} tokens"


if __name__ == "__main__":
    print(read(*sys.argv[1:]))
