"""A boost is changed while it is booked or runs: longer, faster or slower, given back, approved, or taken back by an operator.

Rules. 1. A change takes the difference over the time that remains, and nothing where that does not fit. 2. A faster rate is charged once
the network has confirmed it; where it refuses, the boost is what it was. 3. What is cancelled before it begins is free; what runs is
charged for the time it ran, by the rates that it had (pricing.py). 4. Only who may approve lets a boost be that
is above the spend cap, or a change that would be. 5. What a change costs is worked out under the lock, of what the boost is then: two changes at once add up.

Each change is made once for its idempotency key, and its outcome has the id of the `boost`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from graph.capacity.holds import difference
from graph.capacity.steps import Booking
from graph.changes.bandwidth import asking
from graph.changes.bandwidth.asking import not_done
from graph.changes.bandwidth.booking import problem_of_interval
from graph.changes.bandwidth.boosts import Boost, take
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.bandwidth.pricing import give_back, owed_for, priced, with_rate
from graph.changes.bandwidth.profiles import lock_limits
from graph.changes.bandwidth.spending import is_above_cap
from graph.changes.bandwidth.turning import Turn
from graph.changes.bandwidth.writing import begin_turn, finish, take_followed
from graph.changes.dry_run import decided
from graph.changes.idempotency import Asked, once
from graph.changes.outcome import Outcome, UserError, user_error
from graph.model.scope import Principal
from graph.store.store import Store, Transaction

_CARRIED_FOR: Final = """
MATCH (d:Delivery {id: $delivery})-[:CARRIES_OUT]->(:ProcessStep)-[:STEP_OF]->(b:Boost)-[:BOOSTS]->(s:Service)
RETURN DISTINCT b.id, s.id
"""

MOST_RATES: Final = 100
"""that a boost may have had: all of them are kept with it, and are looked at whenever it is charged."""

Decide: TypeAlias = Callable[[Transaction, Turn, Boost], Awaitable[UserError | None]]
"""Changes a boost in a turn, or says why not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What somebody wants a boost to be."""

    boost: str
    price: int | None = None
    """of the whole boost, as it will be, in minor units of its currency; None: it is worked out by the tariff."""
    mbps: int | None = None
    """None: as it is."""
    end: int | None = None
    """epoch milliseconds; None: as it is."""
    longer: int | None = None
    """milliseconds that are added to its end, in place of `end`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """Which boost somebody gives back."""

    boost: str
    price: int | None = None
    """what it costs then, in minor units; None: it is worked out by the tariff, or without one in proportion to its price."""


async def change_boost(  # noqa: PLR0913 - what a change is made of, by name
    store: Store,
    principal: Principal,
    policy: BandwidthPolicy,
    changed: Changed,
    *,
    idempotency_key: str,
    operation: Literal["changeBoost", "extendBoost"] = "changeBoost",
    given: Mapping[str, object] | None = None,
    dry_run: bool = False,
    deadline: float,
) -> Outcome:
    """Give a boost another rate, another end, or both; one that runs keeps its rate until the network has confirmed the new one.

    `given` is what the caller was sent, where a price and a time were worked out of that: it decides whether a change is the same. A
    dry run decides the same and writes nothing.
    """
    asking.check_may(principal, "boostBandwidth")
    worked_out = {"boostId": changed.boost, "mbps": changed.mbps, "end": changed.end, "price": changed.price}
    worked_out |= {} if changed.longer is None else {"longer": changed.longer}
    input_ = worked_out if given is None else {**given, "boostId": changed.boost}

    async def decide(transaction: Transaction, turn: Turn, boost: Boost) -> UserError | None:
        if operation == "extendBoost" and _end(boost, changed) <= boost.end:
            return user_error(
                "The new end must be after the present one: changeBoost gives an earlier one",
                asking.NOT_AN_INTERVAL,
                "endAt",
            )
        return await _change(transaction, principal, turn, boost, changed)

    asked = Asked(subject=principal.subject, client_key=idempotency_key, operation=operation, input=input_)
    return await _once(store, principal, policy, asked, decide, dry_run=dry_run, deadline=deadline)


