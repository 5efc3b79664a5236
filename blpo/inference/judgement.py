"""A verdict with the judge's replies."""

from dataclasses import dataclass

from blpo.models.messages import Role
from state.response import Response
from state.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply to a judge's request."""

    response: Response
    role: Role = "judge"
    """The judge, or a member of a panel."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with the judge's replies."""

    verdict: Verdict
    replies: tuple[Reply, ...]
    """One reply for each order of a pair, each part of a list and each vote, else one; two where the first was
    repaired; fewer where a request failed."""
