"""Usage of a role: calls, tokens, dollars."""

from typing import NotRequired

from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12


class RoleUsage(TypedDict):
    """Calls and tokens of a role, cumulative over resumes."""

    issued: int
    cached: int
    failed: int
    input_tokens: int
    output_tokens: int
    usd: float | None
    """None if the model's price is not known."""
    cached_tokens: NotRequired[int]
    """Part of `input_tokens` from the prefix cache of the server, as far as the server tells; absent in older runs."""
