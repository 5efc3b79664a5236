"""Samples of public sets: balanced, disjoint, with undivided groups. Same seed, same sample."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blpo.data.public.balanced import apportion, draw_balanced, fitting_counts, reduce_need
from blpo.data.public.exact_counts import draw_counts
from blpo.data.public.preparation_options import Options
from blpo.data.public.public_set import Counts, Record, SetDescription
from blpo.data.public.sampling import draw_sample
from state.errors import ConfigError, DataError
from state.sample import SplitName
from state.settings import TaskSettings

LABELS = ("no", "yes")
TASK = TaskSettings(kind="categorical", labels=LABELS)
COUNTS: Counts = {
    "train": {"no": 10, "yes": 10},
    "validation": {"no": 2, "yes": 3},
    "test": {"no": 3, "yes": 2},
}
DESCRIPTION = SetDescription("A set", TASK, "", {"no": 5, "yes": 5}, COUNTS)


def record(number: int, label: str = "no", group: str | None = None, shipped: SplitName | None = None) -> Record:
    return Record(f"r{number}", (), label, f"t.csv:{number + 2}", label, group=group, shipped=shipped)


def records(labels: Sequence[str], groups: Sequence[int | None]) -> list[Record]:
    pairs = enumerate(zip(labels, groups, strict=True))
    return [record(i, label, None if group is None else f"g{group}") for i, (label, group) in pairs]


@st.composite
def pools(draw: st.DrawFn, grouped: bool = True) -> list[Record]:
    size = draw(st.integers(1, 80))
    labels = draw(st.lists(st.sampled_from(["no", "yes", "maybe"]), min_size=size, max_size=size))
    group = st.one_of(st.none(), st.integers(0, 15)) if grouped else st.none()
    return records(labels, draw(st.lists(group, min_size=size, max_size=size)))


needs = st.fixed_dictionaries(
    {name: st.dictionaries(st.sampled_from(LABELS), st.integers(1, 8)) for name in ("train", "validation", "test")}
)


def by_cell(pool: Sequence[Record], drawing: Mapping[str, SplitName | None]) -> Counter[tuple[SplitName | None, str]]:
    return Counter((drawing[r.id], r.stratum) for r in pool if r.id in drawing)


def divided(pool: Sequence[Record], drawing: Mapping[str, SplitName | None]) -> list[str]:
    places = defaultdict(set)
    for r in pool:
        if r.group is not None and r.id in drawing:
            places[r.group].add(drawing[r.id])
    return [group for group, homes in places.items() if len(homes) > 1]


@given(pools(grouped=False), needs, st.integers(0, 3))
def test_without_groups_every_need_is_met_that_can_be(pool: list[Record], need: dict, seed: int) -> None:  # type: ignore[type-arg]  # from a strategy
    available = Counter(r.stratum for r in pool)
    lowered = reduce_need(need, available)
    cells = by_cell(pool, draw_balanced(pool, lowered, seed))
    assert cells == Counter({(s, name): n for s, part in lowered.items() for name, n in part.items() if n})
    for name in LABELS:
        total = sum(part.get(name, 0) for part in need.values())
        assert sum(part.get(name, 0) for part in lowered.values()) == min(total, available[name])


@settings(max_examples=50)
@given(pools(), needs, st.integers(0, 3), st.randoms())
def test_groups_stay_whole_and_nothing_exceeds_its_need(pool: list[Record], need: dict, seed: int, rng) -> None:  # type: ignore[type-arg, no-untyped-def]
    drawing = draw_balanced(pool, need, seed)
    assert not divided(pool, drawing)
    assert all(count <= need[split].get(name, 0) for (split, name), count in by_cell(pool, drawing).items())
    shuffled = list(pool)
    rng.shuffle(shuffled)
    assert draw_balanced(shuffled, need, seed) == drawing


counts_of_two = st.fixed_dictionaries(
    {
        name: st.fixed_dictionaries({label: st.integers(1, 12) for label in LABELS})
        for name in ("train", "validation", "test")
    }
)


@settings(max_examples=50)
@given(pools(), counts_of_two, st.integers(0, 3), st.randoms())
def test_exact_counts_divide_no_group(pool: list[Record], need: Counts, seed: int, rng) -> None:  # type: ignore[no-untyped-def]
    pool = [r for r in pool if r.label in LABELS]
    drawing = draw_counts(pool, need, seed)
    assert not divided(pool, drawing)
    assert all(split and count <= need[split][name] for (split, name), count in by_cell(pool, drawing).items())
    shuffled = list(pool)
    rng.shuffle(shuffled)
    assert draw_counts(shuffled, need, seed) == drawing


@settings(max_examples=50)
@given(pools(grouped=False), counts_of_two, st.integers(0, 3))
def test_without_groups_counts_are_exact_if_rows_suffice(pool: list[Record], need: Counts, seed: int) -> None:
    pool = [r for r in pool if r.label in LABELS]
    fitting = fitting_counts(need, Counter(r.stratum for r in pool))
    total = sum(sum(part.values()) for part in need.values())
    assert sum(sum(part.values()) for part in fitting.values()) == min(total, len(pool))
    if len(pool) >= total:
        assert all(sum(fitting[split].values()) == sum(need[split].values()) for split in need)
    cells = by_cell(pool, draw_counts(pool, fitting, seed))
    assert cells == Counter({(s, name): n for s, part in fitting.items() for name, n in part.items() if n})


def test_a_single_division_of_groups_is_found() -> None:
    """Groups of 7 and 3, 5 and 2, 4 and 6 rows: every split has exactly one fitting group, among many large groups."""
    sizes = [(7, 3), (5, 2), (4, 6)] * 3 + [(9, 9)] * 60
    labels = [label for no, yes in sizes for label in ["no"] * no + ["yes"] * yes]
    groups = [i for i, (no, yes) in enumerate(sizes) for _ in range(no + yes)]
    need: Counts = {
        "train": {"no": 9 * 40 + 7, "yes": 9 * 40 + 3},
        "validation": {"no": 5, "yes": 2},
        "test": {"no": 4 + 9 * 19, "yes": 6 + 9 * 19},
    }
    pool = records(labels, groups)
    for seed in range(5):
        cells = by_cell(pool, draw_counts(pool, need, seed))
        assert cells == Counter({(s, name): n for s, part in need.items() for name, n in part.items()})


@given(st.integers(0, 200), st.tuples(*[st.integers(1, 50)] * 3))
def test_shares_are_whole_and_add_up(total: int, parts: tuple[int, int, int]) -> None:
    shares: dict[SplitName, float] = dict(zip(("train", "validation", "test"), parts, strict=True))
    counts = apportion(total, shares)
    assert sum(counts.values()) == total
    assert all(abs(counts[split] - total * shares[split] / sum(parts)) < 1 for split in counts)


def test_a_rare_class_in_few_groups_is_shared_out() -> None:
    """Ten rare rows in three groups (5, 3, 2): only a single division meets the need of all splits."""
    rare = [record(i, "yes", f"g{group}") for i, group in enumerate([0] * 5 + [1] * 3 + [2] * 2)]
    pool = rare + [record(100 + i) for i in range(30)]
    for seed in range(10):
        drawing = draw_sample(DESCRIPTION, pool, Options(seed=seed)).splits
        assert by_cell(pool, drawing) == {
            (split, name): n for split, n in (("train", 3), ("validation", 2), ("test", 5)) for name in LABELS
        }


def test_a_sample_takes_rows_of_many_groups() -> None:
    pool = [record(i, LABELS[i % 2], f"g{i // 10}") for i in range(400)]
    drawing = draw_sample(DESCRIPTION, pool, Options()).splits
    assert max(Counter(r.group for r in pool if r.id in drawing).values()) <= 2


def test_other_seeds_draw_other_samples() -> None:
    pool = [record(i, LABELS[i % 2]) for i in range(100)]
    assert (
        draw_sample(DESCRIPTION, pool, Options(seed=1)).splits != draw_sample(DESCRIPTION, pool, Options(seed=2)).splits
    )


def test_too_few_rows_are_told_with_counts() -> None:
    pool = [record(i, "no") for i in range(20)] + [record(50 + i, "yes") for i in range(7)]
    with pytest.raises(DataError, match=r"yes: 7 rows, the sample asks for 10 \(5 for train .*--take-fewer"):
        draw_sample(DESCRIPTION, pool, Options())
    drawing = draw_sample(DESCRIPTION, pool, Options(take_fewer=True))
    assert Counter(by_cell(pool, drawing.splits)) == Counter(
        {("train", "no"): 3, ("validation", "no"): 2, ("test", "no"): 5}
        | {("train", "yes"): 2, ("validation", "yes"): 1, ("test", "yes"): 4}
    )
    assert drawing.notes[0].startswith("yes: 7 rows")


def test_groups_in_the_way_are_told() -> None:
    pool = [record(i, LABELS[i % 2], "one") for i in range(40)]
    with pytest.raises(DataError, match="because groups are not divided"):
        draw_sample(DESCRIPTION, pool, Options())


def test_other_label_counts_than_published_are_told() -> None:
    pool = [record(i, "no" if i % 3 else "yes", shipped="train" if i < 30 else "test") for i in range(36)]
    drawing = draw_sample(DESCRIPTION, pool, Options(sample="mt-rl-judge"))
    assert Counter(drawing.splits.values()) == {"train": 20, "validation": 5, "test": 5}
    assert drawing.notes == ("train: 13 no, 7 yes; in MT-RL-Judge 10 no, 10 yes",)


def test_fixed_sizes_respect_shipped_splits() -> None:
    pool = [record(i, LABELS[i % 2], shipped="train" if i < 30 else "test") for i in range(36)]
    drawing = draw_sample(DESCRIPTION, pool, Options(sample="mt-rl-judge")).splits
    assert by_cell(pool, drawing) == Counter({(s, name): n for s, part in COUNTS.items() for name, n in part.items()})
    assert all((drawing[r.id] == "test") == (r.shipped == "test") for r in pool if r.id in drawing)
    with pytest.raises(DataError, match="train, validation: 24 rows, the sample asks for 25"):
        draw_sample(DESCRIPTION, pool[6:], Options(sample="mt-rl-judge"))
    with pytest.raises(ConfigError, match="A set has no such sample"):
        draw_sample(replace(DESCRIPTION, counts={}), pool, Options(sample="mt-rl-judge"))


def test_all_keeps_shipped_splits_and_divides_the_rest() -> None:
    pool = [record(i, LABELS[i % 2], shipped="train" if i < 50 else "test") for i in range(70)]
    drawing = draw_sample(DESCRIPTION, pool, Options(sample="all")).splits
    assert len(drawing) == 70
    assert all((drawing[r.id] == "test") == (r.shipped == "test") for r in pool)
    assert "validation" in drawing.values()
    alone = draw_sample(DESCRIPTION, pool[50:], Options(sample="all"))
    assert set(alone.splits.values()) == {"train", "validation", "test"}
    assert alone.notes == ("of the source's own splits only test is here, so all rows were divided anew",)


def test_an_unknown_sample_is_refused() -> None:
    with pytest.raises(ConfigError, match="paper, mt-rl-judge, all; did you mean 'paper'"):
        draw_sample(DESCRIPTION, [record(0)], Options(sample="papr"))
