"""A booking: what is asked for becomes a rate, intervals and a price, and graph/changes/bandwidth books it or says why not.

What a client sends decides whether a change is the same when it is asked for again: the price and the end that follow from it may be
others by then, and the outcome is that of the first time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

import strawberry

from graph.capacity.recurrence import BadRecurrence, Every, Recurrence, occurrences
from graph.capacity.steps import NotAnInterval
from graph.changes.bandwidth import asking, offers
from graph.changes.bandwidth.booking import BookingRequest, Occurrence, book, try_booking
from graph.changes.bandwidth.looking import read_price
from graph.changes.bandwidth.offers import Quote, Request
from graph.changes.idempotency import Asked as Once
from graph.changes.idempotency import remembered
from graph.changes.outcome import Outcome, user_error
from graph.changes.outcome import UserError as Problem
from resolvers.bandwidth.arguments import outcome_told_at, told_at
from resolvers.bandwidth.asked import Asked, Info
from resolvers.bandwidth.costs import Boost
from resolvers.bandwidth.payloads import BoostBandwidthPayload
from resolvers.bandwidth.quoting import EndAt, Hours, Mbps, StartAt, Tier, quoted, sealing, too_many
from resolvers.bandwidth.types import BandwidthAlternative, RecurrenceInput, show_minor
from resolvers.money import Money
from resolvers.user_errors import UserError, shown

QUOTE_OR_INPUT: Final = "QUOTE_OR_INPUT"
QUOTE_NOT_FOUND: Final = "QUOTE_NOT_FOUND"
BAD_RECURRENCE: Final = "BAD_RECURRENCE"
_NO_ROOM: Final = frozenset({asking.NO_CAPACITY, asking.BEYOND_CONTRACT})

Key = Annotated[str, strawberry.argument(description="The same for the same change asked for again.")]
DryRun = Annotated[
    bool, strawberry.argument(description="Whether only to say if it would be done; nothing is written.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meant:
    """What is to be booked, and what of it may be asked for again."""

    wanted: BookingRequest
    request: Request


async def boost_bandwidth(  # noqa: PLR0913 - the arguments of the field
    info: Info,
    idempotency_key: Key,
    *,
    quote_id: Annotated[
        strawberry.ID | None,
        strawberry.argument(description="A quote or an alternative that this caller was given; or all that follows."),
    ] = None,
    service_id: Annotated[
        strawberry.ID | None, strawberry.argument(description="The service whose rate is to be higher.")
    ] = None,
    mbps: Mbps = None,
    tier: Tier = None,
    start_at: StartAt = None,
    hours: Hours = None,
    end_at: EndAt = None,
    recurrence: Annotated[
        RecurrenceInput | None,
        strawberry.argument(description="Whether it comes again: all of them are booked, or none."),
    ] = None,
    dry_run: DryRun = False,
) -> BoostBandwidthPayload:
    """Book."""
    asked = info.context
    asking.check_may(asked.principal, "boostBandwidth")
    request = Request(service=service_id or "", mbps=mbps, tier=tier, start=start_at, hours=hours, end=end_at)
    given = _given(quote_id, service_id, request, recurrence)
    if not dry_run and (known := await known_outcome(asked, "boostBandwidth", given, idempotency_key)) is not None:
        return _booked(outcome_told_at(known, given), await _price_of_known(asked, known), ())
    if (problem := too_many(asked, _service_of(asked, quote_id, request))) is not None:
        return _refused(told_at(problem, given))
    meant = await _meant(asked, quote_id, request, recurrence)
    if isinstance(meant, Problem):
        return _refused(told_at(meant, given))
    outcome = await _book(asked, meant.wanted, given, None if dry_run else idempotency_key)
    instead: Sequence[BandwidthAlternative] = ()
    if any(each.code in _NO_ROOM for each in outcome.user_errors):
        instead = await _instead(asked, meant.request)
    price = sum(each.price for each in meant.wanted.occurrences)
    return _booked(outcome_told_at(outcome, given), show_minor(price, meant.wanted.currency), instead)


def _service_of(asked: Asked, quote_id: str | None, request: Request) -> str:
    """Give the service that is asked for; empty for a quote that is none."""
    if quote_id is None:
        return request.service
    sealed = asked.tokens.open(quote_id, asked.principal.subject)
    return "" if sealed is None else sealed.service


async def _price_of_known(asked: Asked, known: Outcome) -> Money | None:
    """Give what was booked under the same key costs now."""
    if (boost := known.ids.get("boost")) is None:
        return None
    price = await read_price(asked.store, asked.principal, boost, deadline=asked.deadline)
    return None if price is None else show_minor(price.minor, price.currency)


async def _book(asked: Asked, wanted: BookingRequest, given: Mapping[str, object], key: str | None) -> Outcome:
    if key is None:
        return await try_booking(asked.store, asked.principal, asked.policy, wanted, deadline=asked.deadline)
    return await book(
        asked.store,
        asked.principal,
        asked.policy,
        wanted,
        idempotency_key=key,
        given=given,
        deadline=asked.deadline,
    )


async def known_outcome(asked: Asked, operation: str, given: Mapping[str, object], key: str) -> Outcome | None:
    """Give what the same change returned before: it is not asked for too often, and not judged by what there is now."""
    once = Once(subject=asked.principal.subject, client_key=key, operation=operation, input=given)
    return await remembered(asked.store, once, deadline=asked.deadline)


async def _meant(
    asked: Asked, quote_id: str | None, request: Request, recurrence: RecurrenceInput | None
) -> _Meant | Problem:
    """Find out what is to be booked: what was quoted, or what is asked for now."""
    if (quote_id is None) == (not request.service):
        return user_error("Give either quoteId, or serviceId with a rate and a time", QUOTE_OR_INPUT, "quoteId")
    meant = await _of_input(asked, request) if quote_id is None else _of_quote(asked, quote_id, request)
    if isinstance(meant, Problem) or recurrence is None:
        return meant
    return _again(meant, recurrence)


async def _of_input(asked: Asked, request: Request) -> _Meant | Problem:
    found = await quoted(asked, request)
    if isinstance(found, Problem):
        return found
    slot = found.slot
    occurrence = Occurrence(start=slot.start, end=slot.end, price=slot.price.minor, length=slot.end - slot.begins)
    wanted = BookingRequest(
        service=found.service,
        mbps=slot.mbps,
        occurrences=(occurrence,),
        currency=slot.price.currency,
        tier=found.contract,
    )
    return _Meant(wanted=wanted, request=request)


def _of_quote(asked: Asked, quote_id: str, request: Request) -> _Meant | Problem:
    if any(each is not None for each in (request.mbps, request.tier, request.start, request.hours, request.end)):
        return user_error("A quote says the rate and the time: leave these out", QUOTE_OR_INPUT, "quoteId")
    sealed = asked.tokens.open(quote_id, asked.principal.subject)
    if sealed is None:
        return user_error("There is no such quote: ask for a new one", QUOTE_NOT_FOUND, "quoteId")
    end = (sealed.start or 0) + sealed.length
    occurrence = Occurrence(start=sealed.start, end=end, price=sealed.price, length=sealed.length)
    wanted = BookingRequest(
        service=sealed.service,
        mbps=sealed.mbps,
        occurrences=(occurrence,),
        currency=sealed.currency,
        tier=sealed.tier,
        firm_until=sealed.firm_until,
    )
    hours = sealed.length / offers.HOUR
    again = Request(service=sealed.service, mbps=sealed.mbps, start=sealed.start, hours=hours)
    return _Meant(wanted=wanted, request=again)


def _again(meant: _Meant, recurrence: RecurrenceInput) -> _Meant | Problem:
    """Repeat the interval; each one costs what the first does: it is as long."""
    [first] = meant.wanted.occurrences
    if first.start is None:
        return user_error("What comes again needs a startAt", BAD_RECURRENCE, "startAt")
    try:
        repeat = Recurrence(every=Every(str(recurrence.every.value)), until=recurrence.until, zone=recurrence.time_zone)
        intervals = occurrences(first.start, first.end, repeat)
    except (BadRecurrence, NotAnInterval) as wrong:
        return user_error(f"The recurrence {wrong}", BAD_RECURRENCE, "recurrence")
    every = tuple(Occurrence(start=start, end=end, price=first.price, length=first.length) for start, end in intervals)
    return replace(meant, wanted=replace(meant.wanted, occurrences=every))


async def _instead(asked: Asked, request: Request) -> Sequence[BandwidthAlternative]:
    """Say what would fit, to whom has just been told that something does not."""
    found = await quoted(asked, request)
    if not isinstance(found, Quote):
        return ()
    return [BandwidthAlternative.of(each, sealing(asked, found)) for each in found.alternatives]


def _booked(outcome: Outcome, price: Money | None, instead: Sequence[BandwidthAlternative]) -> BoostBandwidthPayload:
    return BoostBandwidthPayload(
        boost=boost_of(outcome),
        series=outcome.ids.get("series"),
        price=price,
        alternatives=[*instead],
        user_errors=shown(outcome),
    )


def _refused(problem: Problem) -> BoostBandwidthPayload:
    return BoostBandwidthPayload(
        boost=None, series=None, price=None, alternatives=[], user_errors=[UserError.of(problem)]
    )


def _given(
    quote_id: str | None, service_id: str | None, request: Request, recurrence: RecurrenceInput | None
) -> dict[str, object]:
    """Give all that a client has sent and that a booking depends on."""
    again = None
    if recurrence is not None:
        again = [recurrence.every.value, recurrence.until, recurrence.time_zone]
    return {
        "quoteId": quote_id,
        "serviceId": service_id,
        "mbps": request.mbps,
        "tier": request.tier,
        "startAt": request.start,
        "hours": request.hours,
        "endAt": request.end,
        "recurrence": again,
    }


def boost_of(outcome: Outcome) -> Boost | None:
    """Give the boost that a change returned, for the knowledge graph to resolve."""
    found = outcome.ids.get("boost")
    return None if found is None else Boost(id=strawberry.ID(found))
