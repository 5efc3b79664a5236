"""Rejections of many requests by a server.

A rejection (4xx) may concern one image. If every request before the first answer gets the same rejection, a setting is
the matter, and further requests are of no use. After a first answer a key can still be blocked, or the account's money
spent: then a long row of rejections in such words, without an answer between, ends the run.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from blpo.models.remedies import KEY_WORDS
from blpo.models.sentences import sentence
from state.errors import ModelError
from state.response import Failure, Response

MOST_ALIKE = 8
"""Equal rejections before the first answer that end the run."""
MOST_IN_A_ROW = 24
"""Equal rejections of the key or the account in a row, after an answer, that end the run."""

_ADVICE = (
    (r"\b402\b", "check the account's balance"),
    (r"\b403\b", "check the key, and what it is allowed to do"),
    (r"\b405\b", "check models.ROLE.base_url"),
    (r"\b4(?:15|22)\b", "check models.ROLE.max_tokens_parameter, structured_output and logprobs"),
    (r"image|pixel", "check models.ROLE.max_pixels and max_side, and that the model sees images"),
)
_ANY = "check models.ROLE.name, max_tokens, max_tokens_parameter, temperature, structured_output and max_pixels"


@dataclass(slots=True)
class Rejections:
    """Rejections by a server since its last answer."""

    _counts: Counter[str] = field(default_factory=Counter)
    _has_answered: bool = False

    def note(self, result: Response | Failure, *, role: str) -> None:
        """Count the result of a request; raises `ModelError` at the last of too many equal rejections."""
        if isinstance(result, Response):
            self._has_answered = True
            self._counts.clear()
        elif result.kind in ("rejected", "quota") and (not self._has_answered or _concerns_account(result)):
            most = MOST_IN_A_ROW if self._has_answered else MOST_ALIKE
            words = _without_numbers(result.detail)
            self._counts[words] += 1
            if self._counts[words] >= most:
                requests = f"{'last' if self._has_answered else 'first'} {most} requests"
                raise ModelError(_message(result.detail, role, requests))


def _concerns_account(failure: Failure) -> bool:
    return failure.kind == "quota" or ("Error code: 403" in failure.detail and bool(KEY_WORDS.search(failure.detail)))


def _without_numbers(detail: str) -> str:
    status = re.search(r"Error code: \d+", detail)
    return (status[0] if status else "") + re.sub(r"[\w-]*\d[\w-]*", "", detail)  # request ids


def rejection_advice(detail: str, role: str) -> str:
    """Return the settings of a role to check after a rejection in these words."""
    advice = next((advice for words, advice in _ADVICE if re.search(words, detail, re.I)), _ANY)
    return advice.replace("ROLE", role)


def _message(detail: str, role: str, requests: str) -> str:
    return f"{sentence(detail)} The server rejected the {requests} alike: {rejection_advice(detail, role)}"
