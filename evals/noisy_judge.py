"""Simulated judges of known accuracy, as models: `noisy:ACCURACY/NAME`."""

import random
from hashlib import sha256
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from blpo.models.registry import Provider, register
from state.settings import ModelSettings

LABELS = ("safe", "unsafe")


class NoisyJudge(BaseChatModel):
    """Answers the label that the sample's text names as the truth with probability `accuracy`, else the other label.

    The draw depends on the model's name, the text and the number of the repeat alone: judges of different names are
    independent, and a judge's answers to one question too.
    """

    name_of_judge: str
    accuracy: float

    @property
    def _llm_type(self) -> str:
        return "noisy"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        text = str(messages[0].content)
        right = next(label for label in reversed(LABELS) if f"truth {label}" in text)
        item = text[text.index("<text>") : text.index("</text>")]
        digest = sha256(f"{self.name_of_judge} {item} {kwargs.get('seed', 0)}".encode()).digest()
        is_right = random.Random(digest).random() < self.accuracy
        label = right if is_right else next(each for each in LABELS if each != right)
        content = f'{{"reason": "simulated", "label": "{label}"}}'
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=content))])


def register_noisy_judges() -> None:
    """Build models named `noisy:ACCURACY/NAME` from now on."""
    provider = Provider(_noisy_judge, lambda settings: {}, repeat=lambda settings, repeat: {"seed": repeat}, local=True)
    register("noisy", provider)


def _noisy_judge(settings: ModelSettings) -> BaseChatModel:
    accuracy = settings.name.removeprefix("noisy:").split("/")[0]
    return NoisyJudge(name_of_judge=settings.name, accuracy=float(accuracy))
