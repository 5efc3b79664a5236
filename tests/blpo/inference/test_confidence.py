"""Sources of a judge's confidence; the verdict and its request are the same with each."""

import math
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from blpo.data.image_sources import file_sample
from blpo.deployment.judge import in_task
from blpo.inference.confidence import Confidence, confidence_of
from blpo.inference.open_models import open_models
from blpo.inference.verdicts import judgement_of
from state.sample import Sample
from state.settings import LimitSettings, ModelSettings, ModelsSettings, Settings, TaskSettings
from state.verdict import Verdict
from tests.servers.chat_server import ChatServer, Reply

TASK = TaskSettings(kind="categorical", labels=("safe", "unsafe"))


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    Image.new("RGB", (24, 24), (90, 90, 90)).save(tmp_path / "a.png")
    return file_sample(tmp_path / "a.png")


def token(text: str, **probabilities: float) -> dict[str, Any]:
    alternatives = [{"token": each, "logprob": math.log(p)} for each, p in probabilities.items()]
    return {"token": text, "logprob": 0.0, "top_logprobs": alternatives}


async def asked(
    server: ChatServer, sample: Sample, task: TaskSettings = TASK, **model: Any
) -> tuple[Verdict, Confidence]:
    judge = ModelSettings(name="vllm:q", base_url=server.base_url, **model)
    roles = ModelsSettings(judge=judge, optimizer=ModelSettings(name="vllm:q", base_url=server.base_url))
    data = {"path": "x.csv", "image": ("a", "b")} if task.kind == "pairwise" else {"path": "x.csv"}
    settings = Settings.model_validate(
        {"task": task, "models": roles, "limits": LimitSettings(max_failure_rate=1), "data": data}
    )
    async with open_models(settings) as models:
        verdict = (await judgement_of(models, "Is it safe?", sample)).verdict
        return verdict, await confidence_of(models, "Is it safe?", sample, verdict)


async def test_log_probabilities_are_read_from_the_verdict(sample: Sample) -> None:
    content = [token('{"reason": "", "label": "'), token("unsafe", unsafe=0.75, safe=0.25), token('"}')]
    answer = '{"reason": "", "label": "unsafe"}'
    async with ChatServer(lambda messages: answer, choice={"logprobs": {"content": content}}) as server:
        verdict, confidence = await asked(server, sample, logprobs=True, confidence="logprobs")
        assert (verdict.label, len(server.requests)) == ("unsafe", 1)
    assert confidence.value == pytest.approx(0.75)
    assert confidence.replies == ()


async def test_repeats_give_the_share_of_equal_answers(sample: Sample) -> None:
    labels = {None: "safe", 1: "unsafe", 2: "safe", 3: "no label", 4: "safe"}

    async def respond(body: dict[str, Any]) -> Reply:
        return Reply(f'{{"reason": "", "label": "{labels[body.get("seed")]}"}}', 7, 2)

    async with ChatServer(respond=respond) as server:
        verdict, confidence = await asked(server, sample, confidence="repeats", repeats=5)
        assert "seed" not in server.requests[0] and server.requests[0]["temperature"] == 0.0
    assert verdict.label == "safe"
    assert confidence.value == 3 / 5  # an answer without a label is another answer
    assert dict(confidence.scores) == {"safe": 0.75, "unsafe": 0.25}
    assert sum(reply.response.input_tokens for reply in confidence.replies) == 7 * 5  # four repeats, and a repair


async def test_words_are_a_second_question_in_the_same_conversation(sample: Sample) -> None:
    def answer(messages: list[dict[str, Any]]) -> str:
        return '{"confidence": 80}' if len(messages) > 1 else '{"reason": "plain", "label": "safe"}'

    async with ChatServer(answer) as server:
        verdict, confidence = await asked(server, sample, confidence="words")
        first, second = server.requests
    assert verdict.label == "safe" and confidence.value == 0.8
    assert second["messages"][:1] == first["messages"]
    assert second["messages"][1] == {"role": "assistant", "content": '{"reason": "plain", "label": "safe"}'}
    assert "response_format" not in second


@pytest.mark.parametrize(
    ("place", "keys"), [("before", ["reason", "label"]), ("after", ["label", "reason"]), ("none", ["label"])]
)
async def test_the_reason_stands_where_the_settings_say(sample: Sample, place: str, keys: list[str]) -> None:
    async with ChatServer(lambda messages: '{"label": "safe"}') as server:
        verdict, _ = await asked(server, sample, reason=place)
        request = server.requests[0]
    assert (verdict.status, verdict.label, verdict.reason) == ("ok", "safe", "")
    assert list(request["response_format"]["json_schema"]["schema"]["properties"]) == keys
    text = request["messages"][0]["content"][-1]["text"]
    places = [text.rindex(f'"{key}": ') for key in keys]
    assert places == sorted(places) and ("one short sentence" in text) == ("reason" in keys)


async def test_words_about_an_answer_by_criteria_are_about_each_label(sample: Sample) -> None:
    def answer(messages: list[dict[str, Any]]) -> str:
        if len(messages) == 1:
            return '{"reason": "", "sharp": "yes", "clean": "no"}'
        return '{"confidence": 90}' if 'the label for "sharp"' in str(messages[-1]["content"]) else "60"

    criteria = [{"name": name, "kind": "categorical", "labels": ["no", "yes"]} for name in ("sharp", "clean")]
    async with ChatServer(answer) as server:
        model = {"name": "vllm:q", "base_url": server.base_url, "confidence": "words"}
        settings = Settings.model_validate(
            {"criteria": criteria, "data": {"path": "x.csv"}, "models": {"judge": model, "optimizer": model}}
        )
        async with open_models(settings) as models:
            values = []
            for name in ("sharp", "clean"):
                own = in_task(sample, name)
                verdict = (await judgement_of(models, "Look.", own)).verdict
                values.append((verdict.label, (await confidence_of(models, "Look.", own, verdict)).value))
        assert server.count == 3  # one answer about both
    assert values == [("yes", 0.9), ("no", 0.6)]


async def test_words_about_a_pair_are_the_mean_of_both_orders(sample: Sample, tmp_path: Path) -> None:
    Image.new("RGB", (24, 24), (10, 10, 10)).save(tmp_path / "b.png")
    pair = Sample("p", (*sample.images, *file_sample(tmp_path / "b.png").images), None)
    stated = iter([60, 90])
    places = iter(["first", "second"])

    def answer(messages: list[dict[str, Any]]) -> str:
        one_more = len(messages) > 1
        return f'{{"confidence": {next(stated)}}}' if one_more else f'{{"reason": "", "label": "{next(places)}"}}'

    async with ChatServer(answer) as server:
        pairwise = TaskSettings(kind="pairwise")
        verdict, confidence = await asked(server, pair, pairwise, confidence="words", max_concurrency=1)
    assert verdict.label in ("a", "b")
    assert confidence.value == pytest.approx(0.75)


async def test_an_unreadable_confidence_and_a_verdict_without_a_label_have_none(sample: Sample) -> None:
    async with ChatServer(lambda messages: "sure" if len(messages) > 1 else '{"label": "safe"}') as server:
        assert (await asked(server, sample, confidence="words"))[1].value is None
    async with ChatServer(lambda messages: "never", extra={"refusal": "no"}) as server:
        assert (await asked(server, sample, confidence="repeats"))[1] == Confidence()
        assert len(server.requests) == 1


def test_the_source_must_be_there() -> None:
    with pytest.raises(ValueError, match="confidence: logprobs needs logprobs: true"):
        ModelSettings(name="vllm:q", confidence="logprobs")
