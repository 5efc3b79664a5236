"""Section `search`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from state.sample import SplitName
from state.settings.metric_names import Metric
from state.settings.section import Section

_POOLED: dict[str, Any] = {"trials": "pooled", "batch": "filled", "select_on": "labelled", "anchors": 0}
_SCORED: dict[str, Any] = {"trials": "scored", "batch": "split", "select_on": "validation"}
_PUBLISHED: dict[str, Any] = {**_SCORED, "score_on": "batch"}
_FROM_FEW_CASES: dict[str, Any] = {"error_batch": 10, "inner_steps": 5}

PRESETS: dict[str, dict[str, Any]] = {
    "default": {**_POOLED, "score_on": "unseen", "draw": "spread", "adopt": "always", "select": "best"},
    "paper": {
        **_PUBLISHED,
        **_FROM_FEW_CASES,
        "anchors": 0,
        "draw": "uniform",
        "adopt": "always",
        "patience": None,
        "select": "last",
    },
}
"""Values of a preset for keys without an explicit value. `paper` is the published algorithm."""
_DEFAULT_SCORED = {**PRESETS["default"], **_SCORED, **_FROM_FEW_CASES, "anchors": 10, "adopt": "clear", "patience": 3}
"""Values of the preset `default` with `trials: scored`."""
_OLD_RUN = {**_DEFAULT_SCORED, **_PUBLISHED}
"""Values of a run from a version without `trials` or `score_on`, for settings that its config.yaml lacks."""

SCORE_SIZE = 4
"""Largest number of samples outside the batch that score a trial, as a multiple of the batch."""
MOST_TASKS_IN_BATCH = 3
"""With several tasks the default of `error_batch` grows with the number of tasks, up to this factor."""
SERVED_OPTIMIZER: Mapping[str, Any] = MappingProxyType({"error_batch": 40, "inner_steps": 3, "patience": 3})
"""Defaults for an optimizer that is no embedded model, with pooled trials. Few cases teach more slowly."""
LATER_STEPS = 2
"""Largest number of I2T prompts of a later round of pooled trials."""

_KEYS_OF_OLD_RUNS = {
    *("preset", "outer_rounds", "inner_steps", "error_batch", "draw", "anchors", "adopt", "patience", "metric"),
    *("select", "max_prompt_tokens", "seed"),
}
"""Keys in config.yaml of a run from any version. Without `trials` and `score_on`, the batch scored the trials."""


class SearchSettings(Section):
    """The bi-level search. Keys given explicitly override the preset."""

    preset: Literal["default", "paper"] = "default"
    """paper: the published algorithm; default: ours."""
    trials: Literal["pooled", "scored"] = "pooled"
    """pooled: one update of the judge prompt a round, from the descriptions by all I2T prompts of the round. scored: a
    judge prompt for every I2T prompt; the best score is adopted, as published."""
    batch: Literal["filled", "split"] = "filled"
    """filled: `error_batch` cases, half of them errors, and more if the judge is wrong more often than in every other
    case. split: `error_batch` errors beside `anchors`, as published."""
    select_on: Literal["labelled", "validation"] = "labelled"
    """labelled: train and validation together give the batches and select among rounds. validation: train gives the
    batches, and validation selects, as published."""
    outer_rounds: int = Field(default=5, ge=0, le=1000)
    """T: largest number of updates of the judge prompt."""
    inner_steps: int = Field(default=5, ge=0, le=1000)
    """K. pooled: I2T prompts of the first round, at most; 3 unless the optimizer is embedded. A later round has two at
    most. scored: updates of the I2T prompt a round. 0 keeps q frozen."""
    error_batch: int = Field(default=120, ge=1, le=1000)
    """filled: cases of a batch, at most; 40 unless the optimizer is embedded. split: size of I_B, the batch of wrong
    verdicts (default 10). The defaults are twice as large for two tasks, and three times for more."""
    draw: Literal["spread", "uniform"] = "spread"
    """Draw of I_B: spread over (label, verdict) cells, or uniform."""
    anchors: int = Field(default=0, ge=0, le=1000)
    """split: samples with a right verdict that are shown beside I_B (default 10)."""
    score_on: Literal["unseen", "batch"] = "unseen"
    """scored: samples of the score. unseen: samples of train and validation outside the batch, at most four times as
    many, by `metric`. batch: the batch that the trial's prompt was written from, by the loss, as published."""
    adopt: Literal["clear", "improving", "always"] = "always"
    """scored: adopt the best trial if its score is above the score's standard error (clear, the default with
    `score_on: unseen`), if above 0 (improving), or always, as published."""
    patience: Annotated[int, Field(ge=1)] | None = 2
    """Stop after this many rounds without a gain (default 3 unless the optimizer is embedded); null: never. A gain is
    above its standard error; where validation alone selects, any new best value is a gain."""
    metric: Metric = "macro_f1"
    """Metric that selects among rounds and is tested at the end, such as macro_f1 or recall.LABEL. Ratings have the
    default quadratic_kappa."""
    floor: float = Field(default=0.1, ge=0, le=2)
    """Several tasks: a prompt is not adopted if a task falls by more than this below the best prompt before, in units
    of (value - chance) / (1 - chance)."""
    select: Literal["best", "last"] = "best"
    """Prompt to return: of the best round by the metric, or of the last round."""
    max_prompt_tokens: int = Field(default=1500, ge=50, le=8000)
    """Longest prompt of the settings or the optimizer, in tokens (estimated as four characters a token)."""
    agreement: Annotated[float, Field(ge=0, le=1)] | None = None
    """Smallest share of a sample's raters with the label, for train and validation; samples below are left out of the
    search. The test keeps all samples. null: no sample is left out. Needs `data.raters`."""
    seed: int = 0
    """Every random choice derives from (seed, round, step)."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, keys: Any) -> Any:
        return {**_preset_values(keys), **keys} if isinstance(keys, dict) else keys

    @property
    def batch_splits(self) -> tuple[SplitName, ...]:
        """Splits that the batch of a round is drawn from."""
        return ("train", "validation") if self.select_on == "labelled" else ("train",)

    @property
    def batch_size(self) -> int:
        """Samples of a full batch."""
        return self.error_batch + (self.anchors if self.batch == "split" else 0)

    def steps_of_round(self, round: int) -> int:
        """Return the largest K of a round, counted from 0.

        In a later round of pooled trials less is missing, because the judge's reasons state what p weighs.
        """
        return min(self.inner_steps, LATER_STEPS) if round and self.trials == "pooled" else self.inner_steps

    @property
    def explicit(self) -> dict[str, Any]:
        """Fields set by the caller to other values than the preset's, by name."""
        fields = {name: getattr(self, name) for name in self.model_fields_set}
        preset = {**_preset_values(fields), "trials": PRESETS[self.preset]["trials"]}
        return {name: value for name, value in fields.items() if name not in preset or value != preset[name]}


def _preset_values(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values for keys without an explicit value; empty for an unknown preset."""
    preset = keys.get("preset", "default")
    is_old = "trials" not in keys or (keys["trials"] == "scored" and "score_on" not in keys)
    if preset == "default" and is_old and keys.keys() >= _KEYS_OF_OLD_RUNS:
        return _OLD_RUN
    if preset == "default" and keys.get("trials") == "scored":
        return _DEFAULT_SCORED
    return PRESETS.get(preset, {}) if isinstance(preset, str) else {}
