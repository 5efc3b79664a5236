"""The embedded optimizer: critiques and rewrites judge prompts and image-to-text prompts.

All it knows of a task stands in the messages: it has no memory between calls and no files, and looks at an image only
where it is shown one (`looking`). It answers BLPO's four messages and those of the methods that BLPO is compared with,
all with the same knowledge: the vocabulary, the rubric's language, and a regression over the cases shown (`findings`).
"""

import re
from collections.abc import Sequence
from random import Random

from langchain_core.messages import BaseMessage, HumanMessage

from blpo.models.embedded.advice import criticise, rewrite
from blpo.models.embedded.asking import criticise_descriptions, next_question
from blpo.models.embedded.chat import EmbeddedChat, images, texts
from blpo.models.embedded.guessing import suppositions
from blpo.models.embedded.looking import feedback, with_looks
from blpo.models.embedded.reading import element, elements, read_cases, read_labels
from blpo.models.embedded.recombining import Tried, recombine
from blpo.models.embedded.rubric import Rule, parse
from blpo.models.embedded.varying import paraphrase, part, version

_WANTED = re.compile(r"inside <(critique|judge_prompt|i2t_prompt|feedback)> and\s</\1>")
_MOST_TOKENS = re.compile(r"at most\s(\d{1,9}) tokens")
_CHARACTERS_A_TOKEN = 4
_SHRINK = 0.7
"""Share of the room that is left to a text after each reply that could not be used."""


class EmbeddedOptimizer(EmbeddedChat):
    """Answers the messages that the prompts for optimizers make, between the tags they ask for.

    The first user message is the task; each later one says that a reply was of no use, and a shorter one is given.
    """

    model_name: str = "embedded-optimizer-1"

    def answer(self, messages: Sequence[BaseMessage]) -> str:
        """Do the one of its jobs that the task asks for; say so in plain words where it asks for none."""
        said = [message for message in messages if isinstance(message, HumanMessage)]
        task = texts(said[:1])
        wanted = _WANTED.findall(task)
        if not wanted:
            return "I can only critique or rewrite a judge prompt or an image-to-text prompt."
        done = _do(wanted[-1], task, images(said[:1]), _room(task) * _SHRINK ** (len(said) - 1))
        return f"<{wanted[-1]}>\n{done}\n</{wanted[-1]}>"


def _do(wanted: str, task: str, seen: Sequence[bytes], room: float) -> str:
    if wanted == "judge_prompt":
        return _judge_prompt(task, int(room))
    if wanted == "i2t_prompt":
        history = elements(element(task, "history"), "i2t_prompt")
        return next_question(history, element(task, "critique"), int(room), Random(task))
    if wanted == "feedback":
        return feedback(task, seen)
    if "<trials>" in task:
        trials = [read_cases(trial) for trial in elements(task, "trial")]
        return criticise_descriptions(element(task, "judge_prompt"), trials, read_labels(task))
    return _critique(with_looks(task, seen))


def _critique(task: str) -> str:
    prompt, labels = element(task, "judge_prompt"), read_labels(task)
    found = criticise(prompt, read_cases(task), labels)
    if "<description>" in task:
        return found
    known = {sentence.attribute for sentence in parse(prompt) if isinstance(sentence, Rule)}
    return "\n".join([found, *suppositions(known, labels, Random(task))])


def _judge_prompt(task: str, room: int) -> str:
    prompt, critique, labels = element(task, "judge_prompt"), element(task, "critique"), read_labels(task)
    if history := element(task, "history"):
        tried = [_tried(each) for each in elements(history, "tried")]
        prompt = recombine(tried, elements(element(task, "examples"), "human"), labels, Random(task))
    elif "<feedback>" in task:
        critique = criticise(prompt, read_cases(task), labels)
    elif not critique:
        prompt = paraphrase(prompt, Random(task))
    elif version(task) > 1:
        critique = part(critique, Random(task))
    return rewrite(prompt, critique, room)


def _tried(text: str) -> Tried:
    score = element(text, "score")
    return Tried(element(text, "judge_prompt"), float(score) if re.fullmatch(r"-?\d+(\.\d+)?", score) else 0.0)


def _room(task: str) -> float:
    """The characters that the task allows; any number where it names none."""
    most = _MOST_TOKENS.findall(task)
    return float(most[-1]) * _CHARACTERS_A_TOKEN if most else 1e9
