"""The protocol of an object that answers requests to the models of the three roles."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from blpo.models.messages import Message, Role
from state.errors import BlpoError
from state.response import Failure, Response
from state.role_usage import RoleUsage


class Caller(Protocol):
    """Answers of the models, with their counts and prices.

    `blpo.models.calls.ModelCaller` sends requests; `blpo.models.recall.Recall` reads the response store alone.
    """

    async def ask(
        self, role: Role, messages: Sequence[Message], schema: Mapping[str, Any] | None = None, repeat: int = 0
    ) -> Response | Failure:
        """Return the answer to one request, or its failure; raises `ModelError`, `BudgetSpent` and `RunError`.

        Every `repeat` of a question is a request of its own (`blpo.models.repeats`).
        """
        ...

    def count_recalled(self, role: Role) -> None:
        """Count an answer that was not asked for again, because it was still in memory, like an answer of the store."""
        ...

    def give_up(self, error: BlpoError) -> None:
        """End the step under way: calls not yet sent raise `error`, and failed calls are not tried again."""
        ...

    async def usage(self) -> dict[str, RoleUsage]:
        """Return the calls, tokens and dollars of each role, over all resumes."""
        ...

    def usd(self, role: Role, response: Response) -> float | None:
        """Return the price of an answer in US dollars; None if the model's price is not known."""
        ...
