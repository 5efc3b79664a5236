"""Vision of the embedded optimizer: a general caption for every image in a message.

The optimizer has the perception of judge and verbalizer, and the verbalizer's limit of six attributes. No attribute was
asked for, so the caption states the general attributes. This is an assumption about optimizers, not a result: other
models may see more, or less.
"""

import re
from collections.abc import Sequence

from blpo.models.embedded.message_images import MessageImage
from blpo.models.embedded.message_reading import first_element
from blpo.models.embedded.verbalizer_model import describe, describe_together

_NUMBERS = re.compile(r"<images>([\d, ]*)</images>")


def with_descriptions(task: str, images: Sequence[MessageImage]) -> str:
    """Return the task with a description in place of every `<images>1, 2</images>`. Images are numbered from 1."""

    def description(match: re.Match[str]) -> str:
        numbers = [int(number) for number in re.findall(r"\d+", match[1])]
        chosen = [images[n - 1] for n in numbers if 0 < n <= len(images)]
        return f"<description>{(describe_together if len(chosen) > 2 else describe)(chosen)}</description>"

    return _NUMBERS.sub(description, task)


def case_feedback(task: str, images: Sequence[MessageImage]) -> str:
    """Return the feedback of a single case on the prompt: the human label, the verdict, and a caption of the image."""
    human, judge = first_element(task, "human"), first_element(task, "judge")
    verdict = (
        f"People say {human}, and so did the judge." if human == judge else f"The judge said {judge}, not {human}."
    )
    return f"{verdict} {describe(images)}"
