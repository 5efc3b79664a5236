"""A model of the section `models`: its name, resolved by the registry, and the settings of calls."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from state.settings.section import Section

ConfidenceSource = Literal["logprobs", "repeats", "words"]
"""Source of a judge's confidence, as in `ModelSettings.confidence`."""

WORDS_OF_ONE = "confidence: words asks about one answer, and the judge gives several (votes or a panel)"
"""Reason against the source of confidence `words` for a judge with votes, and for a panel."""

EMBEDDED_CONCURRENCY = 64
"""Default of `max_concurrency` for an embedded model. Calls that wait together share a transaction of the store."""

_SECRET = re.compile(r"(?:^|_|-)(?:key|token|bearer)$|api_?key|secret|passw|credential|authorization", re.IGNORECASE)


class PriceSettings(Section):
    """US dollars for a million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class ModelSettings(Section):
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
    """Calls in flight at once; 64 for an embedded model, which has no server to spare."""
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
    confidence: ConfidenceSource | None = None
    """Source of a judge's confidence when it labels new images: the label's log-probability, the share of equal answers
    to the same question, or a second question. Verdicts are the same with and without. null: no confidence."""
    repeats: int = Field(default=5, ge=2, le=100)
    """Answers to a question for `confidence: repeats`, the first included."""
    reason: Literal["before", "after", "none"] = "before"
    """Place of the judge's reason in its answer: before the label, after the label, or no reason. A model that has
    given a reason is over-sure of the label that follows."""
    votes: int = Field(default=1, ge=1, le=25)
    """Answers of the judge to every question; the verdict is the most frequent one. Each is a call."""
    reasoning: bool | None = None
    """True for a model that refuses a temperature, so that none is sent; null: by `blpo.models.catalogue`."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    """null: not sent."""
    max_tokens_parameter: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    """Server's name of max_tokens. The vendor and vLLM know the first name; reasoning models demand the first name."""
    client: Literal["lean", "langchain"] = "lean"
    """Client for OpenAI-compatible servers: see `blpo.models.openai.chat_models`."""
    headers: dict[str, str] = Field(default={})
    """Further headers of each request; values come from the environment: {api-key: "${AZURE_KEY}"}."""
    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    """Requests a minute, retries included, evenly spread; null: no limit."""
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = None
    """Input and output tokens a minute, by their mean so far; null: no limit."""
    deadline: float = Field(default=900.0, gt=0)
    """Seconds that a call may take with all its retries and waits."""
    max_reply_bytes: int = Field(default=8_388_608, ge=1024)
    """Most bytes of a reply after decompression. The text of an answer may fill an eighth: the rest is for
    log-probabilities."""
    image_uuids: bool = False
    """Name images by the hash of their content, and send an image only once (vLLM). Never behind a load balancer."""
    price: PriceSettings | None = None
    """null: the list price (blpo/models/catalogue/list_prices.py); without a list price dollars are unknown."""
    part_order: Literal["image_first", "rubric_first"] = "image_first"
    """image_first: images before the prompt, for many prompts on the same images (optimizing). rubric_first: images
    after the prompt, for one prompt on many images. Servers reuse a repeated prefix. The order changes verdicts, so
    judge with the order of the optimization."""
    vision: bool | None = None
    """True for a model that sees images, as judge and verbalizer must; null: by `blpo.models.catalogue`."""
    max_images: Annotated[int, Field(ge=1)] | None = None
    """Most images that the server takes in one request; null: by `blpo.models.catalogue`, else no limit."""
    arguments: dict[str, JsonValue] = Field(default={})
    """Arguments for the constructor of a `langchain:`, `community:` or `vllm-engine:` model; never a secret."""

    @model_validator(mode="before")
    @classmethod
    def _many_calls_at_once_in_process(cls, keys: Any) -> Any:
        is_embedded = isinstance(keys, dict) and str(keys.get("name", "")).startswith("embedded:")
        return {"max_concurrency": EMBEDDED_CONCURRENCY, **keys} if is_embedded else keys

    @model_validator(mode="after")
    def _confidence_has_its_source(self) -> Self:
        if self.confidence == "logprobs" and not self.logprobs:
            raise ValueError("confidence: logprobs needs logprobs: true")
        if self.confidence == "words" and self.votes > 1:
            raise ValueError(f"{WORDS_OF_ONE}; give confidence: repeats")
        return self

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
