"""Parameters of a chat-completions request, from the settings of a model."""

from typing import Any

from blpo.models.catalogue import facts
from blpo.models.label_scores import MOST_ALTERNATIVES
from blpo.models.server_address import address_of
from blpo.models.verdict_format import labels_of
from state.settings import ModelSettings


def key_parameters(settings: ModelSettings) -> dict[str, Any]:
    """Return the answer-changing parameters: part of the request's key in the response store."""
    parameters = {
        "base_url": address_of(settings),
        "temperature": _temperature(settings),
        "max_tokens": settings.max_tokens,
    }
    if settings.reasoning_effort:
        parameters["reasoning_effort"] = settings.reasoning_effort
    if settings.logprobs:
        parameters["logprobs"] = True
    return parameters


def request_fields(settings: ModelSettings) -> dict[str, Any]:
    """Return the fields of a request beside model, messages and schema; a field of value None is not sent."""
    return {
        "temperature": _temperature(settings),
        settings.max_tokens_parameter: settings.max_tokens,
        "reasoning_effort": settings.reasoning_effort,
        **({"logprobs": True, "top_logprobs": MOST_ALTERNATIVES} if settings.logprobs else {}),
    }


def schema_arguments(schema: dict[str, Any], form: bool | str = True) -> dict[str, Any]:
    """Return arguments of a call to constrain the answer to a JSON schema or (`choice`, vLLM alone) to a label."""
    # In extra_body: with a response_format of the client's own, the client raises for answers cut off.
    if form == "choice" and (labels := labels_of(schema)):
        return {"extra_body": {"structured_outputs": {"choice": labels}}}
    described = {"name": "verdict", "schema": schema, "strict": True}
    return {"extra_body": {"response_format": {"type": "json_schema", "json_schema": described}}}


def _temperature(settings: ModelSettings) -> float | None:
    return settings.temperature if facts(settings).takes_temperature.value else None
