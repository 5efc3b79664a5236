"""Settings: the run's context as plain data. Models are names for the registry; settings hold no secret."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

PRESETS: dict[str, dict[str, Any]] = {
    "default": {"draw": "spread", "anchors": 10, "adopt": "improving", "patience": 3, "select": "best"},
    "paper": {"draw": "uniform", "anchors": 0, "adopt": "always", "patience": None, "select": "last"},
}
"""Values of a preset for keys without an explicit value. `paper` is the published algorithm."""

_SECRET = re.compile(r"(?:^|_|-)(?:key|token|bearer)$|api_?key|secret|passw|credential|authorization", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class TaskSettings(_Section):
    """Labels of the task."""

    kind: Literal["ordinal", "categorical"] = "ordinal"
    """ordinal: integers in [min, max]; categorical: one of `labels`."""
    min: int = 1
    """Lowest rating (ordinal)."""
    max: int = 5
    """Highest rating (ordinal)."""
    labels: tuple[str, ...] = ()
    """Categories (categorical), at least two."""
    positive: str | None = None
    """Category to report first; one of `labels`."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind == "ordinal":
            if self.min >= self.max:
                raise ValueError(f"min ({self.min}) must be below max ({self.max})")
            if self.max - self.min > 1000:
                raise ValueError(f"a scale has at most 1001 ratings, {self.min} to {self.max} is more")
            if self.labels:
                raise ValueError("labels belongs to kind: categorical; an ordinal task has min and max")
        elif len(set(self.labels)) != len(self.labels) or len(self.labels) < 2:
            raise ValueError("labels must name at least two different categories")
        if self.positive is not None and self.positive not in self.labels:
            raise ValueError(f"positive ({self.positive}) is not one of labels")
        return self

    @property
    def values(self) -> tuple[int, ...] | tuple[str, ...]:
        """All labels, lowest or first label first."""
        return tuple(range(self.min, self.max + 1)) if self.kind == "ordinal" else self.labels


class SplitShares(_Section):
    """Shares of the dataset, normalised to a sum of 1."""

    train: float = Field(default=0.4, gt=0)
    validation: float = Field(default=0.3, gt=0)
    test: float = Field(default=0.3, gt=0)


class SplitColumn(_Section):
    """Column with the row's split: train, validation (or val, dev) or test."""

    column: str
    validation_share: float = Field(default=0.4, gt=0, lt=1)
    """Share of the train rows used for validation if the column names no validation row."""


class DataSettings(_Section):
    """Place of the samples."""

    path: str | None = None
    """Folder with images and labels.csv (.jsonl, .parquet), a labels file, a dataset folder written by
    `datasets.save_to_disk`, or `hub:OWNER/NAME`. null: the built-in sample."""
    image: str | tuple[str, str] = "image"
    """Column of the image; two columns for pairs."""
    label: str = "label"
    """Column of the label."""
    text: str | None = None
    """Column of the text; null: the column `text`, if it exists."""
    id: str | None = None
    """Column of the id; null: the column `id`, if it exists, else the image's path."""
    group: str | None = None
    """Column of the group; rows of a group stay in one split."""
    threshold: float | Literal["median"] | None = None
    """Cut of a numeric label into two: up to the threshold the task's first label, above it the second."""
    split: SplitShares | SplitColumn = SplitShares()
    limit: Annotated[int, Field(ge=1)] | None = None
    """Largest number of samples, drawn by label from the seed; null: all."""
    corrections: str | None = None
    """File of corrected labels by id (`blpo disagreements --correct` writes such files); the splits stay."""


