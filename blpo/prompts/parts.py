"""Parts of a judge prompt for several tasks: a common part, then a part for each task below a line `## NAME`."""

import re
from collections.abc import Mapping, Sequence

_HEADING = re.compile(r"(?m)^##[ \t]+(.+?)[ \t]*$")


def split_parts(prompt: str, tasks: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return the common part and the part of every task, stripped; empty for a task without a part.

    A line `## ...` that names no task belongs to the text around it. Several parts of one task are joined.
    """
    names = {name.casefold(): name for name in tasks}
    headings = [match for match in _HEADING.finditer(prompt) if match[1].casefold() in names]
    parts = dict.fromkeys(tasks, "")
    if not headings:
        return prompt.strip(), parts
    starts = [match.start() for match in headings]
    common = prompt[: starts[0]].strip()
    for match, end in zip(headings, [*starts[1:], len(prompt)], strict=True):
        name = names[match[1].casefold()]
        parts[name] = "\n".join(filter(None, (parts[name], prompt[match.end() : end].strip())))
    return common, parts


def join_parts(common: str, parts: Mapping[str, str]) -> str:
    """Return the prompt of a common part and a part for each task; parts without text are left out."""
    sections = (f"## {name}\n{text}" for name, text in parts.items() if text)
    return "\n\n".join(filter(None, (common, *sections)))


def part_for(prompt: str, task: str, tasks: Sequence[str]) -> str:
    """Return the prompt for one task alone: the common part and the task's own part."""
    common, parts = split_parts(prompt, tasks)
    return "\n\n".join(filter(None, (common, parts[task])))
