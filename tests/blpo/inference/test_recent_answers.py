"""Answers in memory: counted like answers of the store, bounded, and only for the very sample."""

from dataclasses import replace
from pathlib import Path

from blpo.inference.descriptions import describe_sample
from blpo.inference.open_run import open_run
from blpo.inference.recent_answers import RecentAnswers
from blpo.inference.verdicts import judge_sample
from state.sample import Sample
from state.settings import DataSettings, Settings


def samples(count: int) -> list[Sample]:
    return [Sample(str(number), (), None) for number in range(count)]


def test_the_oldest_answer_goes_first() -> None:
    answers = RecentAnswers[int](2)
    three = samples(3)
    for number, sample in enumerate(three):
        answers.keep(sample, "q", number)
    assert [answers.get(sample, "q") for sample in three] == [None, 1, 2]


def test_another_question_or_another_sample_with_the_id_has_no_answer() -> None:
    answers = RecentAnswers[int](2)
    sample = samples(1)[0]
    answers.keep(sample, "q", 1)
    assert answers.get(sample, "p") is None
    assert answers.get(replace(sample), "q") is None


def test_none_are_kept_by_models_of_new_images() -> None:
    answers, sample = RecentAnswers[int](0), samples(1)[0]
    answers.keep(sample, "q", 1)
    assert answers.get(sample, "q") is None


async def test_an_answer_in_memory_is_counted_like_one_of_the_store(tmp_path: Path) -> None:
    settings = Settings(data=DataSettings(limit=10))
    usages, answers = [], []
    for _ in range(2):  # the second run has the answers in its store alone
        async with open_run(settings, tmp_path / "responses.sqlite") as run:
            sample = run.split("train")[0]
            asked = [(await describe_sample(run, "Noise?", sample), await judge_sample(run, "p", sample))]
            asked += [(await describe_sample(run, "Noise?", sample), await judge_sample(run, "p", sample))]
            usages.append({role: usage["cached"] for role, usage in (await run.caller.usage()).items()})
            answers += asked
            assert asked[1][0] is asked[0][0]
            assert asked[1][1] is asked[0][1]
    assert all(each == answers[0] for each in answers)
    assert usages == [{"judge": 1, "verbalizer": 1, "optimizer": 0}, {"judge": 3, "verbalizer": 3, "optimizer": 0}]
