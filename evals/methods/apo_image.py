"""APO-image: APO with the images of the errors in the optimizer's context.

Only the question for a gradient differs from `apo`: beside label, verdict and reason, the optimizer sees the images of
up to `search.error_batch` errors at once, and so needs vision. The questions for edits and paraphrases have no images.
"""

from collections.abc import Sequence

from blpo.inference.open_run import OpenRun
from blpo.models.messages import Message
from blpo.prompts.cases import Case, cases, labels_in_words
from blpo.prompts.delimiters import neutralise
from blpo.prompts.template import render
from evals.methods.adopt import adopting_loop
from evals.methods.apo import ApoState, expanding, select
from evals.methods.method import IMPROVING, Method, rounds_for_the_budget
from evals.methods.optimizer_vision import require_sight
from evals.methods.writing import message, with_images


async def ask_with_images(run: OpenRun, judge_prompt: str, rows: Sequence[Case]) -> Message:
    """Return the question for a gradient, with the images of the errors."""
    images, numbered = await with_images(run, rows)
    question = render(
        "methods/apo_image_gradient",
        labels=labels_in_words(run.settings.task),
        judge_prompt=neutralise(judge_prompt),
        wrong_cases=cases(numbered),
    )
    return message(images, question)


APO_IMAGE = Method(
    "apo_image",
    "APO-image",
    adopting_loop(ApoState, expand=expanding(ask_with_images), select=select),
    own=lambda settings: {**IMPROVING, "error_batch": 10, "anchors": 10},
    defining=lambda settings: rounds_for_the_budget(settings, trials=3),
    require=require_sight,
)
