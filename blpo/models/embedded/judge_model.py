"""Embedded judge: measures the image and follows the rubric sentences of the judge prompt."""

import json
import re
from collections.abc import Mapping, Sequence

from langchain_core.messages import BaseMessage

from blpo.models.embedded.chat import EmbeddedChat, prompt_and_frame
from blpo.models.embedded.pair_images import image_of_texts, judged_images, pair_images, pair_texts
from blpo.models.embedded.pair_verdict import decide_pair, decide_texts
from blpo.models.embedded.perception import mean_perception, perceive_image
from blpo.models.embedded.ranked_images import asks_for_ranking, numbered_images
from blpo.models.embedded.ranking_verdict import decide_ranking
from blpo.models.embedded.rubric_verdict import LabelSet, decide, is_pair, labels_in_frame, sureness, words_in_frame
from blpo.models.embedded.several_images import asks_about_several
from blpo.models.embedded.task_parts import criteria_in_frame, part_of, task_in_frame
from state.errors import DataError

_OF_CRITERION = re.compile(r'How sure are you of the label for "([^"\n]{1,40})"\?')


class EmbeddedJudge(EmbeddedChat):
    """Chat model that answers `{"reason": ..., "label": ...}` to the messages of prompts/judge*.md.

    The judge sees only the first image, the two images of a pair, or all images of a ranking. Of several images with
    one label the judge sees the mean of every attribute. The judge ignores the text of the sample, what the sample is
    compared with, and all other images. Asked for its confidence, the judge answers `{"confidence": ...}`. Without a
    readable image, or without labels in the message, the answer is a plain sentence.
    """

    model_name: str = "embedded-judge-1"

    def answer(self, messages: Sequence[BaseMessage]) -> str:
        """Judge by the prompt before the line `---`. The text after the line names the labels."""
        prompt, frame = prompt_and_frame(messages)
        if (criteria := criteria_in_frame(frame)) and judged_images(messages):
            if (criterion := _criterion_asked_for(messages)) in criteria:
                return _confidence(messages, part_of(prompt, criterion), frame, criteria[criterion])
            return _answer_by_criteria(messages, prompt, frame, criteria)
        if (name := task_in_frame(frame)) is not None:
            prompt = part_of(prompt, name)
        words = words_in_frame(frame)
        labels = range(min(words), max(words) + 1) if words else labels_in_frame(frame)
        if not judged_images(messages):
            return "I see no image."
        if labels is None and not asks_for_ranking(frame):
            return "I am not told which labels there are."
        if _asks_for_confidence(messages):
            return _confidence(messages, prompt, frame, labels)
        try:
            label, reason = _ranking(messages, prompt) if labels is None else _verdict(messages, prompt, frame, labels)
        except DataError:
            return "I can't make out this image."
        answer = words[label] if words and isinstance(label, int) else label
        return json.dumps({"reason": reason, "label": answer}, ensure_ascii=False)


def _answer_by_criteria(
    messages: Sequence[BaseMessage], prompt: str, frame: str, criteria: Mapping[str, LabelSet | None]
) -> str:
    """Return a label for each criterion, by the criterion's part of the prompt. The reason joins all reasons."""
    answer: dict[str, object] = {}
    reasons = []
    for name, labels in criteria.items():
        if labels is None:
            return "I am not told which labels there are."
        try:
            answer[name], reason = _verdict(messages, part_of(prompt, name), frame, labels)
        except DataError:
            return "I can't make out this image."
        reasons.append(f"{name}: {reason}")
    return json.dumps({"reason": " ".join(reasons), **answer}, ensure_ascii=False)


def _asks_for_confidence(messages: Sequence[BaseMessage]) -> bool:
    """Return True if the last message is that of prompts/confidence.md."""
    return len(messages) > 1 and '{"confidence": ' in str(messages[-1].content)


def _criterion_asked_for(messages: Sequence[BaseMessage]) -> str:
    """Return the criterion of prompts/confidence_criterion.md in the last message; empty for another message."""
    match = _OF_CRITERION.search(str(messages[-1].content)) if _asks_for_confidence(messages) else None
    return match[1] if match else ""


def _confidence(messages: Sequence[BaseMessage], prompt: str, frame: str, labels: LabelSet | None) -> str:
    """Answer how sure the judge is, in percent; about pairs and rankings the judge can't tell."""
    images = judged_images(messages)
    if labels is None or is_pair(labels):
        return "I can't tell."
    try:
        values = mean_perception(images if asks_about_several(frame) else images[:1])
    except DataError:
        return "I can't make out this image."
    return json.dumps({"confidence": round(100 * sureness(prompt, labels, values))})


def _ranking(messages: Sequence[BaseMessage], prompt: str) -> tuple[int | str | list[int], str]:
    """Return ranking and reason; raises `DataError` for an image that can't be decoded."""
    return decide_ranking(prompt, [perceive_image(image) for image in numbered_images(messages)])


def _verdict(
    messages: Sequence[BaseMessage], prompt: str, frame: str, labels: LabelSet
) -> tuple[int | str | list[int], str]:
    """Return label and reason; raises `DataError` for an image that can't be decoded."""
    if isinstance(labels, tuple) and is_pair(labels):
        if (pair := pair_images(messages)) is not None:
            return decide_pair(prompt, labels, *map(perceive_image, pair))
        if (texts := pair_texts(messages)) is not None and (image := image_of_texts(messages)) is not None:
            return decide_texts(prompt, labels, texts, perceive_image(image))
    images = judged_images(messages)
    return decide(prompt, labels, mean_perception(images if asks_about_several(frame) else images[:1]))
