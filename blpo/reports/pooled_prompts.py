"""I2T prompts of a round with pooled trials: the descriptions by each prompt, and the new words in the descriptions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from blpo.runs.rounds import Round

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class PooledPrompt:
    """An I2T prompt of a round, in the order of the round."""

    text: str
    captions: int
    """Descriptions of the batch by the prompt that can be looked up."""
    words: float
    """Mean number of words of a description; 0 without descriptions."""
    new: float
    """Mean share of the words of a description that no earlier prompt of the round gave for the same image."""


def pooled_prompts_of(past: Round, captions: Mapping[tuple[str, str], str]) -> tuple[PooledPrompt, ...]:
    """Return the I2T prompts behind the update of a round. `captions` are by (I2T prompt, sample id)."""
    earlier: dict[str, set[str]] = {sample_id: set() for sample_id in past.batch}
    return tuple(_prompt(prompt, past.batch, captions, earlier) for prompt in past.i2t_prompts)


def _prompt(
    text: str, batch: Sequence[str], captions: Mapping[tuple[str, str], str], earlier: Mapping[str, set[str]]
) -> PooledPrompt:
    """Return a prompt. `earlier` has the words of earlier prompts by sample, and gets those of this prompt."""
    described = [sample_id for sample_id in batch if (text, sample_id) in captions]
    shares = []
    for sample_id in described:
        words = _words(captions[text, sample_id])
        if words:
            shares.append(len(words - earlier[sample_id]) / len(words))
        earlier[sample_id] |= words
    lengths = [len(captions[text, sample_id].split()) for sample_id in described]
    return PooledPrompt(text, len(described), fmean(lengths or [0]), fmean(shares or [0]))


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}
