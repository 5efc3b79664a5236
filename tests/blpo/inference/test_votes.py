"""Votes: the most frequent of several answers is the verdict, and all answers are kept."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage
from PIL import Image

from blpo.data.image_sources import file_sample
from blpo.deployment.verdict_lines import JudgedSample, Usage, line_of, read_line
from blpo.deployment.vote_counts import VoteCounts
from blpo.inference.confidence import confidence_of
from blpo.inference.open_models import open_models
from blpo.inference.pair_orders import joined_verdict, ordered_verdict
from blpo.inference.verdicts import judge_samples, judgement_of
from blpo.inference.votes import Ballot, CastVote, voted
from blpo.metrics.krippendorff import krippendorff_alpha
from blpo.reports.exports.write import export_judge
from blpo.runs.judge_file import JudgeFile
from state.errors import RunError
from state.sample import Label, Sample
from state.settings import LimitSettings, ModelSettings, ModelsSettings, Settings, TaskSettings
from state.verdict import Status, Verdict
from tests.scripted import scripted
from tests.servers.chat_server import ChatServer, Reply

SAFETY = TaskSettings(kind="categorical", labels=("safe", "unsafe"))
RATINGS = TaskSettings(min=1, max=5)
FAILURES: dict[Label, Status] = {"refused": "refused", "unparseable": "unparseable", "error": "error"}


def answers(*labels: Label) -> list[CastVote]:
    return [
        CastVote(
            Ballot("judge", k),
            Verdict("s", FAILURES[label], None, f"{k}") if label in FAILURES else Verdict("s", "ok", label, f"{k}"),
        )
        for k, label in enumerate(labels)
    ]


@pytest.mark.parametrize(
    ("task", "labels", "status", "label", "reason"),
    [
        (SAFETY, ("safe", "unsafe", "unsafe"), "ok", "unsafe", "1"),
        (SAFETY, ("unsafe", "safe", "safe", "unsafe"), "ok", "unsafe", "0"),  # the first of the tied
        (SAFETY, ("refused", "safe"), "ok", "safe", "1"),  # a label wins against as many refusals
        (SAFETY, ("refused", "safe", "refused"), "refused", None, "0"),
        (SAFETY, ("unparseable", "safe", "error"), "error", None, "2"),
        (RATINGS, (5, 1, 3), "ok", 3, "2"),  # all are tied: the median
        (RATINGS, (4, 2, 2, 4, 3), "ok", 4, "0"),  # the median is none of the tied
        (RATINGS, (5, 5, 1, 1, 1), "ok", 1, "2"),
    ],
)
def test_the_most_frequent_answer_wins(
    task: TaskSettings, labels: tuple[Label, ...], status: Status, label: Label | None, reason: str
) -> None:
    verdict = voted("s", answers(*labels), task)
    assert (verdict.status, verdict.label, verdict.reason) == (status, label, reason)
    assert [vote.label or vote.status for vote in verdict.votes] == list(labels)


def test_rankings_have_the_mean_ranks() -> None:
    verdict = voted("s", answers("1>2>3", "1>3>2", "2>1>3"), TaskSettings(kind="ranking", best="lowest"))
    assert verdict.label == "1>2>3"  # mean ranks 4/3, 2 and 8/3


@hypothesis_settings(max_examples=30)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=25))
def test_no_other_label_has_more_votes(labels: list[int]) -> None:
    verdict = voted("s", answers(*labels), RATINGS)
    assert labels.count(int(str(verdict.label))) == max(map(labels.count, labels))


def test_probabilities_are_the_mean_of_all_votes() -> None:
    shares = [(("safe", 0.8), ("unsafe", 0.2)), (("safe", 0.4), ("unsafe", 0.6))]
    votes = [CastVote(Ballot(), Verdict("s", "ok", "safe", "", scores)) for scores in shares]
    verdict = voted("s", votes, SAFETY)
    assert dict(verdict.scores) == pytest.approx({"safe": 0.6, "unsafe": 0.4})


def test_the_majority_of_five_is_right_as_often_as_the_binomial_says() -> None:
    """Binomial: 0.7 right alone is 0.83692 right by the majority of five."""
    generator, right, samples = random.Random(4), 0, 4_000
    for _ in range(samples):
        labels = ["safe" if generator.random() < 0.7 else "unsafe" for _ in range(5)]
        right += voted("s", answers(*labels), SAFETY).label == "safe"
    assert abs(right / samples - 0.83692) < 3 * (0.83692 * 0.16308 / samples) ** 0.5


def image(folder: Path, name: str = "a") -> Sample:
    Image.new("RGB", (24, 24), (90, 90, 90)).save(folder / f"{name}.png")
    return file_sample(folder / f"{name}.png")


def run_settings(judge: ModelSettings, task: TaskSettings, **limits: Any) -> Settings:
    return Settings.model_construct(
        task=task,
        models=ModelsSettings(judge=judge, optimizer=judge.model_copy(update={"votes": 1})),
        limits=LimitSettings(max_failure_rate=1, **limits),
    )


async def test_a_noisy_judge_is_right_more_often_by_five_votes(tmp_path: Path) -> None:
    """Errors are planted: each answer is right with probability 0.7, whatever was answered before."""
    generator = random.Random(11)

    def judge(messages: Sequence[BaseMessage]) -> str:
        return json.dumps({"reason": "", "label": "safe" if generator.random() < 0.7 else "unsafe"})

    source = image(tmp_path)
    samples = [Sample(f"s{i}", source.images, "safe", text=f"number {i}") for i in range(60)]
    right = {}
    for votes in (1, 5):
        model = ModelSettings(name=scripted(f"noisy-{votes}", judge), votes=votes, vision=True)
        async with open_models(run_settings(model, SAFETY)) as models:
            verdicts = await judge_samples(models, "Is it safe?", samples)
            assert (await models.caller.usage())["judge"]["issued"] == votes * len(samples)
        right[votes] = sum(verdict.label == "safe" for verdict in verdicts) / len(samples)
        alone = [vote.label == "safe" for verdict in verdicts for vote in verdict.votes]
        if alone:
            assert abs(sum(alone) / len(alone) - 0.7) < 3 * (0.21 / len(alone)) ** 0.5
    assert abs(right[1] - 0.7) < 3 * (0.21 / len(samples)) ** 0.5
    assert abs(right[5] - 0.83692) < 3 * (0.83692 * 0.16308 / len(samples)) ** 0.5
    assert right[5] > right[1]


async def test_votes_are_repeats_of_one_question_and_give_a_confidence(tmp_path: Path) -> None:
    labels = {None: "unsafe", 1: "safe", 2: "safe", 3: "no label", 4: "safe"}

    async def respond(body: dict[str, Any]) -> Reply:
        return Reply(f'{{"reason": "seed {body.get("seed")}", "label": "{labels[body.get("seed")]}"}}', 7, 2)

    sample = image(tmp_path)
    async with ChatServer(respond=respond) as server:
        model = ModelSettings(name="vllm:q", base_url=server.base_url, votes=5, confidence="repeats")
        async with open_models(run_settings(model, SAFETY)) as models:
            judgement = await judgement_of(models, "Is it safe?", sample)
            confidence = await confidence_of(models, "Is it safe?", sample, judgement.verdict)
        assert len(server.requests) == 6  # five votes, and a repair
    verdict = judgement.verdict
    assert (verdict.label, verdict.reason, len(judgement.replies)) == ("safe", "seed 1", 6)
    assert [vote.label for vote in verdict.votes] == ["unsafe", "safe", "safe", None, "safe"]
    assert confidence.value == 3 / 5 and confidence.replies == ()  # the share of the votes, at no further call
    line = line_of(JudgedSample(sample, verdict, {"input_tokens": 42, "output_tokens": 12, "usd": None}))
    assert read_line(line, SAFETY).verdict == verdict


def test_votes_about_a_pair_are_of_a_and_b_in_each_order() -> None:
    task = TaskSettings(kind="pairwise")
    shown = [
        voted("p", answers("first", "second", "first"), task),
        voted("p", answers("second", "second", "first"), task),
    ]
    verdict = joined_verdict("p", [ordered_verdict(shown[0], "ab"), ordered_verdict(shown[1], "ba")])
    assert verdict.label == "a" and not verdict.votes
    assert [[vote.label for vote in order.votes] for order in verdict.orders] == [["a", "b", "a"], ["a", "a", "b"]]


def test_only_the_judge_votes_and_words_are_refused() -> None:
    voting = ModelSettings(name="embedded:judge", votes=3)
    with pytest.raises(ValueError, match="only the judge gives votes"):
        ModelsSettings(optimizer=voting)
    with pytest.raises(ValueError, match="words asks about one answer"):
        ModelSettings(name="embedded:judge", votes=3, confidence="words")


def test_no_file_is_exported_that_asks_once(tmp_path: Path) -> None:
    judge = JudgeFile(judge_prompt="Is it safe?", task=SAFETY, model=ModelSettings(name="openai:q", votes=5))
    (tmp_path / "judge.yaml").write_text(judge.dump())
    with pytest.raises(RunError, match="this judge gives 5 votes, and an exported file asks one judge once"):
        export_judge(tmp_path / "judge.yaml", "python")


def test_votes_are_compared_with_each_other_and_with_people(tmp_path: Path) -> None:
    counts, rows = VoteCounts(SAFETY), [("safe", "safe", "unsafe"), ("unsafe", "unsafe", "refused")]
    usage: Usage = {"input_tokens": 0, "output_tokens": 0, "usd": None}
    for labels in rows:
        counts.add(JudgedSample(Sample("s", (), "safe"), voted("s", answers(*labels), SAFETY), usage))
    counts.add(JudgedSample(Sample("s", (), "safe"), voted("s", answers("error", "safe", "safe"), SAFETY), usage))
    record = counts.record()
    assert record is not None
    assert record["alpha"] == krippendorff_alpha([("safe", "safe", "unsafe"), ("unsafe", "unsafe", None)], "nominal")
    assert (record["questions"], record["agreement"]) == (2, [0.5, 0.5, 0.0])
