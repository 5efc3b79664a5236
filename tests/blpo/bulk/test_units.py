"""Parts, shards and the ledger: properties."""

from hypothesis import given
from hypothesis import strategies as some

from blpo.bulk.ledger import Ledger, Spent
from blpo.bulk.parts import cuts
from blpo.bulk.shard import Shard
from state.settings import LimitSettings


@given(some.lists(some.integers(0, 40), max_size=12), some.integers(1, 50))
def test_parts_cover_all_rows_once_and_hold_whole_row_groups(groups: list[int], most: int) -> None:
    parts = list(cuts(groups, most))
    assert [row for start, count in parts for row in range(start, start + count)] == list(range(sum(groups)))
    assert all(0 < count <= most for _, count in parts)
    if max(groups, default=0) <= most:
        ends = {sum(groups[:place]) for place in range(len(groups) + 1)}
        assert {start for start, _ in parts} <= ends


@given(some.integers(0, 40), some.integers(1, 9))
def test_shards_share_items(items: int, count: int) -> None:
    shards = [Shard.read(f"{number}/{count}").of(list(range(items))) for number in range(1, count + 1)]
    assert sorted(item for shard in shards for item in shard) == list(range(items))
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


@given(
    some.lists(some.tuples(some.integers(0, 3), some.integers(1, 20), some.booleans()), max_size=40),
    some.integers(1, 60),
    some.integers(0, 80),
)
def test_granted_calls_never_exceed_the_budget(requests: list[tuple[int, int, bool]], limit: int, before: int) -> None:
    saved: list[Spent] = []
    ledger = Ledger(LimitSettings(calls=limit), Spent(calls=before), saved.append)
    granted = issued = 0
    held = [0] * 4
    for worker, wanted, dies in requests:
        used, held[worker] = held[worker], 0
        calls = max(0, ledger.exchange(Spent(calls=used), used, wanted))
        issued += used
        granted += calls
        held[worker] = 0 if dies else calls
        assert before + granted <= max(limit, before)
        assert saved[-1].calls == before + granted
    assert ledger.spent.calls == issued


def test_dollars_are_exceeded_by_no_more_than_the_calls_granted_at_once() -> None:
    ledger = Ledger(LimitSettings(usd=1.0))
    first = ledger.exchange(Spent(), 0, 8)
    assert first == 8  # the price is not known yet
    assert ledger.exchange(Spent(calls=8, usd=0.8), 8, 8) == 2
    assert ledger.exchange(Spent(calls=2, usd=0.2), 2, 8) == 0
