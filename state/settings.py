"""Settings: the run's context, as plain data. Models are names, looked up in the registry; nothing here is secret."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

PRESETS: dict[str, dict[str, Any]] = {
    "default": {"draw": "spread", "anchors": 10, "adopt": "improving", "patience": 3, "select": "best"},
    "paper": {"draw": "uniform", "anchors": 0, "adopt": "always", "patience": None, "select": "last"},
}
"""What a preset sets unless the key is given explicitly. `paper` is the published algorithm."""

_SECRET = re.compile(r"(?:^|_|-)(?:key|token|bearer)$|api_?key|secret|passw|credential|authorization", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class TaskSettings(_Section):
    """What a label is."""

    kind: Literal["ordinal", "categorical"] = "ordinal"
    """ordinal: integers in [min, max]; categorical: one of `labels`."""
    min: int = 1
    """Lowest rating (ordinal)."""
    max: int = 5
    """Highest rating (ordinal)."""
    labels: tuple[str, ...] = ()
    """The categories (categorical), at least two."""
    positive: str | None = None
    """The category to report first; one of `labels`."""

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
        """All labels, lowest or first one first."""
        return tuple(range(self.min, self.max + 1)) if self.kind == "ordinal" else self.labels


class SplitShares(_Section):
    """Shares of the dataset; they are normalised to their sum."""

    train: float = Field(default=0.4, gt=0)
    validation: float = Field(default=0.3, gt=0)
    test: float = Field(default=0.3, gt=0)


class SplitColumn(_Section):
    """A column that names each row's split: train, validation (or val, dev) or test."""

    column: str
    validation_share: float = Field(default=0.4, gt=0, lt=1)
    """Share of the train rows used for validation where the column names no validation row."""


class DataSettings(_Section):
    """Where the samples are."""

    path: str | None = None
    """A folder with images and labels.csv (.jsonl, .parquet), a labels file, a dataset folder written by
    `datasets.save_to_disk`, or `hub:OWNER/NAME`. null: the built-in sample."""
    image: str | tuple[str, str] = "image"
    """Column of the image; two columns for pairs."""
    label: str = "label"
    """Column of the label."""
    text: str | None = None
    """Column of the text; null: `text` where there is such a column."""
    id: str | None = None
    """Column of the id; null: `id` where there is such a column, else the image's path."""
    group: str | None = None
    """Column of the group; rows of one group stay in one split."""
    threshold: float | Literal["median"] | None = None
    """Cuts a numeric label in two: at or below it the task's first label, above it the second."""
    split: SplitShares | SplitColumn = SplitShares()
    limit: Annotated[int, Field(ge=1)] | None = None
    """Use at most this many samples, drawn by label from the seed."""
    corrections: str | None = None
    """File of labels by id that people corrected (`blpo disagreements --correct` writes it); the splits stay."""


