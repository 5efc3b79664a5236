"""Files for EasyR1: a single user message with `<image>` in place of images, and the images in the Parquet file.

The file has no types of Hugging Face's datasets: EasyR1's older release of datasets does not know them.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa

from blpo.training.examples import TrainingExample
from blpo.training.parquet_file import TRAIN, ParquetFile, image_cells
from blpo.training.placeholders import with_placeholders
from blpo.training.recipe import Recipe, Stage
from blpo.training.reward_file import REWARD_FILE
from state.errors import ConfigError

CONFIG = "easyr1.yaml"
_CELL = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_SCHEMA = pa.schema(
    [("id", pa.string()), ("prompt", pa.string()), ("images", pa.list_(_CELL)), ("answer", pa.string())]
)


def easyr1_data(folder: Path, _: Stage) -> ParquetFile:
    """Return the writer of train.parquet."""
    return ParquetFile(folder, _SCHEMA, _row)


def _row(example: TrainingExample) -> dict[str, Any]:
    prompt = with_placeholders(example.parts)
    return {"id": example.id, "prompt": prompt, "images": image_cells(example), "answer": example.answer}


def easyr1_settings(recipe: Recipe, prompts: int, images: int) -> dict[str, Any]:
    """Return the content of easyr1.yaml, over EasyR1's defaults. `images` is the most images of a message.

    EasyR1 counts batches in prompts. It asks for a file of validation, and validates nothing: `val_freq` is -1. Its
    inference has no adapters of the vision tower. Raises `ConfigError` for a schedule that EasyR1 lacks.
    """
    if recipe.schedule == "linear":
        raise ConfigError("schedule: linear: EasyR1 has cosine and constant; change the recipe")
    fitted = recipe.fitted(prompts)
    lora: dict[str, Any] = {"rank": 0}
    if recipe.lora is not None:
        lora = {"rank": recipe.lora.rank, "alpha": recipe.lora.alpha, "exclude_modules": ".*visual.*"}
    half = recipe.dtype == "bfloat16"
    return {
        "data": {
            "train_files": TRAIN,
            "val_files": TRAIN,
            "prompt_key": "prompt",
            "answer_key": "answer",
            "image_key": "images",
            "format_prompt": None,
            "max_prompt_length": recipe.prompt_tokens(images),
            "max_response_length": recipe.max_completion,
            "rollout_batch_size": fitted.rollout_batch,
            "val_batch_size": fitted.rollout_batch,
            "seed": recipe.seed,
            "min_pixels": None,
            "max_pixels": recipe.max_pixels,
        },
        "algorithm": {"adv_estimator": "grpo", "use_kl_loss": True, "kl_coef": recipe.kl},
        "worker": {
            "actor": {
                "global_batch_size": fitted.batch,
                "micro_batch_size_per_device_for_update": recipe.micro_batch,
                "max_grad_norm": recipe.max_grad_norm,
                **({"fsdp": {"torch_dtype": "bf16"}} if half else {}),
                "model": {"model_path": recipe.model, "lora": lora},
                "optim": {
                    "lr": recipe.rate,
                    "weight_decay": recipe.weight_decay,
                    "strategy": "adamw_bf16" if half else "adamw",
                    "lr_warmup_ratio": recipe.warmup,
                    "lr_scheduler_type": recipe.schedule,
                },
            },
            "rollout": {"n": recipe.rollouts, "temperature": recipe.temperature, "limit_images": images},
            "reward": {
                "reward_function": f"{REWARD_FILE}:compute_score",
                "reward_function_kwargs": {"format_weight": recipe.format_weight},
            },
        },
        "trainer": {
            "total_epochs": int(-(-recipe.epochs // 1)),
            "max_steps": recipe.steps,
            "project_name": "blpo",
            "experiment_name": "judge",
            "logger": ["file"],
            "val_freq": -1,
            "val_before_train": False,
            "save_freq": recipe.save_steps,
            "save_limit": recipe.keep_checkpoints,
            "save_checkpoint_path": "model",
        },
    }
