"""The rubric: the English sentences of a judge prompt that the embedded judge follows.

Ratings:
    Start from a rating of 3.2.
    Lower the rating strongly when noise is high or above.
    Raise the rating slightly when sharpness is high or above and lower it when it is low or below.
Categories:
    Lean slightly towards "real" from the start.
    Lean towards "fake" when noise is above 62 and away from it when it is below 38.

A level word stands for the middle of its fifth of the 0 to 100 scale. A rule counts in full from its bound on and fades
out over one level before it. With an opposite side it turns into its opposite from that bound on, evenly in between.
Whatever is no such sentence is left alone: it is neither followed nor edited.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from blpo.models.embedded.vocabulary import LEVELS, mentioned

STRENGTHS = {"slightly": 1.0, "": 3.0, "strongly": 8.0}
"""How much a rule counts, by its adverb."""
FADE = 20.0
"""Over how much of the scale a one-sided rule fades out."""

_CENTRES = {word: 10.0 + 20.0 * i for i, word in enumerate(LEVELS)}
_WORDS = {centre: word for word, centre in _CENTRES.items()}
_BOUND = r"(?:(?:very )?(?:low|high)|medium|above \d{1,3}|below \d{1,3})(?: or (?:above|below))?"
_RULE = re.compile(
    rf"(?:(?P<verb>Raise|Lower) the rating(?: (?P<rate_adverb>slightly|strongly))?"
    rf'|Lean(?: (?P<adverb>slightly|strongly))? towards (?P<label>"(?:[^"\\\n]|\\.){{1,200}}"))'
    rf" when (?P<attribute>[a-z][a-z -]{{0,40}}?) is (?P<bound>{_BOUND})"
    rf"(?: and (?:raise it|lower it|away from it) when it is (?P<opposite>{_BOUND}))?\.",
    re.IGNORECASE,
)
_START = re.compile(
    r"Start from a rating of (?P<value>-?\d{1,6}(?:\.\d{1,3})?)\."
    r'|Lean(?: (?P<adverb>slightly|strongly))? towards (?P<label>"(?:[^"\\\n]|\\.){1,200}") from the start\.',
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Bound:
    """`above` or below a value of an attribute."""

    at: float
    """0 to 100."""
    above: bool

    def __str__(self) -> str:
        side = "above" if self.above else "below"
        word = _WORDS.get(self.at)
        if word is None:
            return f"{side} {self.at:.0f}"
        return word if word.startswith("very") else f"{word} or {side}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One sentence of the rubric about one attribute."""

    attribute: str
    """A name of the vocabulary."""
    label: str | None
    """The category leaned towards; None: the rating is raised or lowered."""
    weight: float
    """Strength, a value of `STRENGTHS`; negative for a rule that lowers the rating."""
    bound: Bound
    """From here on the rule counts in full."""
    opposite: Bound | None = None
    """From here on the opposite holds; None: a one-sided rule."""

    def share(self, value: float) -> float:
        """How far the rule holds for an attribute's `value` (0 to 100): in [0, 1], two-sided in [-1, 1]."""
        sign = 1.0 if self.bound.above else -1.0
        if self.opposite is None:
            return min(1.0, max(0.0, 1.0 + sign * (value - self.bound.at) / FADE))
        middle, half = (self.bound.at + self.opposite.at) / 2, abs(self.bound.at - self.opposite.at) / 2
        return min(1.0, max(-1.0, sign * (value - middle) / max(half, 1.0)))

    def __str__(self) -> str:
        adverb = next(word for word, strength in STRENGTHS.items() if strength == abs(self.weight))
        adverb = f" {adverb}" if adverb else ""
        if self.label is None:
            verb, other = ("Raise", "lower it") if self.weight > 0 else ("Lower", "raise it")
            head = f"{verb} the rating{adverb}"
        else:
            head, other = f"Lean{adverb} towards {json.dumps(self.label, ensure_ascii=False)}", "away from it"
        tail = f" and {other} when it is {self.opposite}" if self.opposite else ""
        return f"{head} when {self.attribute} is {self.bound}{tail}."


