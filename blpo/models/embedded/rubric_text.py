"""Parsing and editing of the rubric sentences in a judge prompt."""

import json
import re
from collections.abc import Iterable
from functools import lru_cache

from blpo.models.embedded.rubric import LEVEL_CENTRES, STRENGTHS, Bound, RubricStart, Rule, Sentence, Subject, subject
from blpo.models.embedded.vocabulary import mentioned

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


def unquoted(label: str) -> str:
    """Return a label without double quotes, decoded as a JSON string."""
    try:
        return str(json.loads(label, strict=False))
    except json.JSONDecodeError:
        return label[1:-1]


@lru_cache(maxsize=256)
def parse_rubric(prompt: str) -> tuple[Sentence, ...]:
    """Return the rubric sentences of a prompt, in order."""
    return tuple(sentence for sentence, _ in _sentences(prompt))


def edit_rubric(prompt: str, removed: Iterable[Subject], added: Iterable[Sentence]) -> str:
    """Return the prompt without the sentences about `removed`, and with the sentences `added`.

    An added sentence takes the place of a sentence about the same subject, or becomes a line at the end. All other text
    stays.
    """
    new = {subject(sentence): sentence for sentence in added}
    replaced = {*removed, *new}
    pieces, at = [], 0
    for sentence, (start, end) in _sentences(prompt):
        about = subject(sentence)
        if about in replaced:
            pieces += [prompt[at:start], str(new.pop(about, _CUT))]
            at = end
    edited = _ORPHAN.sub("", _CUT_LINE.sub("", "".join(pieces) + prompt[at:])).rstrip()
    lines = [f"- {sentence}" for sentence in new.values()]
    gap = "\n" if parse_rubric(edited) else "\n\n"
    return edited + gap + "\n".join(lines) if lines else edited


_CUT = "\0"
_CUT_LINE = re.compile(rf"(?m)^[ \t]*(?:[-*]|\d+[.)])?[ \t]*{_CUT}[ \t]*(?:\n|\Z)")
_ORPHAN = re.compile(rf" ?{_CUT}")


def _sentences(prompt: str) -> list[tuple[Sentence, tuple[int, int]]]:
    """Return sentences with their spans in the prompt, in order."""
    rules = ((_rule(match), match.span()) for match in _RULE.finditer(prompt))
    starts = ((_start(match), match.span()) for match in _START.finditer(prompt))
    pairs = [(sentence, span) for sentence, span in (*rules, *starts) if sentence is not None]
    return sorted(pairs, key=lambda pair: pair[1])


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


def _start(match: re.Match[str]) -> RubricStart:
    if match["label"] is None:
        return RubricStart(None, float(match["value"]))
    return RubricStart(unquoted(match["label"]) if match["label"] else None, STRENGTHS[(match["adverb"] or "").lower()])


def _bound(words: str | None) -> Bound | None:
    if words is None:
        return None
    level, _, side = words.lower().partition(" or ")
    if level.startswith(("above", "below")):
        return Bound(min(100.0, float(level.split()[1])), level.startswith("above"))
    side = side or ("above" if "high" in level else "below" if "low" in level else "")
    return Bound(LEVEL_CENTRES[level], side == "above") if side else None


def _opposed(bound: Bound, opposite: Bound | None) -> bool:
    return opposite is not None and opposite.above != bound.above and (bound.at > opposite.at) == bound.above
