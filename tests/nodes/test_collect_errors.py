"""The draw of I_B: no replacement, spread over cells, and a function of (rows, seed) alone."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from nodes.collect_errors import draw

CELLS = st.tuples(st.integers(1, 5), st.integers(1, 5))
ROWS = st.dictionaries(st.text(min_size=1, max_size=5), CELLS, max_size=60).map(lambda d: list(d.items()))
SIZES = st.integers(1, 30)


@given(ROWS, SIZES, st.booleans())
def test_draws_distinct_ids_up_to_the_size(rows: list[tuple[str, tuple[int, int]]], size: int, spread: bool) -> None:
    batch = draw(rows, size, "0/0", spread=spread)
    assert len(batch) == len(set(batch)) == min(size, len(rows))
    assert set(batch) <= {sample_id for sample_id, _ in rows}


@given(ROWS, SIZES, st.booleans())
def test_does_not_depend_on_the_order_of_rows(rows: list[tuple[str, tuple[int, int]]], size: int, spread: bool) -> None:
    assert draw(rows, size, "7/3", spread=spread) == draw(rows[::-1], size, "7/3", spread=spread)


@given(ROWS, SIZES)
def test_spread_takes_one_of_each_cell_in_turn(rows: list[tuple[str, tuple[int, int]]], size: int) -> None:
    cells = dict(rows)
    available, batch = Counter(cells.values()), Counter(cells[i] for i in draw(rows, size, "0/0", spread=True))
    for cell, count in available.items():
        for other in batch:
            assert batch[cell] >= min(count, batch[other] - 1)


def test_another_round_draws_another_batch() -> None:
    rows = [(f"s{i}", (i % 3, 0)) for i in range(60)]
    assert draw(rows, 10, "0/0/errors", spread=True) != draw(rows, 10, "0/1/errors", spread=True)