class PriceSettings(_Section):
    """US dollars for a million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class ModelSettings(_Section):
    """One model by name, and how it is called."""

    name: str
    """`embedded:judge`, `openai:NAME`, `vllm:NAME`, `langchain:package.Class` ...; docs/models.md lists them all."""
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
    """How often a failed call is tried again before it counts as an error."""
    max_pixels: int = Field(default=1_048_576, ge=1024)
    """Images with more pixels are scaled down."""
    max_side: int = Field(default=2048, ge=32)
    """Images with a longer side are scaled down."""
    structured_output: bool | Literal["choice"] = True
    """Ask the server to constrain verdicts: to a verdict's JSON schema, or (choice, vLLM alone) to a bare label."""
    logprobs: bool = False
    """Ask for log-probabilities, and keep how probable the model holds each label."""
    reasoning: bool | None = None
    """Whether the model refuses a temperature, which is then not sent; null: by its name (o3, gpt-5 ...)."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    """null: not sent."""
    max_tokens_parameter: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    """What the server calls max_tokens: the vendor and vLLM know the first, which reasoning models demand."""
    client: Literal["lean", "langchain"] = "lean"
    """How an OpenAI-compatible server is called: see `blpo.models.openai.chat_models`."""
    headers: dict[str, str] = {}
    """Further headers of each request; values come from the environment: {api-key: "${AZURE_KEY}"}."""
    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    """Tries sent a minute, evenly spread; null: no limit."""
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = None
    """Input and output tokens a minute, by their mean so far; null: no limit."""
    deadline: float = Field(default=900.0, gt=0)
    """Seconds that all tries of a call may take, with the waits between them."""
    image_uuids: bool = False
    """Name images by their content's hash, and send each only once (vLLM). Never behind a load balancer."""
    price: PriceSettings | None = None
    """null: the list price where one is known (blpo/models/catalogue/list_prices.py); else dollars are unknown too."""
    part_order: Literal["image_first", "rubric_first"] = "image_first"
    """Images before the prompt, which suits many prompts on the same images (optimizing), or after it, which suits one
    prompt on many images: servers reuse the prefix they have seen. It changes verdicts, so judge as was optimized."""
    vision: bool | None = None
    """Whether the model sees images, as judge and verbalizer must; null: yes, unless its name is known not to."""
    arguments: dict[str, JsonValue] = {}
    """What the constructor of a `langchain:`, `community:` or `vllm-engine:` model is given; never a secret."""

    @field_validator("arguments")
    @classmethod
    def _no_secrets(cls, arguments: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if found := sorted(_secret_names(arguments)):
            raise ValueError(f"{found[0]} looks like a secret; take it out, they are read from the environment alone")
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
        return hash((self.name, self.base_url))  # enough to find it; a mapping among the values has no hash of its own


def _secret_names(value: JsonValue) -> Iterator[str]:
    """The names in nested mappings whose values may be secrets."""
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
    """null: `embedded:optimizer`, where the judge is embedded too; else it must be given."""

    @model_validator(mode="after")
    def _optimizer_is_explicit(self) -> Self:
        if self.optimizer is None and not self.judge.name.startswith("embedded:"):
            raise ValueError(f"optimizer must be given where the judge, {self.judge.name}, is no embedded: model")
        return self

    def of(self, role: str) -> ModelSettings:
        """The settings of `judge`, `verbalizer` or `optimizer`, defaults resolved."""
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


Prompt = Annotated[str, AfterValidator(_prompt)]
"""The text of a prompt: never blank."""


class PromptSettings(_Section):
    """p_0 and q_0, of at most `search.max_prompt_tokens`; null: the defaults for the task."""

    judge: Prompt | None = None
    judge_file: str | None = None
    i2t: Prompt | None = None
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
    """T: updates of the judge prompt at most."""
    inner_steps: int = Field(default=5, ge=0, le=1000)
    """K: updates of the I2T prompt a round; 0 keeps q frozen."""
    error_batch: int = Field(default=10, ge=1, le=1000)
    """Size of I_B, the batch of wrong verdicts."""
    draw: Literal["spread", "uniform"] = "spread"
    """How I_B is drawn: spread over (label, verdict) cells, or uniformly."""
    anchors: int = Field(default=10, ge=0, le=1000)
    """Rightly judged samples shown and scored beside I_B."""
    adopt: Literal["improving", "always"] = "improving"
    """improving: keep p_t when no trial has a positive score."""
    patience: Annotated[int, Field(ge=1)] | None = 3
    """Stop after this many rounds without a new best validation metric; null: never."""
    metric: Metric = "macro_f1"
    """Selects among rounds and is tested at the end."""
    select: Literal["best", "last"] = "best"
    """Which round's prompt is returned: the best by the validation metric, or the last."""
    max_prompt_tokens: int = Field(default=1500, ge=50, le=8000)
    """Longest prompt there may be, given or written by the optimizer, in tokens (estimated as four characters each)."""
    seed: int = 0
    """Every random choice derives from (seed, round, step)."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        preset = given.get("preset", "default")
        return {**PRESETS.get(preset, {}), **given} if isinstance(preset, str) else given


class LimitSettings(_Section):
    """One hard budget over all roles, kept across resumes; null: none."""

    calls: Annotated[int, Field(ge=1)] | None = None
    tokens: Annotated[int, Field(ge=1)] | None = None
    usd: Annotated[float, Field(gt=0)] | None = None
    max_failure_rate: float = Field(default=0.05, ge=0, le=1)
    """Share of a node's calls that may end as errors after retries before the run stops."""


POSTGRES = "postgres"
"""Instead of the path of a file: the database of the environment variable BLPO_DATABASE_URL."""


class RunSettings(_Section):
    """Where the run is kept."""

    dir: str | None = None
    """The run directory itself; null: runs/<time>-<name>."""
    checkpoints: str | None = None
    """SQLite file of the checkpoints; null: checkpoints.sqlite beside the run directory. postgres: checkpoints and
    response store are in the database that the environment variable BLPO_DATABASE_URL names, shared by a team."""

    @property
    def in_postgres(self) -> bool:
        """Whether checkpoints and answers are in a team's database."""
        return self.checkpoints == POSTGRES


class Settings(_Section):
    """Everything a run needs to know; all defaults together run the built-in sample."""

    task: TaskSettings = TaskSettings()
    data: DataSettings = DataSettings()
    models: ModelsSettings = ModelsSettings()
    prompts: PromptSettings = PromptSettings()
    search: SearchSettings = SearchSettings()
    limits: LimitSettings = LimitSettings()
    run: RunSettings = RunSettings()
    approval: Literal["none", "judge", "all"] = "none"
    """Which new prompts a person is asked about before they are adopted: none, judge prompts, or I2T prompts too."""

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
        """A short name for the run's folder."""
        return Path(self.data.path).stem if self.data.path else "sample"
