"""Files for LLaMA-Factory: conversations in JSON lines, images as files, and the entry of dataset_info.json.

An entry with `columns` or `tags` loses the defaults of all names that it leaves out, so the entry has all names.
"""

import json
from base64 import b64decode
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from blpo.training.examples import TrainingExample
from blpo.training.placeholders import with_placeholders
from blpo.training.recipe import Recipe, Stage
from state.sample import EncodedImage

CONFIG = "llamafactory.yaml"
DATASET = "blpo_judge"
"""Name of the dataset in dataset_info.json."""
_TRAIN, _IMAGES = "train.jsonl", "images"
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}


class LlamaFactoryFiles:
    """Writer of train.jsonl and of the images; an image of several lines is one file."""

    def __init__(self, folder: Path, stage: Stage) -> None:
        self._folder, self._stage = folder, stage
        self._lines = (folder / _TRAIN).open("w", encoding="utf-8")
        (folder / _IMAGES).mkdir()

    def add(self, example: TrainingExample) -> None:
        """Write an example."""
        images = [self._written(image) for image in example.images]
        question = {"role": "user", "content": with_placeholders(example.parts)}
        right = {"role": "assistant", "content": example.completion}
        line: dict[str, Any] = {"id": example.id, "messages": [question], "images": images}
        if self._stage == "dpo":
            line |= {"chosen": right, "rejected": {"role": "assistant", "content": example.rejected}}
        else:
            line["messages"].append(right)
        self._lines.write(json.dumps(line, ensure_ascii=False) + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()

    def _written(self, image: EncodedImage) -> str:
        name = f"{_IMAGES}/{image.sha256[:32]}{_SUFFIXES[image.media_type]}"
        if not (self._folder / name).exists():
            (self._folder / name).write_bytes(b64decode(image.base64))
        return name


def dataset_info(stage: Stage) -> dict[str, str]:
    """Return dataset_info.json by name."""
    columns = {"messages": "messages", "images": "images"}
    tags = {
        "role_tag": "role",
        "content_tag": "content",
        "user_tag": "user",
        "assistant_tag": "assistant",
        "system_tag": "system",
        "observation_tag": "observation",
        "function_tag": "function",
    }
    if stage == "dpo":
        columns |= {"chosen": "chosen", "rejected": "rejected"}
    entry = {"file_name": _TRAIN, "formatting": "sharegpt", "ranking": stage == "dpo", "columns": columns, "tags": tags}
    return {"dataset_info.json": json.dumps({DATASET: entry}, indent=1) + "\n"}


def llamafactory_settings(recipe: Recipe, prompts: int, images: int) -> dict[str, Any]:
    """Return the content of llamafactory.yaml, for a single device. `images` is the most images of a message."""
    fitted = recipe.fitted(prompts)
    lora = recipe.lora
    tuning: dict[str, Any] = {"finetuning_type": "full"}
    if lora is not None:
        rank = {"lora_rank": lora.rank, "lora_alpha": lora.alpha, "lora_target": "all"}
        tuning = {"finetuning_type": "lora", **rank}
    return {
        "model_name_or_path": recipe.model,
        "image_max_pixels": recipe.max_pixels,
        "stage": recipe.stage,
        "do_train": True,
        **tuning,
        **({"pref_beta": recipe.beta, "pref_loss": "sigmoid"} if recipe.stage == "dpo" else {}),
        "dataset": DATASET,
        "dataset_dir": ".",
        "media_dir": ".",
        "template": "qwen3_vl_nothink",
        "cutoff_len": recipe.prompt_tokens(images),
        "output_dir": "model",
        "per_device_train_batch_size": recipe.micro_batch,
        "gradient_accumulation_steps": max(1, fitted.batch // recipe.micro_batch),
        "learning_rate": recipe.rate,
        "lr_scheduler_type": recipe.schedule,
        "optim": "adamw_torch",
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.max_grad_norm,
        "warmup_ratio": recipe.warmup,
        "num_train_epochs": recipe.epochs,
        **({"max_steps": recipe.steps} if recipe.steps else {}),
        "bf16": recipe.dtype == "bfloat16",
        "seed": recipe.seed,
        "save_steps": recipe.save_steps,
        "save_total_limit": recipe.keep_checkpoints,
        "logging_steps": 1,
        "plot_loss": True,
        "report_to": "none",
    }
