"""Wrapping around a label: tags, boxes, code fences, quotes, end-of-turn marks, and forms of Unicode.

Standard library alone: `blpo export` puts this file into an exported judge as it stands.
"""

import re
import unicodedata

WRAPPING = " \t\r\n*_`\"'.!,;:()[]{}“”„‟‘’‚«»‹›「」『』【】《》。、，！？；：·…\u200b\u200d\u2060\ufeff"
"""Characters around a label that are no part of the label."""

_FULL_WIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_PUNCTUATION = {ord("\u3000"): " ", ord("。"): ". ", ord("、"): ", ", ord("，"): ", ", ord("："): ": ", ord("；"): "; "}
_PLAIN = _FULL_WIDTH | _PUNCTUATION
_QUOTES = {ord(mark): '"' for mark in "“”„‟«»「」『』"}
_TURN = re.compile(
    r"<\|start_header_id\|>\w*<\|end_header_id\|>|<\|(?:begin|end)_of_solution\|>"
    r"|<[|｜](?:im_end|im_start|end|eot_id|eom_id|end_of_text|endoftext|return|call|eos|end_of_turn|end[_▁]of[_▁]sentence"
    r"|user|assistant|system)[|｜]>|</s>|<s>|<eos>|<bos>|<end_of_turn>|<start_of_turn>|<end_of_utterance>|\[EOS\]|\[/?INST\]",
    re.IGNORECASE,
)
"""Marks of chat templates at the end of a turn. A model that runs on invents the next turn."""
_ROLE = re.compile(r"\A(?:assistant|model)\s*\n", re.IGNORECASE)
_TAG = re.compile(
    r"<(final_?answer|answer|label|rating|score|verdict|output|response|result|final)>(.*?)(?:</\1>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_BOX = re.compile(r"<\|(?:begin_of_box|box_start)\|>(.*?)(?:<\|(?:end_of_box|box_end)\|>|\Z)", re.DOTALL)
_LATEX_BOX = re.compile(r"\\boxed\s*\{\s*(?:\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}|([^{}]*))\s*\}")
_FENCE = re.compile(r"```[\w-]*\s*\n(.*?)(?:```|\Z)", re.DOTALL)


def first_turn(text: str) -> str:
    """Return a reply up to the first mark of the end of a turn."""
    turns = [turn for turn in _TURN.split(text) if turn.strip()]
    return _ROLE.sub("", turns[0].lstrip()).strip() if turns else ""


def plain_text(text: str) -> str:
    """Return the first turn of a reply in plain characters: full-width forms and quotes as in ASCII, NFC."""
    return unicodedata.normalize("NFC", first_turn(text).translate(_PLAIN | _QUOTES)).strip()


def wrapped_answers(text: str) -> list[str]:
    """Return the texts inside answer tags, boxes and code fences: the first kind that the text has."""
    for pattern in (_BOX, _TAG, _LATEX_BOX, _FENCE):
        answers = [
            next((group for group in match.groups()[::-1] if group is not None), "") for match in pattern.finditer(text)
        ]
        if answers:
            return [answer.strip() for answer in answers]
    return []


def folded(text: str) -> str:
    """Return a category as it is compared: without case, wrapping and repeated white space, in NFC."""
    plain = unicodedata.normalize("NFC", text.translate(_PLAIN))
    return " ".join(plain.strip(WRAPPING).casefold().split())