async def cancel_boost(  # noqa: PLR0913 - what a change is made of, by name
    store: Store,
    principal: Principal,
    policy: BandwidthPolicy,
    cancelled: Cancelled,
    *,
    idempotency_key: str,
    given: Mapping[str, object] | None = None,
    deadline: float,
) -> Outcome:
    """Give a boost back: at once where it has not begun, and else when the network has returned to the rate without it.

    `given` is what the caller was sent, where a price was worked out of that.
    """
    asking.check_may(principal, "boostBandwidth")
    worked_out = {"boostId": cancelled.boost, "price": cancelled.price}
    input_ = worked_out if given is None else {**given, "boostId": cancelled.boost}

    async def decide(_: Transaction, turn: Turn, boost: Boost) -> UserError | None:
        owed = owed_for(turn.policy, boost, turn.now) if cancelled.price is None else cancelled.price
        give_back(turn, boost, "DELETE_REQUESTED", owed)
        return None

    asked = Asked(subject=principal.subject, client_key=idempotency_key, operation="cancelBoost", input=input_)
    return await _once(store, principal, policy, asked, decide, deadline=deadline)


async def revoke_boost(
    store: Store,
    principal: Principal,
    policy: BandwidthPolicy,
    boost_id: str,
    *,
    idempotency_key: str,
    deadline: float,
) -> Outcome:
    """Take a boost back from its customer; for operators."""
    asking.check_operator(principal)

    async def decide(_: Transaction, turn: Turn, boost: Boost) -> UserError | None:
        give_back(turn, boost, "BOOKING_REVOKED", None)
        return None

    given = {"boostId": boost_id}
    asked = Asked(subject=principal.subject, client_key=idempotency_key, operation="revokeBoost", input=given)
    return await _once(store, principal, policy, asked, decide, deadline=deadline)


async def revoke_all(transaction: Transaction, policy: BandwidthPolicy, delivery: str, *, subject: str) -> None:
    """Take the boosts back whose steps a delivery carries out, in a transaction."""
    rows = await transaction.run(_CARRIED_FOR, {"delivery": delivery})
    for service in sorted({str(row[1]) for row in rows}):
        found = await take(transaction, service, policy.provisioning)
        if found is None:
            continue
        turn = await begin_turn(transaction, policy, found)
        for boost_id in sorted({str(row[0]) for row in rows}):
            boost = turn.service.boosts.get(boost_id)
            if boost is not None and not boost.is_over and boost.ending_at is None:
                give_back(turn, boost, "BOOKING_REVOKED", None)
        await finish(transaction, turn, subject=subject)


async def approve_boost(
    store: Store,
    principal: Principal,
    policy: BandwidthPolicy,
    boost_id: str,
    *,
    idempotency_key: str,
    deadline: float,
) -> Outcome:
    """Let a boost be that is above the spend cap."""
    asking.check_may(principal, "approveBoost")

    async def decide(_: Transaction, turn: Turn, boost: Boost) -> UserError | None:
        if boost.status != "REQUESTED":
            return _not_requested(boost)
        if boost.hold_until is not None and boost.hold_until <= turn.now:
            return user_error("It was held until now only: let it be booked again", asking.BOOST_OVER, "boostId")
        approved = replace(boost, status="SCHEDULED", hold_until=None)
        turn.put(approved)
        turn.say("BoostScheduled", approved)
        return None

    asked = Asked(
        subject=principal.subject, client_key=idempotency_key, operation="approveBoost", input={"boostId": boost_id}
    )
    return await _once(store, principal, policy, asked, decide, deadline=deadline)


async def decline_boost(
    store: Store,
    principal: Principal,
    policy: BandwidthPolicy,
    boost_id: str,
    *,
    idempotency_key: str,
    deadline: float,
) -> Outcome:
    """Decline a boost that waits for an approval; what it holds is given back."""
    asking.check_may(principal, "approveBoost")

    async def decide(_: Transaction, turn: Turn, boost: Boost) -> UserError | None:
        if boost.status != "REQUESTED":
            return _not_requested(boost)
        turn.end_over(boost, "BOOKING_DECLINED", price=0)
        return None

    asked = Asked(
        subject=principal.subject, client_key=idempotency_key, operation="declineBoost", input={"boostId": boost_id}
    )
    return await _once(store, principal, policy, asked, decide, deadline=deadline)


async def _once(  # noqa: PLR0913 - what every change needs
    store: Store,
    principal: Principal,
    policy: BandwidthPolicy,
    asked: Asked,
    decide: Decide,
    *,
    dry_run: bool = False,
    deadline: float,
) -> Outcome:
    boost_id = str(asked.input["boostId"])

    async def change(transaction: Transaction) -> Outcome:
        found = await asking.find_boost(transaction, principal, boost_id)
        service = None if found is None else await take_followed(transaction, policy, found)
        if service is None or not asking.is_mine(principal, service):
            return asking.no_boost()
        turn = await begin_turn(transaction, policy, service)
        boost = turn.service.boosts.get(boost_id)
        if boost is None or boost.ending_at is not None or boost.end <= turn.now:
            return not_done("The boost is over: book another one", asking.BOOST_OVER, "boostId")
        problem = await decide(transaction, turn, boost)
        if problem is not None:
            return asking.refused_by(problem)
        price = turn.service.boosts[boost_id].price
        if dry_run:
            return Outcome(ids={}, price=price)
        await finish(transaction, turn, subject=principal.subject)
        return Outcome(ids={"boost": boost_id}, price=price)

    if dry_run:
        return await decided(store, change, deadline=deadline)
    return await once(store, asked, change, deadline=deadline)


