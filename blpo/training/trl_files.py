"""Files for TRL: conversations with places for images, and the images in the Parquet file.

`blpo train run` trains by recipe.yaml. trl.yaml has the same settings for TRL's own command.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from blpo.training.examples import TrainingExample
from blpo.training.parquet_file import TRAIN, ParquetFile, image_cells
from blpo.training.recipe import Recipe, Stage

CONFIG = "trl.yaml"


def trl_data(folder: Path, stage: Stage) -> ParquetFile:
    """Return the writer of train.parquet."""
    return ParquetFile(folder, _schema(stage), partial(_row, stage))


def _row(stage: Stage, example: TrainingExample) -> dict[str, Any]:
    row = {"id": example.id, "prompt": [{"role": "user", "content": _content(example)}]}
    return row | {"images": image_cells(example)} | _COLUMNS[stage](example)


def trl_settings(recipe: Recipe, prompts: int, images: int) -> dict[str, Any]:
    """Return the content of trl.yaml, for a single device: divide gradient_accumulation_steps by their number."""
    columns = ["prompt", "images", *_SCHEMAS[recipe.stage]]
    lora = recipe.lora
    adapters = {} if lora is None else {"use_peft": True, "lora_r": lora.rank, "lora_alpha": lora.alpha}
    rewards = {"reward_funcs": ["reward.format_reward", "reward.accuracy_reward"]} if recipe.stage == "grpo" else {}
    return {
        "model_name_or_path": recipe.model,
        "dtype": recipe.weights,
        "datasets": [{"path": "parquet", "data_files": TRAIN, "columns": columns}],
        "output_dir": "model",
        **adapters,
        **rewards,
        **trainer_arguments(recipe.fitted(prompts)),
    }


def trainer_arguments(recipe: Recipe, devices: int = 1) -> dict[str, Any]:
    """Return the arguments of TRL's trainer for a recipe that fits the data.

    A GRPO batch counts completions, `rollouts` for each prompt.
    """
    each = recipe.rollouts if recipe.stage == "grpo" else 1
    accumulated = max(1, recipe.batch * each // (recipe.micro_batch * devices))
    arguments: dict[str, Any] = {
        "learning_rate": recipe.rate,
        "lr_scheduler_type": recipe.schedule,
        "optim": "adamw_torch",
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.max_grad_norm,
        "warmup_steps": recipe.warmup,
        "per_device_train_batch_size": recipe.micro_batch,
        "gradient_accumulation_steps": accumulated,
        "num_train_epochs": recipe.epochs,
        "max_steps": recipe.steps or -1,
        "seed": recipe.seed,
        "bf16": recipe.dtype == "bfloat16",
        "save_steps": recipe.save_steps,
        "save_total_limit": recipe.keep_checkpoints,
        "logging_steps": 1,
        "report_to": "none",
    }
    return arguments | _OF_STAGE[recipe.stage](recipe, accumulated, devices)


def _sampled_at_once(recipe: Recipe, accumulated: int, devices: int) -> int:
    """Return the micro-batches whose completions are sampled at once: all of a rollout batch, or a part of an update.

    TRL samples them in a single call of the model. A part is a divisor of the update, and holds whole prompts. So all
    completions of an update are the current model's, if `sample_batch` is below the batch.
    """
    whole = accumulated * (recipe.rollout_batch // recipe.batch)
    most = whole if recipe.sample_batch is None else recipe.sample_batch * recipe.rollouts // recipe.micro_batch
    if most >= whole:
        return whole
    parts = (part for part in range(1, accumulated + 1) if accumulated % part == 0)
    fitting = [part for part in parts if recipe.micro_batch * devices * part % recipe.rollouts == 0]
    return max((part for part in fitting if part <= most), default=min(fitting, default=whole))


def _content(example: TrainingExample) -> list[dict[str, Any]]:
    return [
        {"type": "text", "text": part} if isinstance(part, str) else {"type": "image", "text": None}
        for part in example.parts
    ]


def _reply(text: str | None) -> list[dict[str, Any]]:
    return [{"role": "assistant", "content": [{"type": "text", "text": text}]}]


_COLUMNS: dict[Stage, Callable[[TrainingExample], dict[str, Any]]] = {
    "sft": lambda example: {"completion": _reply(example.completion)},
    "grpo": lambda example: {"answer": example.answer},
    "dpo": lambda example: {"chosen": _reply(example.completion), "rejected": _reply(example.rejected)},
}
_OF_STAGE: dict[Stage, Callable[[Recipe, int, int], dict[str, Any]]] = {
    "sft": lambda recipe, *_: {"max_length": None},  # a cut would take tokens of images
    "grpo": lambda recipe, accumulated, devices: {
        "num_generations": recipe.rollouts,
        "steps_per_generation": _sampled_at_once(recipe, accumulated, devices),
        "temperature": recipe.temperature,
        "max_completion_length": recipe.max_completion,
        "beta": recipe.kl,
        "reward_weights": [recipe.format_weight, 1 - recipe.format_weight],
    },
    "dpo": lambda recipe, *_: {"beta": recipe.beta, "max_length": None},
}


_SCHEMAS: dict[Stage, tuple[str, ...]] = {
    "sft": ("completion",),
    "grpo": ("answer",),
    "dpo": ("chosen", "rejected"),
}
"""Columns of the stage beside the prompt and the images."""


def _schema(stage: Stage) -> Any:
    """Return the Arrow schema with the types of Hugging Face's datasets: images are decoded when read."""
    from datasets import Features, Image, List, Value

    text = Value("string")
    messages = List({"role": text, "content": List({"type": text, "text": text})})
    own = {name: text if name == "answer" else messages for name in _SCHEMAS[stage]}
    return Features({"id": text, "prompt": messages, "images": List(Image()), **own}).arrow_schema
