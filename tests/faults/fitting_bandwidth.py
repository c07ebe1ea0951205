"""Boosts of service-1 that fit the evidence in `fitting.py`, to tamper with.

It has 100 Mbit/s. boost-1 (50) and boost-2 (100) overlap, boost-3 was refused by the network, boost-4 (50) is the third that ran, so that
there is a lead. The network refused a return once: there was a task, and alarm-3, which is cleared.
"""

from __future__ import annotations

from typing import Final

from tests.faults.bookings import Booked
from tests.faults.kept_boosts import KeptBoost, KeptBoosts, KeptCharge, KeptLead, KeptRate, KeptStep, KeptTask
from tests.faults.rate_books import BilledBoost, Carried, RateBooks, RateTold
from tests.faults.stream_records import Happened

SERVICE: Final = "service-1"
COMMITTED: Final = 100


def _boost(number: int, mbps: int, start: int, end: int, activated: int | None, ended: int) -> KeptBoost:
    return KeptBoost(
        id=f"boost-{number}",
        service=SERVICE,
        mbps=mbps,
        start=start,
        end=end,
        status="TERMINATED",
        reason="BOOKING_DECLINED" if activated is None else "DURATION_EXPIRED",
        activated_at=activated,
        ended_at=ended,
        reserves=0,
    )


_BOOSTS: Final = (
    _boost(1, 50, 10_000, 20_000, 10_400, 20_300),
    _boost(2, 100, 15_000, 30_000, 15_200, 30_500),
    _boost(3, 100, 40_000, 50_000, None, 41_000),
    _boost(4, 50, 60_000, 70_000, 60_100, 70_200),
)
_RATES: Final = ((10_400, 150), (15_200, 250), (20_300, 200), (30_500, 100), (60_100, 150), (70_200, 100))
"""When the network has confirmed which rate; it had set it 50 ms before."""
_WATCHED: Final = ((SERVICE, COMMITTED), ("service-2", 10), ("service-3", 20))
"""The services of which those who watch the network are told at first, with their rates."""


def _charge(number: int, boost: int, mbps: int, start: int, end: int, kind: str = "boost") -> KeptCharge:
    return KeptCharge(
        id=f"usage-{number}", kind=kind, boost=f"boost-{boost}", service=SERVICE, mbps=mbps, start=start, end=end
    )


_CHARGES: Final = (
    _charge(11, 1, 50, 10_400, 20_000),
    _charge(12, 2, 100, 15_200, 30_000),
    _charge(13, 4, 50, 60_100, 70_000),
    _charge(14, 4, 50, 62_000, 63_000, kind="boostCredit"),
)
BOOKED: Final = tuple(
    Booked(boost=each.id, service=SERVICE, mbps=each.mbps, start=each.start, end=each.end) for each in _BOOSTS
)
BOOSTS: Final = KeptBoosts(
    boosts=_BOOSTS,
    charges=_CHARGES,
    steps=tuple(
        KeptStep(boost=each.id, boundary=boundary, system=system, state="REFUSED" if each.id == "boost-3" else "DONE")
        for each in _BOOSTS
        for boundary in ("START", "RETURN")
        for system in ("NETWORK", "INVENTORY")
    ),
    tasks=(KeptTask(kind="returnRefused", about=SERVICE, state="DONE"),),
    rates=(KeptRate(service=SERVICE, committed=COMMITTED, booked=COMMITTED, effective=COMMITTED, may_carry=None),),
    leads=(KeptLead(id="lead-1", service=SERVICE),),
)
RATES: Final = RateBooks(
    network={SERVICE: COMMITTED},
    carried=tuple(Carried(service=SERVICE, mbps=mbps, at=at - 50, ways=frozenset({"done"})) for at, mbps in _RATES),
    measured=tuple(RateTold(service=service, mbps=mbps) for service, mbps in _WATCHED),
    stocked={SERVICE: COMMITTED},
    events=(
        *(RateTold(service=service, mbps=mbps, event=f"first-{service}") for service, mbps in _WATCHED),
        *(RateTold(service=SERVICE, mbps=mbps, event=f"rate-{at}") for at, mbps in _RATES),
    ),
    billed=tuple(
        BilledBoost(
            id=each.id,
            kind=each.kind,
            service=SERVICE,
            customer="customer-1",
            mbps=each.mbps,
            start=each.start // 1_000 * 1_000,
            end=each.end // 1_000 * 1_000,
        )
        for each in _CHARGES
    ),
    leads=("lead-1",),
)
_FIRST_EVENTS: Final = tuple(
    Happened(
        position=90 + number,
        type="ServiceThresholdSet",
        about=service,
        at=9_000,
        customers=frozenset(),
        payload={"service": service, "customer": None, "effectiveMbps": mbps},
    )
    for number, (service, mbps) in enumerate(_WATCHED)
)
RATE_EVENTS: Final = _FIRST_EVENTS + tuple(
    Happened(
        position=100 + number,
        type="ServiceRateChanged",
        about=SERVICE,
        at=at,
        customers=frozenset({"customer-1"}),
        payload={"service": SERVICE, "customer": "customer-1", "effectiveMbps": mbps},
    )
    for number, (at, mbps) in enumerate(_RATES)
)
