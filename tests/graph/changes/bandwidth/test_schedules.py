"""Several book at once on one network, for real: what they got fits together, and what was refused would not have fitted."""

from __future__ import annotations

from benchmarks import booked_schedules
from benchmarks.booked_schedules import Counts, Lot, Wish, fits, play
from graph.store.store import Store
from tests.selection import choose_seed, is_full


async def test_nothing_is_over_booked_and_nothing_refused_that_would_fit(empty_store: Store) -> None:
    count = 300 if is_full() else 6
    counts = await play(empty_store, count, choose_seed())
    assert (counts.schedules, counts.over_booked, counts.falsely_refused) == (count, 0, 0), counts.sentence()
    assert counts.booked + counts.refused == count * booked_schedules.BOOKERS
    assert counts.booked


def test_who_judges_sees_what_is_wrong() -> None:
    one = Wish(service="a", start=0, end=2, mbps=3)
    limits = {"port-a": 5, "port-b": 5, "port-c": 5, "trunk-1": 5, "trunk-2": 5, "trunk-3": 5}
    lot = Lot(name="x", limits=limits, committed={"a": 1, "b": 0, "c": 0}, wishes=(one, one))
    assert fits(lot, [one])
    assert not fits(lot, [one, one])
    counts = Counts()
    booked_schedules._judge(counts, lot, [True, True])
    booked_schedules._judge(counts, lot, [False, True])
    booked_schedules._judge(counts, lot, [False, False])
    assert (counts.over_booked, counts.falsely_refused, counts.is_well) == (1, 2, False)
