"""Who may change the bandwidth of a service, and why a change is not made: the same for all that people ask for.

A customer asks for its own services only, and what is another's is not there. What says so takes the same steps for both, and locks
nothing before it knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, Literal, TypeAlias, assert_never

from graph.capacity.holds import shortfall
from graph.capacity.limits import Limit, LimitKind
from graph.capacity.rounding import shown_left
from graph.capacity.steps import Booking, StepFunction
from graph.changes.bandwidth import owned
from graph.changes.bandwidth.boosts import Boost, Service
from graph.changes.bandwidth.policy import NoTariff
from graph.changes.outcome import Outcome, UserError, user_error
from graph.errors import Refused
from graph.model.scope import Principal, Role
from graph.store.store import Transaction

SERVICE_NOT_FOUND: Final = "SERVICE_NOT_FOUND"
SERVICE_NOT_ACTIVE: Final = "SERVICE_NOT_ACTIVE"
SERVICE_NOT_OWNED: Final = "SERVICE_NOT_OWNED"
BOOST_NOT_FOUND: Final = "BOOST_NOT_FOUND"
BOOST_OVER: Final = "BOOST_OVER"
BOOST_NOT_REQUESTED: Final = "BOOST_NOT_REQUESTED"
NO_PROVISIONING: Final = "NO_PROVISIONING"
NOT_AN_INTERVAL: Final = "NOT_AN_INTERVAL"
START_IN_THE_PAST: Final = "START_IN_THE_PAST"
END_IN_THE_PAST: Final = "END_IN_THE_PAST"
BEYOND_HORIZON: Final = "BEYOND_HORIZON"
RATE_TOO_LOW: Final = "RATE_TOO_LOW"
BEYOND_CONTRACT: Final = "BEYOND_CONTRACT"
NO_CAPACITY: Final = "NO_CAPACITY"
QUOTE_EXPIRED: Final = "QUOTE_EXPIRED"
SPEND_CAP: Final = "SPEND_CAP"
OTHER_CURRENCY: Final = "OTHER_CURRENCY"
TOO_MANY: Final = "TOO_MANY"
NO_TARIFF: Final = "NO_TARIFF"
PRICES_UNAVAILABLE: Final = "PRICES_UNAVAILABLE"
RATE_NOT_OFFERED: Final = "RATE_NOT_OFFERED"
PRICE_TOO_HIGH: Final = "PRICE_TOO_HIGH"
LEAST_MS: Final = 1_000
"""that a boost lasts: it is charged to the second, and less than one would be sold for the minimum of a tariff."""
HIGHEST_PRICE: Final = 2**31 - 1
"""of a boost, in minor units: what `Boost.price` of the API holds (GraphQL, October 2021, 3.5.1)."""

Change: TypeAlias = Literal["boostBandwidth", "approveBoost"]

_SERVICE: Final = f"{owned.SERVICE}RETURN s.id"
_BOOST: Final = f"{owned.BOOST}RETURN HEAD(COLLECT {{ MATCH (b)-[:BOOSTS]->(s:Service) RETURN s.id }})"


def check_may(principal: Principal, change: Change) -> None:
    """Refuse a caller whose token does not name the change."""
    if not principal.may(change):
        raise Refused(
            f"This token may not do {change}",
            code="FORBIDDEN",
            hint="Ask as an operator, or as a customer with a token that names it in its claim `changes`",
        )


def check_operator(principal: Principal) -> None:
    """Refuse whoever is no operator."""
    if principal.effective is not Role.OPERATOR:
        raise Refused("Only operators do this", code="FORBIDDEN", hint="Ask with a token that has the role operator")


async def find_service(transaction: Transaction, principal: Principal, service: str) -> bool:
    """Tell whether there is such a service of the caller's; nothing is locked."""
    return bool(await transaction.run(_SERVICE, {"service": service, **owned.of_who_changes(principal)}))


async def find_boost(transaction: Transaction, principal: Principal, boost: str) -> str | None:
    """Give the service of a boost of the caller's; None where there is none, or it is another's. Nothing is locked."""
    for (service,) in await transaction.run(_BOOST, {"boost": boost, **owned.of_who_changes(principal)}):
        return None if service is None else str(service)
    return None


