"""Embedded judge: measures the image and follows the rubric sentences of the judge prompt."""

import json
from collections.abc import Sequence

from langchain_core.messages import BaseMessage

from blpo.models.embedded.chat import EmbeddedChat, prompt_and_frame
from blpo.models.embedded.message_images import images
from blpo.models.embedded.perception import perceive_image
from blpo.models.embedded.rubric_verdict import decide, labels_in_frame
from state.errors import DataError


class EmbeddedJudge(EmbeddedChat):
    """Chat model that answers `{"reason": ..., "label": ...}` to the message of prompts/judge.md.

    The judge sees only the first image and ignores the text of the sample. Without a readable image, or without labels
    in the message, the answer is a plain sentence.
    """

    model_name: str = "embedded-judge-1"

    def answer(self, messages: Sequence[BaseMessage]) -> str:
        """Judge the first image by the prompt before the line `---`. The text after the line names the labels."""
        files = images(messages)
        prompt, frame = prompt_and_frame(messages)
        labels = labels_in_frame(frame)
        if not files:
            return "I see no image."
        if labels is None:
            return "I am not told which labels there are."
        try:
            values = perceive_image(files[0])
        except DataError:
            return "I can't make out this image."
        label, reason = decide(prompt, labels, values)
        return json.dumps({"reason": reason, "label": label}, ensure_ascii=False)
