"""Chat model over an engine inside the process, for many conversations at once.

The engine's interface is `vllm.LLM.chat(conversations, sampling_params, use_tqdm)`. Input is a list of conversations
in OpenAI's form, with images as `image_url` parts with data URLs, and a list of as many sampling parameters. Output is
a list of `RequestOutput` in the same order. Calls during a batch make up the next batch.
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

_GATHERING_SECONDS = 0.01
"""Time for a batch to wait for simultaneous calls."""


class EngineRefusal(ModelInvalidRequestError):
    """The engine can't answer a conversation: the conversation is too long, or an image is bad."""

    status_code = 400
    """Status of a server for such a request."""


@dataclass(frozen=True, slots=True)
class _Call:
    conversation: list[dict[str, Any]]
    structured: Mapping[str, Any] | None
    output: "asyncio.Future[Any]"
    """Future of a `RequestOutput`."""
    sampling: Mapping[str, Any]
    """Sampling parameters of this conversation alone."""


class EngineChat(BaseChatModel):
    """Answers through an engine.

    A call may carry `structured`, the keywords of `StructuredOutputsParams`, and `sampling`, parameters of its own.
    """

    model_name: str
    load: Callable[[], Any]
    """Returns the engine; called by the first batch, in the thread of all batches."""
    sampling: Callable[..., Any]
    """Builds the sampling parameters of a conversation: `sampling(structured, **parameters)`."""
    parameters: dict[str, Any]
    """`temperature` (None: the engine's own), `max_tokens` (None: up to the end of the context), and `logprobs`
    (alternatives for each token)."""
    _queue: list[_Call] = PrivateAttr(default_factory=list)
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
        output = asyncio.get_running_loop().create_future()
        call = _Call(conversation, kwargs.get("structured"), output, kwargs.get("sampling") or {})
        self._queue.append(call)
        if self._batches is None or self._batches.done():
            self._batches = asyncio.create_task(self._answer_queue())
        return self._result(await call.output)

    async def aclose(self) -> None:
        """End the thread; the engine stays, because loading takes minutes."""
        self._thread.shutdown(wait=False)

    async def _answer_queue(self) -> None:
        """Answer batch after batch until the queue is empty; never raises: a failure goes to the calls concerned."""
        while self._queue:
            await asyncio.sleep(_GATHERING_SECONDS)
            batch, self._queue = self._queue, []
            outcomes = await asyncio.get_running_loop().run_in_executor(self._thread, self._outcomes, batch)
            for call, outcome in zip(batch, outcomes, strict=True):
                if call.output.done():  # the caller was cancelled
                    continue
                if isinstance(outcome, Exception):
                    call.output.set_exception(outcome)
                else:
                    call.output.set_result(outcome)

    def _outcomes(self, batch: Sequence[_Call]) -> list[Any]:
        """Return an output or an exception for every call."""
        try:
            return self._outputs(self.load(), batch)
        except Exception as error:  # of the engine, and so of all calls
            return [error] * len(batch)

    def _outputs(self, engine: Any, batch: Sequence[_Call]) -> list[Any]:
        """Return an output for every call, or `EngineRefusal`: a refused conversation fails alone, not its batch."""
        common = self._sampling_parameters()
        sampling = [self.sampling(call.structured, **{**common, **call.sampling}) for call in batch]
        try:
            return list(engine.chat([call.conversation for call in batch], sampling_params=sampling, use_tqdm=False))
        except ValueError as error:
            if len(batch) == 1:
                return [EngineRefusal(str(error))]
            return [output for call in batch for output in self._outputs(engine, [call])]

    def _sampling_parameters(self) -> dict[str, Any]:
        parameters = {name: value for name, value in self.parameters.items() if name in ("temperature", "logprobs")}
        if parameters.get("temperature") is None:
            parameters.pop("temperature", None)
        return {**parameters, "max_tokens": self.parameters.get("max_tokens")}  # also None: the engine's default is 16

    def _result(self, output: Any) -> ChatResult:
        completion = output.outputs[0]
        input_tokens, output_tokens = len(output.prompt_token_ids or ()), len(completion.token_ids)
        message = AIMessage(
            content=completion.text,
            usage_metadata=UsageMetadata(
                input_tokens=input_tokens,
                output_tokens=output_tokens,
                total_tokens=input_tokens + output_tokens,
                input_token_details={"cache_read": getattr(output, "num_cached_tokens", None) or 0},
            ),
            response_metadata={
                "finish_reason": completion.finish_reason or "stop",
                "model_name": self.model_name,
                "logprobs": _openai_logprobs(completion.token_ids, completion.logprobs)
                if completion.logprobs
                else None,
            },
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


def _openai_logprobs(token_ids: Sequence[int], logprobs: Sequence[Mapping[int, Any]]) -> dict[str, Any]:
    """Return log-probabilities in OpenAI's form; the engine gives a `Logprob` by token id for every position."""
    content = []
    for chosen, position in zip(token_ids, logprobs, strict=False):  # a cut-off answer may lack the last position
        tokens = {
            token_id: {"token": each.decoded_token or "", "logprob": each.logprob}
            for token_id, each in position.items()
        }
        content.append({**tokens.get(chosen, {"token": ""}), "top_logprobs": list(tokens.values())})
    return {"content": content}
