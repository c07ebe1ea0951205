"""Three rates of a service are functions of time: what is booked, what the network carries, and what is charged of it.

Booked is the committed rate and all boosts that run. What the network carries beyond the committed rate is given to the boosts that it
has confirmed and that run, in the order in which it has confirmed them: nobody is charged for more than it has ordered, nor for what was
not confirmed, and all together for no more than the network carries.

Everything here is pure. Times are epoch milliseconds UTC, rates are whole Mbit/s, intervals are half open.

>>> allotted([Running(id="b", mbps=300, since=5), Running(id="a", mbps=500, since=0)], 600)
{'a': 500, 'b': 100}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A boost that runs at some moment, and that the network has confirmed."""

    id: str
    mbps: int
    """what is ordered and confirmed of it."""
    since: int
    """when it was confirmed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """An interval in which a boost was charged at one rate."""

    boost: str
    start: int
    end: int
    mbps: int

    @property
    def amount(self) -> int:
        """The rate times the time, in Mbit/s times milliseconds."""
        return self.mbps * (self.end - self.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRate:
    """A rate that a boost had while it ran, up to a moment."""

    until: int
    mbps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """What a boost is charged at the moment: a rate since some time, or nothing."""

    mbps: int = 0
    since: int | None = None

    def turned(self, boost: str, mbps: int, at: int) -> tuple[Meter, Charged | None]:
        """Give what is charged from a moment on, and the interval that ends with that; None: the rate stays, or there was none."""
        if mbps == self.mbps:
            return self, None
        over = None
        if self.mbps and self.since is not None and self.since < at:
            over = Charged(boost=boost, start=self.since, end=at, mbps=self.mbps)
        return Meter(mbps=mbps, since=at if mbps else None), over


def allotted(running: Iterable[Running], available: int) -> Mapping[str, int]:
    """Share what the network carries beyond the committed rate among the boosts that run, by their ids; the oldest first."""
    left = max(0, available)
    given: dict[str, int] = {}
    for each in sorted(running, key=lambda each: (each.since, each.id)):
        given[each.id] = min(each.mbps, left)
        left -= given[each.id]
    return given


def cuts(spans: Iterable[tuple[int, int]], after: int, until: int) -> list[int]:
    """Give the moments at which a boost begins or ends, after one and up to another, that one included.

    >>> cuts([(10, 20), (20, 30)], 10, 20)
    [20]
    """
    return sorted({each for span in spans for each in span if after < each <= until})


def earlier_text(earlier: Iterable[EarlierRate]) -> str | None:
    """Write earlier rates for storing; None: there are none.

    >>> read_earlier(earlier_text([EarlierRate(until=4, mbps=300)]))
    (EarlierRate(until=4, mbps=300),)
    """
    return " ".join(f"{each.until}:{each.mbps}" for each in earlier) or None


def read_earlier(text: str | None) -> tuple[EarlierRate, ...]:
    """Read what `earlier_text` wrote."""
    pairs = (each.split(":") for each in (text or "").split())
    return tuple(EarlierRate(until=int(until), mbps=int(mbps)) for until, mbps in pairs)


def charged_text(charged: Iterable[Charged]) -> str:
    """Write intervals of one boost for storing; empty where there are none.

    >>> read_charged(charged_text([Charged(boost="b", start=1, end=4, mbps=300)]), "b")
    (Charged(boost='b', start=1, end=4, mbps=300),)
    """
    return " ".join(f"{each.start}:{each.end}:{each.mbps}" for each in charged)


def read_charged(text: str | None, boost: str) -> tuple[Charged, ...]:
    """Read what `charged_text` wrote of a boost."""
    rows = ([int(part) for part in each.split(":")] for each in (text or "").split())
    return tuple(Charged(boost=boost, start=start, end=end, mbps=mbps) for start, end, mbps in rows)
