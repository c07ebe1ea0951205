"""A boost is booked: what it takes is looked at and taken under the locks of all that it is taken of, or nothing is.

    wanted = BookingRequest(service="service-1", mbps=500, occurrences=(Occurrence(start=None, end=end, price=1200),), currency="EUR")
    outcome = await book(store, customer, policy, wanted, idempotency_key="k1", deadline=soon)
    outcome.ids                    # {"boost": "boost-..."}; it is SCHEDULED, or REQUESTED where somebody has to approve of its price

Rules. 1. A customer books for its own services, an operator for anyone's; the event names who did. 2. Several occurrences are booked
together or not at all. 3. What is above the spend cap of the customer and month is REQUESTED: it holds its capacity until somebody
approves, and no longer than `hold_ms`. 4. `dry_run` decides the same and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import uuid_utils

from graph.capacity.recurrence import MOST_OCCURRENCES
from graph.capacity.steps import Booking, StepFunction
from graph.changes.bandwidth import asking
from graph.changes.bandwidth.boosts import Boost, Service, Status
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.bandwidth.profiles import lock_limits
from graph.changes.bandwidth.spending import is_above_cap
from graph.changes.bandwidth.turning import Turn
from graph.changes.bandwidth.writing import begin_turn, finish, take_followed
from graph.changes.dry_run import decided
from graph.changes.idempotency import Asked, once
from graph.changes.outcome import Outcome, UserError, user_error
from graph.model.model import LABELS
from graph.model.scope import Principal
from graph.model.vocabulary import TIERS
from graph.store.store import Store, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One interval of a booking. Times are epoch milliseconds UTC."""

    start: int | None
    """None: now."""
    end: int
    price: int
    """in minor units of the currency; whoever asks has worked it out."""
    length: int | None = None
    """in milliseconds: of one without a start, for how long after it is booked, in place of its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRequest:
    """What somebody wants to book."""

    service: str
    mbps: int
    """what is added to the rate of the service."""
    occurrences: tuple[Occurrence, ...]
    currency: str
    tier: str | None = None
    """by which the price was worked out."""
    firm_until: int | None = None
    """until when it may be booked at that price, in epoch milliseconds; None: it was worked out just now."""

    def __post_init__(self) -> None:
        if self.tier is not None and self.tier not in TIERS:
            raise ValueError(f"{self.tier!r} is no tier")


async def book(  # noqa: PLR0913 - what a change is made of, by name
    store: Store,
    principal: Principal,
    policy: BandwidthPolicy,
    wanted: BookingRequest,
    *,
    idempotency_key: str,
    given: Mapping[str, object] | None = None,
    deadline: float,
) -> Outcome:
    """Book; the outcome has the id of the `boost`, of the first of several, and of the `series` these are.

    `given` is what the caller was sent, where prices and times were worked out of that: it decides whether a change is the same.
    """
    asking.check_may(principal, "boostBandwidth")
    intervals = [[each.start, each.end, each.price] for each in wanted.occurrences]
    worked_out: Mapping[str, object] = {
        "serviceId": wanted.service,
        "mbps": wanted.mbps,
        "occurrences": intervals,
        "currency": wanted.currency,
        "tier": wanted.tier,
    }
    asked = Asked(
        subject=principal.subject,
        client_key=idempotency_key,
        operation="boostBandwidth",
        input=worked_out if given is None else given,
    )

    async def change(transaction: Transaction) -> Outcome:
        return await _book(transaction, principal, policy, wanted, dry_run=False)

    return await once(store, asked, change, deadline=deadline)


async def try_booking(
    store: Store, principal: Principal, policy: BandwidthPolicy, wanted: BookingRequest, *, deadline: float
) -> Outcome:
    """Decide what `book` would, and write nothing; the outcome has no ids."""
    asking.check_may(principal, "boostBandwidth")

    async def change(transaction: Transaction) -> Outcome:
        return await _book(transaction, principal, policy, wanted, dry_run=True)

    return await decided(store, change, deadline=deadline)


async def _book(
    transaction: Transaction, principal: Principal, policy: BandwidthPolicy, wanted: BookingRequest, *, dry_run: bool
) -> Outcome:
    if not await asking.find_service(transaction, principal, wanted.service):
        return asking.no_service()
    service = await take_followed(transaction, policy, wanted.service)
    if service is None or not asking.is_mine(principal, service):
        return asking.no_service()
    if (problem := _problem(policy, service, wanted)) is not None:
        return asking.refused_by(problem)
    bookings = _bookings(service, wanted)
    limits = await lock_limits(transaction, service.id, policy.overbooking)
    problem = asking.problem_of_rate(service, bookings, service.boosts.values())
    own = tuple(service.boosts.values())
    problem = problem or asking.problem_as_shown(principal, limits, bookings, [], own, service.now)
    problem = problem or asking.problem_of_capacity(limits, StepFunction.of(bookings))
    if problem is not None:
        return asking.refused_by(problem)
    status: Status = "SCHEDULED" if await _is_approved(transaction, principal, policy, service, wanted) else "REQUESTED"
    if dry_run:
        return Outcome(ids={})
    turn = await begin_turn(transaction, policy, service)
    made = _put(turn, principal, wanted, bookings, status)
    await finish(transaction, turn, subject=principal.subject)
    return Outcome(ids={"boost": made[0].id, **({"series": made[0].series} if made[0].series else {})})


def _problem(policy: BandwidthPolicy, service: Service, wanted: BookingRequest) -> UserError | None:
    """Say why a booking cannot be, whatever is free; None: it may be."""
    if not policy.provisioning:
        return user_error(
            "No provisioning system is connected, so no rate can be set", asking.NO_PROVISIONING, "serviceId"
        )
    if len(service.customers) != 1:
        return user_error(
            "A boost is of one customer, and the service has not one", asking.SERVICE_NOT_OWNED, "serviceId"
        )
    if service.state != "active":
        said = f"The service is {service.state}, and only an active one can be boosted"
        return user_error(said, asking.SERVICE_NOT_ACTIVE, "serviceId")
    if wanted.mbps < 1:
        return user_error("A boost adds at least 1 Mbit/s to the rate of the service", asking.RATE_TOO_LOW, "mbps")
    if not 0 < len(wanted.occurrences) <= MOST_OCCURRENCES:
        return user_error(f"One to {MOST_OCCURRENCES} intervals are booked together", asking.TOO_MANY, "until")
    cap = policy.cap_of(service.customer.id)
    if cap is not None and cap.currency != wanted.currency:
        return user_error(f"What you may spend is in {cap.currency}", asking.OTHER_CURRENCY, "currency")
    if wanted.firm_until is not None and wanted.firm_until < service.now:
        return user_error("The quote has expired: ask for a new one", asking.QUOTE_EXPIRED, "quoteId")
    prices = (asking.problem_of_price(each.price) for each in wanted.occurrences)
    ends = ((each.start, _end_of(each, service.now)) for each in wanted.occurrences)
    found = (problem_of_interval(policy, service.now, start, end) for start, end in ends)
    return next((each for each in (*found, *prices) if each is not None), None)


def problem_of_interval(policy: BandwidthPolicy, now: int, start: int | None, end: int) -> UserError | None:
    """Say why an interval cannot be booked at a moment; None: it can."""
    if start is not None and start < now - policy.late_ms:
        return user_error("The start is in the past: leave it out to begin now", asking.START_IN_THE_PAST, "startAt")
    if end <= now and (start is None or end > start):
        return user_error("The end is in the past: choose one after now", asking.END_IN_THE_PAST, "endAt")
    if end < max(now, start or now) + asking.LEAST_MS:
        return user_error("The end must be a second after the start at least", asking.NOT_AN_INTERVAL, "endAt")
    if end > now + policy.horizon_ms:
        days = policy.horizon_ms // 86_400_000
        return user_error(
            f"Bookings end within {days} days from now: choose an earlier end", asking.BEYOND_HORIZON, "endAt"
        )
    return None


def _bookings(service: Service, wanted: BookingRequest) -> list[Booking]:
    """Give the intervals; one that began a moment ago begins now."""
    return [
        Booking(start=max(each.start or service.now, service.now), end=_end_of(each, service.now), mbps=wanted.mbps)
        for each in wanted.occurrences
    ]


def _end_of(occurrence: Occurrence, now: int) -> int:
    """Give the end; one that begins when it is booked ends so much later."""
    return occurrence.end if occurrence.start is not None or occurrence.length is None else now + occurrence.length


async def _is_approved(
    transaction: Transaction, principal: Principal, policy: BandwidthPolicy, service: Service, wanted: BookingRequest
) -> bool:
    """Tell whether the price needs nobody's approval, or has it: who may approve does so by booking."""
    prices = [(each.start or service.now, each.price) for each in wanted.occurrences]
    cap = policy.cap_of(service.customer.id)
    above = await is_above_cap(transaction, cap, service.customer.id, prices, [])
    return not above or principal.may("approveBoost")


def _put(
    turn: Turn, principal: Principal, wanted: BookingRequest, bookings: Sequence[Booking], status: Status
) -> Sequence[Boost]:
    series = f"series-{uuid_utils.uuid7()}" if len(bookings) > 1 else None
    made = []
    for booking, occurrence in zip(bookings, wanted.occurrences, strict=True):
        assert booking.end is not None  # each has one
        boost = Boost(
            id=f"{LABELS['Boost'].id_prefix}{uuid_utils.uuid7()}",
            mbps=wanted.mbps,
            start=booking.start,
            end=booking.end,
            status=status,
            price=occurrence.price,
            currency=wanted.currency,
            tier=wanted.tier,
            ordered_at=turn.now,
            ordered_by=principal.subject,
            series=series,
            reserves=turn.service.way,
        )
        if status == "REQUESTED":
            boost = replace(boost, hold_until=turn.now + turn.policy.hold_ms)
        turn.put(boost)
        turn.say("BoostScheduled", boost)
        made.append(boost)
    return made