async def _change(
    transaction: Transaction, principal: Principal, turn: Turn, boost: Boost, changed: Changed
) -> UserError | None:
    mbps = boost.mbps if changed.mbps is None else changed.mbps
    end = _end(boost, changed)
    if (problem := _problem(turn, boost, mbps, end)) is not None:
        return problem
    after = priced(turn.policy, boost, _after(boost, mbps, end, turn.now), changed.price)
    if isinstance(after, UserError):
        return after
    problem = await _problem_of_room(transaction, principal, turn, boost, after)
    problem = problem or await _problem_of_cap(transaction, principal, turn, boost, after)
    if problem is not None:
        return problem
    turn.put(after)
    turn.say("BoostChanged", after)
    if after.before is not None and after.mbps != boost.mbps:
        turn.skip_rest(boost.id, "CHANGE")
        turn.start_steps(after, "CHANGE")
    return None


def _end(boost: Boost, changed: Changed) -> int:
    if changed.longer is not None:
        return boost.end + changed.longer
    return boost.end if changed.end is None else changed.end


def _problem(turn: Turn, boost: Boost, mbps: int, end: int) -> UserError | None:
    if mbps < 1:
        return user_error("A boost adds at least 1 Mbit/s: cancel it to have none", asking.RATE_TOO_LOW, "mbps")
    if boost.status == "ACTIVATED" and mbps != boost.mbps and len(boost.earlier) >= MOST_RATES:
        said = f"A boost that runs has at most {MOST_RATES} other rates: book another one"
        return user_error(said, asking.TOO_MANY, "boostId")
    if end <= turn.now:
        return user_error("The end is in the past: cancel the boost to end it now", asking.END_IN_THE_PAST, "endAt")
    return problem_of_interval(turn.policy, turn.now, max(boost.start, turn.now), end)


def _after(boost: Boost, mbps: int, end: int, now: int) -> Boost:
    """Give a boost as it will be, but for its price."""
    after = boost
    if boost.status == "ACTIVATED" and mbps != boost.mbps:
        after = with_rate(boost, mbps, now)
    noticed_at = boost.noticed_at if end == boost.end else None
    return replace(after, mbps=mbps, end=end, noticed_at=noticed_at)


async def _problem_of_room(
    transaction: Transaction, principal: Principal, turn: Turn, boost: Boost, after: Boost
) -> UserError | None:
    """Say why the difference does not fit; where less is taken throughout, nothing is looked at."""
    wanted = Booking(start=max(after.start, turn.now), end=after.end, mbps=after.mbps)
    held = Booking(start=boost.start, end=boost.end, mbps=boost.mbps)
    more = difference([held], [wanted], turn.now)
    if all(total <= 0 for total in more.totals):
        return None
    others = [each for each in turn.boosts if each.id != boost.id]
    if (problem := asking.problem_of_rate(turn.service, [wanted], others)) is not None:
        return problem
    limits = await lock_limits(transaction, turn.service.id, turn.policy.overbooking)
    problem = asking.problem_as_shown(principal, limits, [wanted], [held], others, turn.now)
    return problem or asking.problem_of_capacity(limits, more)


async def _problem_of_cap(
    transaction: Transaction, principal: Principal, turn: Turn, boost: Boost, after: Boost
) -> UserError | None:
    customer = turn.service.customer.id
    if after.price <= boost.price or boost.status == "REQUESTED" or principal.may("approveBoost"):
        return None
    cap = turn.policy.cap_of(customer)
    if not await is_above_cap(transaction, cap, customer, [(after.start, after.price)], [boost.id]):
        return None
    said = "That is above what you may spend in a month: let somebody change it who may approve boosts"
    return user_error(said, asking.SPEND_CAP, "mbps")


def _not_requested(boost: Boost) -> UserError:
    said = f"The boost is {boost.status}, and only a REQUESTED one waits for an approval"
    return user_error(said, asking.BOOST_NOT_REQUESTED, "boostId")
