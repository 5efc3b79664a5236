"""Replies that a server cut off at the longest answer allowed."""

from blpo.models.server_errors import is_cut_off
from state.response import Response
from state.settings import ModelsSettings


def cut_off(response: Response, models: ModelsSettings, role: str) -> str | None:
    """Return the setting that cut off the reply, in words; None for a whole reply."""
    if not is_cut_off(response.finish_reason):
        return None
    return cut_off_at(models, role, response.output_tokens)


def cut_off_at(models: ModelsSettings, role: str, tokens: int | None = None) -> str:
    """Name the setting that cuts off replies of a role; `tokens`: length of the reply."""
    most = models.of(role).max_tokens
    at = f"after {tokens} tokens, by the server's own limit" if tokens else "not set: the server's own limit"
    return f"cut off at models.{role}.max_tokens ({most if most is not None else at})"
