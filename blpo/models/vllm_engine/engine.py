"""vLLM inside the process (`vllm-engine:MODEL`), for a judge on the machine at hand: loading and parameters.

`arguments` of the settings go to the constructor of `vllm.LLM` (max_model_len, tensor_parallel_size,
limit_mm_per_prompt ...). The first call loads the engine; all roles with the same model and arguments share the engine.
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
from blpo.models.secret_masking import one_line
from blpo.models.verdict_format import labels_of
from blpo.models.vllm_engine.engine_log import log_to_stderr
from state.errors import ModelError
from state.settings import ModelSettings

if TYPE_CHECKING:  # takes half a second to import
    from langchain_core.language_models import BaseChatModel

_loading = Lock()
_DEFAULTS = {"structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True}}
"""Arguments of the engine, unless the user gives an argument of the same name. Without the setting a weak model may
write white space inside JSON up to max_tokens. vLLM reads the setting from the engine alone, not from a request."""


def engine_chat(settings: ModelSettings) -> "BaseChatModel":
    """Build the chat model, the engine not yet loaded; raises `ModelError` if the extra `vllm` is missing."""
    if find_spec("vllm") is None:
        raise missing_extra(settings, "vllm")
    from blpo.models.vllm_engine.batch_chat import EngineChat

    name = settings.name.partition(":")[2]
    return EngineChat(
        model_name=name,
        load=partial(_shared_engine, name, json.dumps(settings.arguments, sort_keys=True)),
        sampling=_sampling_params,
        parameters=engine_parameters(settings),
        cache=False,
        disable_streaming=True,
    )


def engine_parameters(settings: ModelSettings) -> dict[str, Any]:
    """Return the answer-changing parameters: part of the request's key in the response store."""
    parameters: dict[str, Any] = {"temperature": settings.temperature, "max_tokens": settings.max_tokens}
    if settings.logprobs:
        parameters["logprobs"] = MOST_ALTERNATIVES
    return {**parameters, "arguments": settings.arguments} if settings.arguments else parameters


def engine_schema_arguments(schema: dict[str, Any], form: bool | str = True) -> dict[str, Any]:
    """Return arguments of a call to constrain the answer to a JSON schema or (`choice`) to a label."""
    labels = labels_of(schema) if form == "choice" else []
    return {"structured": {"choice": labels} if labels else {"json": schema}}


async def close_engine_chat(model: "BaseChatModel") -> None:
    """End the thread of the chat model."""
    await model.aclose()  # type: ignore[attr-defined] # EngineChat, not imported for its name alone


def _shared_engine(model: str, arguments: str) -> Any:
    with _loading:
        log_to_stderr()
        try:
            return _engine(model, arguments)
        except Exception as error:  # of the model, the GPU, an argument ...
            raise ModelError(one_line(f"vllm-engine:{model}: can't be loaded: {error}; check arguments")) from error


@cache
def _engine(model: str, arguments: str) -> Any:
    return import_module("vllm").LLM(model=model, **{**_DEFAULTS, **json.loads(arguments)})


def _sampling_params(structured: Mapping[str, Any] | None, **parameters: Any) -> Any:
    """Build the `SamplingParams` of a conversation."""
    constraint = import_module("vllm.sampling_params").StructuredOutputsParams(**structured) if structured else None
    return import_module("vllm").SamplingParams(structured_outputs=constraint, **parameters)