def is_mine(principal: Principal, service: Service) -> bool:
    """Tell whether a service that is locked is the caller's."""
    owners = {each.id for each in service.customers}
    return principal.effective is Role.OPERATOR or bool(owners & set(principal.customers))


def problem_of_rate(service: Service, taken: Sequence[Booking], boosts: Iterable[Boost]) -> UserError | None:
    """Say why a rate is beyond the contract; `boosts` are those that count beside what is `taken`."""
    if service.most is None:
        return None
    own = [_future(each, service.now) for each in boosts]
    load = StepFunction.of([each for each in (*own, *taken) if each is not None])
    most = max((load.peak(each.start, each.end) for each in taken), default=0)
    if service.committed + most <= service.most:
        return None
    room = max(0, service.most - service.committed)
    return UserError(
        message=f"The contract allows {service.most} Mbit/s, which is {room} more than the committed rate, all boosts together",
        code=BEYOND_CONTRACT,
        path=("mbps",),
    )


def problem_of_tariff(why: NoTariff, path: str) -> UserError:
    """Say why there is no price."""
    match why:
        case NoTariff.NOT_SOLD:
            return user_error("Boosts are not sold for this service", NO_TARIFF, path)
        case NoTariff.NOT_READ:
            said = "What boosts cost cannot be found out at the moment: try again in some minutes"
            return user_error(said, PRICES_UNAVAILABLE, path)
        case never:
            assert_never(never)


def problem_of_price(price: int) -> UserError | None:
    """Say that a boost costs more than can be told."""
    if price <= HIGHEST_PRICE:
        return None
    return UserError(
        message="A boost of that price is not sold here: choose a shorter time or a lower rate",
        code=PRICE_TOO_HIGH,
        path=("mbps",),
    )


def problem_of_capacity(limits: Sequence[Limit], more: StepFunction) -> UserError | None:
    """Say that something on the way has not so much free in the whole time; nobody is told which, or how much it has."""
    short = shortfall(limits, more)
    return None if short is None else _no_room(short.left.limiting)


def problem_as_shown(
    principal: Principal,
    limits: Iterable[Limit],
    plan: Iterable[Booking],
    held: Iterable[Booking],
    own: Sequence[Boost],
    now: int,
) -> UserError | None:
    """Say to a customer what a quote would say: over whole quarter hours, whatever of these is asked for.

    Else whoever books to the second learns to the second when others begin and end, or which of two things they take: so this is asked
    before what is free to the second. `held` is what the limits have of the same boost, and `own` are the other boosts of the service,
    which it knows to the second.
    """
    if principal.effective is not Role.CUSTOMER:
        return None
    mine, wanted = StepFunction.of(held), tuple(plan)
    together = StepFunction.of(wanted)
    for limit in limits:
        beside = [_future(each, now) for each in own if limit.thing in each.reserves]
        ours = StepFunction.of([each for each in beside if each is not None])
        load = limit.load.minus(mine)
        for each in wanted:
            assert each.end is not None, "a boost ends"
            rest = together.minus(StepFunction.of([each]))
            left = shown_left(replace(limit, load=load.plus(rest)), ours.plus(rest), (each.start, each.end), now)
            if each.mbps > left:
                return _no_room(limit.kind)
    return None


def _no_room(kind: LimitKind | None) -> UserError:
    what = "A port of the service" if kind is LimitKind.PORT else "The network"
    return UserError(
        message=f"{what} has not so much free in the whole time: a quote says which rate or which time would fit",
        code=NO_CAPACITY,
        path=("mbps",),
    )


def not_done(message: str, code: str, path: str) -> Outcome:
    """Say why nothing was done."""
    return Outcome(ids={}, user_errors=(user_error(message, code, path),))


def refused_by(problem: UserError) -> Outcome:
    """Say why nothing was done."""
    return Outcome(ids={}, user_errors=(problem,))


def no_service() -> Outcome:
    """Say it also of another's: whoever may not see it must not learn that it exists."""
    return not_done("There is no such service", SERVICE_NOT_FOUND, "serviceId")


def no_boost() -> Outcome:
    """Say it also of another's."""
    return not_done("There is no such boost", BOOST_NOT_FOUND, "boostId")


def _future(boost: Boost, now: int) -> Booking | None:
    start = max(boost.start, now)
    return None if boost.is_over or start >= boost.end else Booking(start=start, end=boost.end, mbps=boost.mbps)
