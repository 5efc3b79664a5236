"""Trainers of TRL by a recipe. Imported only where a training runs: needs the extra `train`."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from blpo.training.parquet_file import TRAIN
from blpo.training.processes import is_launched, processes
from blpo.training.recipe import Recipe
from blpo.training.reward_functions import accuracy_reward, format_reward
from blpo.training.training_log import LOG, LogLine, line_of
from blpo.training.trl_files import trainer_arguments
from state.errors import ConfigError

_HINT = "blpo train run needs the extra 'train'; install it with: pip install -e '.[train]'"


class OpenTrainer:
    """A trainer of TRL, with its model. `dtype` is the type of the weights at the end."""

    def __init__(self, trainer: Any, processor: Any, dtype: str) -> None:
        self._trainer, self._processor, self._dtype = trainer, processor, dtype

    def train(self, checkpoint: Path | None) -> None:
        """Train to the end, from a checkpoint if given."""
        self._trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))

    def save(self, folder: Path) -> None:
        """Write the whole model, adapters merged, and the processor."""
        import torch

        model = self._trainer.accelerator.unwrap_model(self._trainer.model)
        if hasattr(model, "merge_and_unload"):
            model = model.merge_and_unload()
        model.to(getattr(torch, self._dtype)).save_pretrained(folder)
        self._processor.save_pretrained(folder)


def open_trainer(
    export: Path, recipe: Recipe, out: Path, checkpoint: Path | None, on_line: Callable[[LogLine], None]
) -> OpenTrainer:
    """Open model, data and trainer.

    Raises `ConfigError` for a missing extra, for a model that can't be loaded, and for several GPUs in one process.
    """
    try:
        import trl
        from transformers import PrinterCallback
        from transformers.utils import logging
    except ImportError as error:
        raise ConfigError(f"{_HINT} ({error})") from None
    _require_one_gpu()
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")  # about TRL's own arguments
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    dataset = _rows(export, out)
    fitted = recipe.fitted(len(dataset))
    model, processor = _model(recipe, checkpoint)
    arguments = {
        **trainer_arguments(fitted, processes()),
        "output_dir": str(out),
        "disable_tqdm": True,
        "use_cpu": _is_cpu(),
        "dataloader_pin_memory": not _is_cpu(),
    }
    kinds = {"sft": "SFT", "grpo": "GRPO", "dpo": "DPO"}
    config = getattr(trl, f"{kinds[recipe.stage]}Config")(**arguments)
    rewards = {"reward_funcs": [format_reward, accuracy_reward]} if recipe.stage == "grpo" else {}
    trainer = getattr(trl, f"{kinds[recipe.stage]}Trainer")(
        model=model,
        args=config,
        train_dataset=dataset,
        processing_class=processor,
        peft_config=_adapters(recipe),
        callbacks=[_logger(out, on_line)],
        **rewards,
    )
    trainer.remove_callback(PrinterCallback)
    return OpenTrainer(trainer, processor, recipe.dtype)


def _model(recipe: Recipe, checkpoint: Path | None) -> tuple[Any, Any]:
    """Return model and processor.

    A whole model is read from the checkpoint here: the trainer's own reading leaves out weights that were renamed when
    they were written. The first model stays the model to compare with.
    """
    from transformers import AutoModelForImageTextToText, AutoProcessor

    weights = str(checkpoint) if checkpoint is not None and recipe.lora is None else recipe.model
    try:
        processor = AutoProcessor.from_pretrained(recipe.model)
        model = AutoModelForImageTextToText.from_pretrained(weights, dtype=recipe.weights)
    except (OSError, ValueError, ImportError) as error:
        reason = next(filter(None, map(str.strip, str(error).splitlines())), type(error).__name__)
        raise ConfigError(f"model: {recipe.model} can't be loaded: {reason}") from None
    model.config._name_or_path = recipe.model
    return model, processor


def _rows(export: Path, out: Path) -> Any:
    """Return the examples. The cache of `datasets` stays in the folder of the training."""
    from datasets import load_dataset
    from datasets.utils import logging

    logging.disable_progress_bar()
    rows = load_dataset("parquet", data_files=str(export / TRAIN), split="train", cache_dir=str(out / ".cache"))
    return rows.remove_columns("id")


def _adapters(recipe: Recipe) -> Any:
    if recipe.lora is None:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=recipe.lora.rank, lora_alpha=recipe.lora.alpha, target_modules="all-linear", task_type="CAUSAL_LM"
    )


def _require_one_gpu() -> None:
    """Raise `ConfigError` for several GPUs in one process: TRL trains on one GPU a process."""
    import torch

    if not is_launched() and (gpus := torch.cuda.device_count()) > 1:
        raise ConfigError(
            f"{gpus} GPUs are here, and a process trains on one; start by accelerate launch --multi_gpu -m blpo train"
            " run DIR, or set CUDA_VISIBLE_DEVICES=0"
        )


def _is_cpu() -> bool:
    import torch

    return not torch.cuda.is_available()


def _logger(out: Path, on_line: Callable[[LogLine], None]) -> Any:
    from transformers import TrainerCallback

    class Logger(TrainerCallback):  # type: ignore[misc] # transformers is not installed where types are checked
        """Writes a line for each update."""

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if not state.is_world_process_zero or not logs or "train_runtime" in logs:
                return
            line = line_of(state.global_step, state.max_steps, logs)
            with (out / LOG).open("a", encoding="utf-8") as file:
                file.write(line.as_json() + "\n")
            on_line(line)

    return Logger()