class PriceSettings(_Section):
    """US dollars for a million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class ModelSettings(_Section):
    """A model by name, with the settings of calls."""

    name: str
    """`embedded:judge`, `openai:NAME`, `vllm:NAME`, `langchain:package.Class` ...; docs/models.md lists all forms."""
    base_url: str | None = None
    """Address of an OpenAI-compatible server."""
    temperature: float | None = Field(default=0.0, ge=0, le=2)
    """null: not sent."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Longest answer; null: the server's default."""
    max_concurrency: int = Field(default=16, ge=1)
    """Calls in flight at once."""
    timeout: float = Field(default=120.0, gt=0)
    """Seconds a call may take."""
    max_retries: int = Field(default=4, ge=0)
    """Retries of a failed call before the call counts as an error."""
    max_pixels: int = Field(default=1_048_576, ge=1024)
    """Largest number of pixels; larger images are scaled down."""
    max_side: int = Field(default=2048, ge=32)
    """Longest side in pixels; larger images are scaled down."""
    structured_output: bool | Literal["choice"] = True
    """Ask the server to constrain verdicts: to a verdict's JSON schema, or (choice, vLLM alone) to a bare label."""
    logprobs: bool = False
    """Ask for log-probabilities, and keep the probability of each label."""
    reasoning: bool | None = None
    """True for a model that refuses a temperature, so that none is sent; null: by its name (o3, gpt-5 ...)."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    """null: not sent."""
    max_tokens_parameter: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    """Server's name of max_tokens. The vendor and vLLM know the first name; reasoning models demand the first name."""
    client: Literal["lean", "langchain"] = "lean"
    """Client for OpenAI-compatible servers: see `blpo.models.openai.chat_models`."""
    headers: dict[str, str] = {}
    """Further headers of each request; values come from the environment: {api-key: "${AZURE_KEY}"}."""
    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    """Requests a minute, retries included, evenly spread; null: no limit."""
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = None
    """Input and output tokens a minute, by their mean so far; null: no limit."""
    deadline: float = Field(default=900.0, gt=0)
    """Seconds that a call may take with all its retries and waits."""
    image_uuids: bool = False
    """Name images by the hash of their content, and send an image only once (vLLM). Never behind a load balancer."""
    price: PriceSettings | None = None
    """null: the list price (blpo/models/catalogue/list_prices.py); without a list price dollars are unknown."""
    part_order: Literal["image_first", "rubric_first"] = "image_first"
    """image_first: images before the prompt, for many prompts on the same images (optimizing). rubric_first: images
    after the prompt, for one prompt on many images. Servers reuse a repeated prefix. The order changes verdicts, so
    judge with the order of the optimization."""
    vision: bool | None = None
    """True for a model that sees images, as judge and verbalizer must; null: by its name."""
    arguments: dict[str, JsonValue] = {}
    """Arguments for the constructor of a `langchain:`, `community:` or `vllm-engine:` model; never a secret."""

    @field_validator("arguments")
    @classmethod
    def _no_secrets(cls, arguments: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if secrets := sorted(_secret_names(arguments)):
            raise ValueError(f"{secrets[0]} looks like a secret; take it out, they are read from the environment alone")
        return arguments

    @field_validator("headers")
    @classmethod
    def _values_from_the_environment(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
                raise ValueError(f"{name!r} is no name of a header")
            if not re.fullmatch(r"(?:Bearer |Basic )?\$\{[A-Za-z_][A-Za-z0-9_]*\}", value):
                raise ValueError(f"{name}: values come from the environment alone; write ${{NAME}}")
        return headers

    def __hash__(self) -> int:
        return hash((self.name, self.base_url))  # `headers` and `arguments` are mappings, which have no hash


def _secret_names(value: JsonValue) -> Iterator[str]:
    """Yield the suspicious names in nested mappings."""
    if isinstance(value, dict):
        yield from (name for name in value if _SECRET.search(name))
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from _secret_names(each)


class ModelsSettings(_Section):
    """The three roles."""

    judge: ModelSettings = ModelSettings(name="embedded:judge")
    verbalizer: ModelSettings | None = None
    """null: the judge's model."""
    optimizer: ModelSettings | None = None
    """null: `embedded:optimizer` if the judge is embedded; for other judges an optimizer is required."""

    @model_validator(mode="after")
    def _optimizer_is_explicit(self) -> Self:
        if self.optimizer is None and not self.judge.name.startswith("embedded:"):
            raise ValueError(f"optimizer must be given where the judge, {self.judge.name}, is no embedded: model")
        return self

    def of(self, role: str) -> ModelSettings:
        """Return the settings of `judge`, `verbalizer` or `optimizer`, with defaults resolved."""
        embedded = self.judge.name.startswith("embedded:")
        if role == "judge":
            return self.judge
        if role == "verbalizer":
            own = ModelSettings(name="embedded:verbalizer") if embedded else self.judge
            return self.verbalizer or own
        return self.optimizer or ModelSettings(name="embedded:optimizer")


def _prompt(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; write the prompt")
    if _SURROGATE.search(text):
        raise ValueError("holds half a character (a lone surrogate); write it again")
    return text


PromptText = Annotated[str, AfterValidator(_prompt)]
"""Text of a prompt, never blank."""


class PromptSettings(_Section):
    """p_0 and q_0, of at most `search.max_prompt_tokens`; null: the defaults for the task."""

    judge: PromptText | None = None
    judge_file: str | None = None
    i2t: PromptText | None = None
    i2t_file: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        for name in ("judge", "i2t"):
            if getattr(self, name) is not None and getattr(self, f"{name}_file") is not None:
                raise ValueError(f"give {name} or {name}_file, not both")
        return self


Metric = Literal["macro_f1", "accuracy", "balanced_accuracy", "kappa", "quadratic_kappa", "spearman"]


class SearchSettings(_Section):
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
    """Metric that selects among rounds and is tested at the end."""
    select: Literal["best", "last"] = "best"
    """Prompt to return: of the best round by the validation metric, or of the last round."""
    max_prompt_tokens: int = Field(default=1500, ge=50, le=8000)
    """Longest prompt of the settings or the optimizer, in tokens (estimated as four characters a token)."""
    seed: int = 0
    """Every random choice derives from (seed, round, step)."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, keys: Any) -> Any:
        if not isinstance(keys, dict):
            return keys
        preset = keys.get("preset", "default")
        return {**PRESETS.get(preset, {}), **keys} if isinstance(preset, str) else keys


class LimitSettings(_Section):
    """Hard budget over all roles, kept across resumes; null: no limit."""

    calls: Annotated[int, Field(ge=1)] | None = None
    tokens: Annotated[int, Field(ge=1)] | None = None
    usd: Annotated[float, Field(gt=0)] | None = None
    max_failure_rate: float = Field(default=0.05, ge=0, le=1)
    """Share of a node's calls that may end as errors after retries; a larger share ends the run."""


POSTGRES = "postgres"
"""Value of `run.checkpoints` for the database of the environment variable BLPO_DATABASE_URL."""


class RunSettings(_Section):
    """Place of the run."""

    dir: str | None = None
    """Run directory itself; null: runs/<time>-<name>."""
    checkpoints: str | None = None
    """SQLite file of the checkpoints; null: checkpoints.sqlite beside the run directory. postgres: checkpoints and
    response store are in a team's database; the environment variable BLPO_DATABASE_URL holds its address."""

    @property
    def in_postgres(self) -> bool:
        """True if checkpoints and answers are in a team's database."""
        return self.checkpoints == POSTGRES


class Settings(_Section):
    """All settings of a run. The defaults run the built-in sample with embedded models."""

    task: TaskSettings = TaskSettings()
    data: DataSettings = DataSettings()
    models: ModelsSettings = ModelsSettings()
    prompts: PromptSettings = PromptSettings()
    search: SearchSettings = SearchSettings()
    limits: LimitSettings = LimitSettings()
    run: RunSettings = RunSettings()
    approval: Literal["none", "judge", "all"] = "none"
    """New prompts that a person decides about: none, judge prompts, or all (judge and I2T prompts)."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.task.kind == "categorical" and self.search.metric in ("quadratic_kappa", "spearman"):
            raise ValueError(f"search.metric: {self.search.metric} needs an ordinal task")
        if self.data.path is None and (self.task.kind, self.task.min, self.task.max) != ("ordinal", 1, 5):
            raise ValueError("data.path: the built-in sample is rated 1 to 5; give data.path for another task")
        if self.data.threshold is not None and len(self.task.values) != 2:
            raise ValueError("data.threshold: cuts labels in two, so the task must have exactly two labels")
        return self

    @property
    def run_name(self) -> str:
        """Short name for the run's folder."""
        return Path(self.data.path).stem if self.data.path else "sample"
