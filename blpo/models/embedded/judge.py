"""The embedded judge: measures the image itself and follows the rubric sentences of the judge prompt."""

import json
from collections.abc import Sequence

from langchain_core.messages import BaseMessage

from blpo.models.embedded.chat import EmbeddedChat, images, prompt_and_frame
from blpo.models.embedded.judging import decide, read_labels
from blpo.models.embedded.perception import perceive_cached
from state.errors import DataError


class EmbeddedJudge(EmbeddedChat):
    """Answers `{"reason": ..., "label": ...}` to the message that prompts/judge.md makes.

    It sees the first image only, and no text shown along with it. Without a readable image, or without the labels to
    choose from, it says so in plain words.
    """

    model_name: str = "embedded-judge-1"

    def answer(self, messages: Sequence[BaseMessage]) -> str:
        """Judge the first image by the prompt before the line `---`, with a label that the text after it allows."""
        seen = images(messages)
        prompt, frame = prompt_and_frame(messages)
        labels = read_labels(frame)
        if not seen:
            return "I see no image."
        if labels is None:
            return "I am not told which labels there are."
        try:
            values = perceive_cached(seen[0])
        except DataError:
            return "I can't make out this image."
        label, reason = decide(prompt, labels, values)
        return json.dumps({"reason": reason, "label": label}, ensure_ascii=False)
