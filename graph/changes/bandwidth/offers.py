"""Whoever wants more bandwidth is told what can be had, what it costs, and what would fit instead. Nothing is stored, nothing is held.

What is free depends on others. A quote tells it rounded down to the steps of the tariff and to whole quarter hours, within the
contract, and what limits it as one word of four: never which thing, nor how much of it is taken (graph/capacity/rounding.py).

Everything here is pure. Times are epoch milliseconds UTC, rates whole Mbit/s that are added to the rate of the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from graph.capacity.limits import LimitKind
from graph.capacity.rounding import QUARTER_HOUR, shown_curve, shown_headroom
from graph.capacity.search import Offer, SlotRequest, earliest_slot
from graph.capacity.steps import Segment, StepFunction
from graph.capacity.tariff import NotOnOffer, Price, Tariff, price
from graph.changes.bandwidth import asking
from graph.changes.bandwidth.booking import problem_of_interval
from graph.changes.bandwidth.looking import Sellable
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.outcome import UserError, user_error

MBPS_OR_TIER: Final = "MBPS_OR_TIER"
HOURS_OR_END: Final = "HOURS_OR_END"
HOUR: Final = 3_600_000
MOST_HOURS: Final = 24 * 366
SHOWN: Final = 86_400_000
"""for how long a quote shows what is free, from its start; longer where it is longer itself."""


class AlternativeKind(StrEnum):
    """What another offer is."""

    SMALLER_RATE = "SMALLER_RATE"
    EARLIEST_SLOT = "EARLIEST_SLOT"
    LATER_START = "LATER_START"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody wants to have: a rate or a tier, and hours or an end."""

    service: str
    mbps: int | None = None
    tier: str | None = None
    start: int | None = None
    """None: now."""
    hours: float | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A rate for some time, and what that costs."""

    mbps: int
    start: int | None
    """None: when it is booked."""
    begins: int
    """the start; of one without, now."""
    end: int
    price: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """What would fit instead."""

    kind: AlternativeKind
    slot: Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedTier:
    """A tier of the tariff, and whether it may be booked in the interval."""

    name: str
    mbps: int
    price: Price
    fits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What can be had."""

    service: str
    slot: Slot
    """what was asked for."""
    fits: bool
    least: int
    most: int
    """the highest rate on offer that fits; 0: none does."""
    step: int
    limited_by: LimitKind
    """what keeps the rate from being higher."""
    needs_approval: bool
    tiers: tuple[OfferedTier, ...]
    alternatives: tuple[Alternative, ...]
    free: tuple[Segment, ...]
    """what may be booked from then on; rounded."""
    contract: str | None
    """the tier of the contract, by whose tariff it is priced."""
    firm_until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request that could be."""

    mbps: int
    start: int | None
    begins: int
    end: int

    @property
    def interval(self) -> tuple[int, int]:
        return self.begins, self.end

    @property
    def length(self) -> int:
        return self.end - self.begins


def quote(policy: BandwidthPolicy, service: Sellable, request: Request, spent: int) -> Quote | UserError:
    """Say what can be had, or why there is nothing to say; `spent` is what the customer has booked in the month, for the cap."""
    read = _read(policy, service, request)
    return read if isinstance(read, UserError) else _quote(policy, read[0], service, read[1], spent)


def problem_of(policy: BandwidthPolicy, service: Sellable, request: Request) -> UserError | None:
    """Say why there is nothing to quote, whatever has been spent; None: there is something."""
    read = _read(policy, service, request)
    return read if isinstance(read, UserError) else None


def _read(policy: BandwidthPolicy, service: Sellable, request: Request) -> tuple[Tariff, _Asked] | UserError:
    """Find out by what tariff which rate and interval is asked for, or say what is wrong with that."""
    if (problem := problem_of_service(policy, service)) is not None:
        return problem
    tariff = policy.tariff_of(service.tier)
    if not isinstance(tariff, Tariff):
        return asking.problem_of_tariff(tariff, "serviceId")
    cap = policy.cap_of(service.customers[0])
    if cap is not None and cap.currency != tariff.currency:
        said = f"What you may spend is in {cap.currency}, and boosts are sold in {tariff.currency}"
        return user_error(said, asking.OTHER_CURRENCY, "serviceId")
    asked = read_request(policy, tariff, request, service.now)
    if isinstance(asked, UserError):
        return asked
    cost = price(tariff, asked.mbps, asked.begins, asked.end)
    return asking.problem_of_price(cost.minor) or (tariff, asked)


def problem_of_service(policy: BandwidthPolicy, service: Sellable) -> UserError | None:
    """Say why nothing can be booked for a service at all."""
    if not policy.provisioning:
        said = "No provisioning system is connected, so no rate can be set"
        return user_error(said, asking.NO_PROVISIONING, "serviceId")
    if len(service.customers) != 1:
        said = "A boost is of one customer, and the service has not one"
        return user_error(said, asking.SERVICE_NOT_OWNED, "serviceId")
    if service.state != "active":
        said = f"The service is {service.state}, and only an active one can be boosted"
        return user_error(said, asking.SERVICE_NOT_ACTIVE, "serviceId")
    return None


def read_request(policy: BandwidthPolicy, tariff: Tariff, request: Request, now: int) -> _Asked | UserError:
    """Find the rate and the interval that a request means, or say what is wrong with it."""
    mbps = rate_of(tariff, request.mbps, request.tier)
    if isinstance(mbps, UserError):
        return mbps
    if request.start is not None and request.start < now - policy.late_ms:
        said = "The start is in the past: leave it out to begin now"
        return user_error(said, asking.START_IN_THE_PAST, "startAt")
    start = None if request.start is None or request.start < now else request.start
    begins = now if start is None else start
    end = _end(request, begins)
    if isinstance(end, UserError):
        return end
    problem = problem_of_interval(policy, now, start, end)
    return problem or _Asked(mbps=mbps, start=start, begins=begins, end=end)


def rate_of(tariff: Tariff, mbps: int | None, tier: str | None) -> int | UserError:
    """Give the rate that is asked for, where it is on offer."""
    if (mbps is None) == (tier is None):
        return user_error("Give either mbps or tier", MBPS_OR_TIER, "mbps")
    if tier is not None:
        try:
            return tariff.tier(tier).mbps
        except NotOnOffer as unknown:
            said = str(unknown)
            return user_error(f"{said[:1].upper()}{said[1:]}", asking.RATE_NOT_OFFERED, "tier")
    mbps = mbps or 0
    if 0 < mbps <= tariff.most_mbps and mbps % tariff.step_mbps == 0:
        return mbps
    near = max(tariff.step_mbps, Offer(step=tariff.step_mbps, most=tariff.most_mbps).nearest(mbps))
    return user_error(
        f"Rates are multiples of {tariff.step_mbps} Mbit/s up to {tariff.most_mbps}: {near} would be the nearest",
        asking.RATE_NOT_OFFERED,
        "mbps",
    )


def _end(request: Request, begins: int) -> int | UserError:
    if (request.hours is None) == (request.end is None):
        return user_error("Give either hours or endAt", HOURS_OR_END, "hours")
    if request.end is not None:
        return request.end
    length = length_of(request.hours or 0.0)
    return length if isinstance(length, UserError) else begins + length


def length_of(hours: float) -> int | UserError:
    """Give how long so many hours are, in whole seconds as milliseconds; of less than half a second there is nothing to sell."""
    # NaN is no number of hours, and compares with none.
    length = round(hours * 3_600) * 1_000 if 0 < hours <= MOST_HOURS else 0
    if length:
        return length
    said = f"Hours are a second (1/3,600) at least, and {MOST_HOURS:,} at most"
    return user_error(said, asking.NOT_AN_INTERVAL, "hours")


def _quote(policy: BandwidthPolicy, tariff: Tariff, service: Sellable, asked: _Asked, spent: int) -> Quote:
    offer = Offer(step=tariff.step_mbps, most=tariff.most_mbps)
    free = shown_headroom(service.limits, service.own, offer, asked.interval, service.now)
    slot = _slot(tariff, asked.mbps, asked.start, asked.begins, asked.length)
    fits = asked.mbps <= free.mbps
    needs_approval = _is_above_cap(policy, service, slot.price, spent)
    window = (service.now, min(service.now + policy.search_ms, service.now + policy.horizon_ms))
    return Quote(
        service=service.id,
        slot=slot,
        fits=fits,
        least=tariff.step_mbps,
        most=free.mbps,
        step=tariff.step_mbps,
        limited_by=LimitKind.CAP if fits and needs_approval else free.limiting or LimitKind.NETWORK,
        needs_approval=needs_approval,
        tiers=tuple(_tiers(tariff, asked, free.mbps)),
        alternatives=() if fits else tuple(_alternatives(tariff, service, offer, asked, free.mbps, window)),
        free=_shown(service, offer, asked, window),
        contract=service.tier,
        firm_until=service.now + policy.quote_ms,
    )


def _slot(tariff: Tariff, mbps: int, start: int | None, begins: int, length: int) -> Slot:
    end = begins + length
    return Slot(mbps=mbps, start=start, begins=begins, end=end, price=price(tariff, mbps, begins, end))


def _is_above_cap(policy: BandwidthPolicy, service: Sellable, cost: Price, spent: int) -> bool:
    cap = policy.cap_of(service.customers[0])
    return cap is not None and spent + cost.minor > cap.amount


def _tiers(tariff: Tariff, asked: _Asked, most: int) -> Iterator[OfferedTier]:
    for each in tariff.tiers:
        cost = price(tariff, each.mbps, asked.begins, asked.end)
        yield OfferedTier(name=each.name, mbps=each.mbps, price=cost, fits=each.mbps <= most)


def _alternatives(
    tariff: Tariff, service: Sellable, offer: Offer, asked: _Asked, most: int, window: tuple[int, int]
) -> Iterator[Alternative]:
    """Give what would fit: less at the same time, the same as early as it can be, and the same later on."""
    if 0 < most < asked.mbps:
        smaller = _slot(tariff, most, asked.start, asked.begins, asked.length)
        yield Alternative(kind=AlternativeKind.SMALLER_RATE, slot=smaller)
    curve = shown_curve(service.limits, service.own, offer, window, service.now)
    first = window[0] - window[0] % QUARTER_HOUR + QUARTER_HOUR
    starts: dict[int, AlternativeKind] = {}
    for kind, after in ((AlternativeKind.EARLIEST_SLOT, first), (AlternativeKind.LATER_START, asked.begins)):
        at = _slot_after(curve, asked, after, window[1])
        if at is not None:
            starts.setdefault(at, kind)  # where both are the same time, it is said once
    for at, kind in starts.items():
        yield Alternative(kind=kind, slot=_slot(tariff, asked.mbps, at, at, asked.length))


def _slot_after(curve: StepFunction, asked: _Asked, after: int, until: int) -> int | None:
    if until - after < asked.length:
        return None
    return earliest_slot(curve, SlotRequest(mbps=asked.mbps, length=asked.length, start=after, end=until))


def _shown(service: Sellable, offer: Offer, asked: _Asked, window: tuple[int, int]) -> tuple[Segment, ...]:
    """Give what is free from the quarter hour of the start on: a day at least, and no more than is looked at."""
    start = asked.begins - asked.begins % QUARTER_HOUR
    end = min(max(asked.end, start + SHOWN), max(window[1], start + SHOWN))
    curve = shown_curve(service.limits, service.own, offer, (start, end), service.now)
    return curve.segments(start, end + -end % QUARTER_HOUR)
