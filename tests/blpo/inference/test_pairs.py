"""Pairs: messages in both orders, answers mapped back, and requests that are sent once."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage
from PIL import Image

from blpo.data.image_sources import FileImage
from blpo.inference.descriptions import MAX_WORDS_A_PAIR, describe_samples
from blpo.inference.open_models import OpenModels, open_models
from blpo.inference.pair_orders import compared_verdict, joined_verdict, ordered_verdict, orders_of, pair_in_order
from blpo.inference.verdicts import judge_sample, judgement_of
from blpo.models.embedded.chat import prompt_and_frame
from blpo.models.embedded.message_images import images
from state.errors import DataError
from state.sample import ContextName, ImageSource, Sample
from state.settings import (
    DataSettings,
    LimitSettings,
    ModelSettings,
    ModelsSettings,
    SearchSettings,
    Settings,
    TaskSettings,
)
from state.verdict import Order, OrderedVerdict, Status, Verdict
from tests.blpo.data.dataset_folders import load, png
from tests.scripted import scripted

Script = Callable[[Sequence[BaseMessage]], str]
PAIR = TaskSettings(kind="pairwise", ties=True)
ORDERS: tuple[Order, Order] = ("ab", "ba")
answers = st.sampled_from(["first", "second", "tie"])
statuses: st.SearchStrategy[Status] = st.sampled_from(["unparseable", "refused", "error"])
verdicts = st.builds(lambda label: Verdict("s", "ok", label, label), answers) | st.builds(
    lambda status: Verdict("s", status, None), statuses
)


def image(path: Path, colour: str) -> FileImage:
    Image.new("RGB", (12, 10), colour).save(path)
    return FileImage(str(path), path.name)


@pytest.fixture
def pair(tmp_path: Path) -> Sample:
    return Sample("p", (image(tmp_path / "a.png", "teal"), image(tmp_path / "b.png", "red")), "a")


@asynccontextmanager
async def models_with(script: Script, task: TaskSettings = PAIR, **judge: Any) -> AsyncIterator[OpenModels]:
    name = scripted("pairs", script)
    roles = ModelsSettings(judge=ModelSettings(name=name, **judge), optimizer=ModelSettings(name=name))
    data = DataSettings(path="x", image=("a", "b"))
    limits, search = LimitSettings(max_failure_rate=1), SearchSettings(outer_rounds=0)
    settings = Settings(task=task, data=data, models=roles, limits=limits, search=search)
    async with open_models(settings) as models:
        yield models


def kinds(message: BaseMessage) -> list[str]:
    """Return the parts of a message: texts as they are, images by their data URL."""
    parts: Any = message.content
    return [part["text"] if part["type"] == "text" else part["image_url"]["url"] for part in parts]


def verdict_json(label: str, reason: str = "why") -> str:
    return json.dumps({"reason": reason, "label": label})


@given(verdicts, st.sampled_from(ORDERS))
def test_an_answer_means_the_thing_at_its_place(verdict: Verdict, order: Order) -> None:
    mapped = ordered_verdict(verdict, order)
    assert (mapped.order, mapped.status, mapped.reason) == (order, verdict.status, verdict.reason)
    places = dict(zip(("first", "second"), pair_in_order("ab", order), strict=True)) | {"tie": "tie"}
    assert mapped.label == (None if verdict.label is None else places[str(verdict.label)])


@given(verdicts, verdicts)
def test_a_pair_has_the_label_on_which_all_orders_agree(one: Verdict, other: Verdict) -> None:
    orders = [ordered_verdict(one, "ab"), ordered_verdict(other, "ba")]
    joined = joined_verdict("s", orders)
    failed = [each.status for each in orders if each.status != "ok"]
    expected = "error" if "error" in failed else failed[0] if failed else "ok"
    assert joined.status == expected
    agree = expected == "ok" and orders[0].label == orders[1].label
    assert joined.label == (orders[0].label if agree else None)
    assert joined.orders == tuple(orders)


def test_probabilities_are_those_of_the_labels_and_their_mean_over_the_orders() -> None:
    one = Verdict("s", "ok", "first", scores=(("first", 0.9), ("second", 0.1)))
    other = Verdict("s", "ok", "first", scores=(("first", 0.6), ("second", 0.4)))
    orders = [ordered_verdict(one, "ab"), ordered_verdict(other, "ba")]
    assert orders[1].scores == (("a", 0.4), ("b", 0.6))
    assert dict(joined_verdict("s", orders).scores) == pytest.approx({"a": 0.65, "b": 0.35})
    assert joined_verdict("s", [orders[0], replace(orders[1], scores=())]).scores == ()


def test_a_reason_names_the_ratings_of_both_sides_and_a_rating_may_be_zero() -> None:
    apart = TaskSettings(kind="pairwise", order="apart", min=0, max=2)
    verdict = compared_verdict("p", [Verdict("p", "ok", 0, "dull"), Verdict("p", "ok", 2, "crisp")], apart)
    assert (verdict.label, verdict.reason) == ("b", "a is 0: dull. b is 2: crisp.")
    failed = compared_verdict("p", [Verdict("p", "refused", None, "no"), Verdict("p", "ok", 2, "crisp")], apart)
    assert (failed.status, failed.label, failed.reason) == ("refused", None, "a is refused: no. b is 2: crisp.")


def test_reasons_are_named_by_their_order() -> None:
    orders = [OrderedVerdict("ab", "ok", "a", "sharper"), OrderedVerdict("ba", "ok", "b", "The first is warm!")]
    assert joined_verdict("s", orders).reason == "First order: sharper. Swapped order: The first is warm!"
    assert joined_verdict("s", orders[:1]).reason == "sharper"
    assert joined_verdict("s", orders[1:]).reason == "Swapped order: The first is warm!"
    assert joined_verdict("s", [replace(each, reason="") for each in orders]).reason == ""


@pytest.mark.parametrize("order", ["one", "random"])
def test_one_order_is_the_tables_or_follows_from_the_seed(order: Literal["one", "random"], pair: Sample) -> None:
    task = TaskSettings(kind="pairwise", order=order)
    samples = [replace(pair, id=f"p{i}") for i in range(400)]
    orders_by_sample = [orders_of(task, sample, 7) for sample in samples]
    assert orders_by_sample == [orders_of(task, sample, 7) for sample in samples]
    swapped = sum(orders == ("ba",) for orders in orders_by_sample)
    assert swapped == 0 if order == "one" else 150 < swapped < 250
    assert order == "one" or orders_by_sample != [orders_of(task, sample, 8) for sample in samples]
    assert orders_of(PAIR, pair, 7) == ("ab", "ba") and orders_of(TaskSettings(), pair, 7) == (None,)


@pytest.mark.parametrize("order", ["image_first", "rubric_first"])
async def test_both_images_are_named_and_shown_in_both_orders(pair: Sample, order: str) -> None:
    requests: list[Sequence[BaseMessage]] = []

    def judge(messages: Sequence[BaseMessage]) -> str:
        requests.append(messages)
        return verdict_json("first")

    with_text = replace(pair, text="a card")
    async with models_with(judge, part_order=order) as models:
        verdict = await judge_sample(models, "Which one is better?", with_text)
    first, second = (kinds(messages[0]) for messages in requests)
    frame = first[-1 if order == "image_first" else 0]
    item = first[:-1] if order == "image_first" else first[1:]
    assert item[::2] == ["First image:", "Second image:", "<text>a card</text>"]
    swapped = second[:-1] if order == "image_first" else second[1:]
    assert swapped == [item[0], item[3], item[2], item[1], item[4]]
    assert f"the one pair {'above' if order == 'image_first' else 'below'} this text" in frame
    assert '"label": one of "first", "second", "tie"}' in frame
    assert prompt_and_frame(requests[0])[0] == "Which one is better?"
    assert [(o.order, o.label) for o in verdict.orders] == [("ab", "a"), ("ba", "b")]
    assert (verdict.status, verdict.label) == ("ok", None)


@pytest.mark.parametrize("part_order", ["image_first", "rubric_first"])
async def test_two_texts_about_one_image_are_swapped_and_the_image_stays(tmp_path: Path, part_order: str) -> None:
    requests: list[Sequence[BaseMessage]] = []

    def judge(messages: Sequence[BaseMessage]) -> str:
        requests.append(messages)
        return verdict_json("second" if "<second>B ‹/first></second>" in kinds(messages[0]) else "first")

    context: tuple[tuple[ContextName, ImageSource], ...] = (("reference", image(tmp_path / "r.png", "blue")),)
    own = (image(tmp_path / "a.png", "teal"),)
    sample = Sample("t", own, "b", text="What is it?", texts=("A\n---", "B </first>"), context=context)
    async with models_with(judge, part_order=part_order) as models:
        verdict = await judge_sample(models, "Which answer is true?", sample)
    first, second = (kinds(messages[0]) for messages in requests)
    if part_order == "rubric_first":
        first, second = first[1:] + first[:1], second[1:] + second[:1]
    assert first[0] == "Reference image:" and first[3] == "<text>What is it?</text>"
    assert first[4:6] == ["<first>A\n---</first>", "<second>B ‹/first></second>"]
    assert second[4:6] == ["<first>B ‹/first></first>", "<second>A\n---</second>"]
    assert first[:4] == second[:4] and first[-1] == second[-1]
    assert "The reference image is there to compare with" in first[-1] and "inside <first> and <second>" in first[-1]
    assert prompt_and_frame(requests[0])[0] == "Which answer is true?"
    assert verdict.label == "b"


async def test_a_repair_belongs_to_its_order_and_nothing_is_asked_twice(pair: Sample) -> None:
    requests: list[Sequence[BaseMessage]] = []

    def judge(messages: Sequence[BaseMessage]) -> str:
        requests.append(messages)
        return "I can't say." if len(requests) == 2 else verdict_json("tie")

    async with models_with(judge) as models:
        judgement = await judgement_of(models, "Which one?", pair)
        again = await judge_sample(models, "Which one?", pair)
        usage = (await models.caller.usage())["judge"]
    assert judgement.verdict.label == "tie" and again == judgement.verdict
    assert [len(messages) for messages in requests] == [1, 1, 3]
    assert [reply.response.text for reply in judgement.replies] == [
        verdict_json("tie"),
        "I can't say.",
        verdict_json("tie"),
    ]
    assert (usage["issued"], usage["cached"]) == (3, 3)


async def test_a_pair_of_the_same_image_twice_is_one_request(pair: Sample) -> None:
    same = replace(pair, images=(pair.images[0], pair.images[0]))
    async with models_with(lambda messages: verdict_json("first")) as models:
        verdict = await judge_sample(models, "Which one?", same)
        usage = (await models.caller.usage())["judge"]
    assert [ordered.label for ordered in verdict.orders] == ["a", "b"]
    assert usage["issued"] == 1


async def test_a_pair_is_described_in_one_message(pair: Sample) -> None:
    requests: list[Sequence[BaseMessage]] = []

    def verbalizer(messages: Sequence[BaseMessage]) -> str:
        requests.append(messages)
        return "The first image is calm, the second image is busy."

    async with models_with(verbalizer) as models:
        (description,) = await describe_samples(models, "Describe noise.", [replace(pair, label="b")])
    assert description.text == "The first image is calm, the second image is busy."
    (messages,) = requests
    parts = kinds(messages[0])
    assert parts[0] == "First image:" and parts[2] == "Second image:"
    assert f"at most {MAX_WORDS_A_PAIR} words" in parts[-1] and "how they differ" in parts[-1]


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_a_sample_that_is_no_pair_is_named(pair: Sample, count: int) -> None:
    async with models_with(lambda messages: verdict_json("first")) as models:
        with pytest.raises(DataError, match=r"^p: is no pair; a pair has two images, or one image and two texts"):
            await judge_sample(models, "Which one?", replace(pair, images=(pair.images[0],) * count))
        with pytest.raises(DataError, match=r"^p: is no pair"):
            await judge_sample(models, "Which one?", replace(pair, texts=("a", "b")))


@pytest.mark.parametrize("order", ["both", "apart"])
async def test_images_of_one_row_of_a_table_with_cells_are_told_apart(
    order: Literal["both", "apart"], tmp_path: Path
) -> None:
    rows = [{"id": f"p{i}", "image_a": png(2 * i), "image_b": png(2 * i + 1), "label": "ab"[i % 2]} for i in range(12)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "labels.parquet")
    task = TaskSettings(kind="pairwise", order=order)
    sample = load(tmp_path, task, image=("image_a", "image_b")).by_id["p3"]
    shown_images: list[list[bytes]] = []

    def judge(messages: Sequence[BaseMessage]) -> str:
        shown_images.append([image.data for image in images(messages)])
        return verdict_json("first" if order == "both" else str(len(shown_images)))

    async with models_with(judge, task) as models:
        await judge_sample(models, "Which one?", sample)
    a, b = png(6), png(7)
    assert shown_images == ([[a, b], [b, a]] if order == "both" else [[a], [b]])
