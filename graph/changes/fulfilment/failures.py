"""Why an item cannot be carried out: in a word, for whoever has ordered it, and in full for operators.

A customer must not learn what others have: so no word says which port or trunk is full, or how much is missing, and a site that is not
there reads as one without a free port. Pure.

>>> failure_of(EndFull(ends=(FullEnd(side=Side.A, ports=2, missing=400),), fits=FitsFrom(at=None)))
Failure(word='PORT', detail='At end A none of 2 ports can be had: 400 Mbit/s are missing. It fits at no time that is known')
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias, assert_never

from graph.routing.answers import (
    EndFull,
    FitsFrom,
    FullEnd,
    NoDisjointPair,
    NoRoom,
    NoWay,
    UnknownSite,
)
from graph.routing.demand import Side

Word: TypeAlias = Literal["REQUEST", "PORT", "NETWORK", "PROVISIONING", "ITEM"]
"""`graph.model.vocabulary.ITEM_FAILURES`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why not."""

    word: Word
    detail: str
    """for operators only."""


Impossible: TypeAlias = UnknownSite | EndFull | NoWay | NoDisjointPair | NoRoom
"""Reasons why there is no design; that nobody knows whether there is one is none."""


def failure_of(reason: Impossible) -> Failure:
    """Say why a service cannot be built."""
    match reason:
        case UnknownSite(sides=sides):
            return no_site(*sides)
        case EndFull(ends=ends, fits=fits):
            full = "; ".join(map(_full, ends))
            return Failure(word="PORT", detail=f"{full}. {_fits(fits)}")
        case NoWay():
            return Failure(word="NETWORK", detail="No trunks in service lead from one end to the other")
        case NoDisjointPair(sites=sites, trunks=trunks):
            shared = ", ".join((*sites, *trunks)) or "something"
            return Failure(word="NETWORK", detail=f"No two ways are apart: every way takes {shared}")
        case NoRoom(stretch=stretch, missing=missing, fits=fits):
            lack = "" if missing is None else f": {missing} Mbit/s are missing"
            return Failure(word="NETWORK", detail=f"Full is {', '.join(stretch)}{lack}. {_fits(fits)}")
        case never:
            assert_never(never)


def no_site(*sides: Side) -> Failure:
    """Say that there is no such site: to a customer it is one where no port can be had."""
    return Failure(word="PORT", detail=f"There is no such site at end {' and '.join(sides)}")


def _full(end: FullEnd) -> str:
    if not end.ports:
        return f"At end {end.side} there is no port of that speed in service"
    return f"At end {end.side} none of {end.ports} ports can be had: {end.missing} Mbit/s are missing"


def _fits(fits: FitsFrom) -> str:
    if fits.at is not None:
        return f"It fits from {_moment(fits.at)} on"
    if fits.looked_until is not None:
        return f"It does not fit before {_moment(fits.looked_until)}"
    return "It fits at no time that is known"


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000, UTC).isoformat(timespec="seconds")
