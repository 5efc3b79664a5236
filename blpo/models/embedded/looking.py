"""What the embedded optimizer sees where a message shows it images: no more than a general caption says of each.

It looks with the perception that judge and verbalizer have, and has the verbalizer's room: six attributes an image. It
was asked for no attribute in particular, so they are the general ones, as in any caption. That is an assumption about
optimizers, not a finding: of a model that sees more, or less, than it was asked for, this says nothing.
"""

import re
from collections.abc import Sequence

from blpo.models.embedded.reading import element
from blpo.models.embedded.verbalizer import describe

_NUMBERS = re.compile(r"<images>([\d, ]*)</images>")


def with_looks(task: str, seen: Sequence[bytes]) -> str:
    """Return the task with a description in place of each `<images>1, 2</images>`, the images numbered from 1."""

    def look(match: re.Match[str]) -> str:
        numbers = [int(number) for number in re.findall(r"\d+", match[1])]
        return f"<description>{describe([seen[n - 1] for n in numbers if 0 < n <= len(seen)])}</description>"

    return _NUMBERS.sub(look, task)


def feedback(task: str, seen: Sequence[bytes]) -> str:
    """Return what one case says of the prompt: who said what, and how the image looks."""
    human, judge = element(task, "human"), element(task, "judge")
    verdict = (
        f"People say {human}, and so did the judge." if human == judge else f"The judge said {judge}, not {human}."
    )
    return f"{verdict} {describe(seen)}"
