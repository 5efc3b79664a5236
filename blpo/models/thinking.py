"""Thinking marks in the replies of reasoning models.

Standard library alone: `blpo export` puts this file into an exported judge as it stands.
"""

import re

_WORD = r"(?:\w+:)?(?:\w+_)?(?:think(?:ing)?|thoughts?|reasoning|scratchpad|reflection|analysis|inner_?monologue)"
_OPENING = (
    rf"<{_WORD}(?:\s[^<>]*)?>|<{_WORD}_start>|◁{_WORD}▷|\[THINK(?:ING)?\]"
    r"|<\|(?:begin_of_|start_)?(?:think(?:ing)?|thought|reasoning)(?:_start)?\|>|<unused94>(?:thought\b)?"
)
_CLOSING = (
    rf"</{_WORD}>|<{_WORD}_end>|◁/{_WORD}▷|\[/THINK(?:ING)?\]"
    r"|<\|(?:/|end_of_|end_)(?:think(?:ing)?|thought|reasoning)\|>|<\|(?:think(?:ing)?|thought|reasoning)_end\|>|<unused95>"
    r"|\.\.\.done thinking\."
)
_FLAGS = re.DOTALL | re.IGNORECASE
_THINKING = re.compile(rf"(?:{_OPENING}).*?(?:{_CLOSING}|\Z)", _FLAGS)
_THINKING_OPENED_BEFORE = re.compile(rf"\A.*(?:{_CLOSING})", _FLAGS)
_FINAL_CHANNEL = re.compile(r"\A.*<\|channel\|>\s*final[^<]*<\|message\|>", _FLAGS)
_OTHER_CHANNEL = re.compile(
    r"<\|channel\|?>\s*(?:analysis|commentary|thought|thinking)\b.*?(?:<\|end\|>|<channel\|>|\Z)", _FLAGS
)
_SPOKEN_CHANNEL = re.compile(r"\Aanalysis(?=[A-Z]).*?(?:assistant\s*final|\Z)", re.DOTALL)
"""Channels of a reply whose marks the server removed."""
_BEGINS = ("<", "◁", "[", "...", "analysis")
"""Texts that all marks begin with."""


def without_thinking(text: str) -> str:
    """Return a reply without thoughts: complete thoughts, thoughts cut off, and thoughts that the template opened.

    Marks of a final channel begin the answer.
    """
    if not any(begin in text for begin in _BEGINS):  # saves most replies from patterns that read a text many times
        return text.strip()
    text = _OTHER_CHANNEL.sub("", _FINAL_CHANNEL.sub("", text))
    text = _SPOKEN_CHANNEL.sub("", text)
    return _THINKING_OPENED_BEFORE.sub("", _THINKING.sub("", text)).strip()
