"""Identity of a judge in its lines: prompt, model, and the model's version as served."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from blpo.config.config_hash import measuring_settings
from blpo.runs.judge_file import JudgeFile

_DIGITS = 16


@dataclass(frozen=True, slots=True)
class JudgeIdentity:
    """The judge behind a verdict."""

    prompt: str
    """First 16 hex digits of the SHA-256 of the judge prompt."""
    model: str
    """Name in the settings: `provider:model`; of a panel the rule and the names of all members."""
    version: str = ""
    """Version as the server told it; several versions, as of a panel's members, with commas. Empty: not told, or no
    answer."""

    @classmethod
    def of(cls, judge: JudgeFile, versions: Iterable[str] = ()) -> "JudgeIdentity":
        """Return the identity of a judge whose answers came from `versions` of the model."""
        return cls(
            sha256(judge.judge_prompt.encode()).hexdigest()[:_DIGITS],
            judge.models.judge_name,
            ", ".join(dict.fromkeys(filter(None, versions))),
        )

    @property
    def fields(self) -> dict[str, str]:
        """The identity in a line, without an unknown version."""
        return {
            "prompt": self.prompt,
            "model": self.model,
            **({"version": self.version} if self.version else {}),
        }

    @classmethod
    def read(cls, content: Any) -> "JudgeIdentity | None":
        """Return the identity in a line's field; None for lines of older versions. Raises `TypeError`, `KeyError`."""
        if content is None:
            return None
        values = content["prompt"], content["model"], content.get("version", "")
        if not all(isinstance(value, str) for value in values):
            raise TypeError("an identity has texts")
        return cls(*values)


def measuring_of(judge: JudgeFile) -> tuple[dict[str, Any], int | None, str | None, int | None]:
    """Return what decides about the verdicts and confidences of a judge, as JSON values."""
    confidence = judge.model.confidence
    repeats = judge.model.repeats if confidence == "repeats" else None
    return measuring_settings(judge.settings), judge.seed, confidence, repeats
