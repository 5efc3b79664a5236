"""The embedded optimizer: critiques and rewrites judge prompts and image-to-text prompts.

All it knows of a task stands in the message: it has no perception, no memory between calls and no files.
"""

import re
from collections.abc import Sequence
from random import Random

from langchain_core.messages import BaseMessage, HumanMessage

from models.embedded.advice import criticise, rewrite
from models.embedded.asking import criticise_descriptions, next_question
from models.embedded.chat import EmbeddedChat, texts
from models.embedded.reading import element, elements, read_cases, read_labels

_WANTED = re.compile(r"inside <(critique|judge_prompt|i2t_prompt)> and </\1>")
_MOST_TOKENS = re.compile(r"at most (\d{1,9}) tokens")
_CHARACTERS_A_TOKEN = 4
_SHRINK = 0.7
"""Share of the room that is left to a text after each reply that could not be used."""


class EmbeddedOptimizer(EmbeddedChat):
    """Answers the messages that prompts/critique_*.md and prompts/update_*.md make, between the tags they ask for.

    The first user message is the task; each later one says that a reply was of no use, and a shorter one is given.
    """

    model_name: str = "embedded-optimizer-1"

    def answer(self, messages: Sequence[BaseMessage]) -> str:
        """Do the one of the four jobs that the task asks for; say so in plain words where it asks for none."""
        said = [texts([message]) for message in messages if isinstance(message, HumanMessage)]
        task = said[0] if said else ""
        wanted = _WANTED.findall(task)
        if not wanted:
            return "I can only critique or rewrite a judge prompt or an image-to-text prompt."
        done = _do(wanted[-1], task, _room(task) * _SHRINK ** (len(said) - 1))
        return f"<{wanted[-1]}>\n{done}\n</{wanted[-1]}>"


def _do(wanted: str, task: str, room: float) -> str:
    judge_prompt, critique = element(task, "judge_prompt"), element(task, "critique")
    if wanted == "judge_prompt":
        return rewrite(judge_prompt, critique, int(room))
    if wanted == "i2t_prompt":
        history = elements(element(task, "history"), "i2t_prompt")
        return next_question(history, critique, int(room), Random(task))
    if "<trials>" in task:
        trials = [read_cases(trial) for trial in elements(task, "trial")]
        return criticise_descriptions(judge_prompt, trials, read_labels(task))
    return criticise(judge_prompt, read_cases(task), read_labels(task))


def _room(task: str) -> float:
    """The characters that the task allows; any number where it names none."""
    most = _MOST_TOKENS.findall(task)
    return float(most[-1]) * _CHARACTERS_A_TOKEN if most else 1e9
