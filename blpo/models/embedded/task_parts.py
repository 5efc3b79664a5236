"""Several tasks in a message: the task or criteria of a frame, and a message of its own for each task."""

import re
from collections.abc import Mapping

from blpo.models.embedded.rubric_verdict import LabelSet, labels_in_frame

_TASK = re.compile(r'^The task at hand is "([^"\n]{1,40})"', re.MULTILINE)
_CRITERIA = re.compile(r'^The criteria, each with a label of its own:\n((?:- "[^"\n]{1,40}".*\n)+)', re.MULTILINE)
_NAME = re.compile(r'^- "([^"\n]{1,40})"', re.MULTILINE)
_LABELS = re.compile(r'^- "([^"\n]{1,40})": (.+)$', re.MULTILINE)
_SEVERAL = "Labels: those of several tasks"
_END = "\nEach case names its task."
_HEADING = re.compile(r"(?m)^##[ \t]+(.+?)[ \t]*$")
_PARTED = re.compile(r"<(judge_prompt|critique)>\n(.*?)\n</\1>", re.DOTALL)
"""Element with a part for each task. The words `inside <critique> and </critique>` are no such element."""
_CASE = re.compile(r"<case>\n.*?\n</case>\n?", re.DOTALL)


def task_in_frame(frame: str) -> str | None:
    """Return the name of the task at hand; None for a frame of a single task."""
    match = _TASK.search(frame)
    return match[1] if match is not None else None


def criteria_in_frame(frame: str) -> dict[str, LabelSet | None]:
    """Return the labels by criterion of a frame that asks for several labels; empty for another frame."""
    match = _CRITERIA.search(frame)
    if match is None:
        return {}
    names = _NAME.findall(match[1])
    answer = frame[max(frame.rfind(f'{{"{key}"') for key in ("reason", names[0])) :]
    places = [answer.find(f'"{name}": ') for name in names]
    if -1 in places:
        return {}
    ends = [*places[1:], len(answer)]
    return {name: labels_in_frame(answer[at:end]) for name, at, end in zip(names, places, ends, strict=True)}


def part_of(prompt: str, name: str) -> str:
    """Return the common part of a prompt and the task's own part; the whole prompt if the task has no part."""
    common, parts = _parts(prompt)
    return f"{common}\n\n{parts[name]}" if name in parts else prompt


def task_messages(message: str) -> dict[str, str]:
    """Return the optimizer's message of each task alone, by task; empty for a message of a single task."""
    start = message.find(_SEVERAL)
    if start < 0:
        return {}
    block = message[start : message.find(_END, start)]
    labels = dict(_LABELS.findall(block))
    return {name: _message_of(message.replace(block, f"Labels: {labels[name]}"), name) for name in labels}


def joined_replies(replies: Mapping[str, str], common: str = "") -> str:
    """Return one text of the replies about all tasks, each below the task's name."""
    return "\n\n".join(filter(None, (common, *(f"## {name}\n{text}" for name, text in replies.items()))))


def common_part(prompt: str) -> str:
    """Return the text before the parts of the tasks."""
    return _parts(prompt)[0]


def _message_of(message: str, name: str) -> str:
    """Return the message with the task's own cases, and its own part of the prompt and of the critique."""
    own_cases = _CASE.sub(lambda match: match[0] if f"<task>{name}</task>" in match[0] else "", message)
    return _PARTED.sub(lambda match: f"<{match[1]}>\n{_parts(match[2])[1].get(name, '')}\n</{match[1]}>", own_cases)


def _parts(text: str) -> tuple[str, dict[str, str]]:
    """Return the text before the first heading, and the texts by heading."""
    headings = list(_HEADING.finditer(text))
    if not headings:
        return text, {}
    starts = [match.start() for match in headings]
    parts = {
        match[1]: text[match.end() : end].strip() for match, end in zip(headings, [*starts[1:], len(text)], strict=True)
    }
    return text[: starts[0]].strip(), parts