@dataclass(frozen=True, slots=True)
class Start:
    """Where the judge starts from, before any rule."""

    label: str | None
    """The category leaned towards; None: a rating."""
    value: float
    """The rating, or a value of `STRENGTHS`."""

    def __str__(self) -> str:
        if self.label is None:
            return f"Start from a rating of {f'{self.value:.2f}'.rstrip('0').rstrip('.')}."
        adverb = next(word for word, strength in STRENGTHS.items() if strength == self.value)
        return (
            f"Lean{' ' if adverb else ''}{adverb} towards {json.dumps(self.label, ensure_ascii=False)} from the start."
        )


Sentence = Rule | Start
Subject = tuple[str | None, str | None]
"""What a sentence is about: (attribute or None, label or None); a rubric holds one sentence a subject."""


def subject(sentence: Sentence) -> Subject:
    """Return what the sentence is about."""
    return (sentence.attribute if isinstance(sentence, Rule) else None, sentence.label)


def unquoted(label: str) -> str:
    """Return a label that stands in double quotes, as JSON writes it."""
    try:
        return str(json.loads(label, strict=False))
    except json.JSONDecodeError:
        return label[1:-1]


@lru_cache(maxsize=256)
def parse(prompt: str) -> tuple[Sentence, ...]:
    """Return the rubric sentences of a prompt, in order."""
    return tuple(sentence for sentence, _ in _found(prompt))


def edit(prompt: str, drop: Iterable[Subject], put: Iterable[Sentence]) -> str:
    """Return the prompt without the sentences about `drop` and with those of `put`; everything else stays as it is.

    A sentence of `put` takes the place of the one about the same subject, or is added as a line at the end.
    """
    new = {subject(sentence): sentence for sentence in put}
    gone = {*drop, *new}
    pieces, at = [], 0
    for sentence, (start, end) in _found(prompt):
        about = subject(sentence)
        if about in gone:
            pieces += [prompt[at:start], str(new.pop(about, _CUT))]
            at = end
    edited = _ORPHAN.sub("", _CUT_LINE.sub("", "".join(pieces) + prompt[at:])).rstrip()
    lines = [f"- {sentence}" for sentence in new.values()]
    gap = "\n" if parse(edited) else "\n\n"
    return edited + gap + "\n".join(lines) if lines else edited


_CUT = "\0"
_CUT_LINE = re.compile(rf"(?m)^[ \t]*(?:[-*]|\d+[.)])?[ \t]*{_CUT}[ \t]*(?:\n|\Z)")
_ORPHAN = re.compile(rf" ?{_CUT}")


def _found(prompt: str) -> list[tuple[Sentence, tuple[int, int]]]:
    rules = ((_rule(match), match.span()) for match in _RULE.finditer(prompt))
    starts = ((_start(match), match.span()) for match in _START.finditer(prompt))
    found = [(sentence, span) for sentence, span in (*rules, *starts) if sentence is not None]
    return sorted(found, key=lambda pair: pair[1])


def _rule(match: re.Match[str]) -> Rule | None:
    names = mentioned(match["attribute"])
    bound, opposite = _bound(match["bound"]), _bound(match["opposite"])
    if len(names) != 1 or bound is None or (match["opposite"] and not _opposed(bound, opposite)):
        return None
    strength = STRENGTHS[(match["rate_adverb"] or match["adverb"] or "").lower()]
    lowers = (match["verb"] or "").lower() == "lower"
    return Rule(
        names[0],
        unquoted(match["label"]) if match["label"] else None,
        -strength if lowers else strength,
        bound,
        opposite,
    )


def _start(match: re.Match[str]) -> Start:
    if match["label"] is None:
        return Start(None, float(match["value"]))
    return Start(unquoted(match["label"]) if match["label"] else None, STRENGTHS[(match["adverb"] or "").lower()])


def _bound(words: str | None) -> Bound | None:
    if words is None:
        return None
    level, _, side = words.lower().partition(" or ")
    if level.startswith(("above", "below")):
        return Bound(min(100.0, float(level.split()[1])), level.startswith("above"))
    side = side or ("above" if "high" in level else "below" if "low" in level else "")
    return Bound(_CENTRES[level], side == "above") if side else None


def _opposed(bound: Bound, opposite: Bound | None) -> bool:
    return opposite is not None and opposite.above != bound.above and (bound.at > opposite.at) == bound.above
