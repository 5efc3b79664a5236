"""Section `search`."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from state.settings.metric_names import Metric
from state.settings.section import Section

PRESETS: dict[str, dict[str, Any]] = {
    "default": {"draw": "spread", "anchors": 10, "adopt": "improving", "patience": 3, "select": "best"},
    "paper": {"draw": "uniform", "anchors": 0, "adopt": "always", "patience": None, "select": "last"},
}
"""Values of a preset for keys without an explicit value. `paper` is the published algorithm."""


class SearchSettings(Section):
    """The bi-level search. Keys given explicitly override the preset."""

    preset: Literal["default", "paper"] = "default"
    """paper: the published algorithm; default: ours."""
    outer_rounds: int = Field(default=5, ge=0, le=1000)
    """T: largest number of updates of the judge prompt."""
    inner_steps: int = Field(default=5, ge=0, le=1000)
    """K: updates of the I2T prompt a round; 0 keeps q frozen."""
    error_batch: int = Field(default=10, ge=1, le=1000)
    """Size of I_B, the batch of wrong verdicts."""
    draw: Literal["spread", "uniform"] = "spread"
    """Draw of I_B: spread over (label, verdict) cells, or uniform."""
    anchors: int = Field(default=10, ge=0, le=1000)
    """Samples with a right verdict that are shown and scored beside I_B."""
    adopt: Literal["improving", "always"] = "improving"
    """improving: keep p_t if no trial has a positive score. always: adopt the best trial, as published."""
    patience: Annotated[int, Field(ge=1)] | None = 3
    """Stop after this many rounds without a new best validation metric; null: never."""
    metric: Metric = "macro_f1"
    """Metric that selects among rounds and is tested at the end: macro_f1, or recall.LABEL."""
    select: Literal["best", "last"] = "best"
    """Prompt to return: of the best round by the validation metric, or of the last round."""
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
        if not isinstance(keys, dict):
            return keys
        preset = keys.get("preset", "default")
        return {**PRESETS.get(preset, {}), **keys} if isinstance(preset, str) else keys
