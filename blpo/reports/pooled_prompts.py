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
    prompts = past.i2t_prompts
    return tuple(_prompt(place, prompts, past.batch, captions) for place in range(len(prompts)))


def _prompt(
    place: int, prompts: Sequence[str], batch: Sequence[str], captions: Mapping[tuple[str, str], str]
) -> PooledPrompt:
    text, earlier = prompts[place], prompts[:place]
    described = [key for key in batch if (text, key) in captions]
    earlier_words = [_words(" ".join(captions.get((prompt, key), "") for prompt in earlier)) for key in described]
    words = [_words(captions[text, key]) for key in described]
    shares = [len(own - old) / len(own) for own, old in zip(words, earlier_words, strict=True) if own]
    lengths = [len(captions[text, key].split()) for key in described]
    return PooledPrompt(text, len(described), fmean(lengths or [0]), fmean(shares or [0]))


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}
