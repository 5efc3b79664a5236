"""Recipe of a training: the settings of MT-RL-Judge (Wu et al. 2026, arXiv 2603.11665), and a start where it has none.

The paper gives the model, bfloat16, AdamW, cosine, a batch of 256, 20 rollouts, a rollout batch of 512 and 4,194,304
pixels. Its learning rate is blank. All other values here are ours.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from blpo.config.overrides import apply_override
from blpo.config.setting_problems import setting_problems
from blpo.config.yaml_text import read_yaml, write_yaml
from blpo.training.reward_functions import FORMAT_WEIGHT
from state.errors import ConfigError
from state.settings.section import Section

Stage = Literal["sft", "grpo", "dpo"]
RECIPE = "recipe.yaml"
PAPER_MODEL = "Qwen/Qwen3-VL-30B-A3B-Instruct"
PAPER_PIXELS = 4_194_304
_FULL_RATES: Mapping[Stage, float] = {"sft": 1e-5, "grpo": 1e-6, "dpo": 5e-7}
_LORA_RATES: Mapping[Stage, float] = {"sft": 1e-4, "grpo": 1e-5, "dpo": 5e-6}
"""Starts that trainers' own examples use; the paper's learning rate is blank."""
_PIXELS_A_TOKEN = 32 * 32
"""Pixels of an image token of Qwen3-VL."""
_TOKENS_OF_TEXT = 4096
"""Room for the text of a prompt."""
_PAPER = "MT-RL-Judge"
_COMMENTS: Mapping[str, str] = {
    **dict.fromkeys(("model", "dtype", "optimizer", "schedule", "batch", "rollouts", "max_pixels"), _PAPER),
    "rollout_batch": f"{_PAPER}; prompts sampled before the next updates",
    "sample_batch": "prompts whose completions a device samples at once: memory; null: the rollout batch",
    "micro_batch": "completions that a device works on at once: memory and speed alone",
    "steps": "updates in place of epochs",
    "lora": "null: the whole model; else {rank: 32, alpha: 64}",
    "format_weight": "of the format reward; the accuracy reward has the rest",
    "save_steps": "updates between checkpoints",
}
"""Remarks in recipe.yaml."""
_OF_STAGES: Mapping[str, Stage] = {
    **dict.fromkeys(("rollouts", "rollout_batch", "sample_batch", "temperature"), "grpo"),
    **dict.fromkeys(("max_completion", "kl", "format_weight"), "grpo"),
    "beta": "dpo",
}
"""Fields of a single stage."""


class LoraSettings(Section):
    """Low-rank adapters in place of the whole model."""

    rank: int = Field(default=32, ge=1)
    alpha: int = Field(default=64, ge=1)


class Recipe(Section):
    """Settings of a training. Batches are counted in prompts."""

    stage: Stage
    """sft: the right answers; grpo: rewards of sampled answers; dpo: preferences."""
    model: str = PAPER_MODEL
    """Name of the model to train, or its folder."""
    dtype: Literal["bfloat16", "float32"] = "bfloat16"
    """Of the computing, and of the model at the end."""
    optimizer: Literal["adamw"] = "adamw"
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    """Blank in the paper. null: a start for the stage, lower for the whole model than for adapters."""
    weight_decay: float = Field(default=0.01, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0)
    warmup: float = Field(default=0.03, ge=0, lt=1)
    """Share of the steps."""
    batch: int = Field(default=256, ge=1)
    """Prompts of an update; not more than there are."""
    micro_batch: int = Field(default=1, ge=1)
    """Completions that a device works on at once: memory and speed alone."""
    epochs: float = Field(default=1.0, gt=0)
    steps: int | None = Field(default=None, ge=1)
    """Updates in place of `epochs`."""
    seed: int = 0
    max_pixels: int = Field(default=PAPER_PIXELS, ge=1024)
    """Largest image; the images of an export have this limit already."""
    lora: LoraSettings | None = None
    """null: the whole model is trained."""
    rollouts: int = Field(default=20, ge=2)
    """GRPO: completions of a prompt."""
    rollout_batch: int = Field(default=512, ge=1)
    """GRPO: prompts whose completions are sampled before the next updates; a multiple of `batch`."""
    sample_batch: Annotated[int, Field(ge=1)] | None = 2
    """GRPO by TRL: prompts whose completions a device samples at once, by the current model. null: the whole rollout
    batch, which a large model has no memory for."""
    temperature: float = Field(default=1.0, gt=0)
    """GRPO: of the sampling."""
    max_completion: int = Field(default=512, ge=1)
    """GRPO: tokens of a completion."""
    kl: float = Field(default=0.01, ge=0)
    """GRPO: weight of the divergence from the first model."""
    beta: float = Field(default=0.1, gt=0)
    """DPO: weight of the divergence from the first model."""
    format_weight: float = Field(default=FORMAT_WEIGHT, ge=0, le=1)
    """GRPO: share of the format reward; the accuracy reward has the rest."""
    save_steps: int = Field(default=20, ge=1)
    """Updates between checkpoints."""
    keep_checkpoints: int = Field(default=2, ge=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.stage == "grpo" and self.rollout_batch % self.batch:
            raise ValueError(f"rollout_batch ({self.rollout_batch}) must be a multiple of batch ({self.batch})")
        return self

    @property
    def rate(self) -> float:
        """The learning rate, or the start for the stage."""
        starts = _FULL_RATES if self.lora is None else _LORA_RATES
        return starts[self.stage] if self.learning_rate is None else self.learning_rate

    @property
    def weights(self) -> Literal["bfloat16", "float32"]:
        """Type of the weights as loaded. Small updates are lost in bfloat16, so a whole model trains in float32."""
        return "float32" if self.lora is None else self.dtype

    def prompt_tokens(self, images: int) -> int:
        """Return the room for a prompt with so many images of the largest size, in tokens of Qwen3-VL."""
        return images * (self.max_pixels // _PIXELS_A_TOKEN) + _TOKENS_OF_TEXT

    def fitted(self, prompts: int) -> Self:
        """Return the recipe for so many prompts: no batch is larger than the data."""
        batch = min(self.batch, prompts)
        rollout_batch = min(self.rollout_batch, prompts) // batch * batch
        return self.model_copy(update={"batch": batch, "rollout_batch": rollout_batch})


def recipe_of(stage: Stage, changes: Sequence[str] = ()) -> Recipe:
    """Return the recipe of a stage, changed by `key=value`. Raises `ConfigError` with a line for each problem."""
    return _changed({"stage": stage}, changes, "--recipe")


def read_recipe(file: Path, changes: Sequence[str] = ()) -> Recipe:
    """Return the recipe of an export, changed by `key=value`. Raises `ConfigError` for a missing or unusable file."""
    content = read_yaml(file)
    if not isinstance(content, dict):
        raise ConfigError(f"{file} holds no recipe; write it anew with blpo train export")
    return _changed(content, changes, str(file))


def _changed(content: dict[str, Any], changes: Sequence[str], where: str) -> Recipe:
    for change in changes:
        apply_override(content, change, Recipe.model_construct())
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{where}: {line}" for line in setting_problems(error, Recipe))) from None


def recipe_text(recipe: Recipe) -> str:
    """Return recipe.yaml: the fields of the stage with their sources."""
    lines = [
        f"# Recipe of blpo train run. {_PAPER} (Wu et al. 2026) gives what is marked; the rest is a start of ours."
    ]
    full, lora = (rates[recipe.stage] for rates in (_FULL_RATES, _LORA_RATES))
    rate = f"blank in {_PAPER}; null: {full:g} for the whole model, {lora:g} for lora"
    comments = {**_COMMENTS, "learning_rate": rate}
    for name, value in recipe.model_dump(mode="json").items():
        if _OF_STAGES.get(name, recipe.stage) == recipe.stage:
            line, comment = write_yaml({name: value}).strip(), comments.get(name)
            lines.append(f"{line}  # {comment}" if comment and "\n" not in line else line)
    return "\n".join(lines) + "\n"
