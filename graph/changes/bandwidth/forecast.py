"""What is full within some days: by what is booked, and by what the past lets expect; apart, since one is known.

What is booked is exact: committed rates and bookings that there are. The trend rests on what the graph has of the past: boosts
that were active on the services that run over a thing today, and the committed rates that events of these services tell
(`ServiceRateChanged`). A service without such an event is taken to have had its committed rate all the time; services that
have left are not known. So growth by new services is seen only where they have told of a rate, and `days` says on how much a
trend rests. For operators and planners only: it tells what every customer has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

import orjson

from graph.capacity.limits import Limit
from graph.capacity.steps import Booking, StepFunction
from graph.capacity.trend import DAY, Crossing, Trend, crossing, daily_peaks, fit, full_from
from graph.model.vocabulary import HOLDS_NOTHING
from graph.store.store import Run, Store

HISTORY_DAYS: Final = 84
"""that a trend rests on: boosts that are over are kept so long at least."""

_NOW: Final = "RETURN datetime.realtime().epochMillis"
_ON_PORTS: Final = """
UNWIND $batch.things AS id
MATCH (:Port {id: id})<-[:ACCESSED_AT]-(s:Service) WHERE NOT coalesce(s.state, '') IN $free
WITH DISTINCT id, s
RETURN id, coalesce(s.committedMbps, 0),
  COLLECT { MATCH (s)<-[:BOOSTS]-(b:Boost) WHERE b.activatedAt < $until RETURN [b.activatedAt, coalesce(b.endedAt, b.endAt), b.mbps] },
  COLLECT {
    MATCH (e:Event {aggregateId: s.id}) WHERE e.type = 'ServiceRateChanged' AND e.at >= $since
    RETURN [e.at, e.payload] ORDER BY e.at, e.aggregateVersion
  }
"""
_ON_TRUNKS: Final = """
UNWIND $batch.things AS id
MATCH (:Trunk {id: id})<-[:ROUTED_OVER]-(s:Service) WHERE NOT coalesce(s.state, '') IN $free
WITH DISTINCT id, s
RETURN id, coalesce(s.committedMbps, 0),
  COLLECT { MATCH (s)<-[:BOOSTS]-(b:Boost) WHERE b.activatedAt < $until RETURN [b.activatedAt, coalesce(b.endedAt, b.endAt), b.mbps] },
  COLLECT {
    MATCH (e:Event {aggregateId: s.id}) WHERE e.type = 'ServiceRateChanged' AND e.at >= $since
    RETURN [e.at, e.payload] ORDER BY e.at, e.aggregateVersion
  }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRequest:
    """What a forecast is for."""

    days: int
    """ahead."""
    history: int
    """days back."""
    room: int = 1
    """Mbit/s: with less a thing is full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What is to be expected of one port or trunk."""

    limit: Limit
    now: int
    """when that is said, in epoch milliseconds by the database's clock."""
    booked_full_at: int | None
    """from when on what is booked leaves no room, in epoch milliseconds; None: not within the days."""
    trend: Trend | None
    """None where the graph knows nothing of the past."""
    trend_full: Crossing | None
    """in how many days the trend leaves no room."""

    @property
    def full_within(self) -> float | None:
        """In how many days it is full, by whichever of the two is sooner; None: by neither."""
        booked = None if self.booked_full_at is None else (self.booked_full_at - self.now) / DAY
        expected = self.trend_full.expected if self.trend_full else None
        return min((each for each in (booked, expected) if each is not None), default=None)


async def forecast(
    store: Store, limits: Iterable[Limit], asked: ForecastRequest, *, deadline: float
) -> tuple[Forecast, ...]:
    """Forecast ports and trunks, whose limits were just read; those that are full first come first."""
    run = partial(store.rows, deadline=deadline)
    known = {each.thing: each for each in limits}
    [[now]] = cast("list[list[int]]", await run(_NOW, {}))
    past = await _past(run, sorted(known), now, asked.history)
    found = [_forecast(limit, past.get(thing), asked, now) for thing, limit in known.items()]
    return tuple(sorted(found, key=_urgency))


def _forecast(limit: Limit, past: StepFunction | None, asked: ForecastRequest, now: int) -> Forecast:
    trend = fit(daily_peaks(past, now, asked.history)) if past else None
    return Forecast(
        limit=limit,
        now=now,
        booked_full_at=full_from(limit, now, now + asked.days * DAY, asked.room),
        trend=trend,
        trend_full=crossing(trend, limit.mbps - asked.room + 1, asked.days) if trend else None,
    )


def _urgency(each: Forecast) -> tuple[float, str]:
    return float("inf") if each.full_within is None else each.full_within, each.limit.thing


async def _past(run: Run, things: Sequence[str], now: int, days: int) -> Mapping[str, StepFunction]:
    """Give the load of each thing over the days before now, of those of whose services anything is known."""
    ports = [each for each in things if each.startswith("port-")]
    trunks = [each for each in things if not each.startswith("port-")]
    given: dict[str, object] = {"free": list(HOLDS_NOTHING), "until": now, "since": now - days * DAY}
    rows: list[list[object]] = []
    for text, some in ((_ON_PORTS, ports), (_ON_TRUNKS, trunks)):
        rows += await run(text, {"batch": {"things": some}, **given}) if some else []
    told: dict[str, list[Booking]] = {}
    known: set[str] = set()
    for row in rows:
        thing, committed, boosts, events = cast(
            "tuple[str, int, list[tuple[int, int, int]], list[tuple[int, str]]]", tuple(row)
        )
        told.setdefault(thing, []).extend((*_committed(committed, events), *_boosted(boosts)))
        known |= {thing} if boosts or events else set()
    return {thing: StepFunction.of(told[thing]) for thing in known}


def _committed(now: int, events: Sequence[tuple[int, str]]) -> list[Booking]:
    """Give the committed rate over time, as events tell it: from each on, and before the first one what that said."""
    rates = [(at, int(orjson.loads(payload).get("committedMbps", now))) for at, payload in events] or [(0, now)]
    starts = [0, *(at for at, _ in rates[1:])]
    ends = [*starts[1:], None]
    return [
        Booking(start=start, end=end, mbps=mbps)
        for start, end, (_, mbps) in zip(starts, ends, rates, strict=True)
        if end is None or end > start
    ]


def _boosted(boosts: Sequence[tuple[int, int, int]]) -> list[Booking]:
    return [Booking(start=start, end=end, mbps=mbps) for start, end, mbps in boosts if end > start]
