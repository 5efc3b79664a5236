"""vLLM in this process (`vllm-engine:MODEL`), for a judge on the machine at hand: what is loaded, and with what.

`arguments` go to the constructor of `vllm.LLM` (max_model_len, tensor_parallel_size, limit_mm_per_prompt ...). The
engine is loaded by the first call, and shared by all roles with the same model and arguments. Written against vLLM's
documented interface, and not run here with vLLM itself: its wheel needs a GPU.
"""

import json
from collections.abc import Mapping
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any

from blpo.models.extras import missing_extra
from blpo.models.label_scores import MOST_ALTERNATIVES
from blpo.models.secrets import one_line
from blpo.models.verdict_format import labels_of
from state.errors import ModelError
from state.settings import ModelSettings

if TYPE_CHECKING:  # it takes half a second to import
    from langchain_core.language_models import BaseChatModel

_loading = Lock()


def engine_chat(settings: ModelSettings) -> "BaseChatModel":
    """The chat model of these settings, not yet loaded; raises `ModelError` where the extra `vllm` is missing."""
    if find_spec("vllm") is None:
        raise missing_extra(settings, "vllm")
    from blpo.models.engine_chat import EngineChat

    name = settings.name.partition(":")[2]
    return EngineChat(
        model_name=name,
        load=partial(_shared_engine, name, json.dumps(settings.arguments, sort_keys=True)),
        sampling=_sampling,
        parameters=engine_parameters(settings),
        cache=False,
        disable_streaming=True,
    )


def engine_parameters(settings: ModelSettings) -> dict[str, Any]:
    """What can change an answer, beside name, messages and schema."""
    given: dict[str, Any] = {"temperature": settings.temperature, "max_tokens": settings.max_tokens}
    if settings.logprobs:
        given["logprobs"] = MOST_ALTERNATIVES
    return {**given, "arguments": settings.arguments} if settings.arguments else given


def engine_constrained(schema: dict[str, Any], form: bool | str = True) -> dict[str, Any]:
    """Arguments of a call that constrain the answer to a JSON schema, or (`choice`) to one of its labels."""
    labels = labels_of(schema) if form == "choice" else []
    # white space between tokens is where weak models get lost until max_tokens
    return {"structured": {"choice": labels} if labels else {"json": schema, "disable_any_whitespace": True}}


async def close_engine_chat(model: "BaseChatModel") -> None:
    """End the chat model's thread."""
    await model.aclose()  # type: ignore[attr-defined] # EngineChat, not imported for its name alone


def _shared_engine(model: str, arguments: str) -> Any:
    with _loading:
        try:
            return _engine(model, arguments)
        except Exception as error:  # of the model, the GPU, an argument ...
            raise ModelError(one_line(f"vllm-engine:{model}: can't be loaded: {error}; check arguments")) from error


@cache
def _engine(model: str, arguments: str) -> Any:
    return import_module("vllm").LLM(model=model, **json.loads(arguments))


def _sampling(structured: Mapping[str, Any] | None, **parameters: Any) -> Any:
    """`SamplingParams` for one conversation."""
    constraint = import_module("vllm.sampling_params").StructuredOutputsParams(**structured) if structured else None
    return import_module("vllm").SamplingParams(structured_outputs=constraint, **parameters)
