"""A quote is a question: what more bandwidth can be had, and for how much. Nothing is written."""

from __future__ import annotations

import time
from typing import Annotated, Final

import strawberry

from graph.changes.bandwidth import asking
from graph.changes.bandwidth.looking import read_sellable, read_spent
from graph.changes.bandwidth.offers import Quote, Request, Slot, problem_of, quote
from graph.changes.outcome import UserError as Problem
from graph.model.scope import Role, ScopeKind, scope_of
from resolvers.bandwidth.arguments import told_at
from resolvers.bandwidth.asked import Asked, Info
from resolvers.bandwidth.payloads import QuoteBandwidthPayload
from resolvers.bandwidth.types import BandwidthQuote, Seal
from resolvers.moments import Moment
from resolvers.user_errors import UserError

TOO_MANY_QUOTES: Final = "TOO_MANY_QUOTES"

Mbps = Annotated[
    int | None,
    strawberry.argument(description="The rate in Mbit/s that is added to the rate of the service; or `tier`."),
]
Tier = Annotated[str | None, strawberry.argument(description="A tier of the tariff by its name; or `mbps`.")]
StartAt = Annotated[Moment | None, strawberry.argument(description="When it begins; without it, when it is booked.")]
Hours = Annotated[float | None, strawberry.argument(description="For how many hours: 2, 0.5; or `endAt`.")]
EndAt = Annotated[Moment | None, strawberry.argument(description="When it ends; or `hours`.")]


async def quote_bandwidth(  # noqa: PLR0913 - the arguments of the field
    info: Info,
    service_id: Annotated[strawberry.ID, strawberry.argument(description="The service whose rate is to be higher.")],
    *,
    mbps: Mbps = None,
    tier: Tier = None,
    start_at: StartAt = None,
    hours: Hours = None,
    end_at: EndAt = None,
) -> QuoteBandwidthPayload:
    """Say what can be had."""
    asked = info.context
    if scope_of(asked.principal).kind is not ScopeKind.EVERYTHING:
        asking.check_may(asked.principal, "boostBandwidth")
    if (problem := too_many(asked, service_id)) is not None:
        return QuoteBandwidthPayload(quote=None, user_errors=[UserError.of(problem)])
    request = Request(service=service_id, mbps=mbps, tier=tier, start=start_at, hours=hours, end=end_at)
    found = await quoted(asked, request)
    if isinstance(found, Problem):
        given = {
            "mbps": mbps,
            "tier": tier,
            "startAt": start_at,
            "hours": hours,
            "endAt": end_at,
            "serviceId": service_id,
        }
        return QuoteBandwidthPayload(quote=None, user_errors=[UserError.of(told_at(found, given))])
    return QuoteBandwidthPayload(quote=BandwidthQuote.of(found, sealing(asked, found)), user_errors=[])


async def quoted(asked: Asked, request: Request) -> Quote | Problem:
    """Read a service of the caller's, and make a quote for it."""
    policy = asked.policy
    service = await read_sellable(
        asked.store, asked.principal, request.service, policy.overbooking, deadline=asked.deadline
    )
    if service is None:
        return asking.no_service().user_errors[0]
    cap = policy.cap_of(service.customers[0]) if service.customers else None
    if cap is None or problem_of(policy, service, request) is not None:
        return quote(policy, service, request, 0)
    at = service.now if request.start is None else request.start
    spent = await read_spent(asked.store, cap, service.customers[0], at, deadline=asked.deadline)
    return quote(policy, service, request, spent)


def sealing(asked: Asked, quote: Quote) -> Seal:
    """Give what seals the offers of a quote for the caller."""

    def seal(slot: Slot) -> str:
        subject, until = asked.principal.subject, quote.firm_until
        return asked.tokens.seal(quote.service, slot, quote.contract, firm_until=until, subject=subject)

    return seal


def too_many(asked: Asked, service: str) -> Problem | None:
    """Take from the allowance of a customer's principal for a service; say where it is used up. Operators may ask as they like."""
    if asked.principal.effective is not Role.CUSTOMER:
        return None
    wait = asked.allowance.take(asked.principal.subject, service, now=time.monotonic())
    if not wait:
        return None
    seconds = max(1, round(wait))
    said = f"That was asked too often for the service: ask again in {seconds} second{'s' if seconds > 1 else ''}"
    return Problem(message=said, code=TOO_MANY_QUOTES, path=("serviceId",))
