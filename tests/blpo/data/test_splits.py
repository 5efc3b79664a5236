from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blpo.data.splits import assign_splits, draw_by_label
from state.sample import Sample, SplitName

SHARES: dict[SplitName, float] = {"train": 0.4, "validation": 0.3, "test": 0.3}
NAMES: tuple[SplitName, ...] = ("train", "validation", "test")

labels = st.lists(st.sampled_from("abcd"), min_size=1, max_size=120)
shares = st.tuples(*[st.floats(0.05, 1)] * 3).map(lambda three: dict(zip(NAMES, three, strict=True)))


@st.composite
def grouped(draw: Any) -> list[Sample]:
    rows = draw(st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 12)), min_size=1, max_size=80))
    return [
        Sample(f"s{i}", (), label, group=None if group is None else f"g{group}")
        for i, (label, group) in enumerate(rows)
    ]


def alone(values: list[str]) -> list[Sample]:
    return [Sample(f"s{i}", (), label) for i, label in enumerate(values)]


@given(grouped(), shares, st.integers(0, 5))
def test_every_sample_is_in_one_split_and_no_group_is_divided(
    samples: list[Sample], parts: dict[SplitName, float], seed: int
) -> None:
    split = assign_splits(samples, parts, seed)
    assert split.keys() == {sample.id for sample in samples}
    assert set(split.values()) <= set(NAMES)
    homes = defaultdict(set)
    for sample in samples:
        if sample.group is not None:
            homes[sample.group].add(split[sample.id])
    assert all(len(home) == 1 for home in homes.values())


@given(grouped(), st.randoms(), st.integers(0, 5))
def test_the_order_of_rows_does_not_matter(samples: list[Sample], random: Any, seed: int) -> None:
    shuffled = list(samples)
    random.shuffle(shuffled)
    assert assign_splits(shuffled, SHARES, seed) == assign_splits(samples, SHARES, seed)


@given(labels, shares)
def test_without_groups_each_share_is_exact_to_within_one(values: list[str], parts: dict[SplitName, float]) -> None:
    samples = alone(values)
    split = assign_splits(samples, parts, seed=0)
    counts = Counter((sample.label, split[sample.id]) for sample in samples)
    for label, total in Counter(values).items():
        exact = {name: total * share / sum(parts.values()) for name, share in parts.items()}
        if min(exact.values()) >= 1:
            assert all(abs(counts[label, name] - exact[name]) < 1 + 1e-6 for name in NAMES)


@given(labels)
def test_every_label_reaches_every_split_where_there_are_enough(values: list[str]) -> None:
    samples = alone(values)
    split = assign_splits(samples, {"train": 0.9, "validation": 0.05, "test": 0.05}, seed=1)
    for label, total in Counter(values).items():
        splits = {split[sample.id] for sample in samples if sample.label == label}
        assert len(splits) == min(total, 3) or total == 2


@given(st.lists(st.sampled_from("ab"), min_size=9, max_size=60), st.integers(0, 3))
@settings(max_examples=50)
def test_labels_spread_over_many_groups_reach_every_split(values: list[str], seed: int) -> None:
    samples = [Sample(f"s{i}", (), label, group=f"g{i // 2}") for i, label in enumerate(values)]
    split = assign_splits(samples, SHARES, seed)
    for label in "ab":
        groups = Counter(sample.group for sample in samples if sample.label == label)
        splits = {split[sample.id] for sample in samples if sample.label == label}
        assert len(splits) >= min(len(groups), 2)


def test_split_sizes_are_the_shares_of_the_whole() -> None:
    samples = alone([str(i % 5) for i in range(240)])
    sizes = Counter(assign_splits(samples, SHARES, seed=3).values())
    assert sizes == {"train": 96, "validation": 72, "test": 72}


def test_groups_come_close_to_the_shares() -> None:
    samples = [Sample(f"s{i}", (), str(i * 7 % 5), group=f"g{i % 27}") for i in range(145)]
    for seed in range(10):
        split = assign_splits(samples, SHARES, seed)
        sizes = Counter(split.values())
        assert all(abs(sizes[name] - 145 * SHARES[name]) <= 4 for name in NAMES)


def test_seeds_draw_different_splits() -> None:
    samples = alone(["a", "b"] * 20)
    assert len({tuple(sorted(assign_splits(samples, SHARES, seed).items())) for seed in range(5)}) == 5


@pytest.mark.slow
def test_adding_a_hundred_thousand_rows_stays_fast() -> None:
    samples = [Sample(f"s{i}", (), str(i % 7), group=f"g{i // 3}" if i % 2 else None) for i in range(100_000)]
    assert len(assign_splits(samples, SHARES, seed=0)) == 100_000


@given(labels, st.integers(1, 150), st.integers(0, 3))
def test_a_limit_keeps_the_order_and_the_proportions(values: list[str], limit: int, seed: int) -> None:
    samples = alone(values)
    limited = draw_by_label(samples, values, limit, seed)
    assert len(limited) == min(limit, len(samples))
    assert limited == [sample for sample in samples if sample in limited]
    counts, totals = Counter(str(sample.label) for sample in limited), Counter(values)
    for label, total in totals.items():
        assert abs(counts[label] - len(limited) * total / len(samples)) <= len(totals) / 2 + 0.5
