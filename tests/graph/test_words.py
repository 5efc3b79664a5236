"""Words of a scale: the judge and the optimizer are told the words, the judge may answer them, a run sees numbers."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

import blpo
from blpo.cli.main import main
from blpo.config.config_hash import config_hash
from blpo.config.settings_file import dump_settings, load_settings
from blpo.data.image_sources import FileImage
from blpo.data.labels import label_reader
from blpo.inference.answer_forms import answer_form
from blpo.inference.answers import verdict_of
from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.open_models import open_models
from blpo.inference.verdicts import judge_sample
from blpo.models.embedded.rubric_verdict import words_in_frame
from blpo.models.verdict_format import label_form, verdict_schema
from blpo.prompts.cases import labels_in_words
from blpo.reports.exports.judge_module import judge_module
from blpo.runs.judge_file import JudgeFile, read_judge_file
from state.errors import ConfigError
from state.response import Response
from state.sample import Sample
from state.settings import DataSettings, ModelSettings, ModelsSettings, Settings, TaskSettings
from tests.blpo.inference.test_pairs import image, kinds
from tests.blpo.reports.test_exports import environment, exported, images, judge_of
from tests.blpo.reports.test_pair_exports import our_verdict
from tests.scripted import scripted
from tests.servers.chat_server import ChatServer
from tests.small_set import draw_dataset, edit_labels

__all__ = ["environment", "images"]

WORDS = {1: "unusable", 2: "poor", 3: "fair", 4: "good", 5: 'flawless, "perfect"'}
NUMBERS = TaskSettings.model_validate({"scale": WORDS})
ANSWERS = TaskSettings.model_validate({"scale": WORDS, "answer": "word"})


def test_words_give_the_ends_of_the_scale_and_survive_a_config(tmp_path: Path) -> None:
    ends = TaskSettings.model_validate({"scale": {"-1": "bad", 3: "good"}})
    assert (ends.min, ends.max, ends.scale) == (-1, 3, ((-1, "bad"), (3, "good")))
    settings = load_settings({"task": {"scale": WORDS, "answer": "word"}})
    assert (settings.task, settings.task.values) == (ANSWERS, (1, 2, 3, 4, 5))
    (tmp_path / "config.yaml").write_text(dump_settings(settings))
    again = load_settings(tmp_path / "config.yaml")
    assert again == settings and config_hash(again) == config_hash(settings)
    plain = config_hash(load_settings({}))
    assert config_hash(load_settings({"task": {"scale": {}, "answer": "number"}})) == plain != config_hash(settings)
    assert load_settings({}, ["task.scale={1: bad, 5: good}"]).task.scale == ((1, "bad"), (5, "good"))


@pytest.mark.parametrize(
    ("task", "problem"),
    [
        ({"scale": {1: "bad", 2: "Bad "}}, "two ratings by one word"),
        (
            {"scale": {1: "bad", 3: "good"}, "answer": "word"},
            "answer: word needs a word in scale for each rating from 1",
        ),
        ({"answer": "word"}, "answer: word needs a word in scale for each rating from 1 to 5"),
        ({"scale": {1: "bad", 7: "good"}, "max": 5}, "scale names 7, which is not from min"),
        ({"scale": {1: True}}, "True is no word; write a text in quotes on one line"),
        ({"scale": {1: "a\nb"}}, "is no word"),
        ({"scale": {"low": "bad"}}, "a rating must be an integer"),
        ({"kind": "categorical", "labels": ["a", "b"], "scale": WORDS}, "scale and answer belong to kind: ordinal"),
    ],
)
def test_words_that_do_not_fit_are_named(task: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        load_settings({"task": task, "data": {"path": "x"}})


def test_judge_and_optimizer_are_told_the_words() -> None:
    assert label_form(NUMBERS).startswith('an integer from 1 to 5, where 1 is "unusable", 2 is "poor", 3 is "fair"')
    form = label_form(ANSWERS.answer_scale)
    assert form.startswith('one of "unusable", "poor", "fair", "good", "flawless, \\"perfect\\""')
    assert form.endswith(", which mean the ratings 1 to 5 in this order")
    assert words_in_frame(form) == WORDS and words_in_frame(label_form(NUMBERS)) == {}
    assert verdict_schema(NUMBERS)["properties"]["label"] == {"type": "integer", "enum": [1, 2, 3, 4, 5]}
    assert verdict_schema(ANSWERS.answer_scale)["properties"]["label"]["enum"] == list(WORDS.values())
    labels = labels_in_words(ANSWERS)
    assert labels.startswith(
        "integers from 1 (lowest) to 5 (highest)\nThe ratings have words, which the judge is told: 1 is"
    )
    assert labels.endswith("The judge answers the word.") and "answers" not in labels_in_words(NUMBERS)
    settings = Settings(task=ANSWERS, data=DataSettings(path="x"))
    assert initial_prompts(settings)[0].startswith("Look at the image and rate it on this scale: 1 is unusable, 2 is")
    assert label_form(TaskSettings()) == "an integer from 1 to 5"
    assert labels_in_words(TaskSettings()) == "integers from 1 (lowest) to 5 (highest)"


def test_a_word_is_a_rating_in_verdicts_and_in_files(tmp_path: Path) -> None:
    sample = Sample("s", (), 4)
    scores = (("good", 0.75), ("fair", 0.25))
    reply = Response('{"reason": "sharp", "label": "Good"}', scores=scores)
    form = answer_form(Settings(task=ANSWERS, data=DataSettings(path="x")), sample)
    verdict = verdict_of(sample, reply, form)
    assert (verdict.status, verdict.label, verdict.reason) == ("ok", 4, "sharp")
    assert verdict.scores == ((4, 0.75), (3, 0.25))
    assert verdict_of(sample, Response("great"), form).status == "unparseable"
    reader = label_reader(NUMBERS, None, ())
    assert [reader(value) for value in ("Unusable ", "4", 2, "good")] == [1, 4, 2, 4]
    with pytest.raises(ValueError, match="label great is not an integer from 1 to 5"):
        reader("great")


async def test_a_judge_is_asked_for_the_word(tmp_path: Path) -> None:
    requests: list[Sequence[BaseMessage]] = []

    def judge(messages: Sequence[BaseMessage]) -> str:
        requests.append(messages)
        return "hm" if len(requests) == 1 else '{"reason": "", "label": "poor"}'

    model = ModelSettings(name=scripted("words", judge))
    models = ModelsSettings(judge=model, optimizer=model)
    async with open_models(Settings(task=ANSWERS, data=DataSettings(path="x"), models=models)) as open_ones:
        verdict = await judge_sample(open_ones, "Rate it.", Sample("s", (image(tmp_path / "a.png", "teal"),), 2))
    assert (verdict.status, verdict.label) == ("ok", 2)
    assert '"label": one of "unusable", "poor"' in kinds(requests[0][0])[-1]
    assert "which mean the ratings 1 to 5 in this order" in str(requests[1][-1].content)


@pytest.mark.parametrize("logprobs", [False, True])
@pytest.mark.parametrize("task", [NUMBERS, ANSWERS], ids=["numbers", "words"])
async def test_an_exported_judge_answers_numbers(
    images: Path, tmp_path: Path, task: TaskSettings, logprobs: bool
) -> None:
    label = '"poor"' if task.answer == "word" else "2"
    token = {"token": label.strip('"'), "logprob": -0.1}
    parts = [('{"reason": "x", "label": ', []), ('"', []), (token["token"], [token]), ('"}', [])]
    tokens = [{"token": text, "logprob": 0.0, "top_logprobs": top} for text, top in parts]
    choice = {"logprobs": {"content": tokens}} if logprobs else {}
    async with ChatServer(answer=lambda _: f'{{"reason": "x", "label": {label}}}', choice=choice) as server:
        judge = judge_of(server.base_url, task, logprobs=logprobs)
        path = images / "plain.png"
        sample = Sample("s", (FileImage(str(path), str(path)),), None)
        expected = await asyncio.to_thread(our_verdict, sample, judge)
        requests, server.requests = server.requests, []
        answer = await asyncio.to_thread(exported(judge, tmp_path).judge, path)
    assert server.requests == requests
    assert (answer["status"], answer["label"]) == (expected["status"], expected["label"]) == ("ok", 2)
    assert {str(name): p for name, p in expected.get("scores", {}).items()} == answer.get("scores", {})
    assert ("scores" in answer) == logprobs
    assert "RATINGS" not in judge_module(judge_of("http://x/v1"), "python", "run")


async def test_a_run_of_words_gives_the_verdicts_of_the_run_of_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = draw_dataset(tmp_path / "set")
    edit_labels(dataset, lambda rows: [row.update(label=WORDS[int(row["label"])]) for row in rows])
    runs: list[blpo.Run] = []
    scale: dict[str, Any] = {"scale": WORDS}
    for task in (scale, {**scale, "answer": "word"}):
        search = {"outer_rounds": 1, "inner_steps": 1, "error_batch": 6}
        run = tmp_path / task.get("answer", "number")
        runs.append(
            await blpo.optimize(
                {"task": task, "data": {"path": str(dataset)}, "search": search, "run": {"dir": str(run)}}
            )
        )
    numbers, words = ((tmp_path / name / "verdicts" / "best.jsonl").read_text() for name in ("number", "word"))
    assert [json.loads(line)["verdict"] for line in words.splitlines()] == [
        json.loads(line)["verdict"] for line in numbers.splitlines()
    ]
    assert runs[0].result["test"] == runs[1].result["test"]
    judge = read_judge_file(tmp_path / "word")
    assert judge.task == ANSWERS and JudgeFile.model_validate(judge.model_dump(mode="json")) == judge
    await blpo.report(tmp_path / "word")
    assert "Ratings: 1 is <bdi>unusable</bdi>, " in (tmp_path / "word" / "report.html").read_text()
    capsys.readouterr()
    assert await asyncio.to_thread(main, ["check", str(tmp_path / "word" / "config.yaml")]) == 0
    assert "label 1 (unusable): train" in capsys.readouterr().out
