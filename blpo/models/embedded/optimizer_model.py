"""Embedded optimizer: critiques and rewrites judge prompts and image-to-text prompts.

The messages hold all knowledge of a task: the optimizer has no memory between calls and reads no files. It looks at
images only if a message holds images (`image_captions`). It answers the messages of BLPO and the messages of the
methods that BLPO is compared with, always with the same means: the vocabulary, the language of rubrics, and a
regression over the cases (`rubric_regression`).
"""

import re
from collections.abc import Sequence
from random import Random

from langchain_core.messages import BaseMessage, HumanMessage

from blpo.models.embedded.chat import EmbeddedChat, texts
from blpo.models.embedded.i2t_prompt_revision import (
    criticise_coverage,
    criticise_descriptions,
    next_i2t_prompt,
)
from blpo.models.embedded.image_captions import case_feedback, with_descriptions
from blpo.models.embedded.judge_prompt_revision import criticise_judge_prompt, rewrite_judge_prompt
from blpo.models.embedded.message_images import MessageImage, images
from blpo.models.embedded.message_reading import all_elements, first_element, read_cases, read_labels
from blpo.models.embedded.paraphrase import paraphrase, random_part, requested_version
from blpo.models.embedded.random_criteria import random_proposals
from blpo.models.embedded.recombination import ScoredPrompt, recombine
from blpo.models.embedded.rubric import Rule
from blpo.models.embedded.rubric_text import parse_rubric
from blpo.models.embedded.task_parts import common_part, joined_replies, task_messages

_REQUEST = re.compile(r"inside <(critique|judge_prompt|i2t_prompt|feedback)> and\s</\1>")
_MAX_TOKENS = re.compile(r"at most\s(\d{1,9}) tokens")
_CHARACTERS_PER_TOKEN = 4
_SHRINK = 0.7
"""Factor on the length of a text after every unusable reply."""


class EmbeddedOptimizer(EmbeddedChat):
    """Chat model for the messages of the optimizer prompts. The reply stands between the tags of the message.

    The first user message is the task. A later user message rejects a reply, and the next reply is shorter.
    """

    model_name: str = "embedded-optimizer-1"

    def answer(self, messages: Sequence[BaseMessage]) -> str:
        """Answer the task. A task that asks for no known text gets a plain sentence."""
        user_messages = [message for message in messages if isinstance(message, HumanMessage)]
        task = texts(user_messages[:1])
        tags = _REQUEST.findall(task)
        if not tags:
            return "I can only critique or rewrite a judge prompt or an image-to-text prompt."
        room = _max_characters(task) * _SHRINK ** (len(user_messages) - 1)
        text = _text_for(tags[-1], task, images(user_messages[:1]), room)
        return f"<{tags[-1]}>\n{text}\n</{tags[-1]}>"


def _text_for(tag: str, task: str, files: Sequence[MessageImage], room: float) -> str:
    """Return the text between the tags; of a prompt or critique for several tasks, a part for each."""
    messages = task_messages(task) if tag in ("judge_prompt", "critique") and "<cases>" not in task else {}
    if not messages:
        return _text_of_task(tag, task, files, room)
    own_room = room / len(messages)
    replies = {name: _text_of_task(tag, message, files, own_room) for name, message in messages.items()}
    return joined_replies(replies, common_part(first_element(task, "judge_prompt")) if tag == "judge_prompt" else "")


def _text_of_task(tag: str, task: str, files: Sequence[MessageImage], room: float) -> str:
    if tag == "judge_prompt":
        return _judge_prompt(task, int(room))
    if tag == "i2t_prompt":
        history = all_elements(first_element(task, "history"), "i2t_prompt")
        return next_i2t_prompt(history, first_element(task, "critique"), int(room), Random(task), read_labels(task))
    if tag == "feedback":
        return case_feedback(task, files)
    if "<trials>" in task:
        trials = [read_cases(trial) for trial in all_elements(task, "trial")]
        return criticise_descriptions(first_element(task, "judge_prompt"), trials, read_labels(task))
    if "<cases>" in task:
        return criticise_coverage(read_cases(task), Random(task))
    return _critique(with_descriptions(task, files))


def _critique(task: str) -> str:
    prompt, labels = first_element(task, "judge_prompt"), read_labels(task)
    critique = criticise_judge_prompt(prompt, read_cases(task), labels)
    if "<description>" in task:
        return critique
    in_rubric = {sentence.attribute for sentence in parse_rubric(prompt) if isinstance(sentence, Rule)}
    return "\n".join([critique, *random_proposals(in_rubric, labels, Random(task))])


def _judge_prompt(task: str, room: int) -> str:
    prompt, critique = first_element(task, "judge_prompt"), first_element(task, "critique")
    labels = read_labels(task)
    if history := first_element(task, "history"):
        prompts = [_scored_prompt(trial) for trial in all_elements(history, "tried")]
        human_labels = all_elements(first_element(task, "examples"), "human")
        prompt = recombine(prompts, human_labels, labels, Random(task))
    elif "<feedback>" in task:
        critique = criticise_judge_prompt(prompt, read_cases(task), labels)
    elif not critique:
        prompt = paraphrase(prompt, Random(task))
    elif requested_version(task) > 1:
        critique = random_part(critique, Random(task))
    return rewrite_judge_prompt(prompt, critique, room)


def _scored_prompt(text: str) -> ScoredPrompt:
    score = first_element(text, "score")
    value = float(score) if re.fullmatch(r"-?\d+(\.\d+)?", score) else 0.0
    return ScoredPrompt(first_element(text, "judge_prompt"), value)


def _max_characters(task: str) -> float:
    """Return the characters that the task allows; a very large number for a task without a limit."""
    limits = _MAX_TOKENS.findall(task)
    return float(limits[-1]) * _CHARACTERS_PER_TOKEN if limits else 1e9
