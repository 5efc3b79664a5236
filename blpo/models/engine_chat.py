"""A chat model over an engine in this process that answers many conversations at once.

The engine's interface is `vllm.LLM.chat(conversations, sampling_params, use_tqdm)`: a list of conversations in OpenAI's
form, images as `image_url` parts with data URLs, and a list of sampling parameters as long; it returns a list of
`RequestOutput` in the same order. Calls that come while a batch is under way make up the next one.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.exceptions import ModelInvalidRequestError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, convert_to_openai_messages
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

_GATHERING = 0.01
"""Seconds that a batch waits for calls that come at the same time."""


class EngineRefusal(ModelInvalidRequestError):
    """The engine can't answer this one conversation: it is too long, or its image is bad."""

    status_code = 400
    """As a server would say it."""


@dataclass(frozen=True, slots=True)
class _Asked:
    conversation: list[dict[str, Any]]
    structured: Mapping[str, Any] | None
    answered: "asyncio.Future[Any]"
    """Of a `RequestOutput`."""


class EngineChat(BaseChatModel):
    """Answers through an engine; a call may carry `structured`, keywords of `StructuredOutputsParams`."""

    model_name: str
    load: Callable[[], Any]
    """Returns the engine; called by the first batch, in the thread that all batches run in."""
    sampling: Callable[..., Any]
    """Makes the sampling parameters of one conversation: `sampling(structured, **parameters)`."""
    parameters: dict[str, Any]
    """`temperature` and `max_tokens`; None: the engine's own temperature, and tokens up to the end of the context.
    `logprobs`: how many alternatives to give for each token."""
    _waiting: list[_Asked] = PrivateAttr(default_factory=list)
    _batches: "asyncio.Task[None] | None" = PrivateAttr(default=None)
    _thread: ThreadPoolExecutor = PrivateAttr(
        default_factory=lambda: ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")
    )

    @property
    def _llm_type(self) -> str:
        return "engine"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return asyncio.run(self._agenerate(messages, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        conversation: Any = convert_to_openai_messages(messages)
        asked = _Asked(conversation, kwargs.get("structured"), asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        if self._batches is None or self._batches.done():
            self._batches = asyncio.create_task(self._answer_all())
        return self._result(await asked.answered)

    async def aclose(self) -> None:
        """End the thread; the engine, which takes minutes to load, stays."""
        self._thread.shutdown(wait=False)

    async def _answer_all(self) -> None:
        """Answer one batch after the other until nobody waits; never raises: failures go to those who asked."""
        while self._waiting:
            await asyncio.sleep(_GATHERING)
            batch, self._waiting = self._waiting, []
            outcomes = await asyncio.get_running_loop().run_in_executor(self._thread, self._outcomes, batch)
            for asked, outcome in zip(batch, outcomes, strict=True):
                if asked.answered.done():  # nobody waits for it any more
                    continue
                if isinstance(outcome, Exception):
                    asked.answered.set_exception(outcome)
                else:
                    asked.answered.set_result(outcome)

    def _outcomes(self, batch: Sequence[_Asked]) -> list[Any]:
        """One output or exception for each conversation."""
        try:
            return self._outputs(self.load(), batch)
        except Exception as error:  # of the engine itself, and so of all
            return [error] * len(batch)

    def _outputs(self, engine: Any, batch: Sequence[_Asked]) -> list[Any]:
        """The same of a loaded engine: a conversation that it refuses fails alone, not its batch."""
        sampling = [self.sampling(asked.structured, **self._sampled()) for asked in batch]
        try:
            return list(engine.chat([asked.conversation for asked in batch], sampling_params=sampling, use_tqdm=False))
        except ValueError as error:
            if len(batch) == 1:
                return [EngineRefusal(str(error))]
            return [output for asked in batch for output in self._outputs(engine, [asked])]

    def _sampled(self) -> dict[str, Any]:
        temperature, max_tokens = self.parameters.get("temperature"), self.parameters.get("max_tokens")
        given = {} if temperature is None else {"temperature": temperature}
        if "logprobs" in self.parameters:
            given["logprobs"] = self.parameters["logprobs"]
        return {**given, "max_tokens": max_tokens}  # also None: the engine's default is 16

    def _result(self, output: Any) -> ChatResult:
        made = output.outputs[0]
        read, written = len(output.prompt_token_ids or ()), len(made.token_ids)
        message = AIMessage(
            content=made.text,
            usage_metadata=UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written),
            response_metadata={
                "finish_reason": made.finish_reason or "stop",
                "model_name": self.model_name,
                "logprobs": _as_a_server_says(made.token_ids, made.logprobs) if made.logprobs else None,
            },
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


def _as_a_server_says(token_ids: Sequence[int], logprobs: Sequence[Mapping[int, Any]]) -> dict[str, Any]:
    """Log-probabilities in OpenAI's form; the engine gives a `Logprob` by token id for each place."""
    content = []
    for chosen, at_place in zip(token_ids, logprobs, strict=False):  # a cut-off answer may lack its last place
        said = {token: {"token": each.decoded_token or "", "logprob": each.logprob} for token, each in at_place.items()}
        content.append({**said.get(chosen, {"token": ""}), "top_logprobs": list(said.values())})
    return {"content": content}
