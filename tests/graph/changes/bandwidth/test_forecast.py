"""A forecast says what is booked and what the past lets expect, and where there is no past, nothing."""

from __future__ import annotations

import orjson
import pytest

from graph.capacity.limits import LimitKind
from graph.capacity.steps import Booking
from graph.capacity.trend import DAY
from graph.changes.bandwidth.forecast import Forecast, ForecastRequest, forecast
from graph.changes.bandwidth.loads import loads_of
from graph.store.store import Store
from tests.graph.changes.bandwidth.test_profiles import EXACT, HOUR, book, laid, now, run, soon

__all__ = ["laid"]

ASKED = ForecastRequest(days=30, history=10)
PAST = """
UNWIND $rows AS row
MATCH (s:Service {id: row.service})
CREATE (:Boost {id: row.id, status: 'TERMINATED', startAt: row.start, activatedAt: row.start, endAt: row.end, mbps: row.mbps})
  -[:BOOSTS]->(s)
"""
TOLD = "CREATE (:Event {id: $id, type: $type, aggregateId: $service, aggregateVersion: 1, at: $at, payload: $payload})"


async def of(store: Store, *ids: str, asked: ForecastRequest = ASKED) -> tuple[Forecast, ...]:
    found = await loads_of(store, ids, EXACT, deadline=soon())
    return await forecast(store, [each for some in found.values() for each in some], asked, deadline=soon())


async def test_what_is_booked_is_full_at_an_instant(laid: Store) -> None:
    start = await now(laid) + 3 * DAY
    await book(laid, "service-1", Booking(start=start, end=start + HOUR, mbps=700))
    first, *others = await of(laid, "trunk-1", "trunk-2", "port-4")
    assert (first.limit.thing, first.limit.kind, first.limit.mbps) == ("trunk-1", LimitKind.NETWORK, 1_000)
    assert (first.booked_full_at, first.trend, first.trend_full) == (start, None, None)
    assert first.full_within == pytest.approx(3, abs=0.01)
    assert [(each.limit.thing, each.full_within) for each in others] == [("port-4", None), ("trunk-2", None)]
    wide = ForecastRequest(days=30, history=10, room=101)
    [trunk] = await of(laid, "trunk-2", asked=wide)
    assert trunk.booked_full_at == start
    soonest = ForecastRequest(days=2, history=10)
    [trunk] = await of(laid, "trunk-1", asked=soonest)
    assert trunk.booked_full_at is None


async def test_boosts_of_the_past_that_grow_are_a_trend(laid: Store) -> None:
    at = await now(laid)
    starts = [(day, at - (10 - day) * DAY + HOUR) for day in range(10)]
    rows = [
        {"id": f"boost-{day}", "service": "service-1", "start": start, "end": start + HOUR, "mbps": 50 * day + 50}
        for day, start in starts
    ]
    await run(laid, PAST, rows=rows)
    [trunk] = await of(laid, "trunk-1")
    assert trunk.trend is not None
    assert (round(trunk.trend.slope), round(trunk.trend.level), trunk.trend.days) == (50, 800, 10)
    assert trunk.trend_full is not None
    assert (trunk.trend_full.earliest, trunk.trend_full.expected, trunk.trend_full.latest) == (4.0, 4.0, 4.0)
    assert trunk.booked_full_at is None
    found = await of(laid, "site-1")
    assert {each.limit.thing for each in found if each.trend} == {"port-1", "port-2", "trunk-1", "trunk-2"}


async def test_committed_rates_that_events_tell_are_a_trend(laid: Store) -> None:
    at = await now(laid)
    for number, committed in enumerate((40, 100)):
        payload = orjson.dumps({"service": "service-1", "committedMbps": committed}).decode()
        when = at - (5 - number) * DAY + DAY // 2  # between two samples, whenever these are taken
        given = {"id": f"event-{number}", "type": "ServiceRateChanged", "service": "service-1"}
        await run(laid, TOLD, **given, at=when, payload=payload)
    [trunk] = await of(laid, "trunk-1")
    assert trunk.trend is not None
    assert trunk.trend.slope == pytest.approx(
        60 * (1.5 + 2.5 + 3.5 + 4.5) / 82.5, rel=0.01
    )  # four days of ten are 60 higher
    assert trunk.trend.error > 0
