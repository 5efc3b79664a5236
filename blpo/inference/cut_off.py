"""Replies that a server cut off at the longest answer allowed."""

from state.response import Response
from state.settings import ModelsSettings

CUT_OFF = ("length", "max_tokens", "max_output_tokens", "model_length")
"""Finish reasons of a cut-off reply, in lower case: OpenAI's and vLLM's, Anthropic's, Gemini's, Mistral's."""


def cut_off(response: Response, models: ModelsSettings, role: str) -> str | None:
    """Return the setting that cut off the reply, in words; None for a whole reply."""
    if response.finish_reason.lower() not in CUT_OFF:
        return None
    return cut_off_at(models, role, response.output_tokens)


def cut_off_at(models: ModelsSettings, role: str, tokens: int | None = None) -> str:
    """Name the setting that cuts off replies of a role; `tokens`: length of the reply."""
    most = models.of(role).max_tokens
    at = f"after {tokens} tokens, by the server's own limit" if tokens else "not set: the server's own limit"
    return f"cut off at models.{role}.max_tokens ({most if most is not None else at})"
