"""What is shown of an offer: rates, times and prices, and what would fit instead."""

from __future__ import annotations

import enum
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Final

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from graph.capacity.limits import LimitKind
from graph.capacity.recurrence import Every
from graph.capacity.steps import Segment
from graph.capacity.tariff import Price
from graph.changes.bandwidth.offers import Alternative as Offered
from graph.changes.bandwidth.offers import AlternativeKind, OfferedTier, Quote, Slot
from graph.errors import Refused
from graph.model.currencies import minor_digits
from resolvers.directives import ListSize, OperatorOnly
from resolvers.moments import Moment, read_moment
from resolvers.money import Money, money

MOMENT: Final = read_moment(partial(Refused, code="BAD_USER_INPUT"))
Seal = Callable[[Slot], str]
"""Makes the id of a quote."""


@strawberry.enum(description="What keeps a rate from being higher; never which thing, nor how much others use of it.")
class LimitedBy(enum.Enum):
    """graph.capacity.limits.LimitKind."""

    PORT = strawberry.enum_value("PORT", description="A port where the service is handed over.")
    NETWORK = strawberry.enum_value("NETWORK", description="The network between its ends.")
    CONTRACT = strawberry.enum_value("CONTRACT", description="The contract, or the highest rate that is on offer.")
    CAP = strawberry.enum_value("CAP", description="What the customer may spend in a month without an approval.")


@strawberry.enum(description="In what another offer differs from what was asked for.")
class AlternativeOffer(enum.Enum):
    """graph.changes.bandwidth.offers.AlternativeKind."""

    SMALLER_RATE = strawberry.enum_value("SMALLER_RATE", description="The nearest smaller rate, at the same time.")
    EARLIEST_SLOT = strawberry.enum_value(
        "EARLIEST_SLOT", description="The same rate for as long, as early from now as it can be had."
    )
    LATER_START = strawberry.enum_value(
        "LATER_START", description="The same rate for as long, at the nearest start after the one asked for."
    )


@strawberry.enum(description="How often a boost comes again.")
class Repeat(enum.Enum):
    """graph.capacity.recurrence.Every."""

    WEEK = strawberry.enum_value(Every.WEEK.value, description="Every week, on the same day of the week.")
    MONTH = strawberry.enum_value(
        Every.MONTH.value, description="Every month, on the same day, or on the last of a shorter month."
    )


@strawberry.input(description="When a boost comes again: at the same time of day, also across a change of clocks.")
class RecurrenceInput:
    """graph.capacity.recurrence.Recurrence."""

    every: Repeat = strawberry.field(description="How often.")
    until: Moment = strawberry.field(description="The last moment at which one may begin.")
    time_zone: str = strawberry.field(
        default="UTC", description="The zone whose clock counts, of the IANA database: Europe/Berlin."
    )


def show_price(price: Price) -> Money:
    """Show a price."""
    return show_minor(price.minor, price.currency)


def show_minor(minor: int, currency: str) -> Money:
    """Show an amount in the smallest unit of a currency."""
    return money(Decimal(minor).scaleb(-(minor_digits(currency) or 0)), minor, currency)


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)], description="What is delivered.")
class Service:
    """The knowledge graph's."""

    id: strawberry.ID


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)], description="What waits for a person.")
class Task:
    """The knowledge graph's."""

    id: strawberry.ID = strawberry.field(directives=[OperatorOnly()])


@strawberry.type(description="A rate that may be booked from one moment to another.")
class AvailableRate:
    """A segment of the curve."""

    from_: Moment = strawberry.field(name="from", description="From then on, a whole quarter of an hour (UTC),")
    to: Moment = strawberry.field(description="until then.")
    mbps: int = strawberry.field(
        description="What may be added to the rate of the service, in Mbit/s; a rate on offer, or 0."
    )

    @classmethod
    def of(cls, segment: Segment) -> AvailableRate:
        """Show a segment."""
        assert segment.end is not None, "what is shown ends"
        return cls(from_=Moment(segment.start), to=Moment(segment.end), mbps=segment.mbps)


@strawberry.type(description="A tier of the tariff, for the time asked for.")
class BandwidthTier:
    """graph.changes.bandwidth.offers.OfferedTier."""

    name: str = strawberry.field(description="What `quoteBandwidth(tier:)` calls it.")
    mbps: int = strawberry.field(description="Its rate, in Mbit/s: what is added to the rate of the service.")
    price: Money = strawberry.field(description="What it costs for the time asked for, without taxes.")
    fits: bool = strawberry.field(description="Whether it may be booked for that time.")

    @classmethod
    def of(cls, tier: OfferedTier) -> BandwidthTier:
        """Show a tier."""
        return cls(name=tier.name, mbps=tier.mbps, price=show_price(tier.price), fits=tier.fits)


@strawberry.type(description="What would fit instead; it can be booked by its id as it is.")
class BandwidthAlternative:
    """graph.changes.bandwidth.offers.Alternative."""

    id: strawberry.ID = strawberry.field(
        description="What `boostBandwidth(quoteId:)` takes, until the quote's firmUntil."
    )
    kind: AlternativeOffer = strawberry.field(description="In what it differs from what was asked for.")
    mbps: int = strawberry.field(description="Its rate, in Mbit/s: what is added to the rate of the service.")
    start_at: Moment = strawberry.field(description="When it begins.")
    end_at: Moment = strawberry.field(description="When it ends.")
    price: Money = strawberry.field(description="What it costs, without taxes.")

    @classmethod
    def of(cls, offered: Offered, seal: Seal) -> BandwidthAlternative:
        """Show an alternative."""
        slot = offered.slot
        return cls(
            id=strawberry.ID(seal(slot)),
            kind=_ALTERNATIVES[offered.kind],
            mbps=slot.mbps,
            start_at=Moment(slot.begins),
            end_at=Moment(slot.end),
            price=show_price(slot.price),
        )


_ALTERNATIVES: Final = {each: AlternativeOffer(each.value) for each in AlternativeKind}
_LIMITS: Final = {each: LimitedBy(each.value) for each in LimitKind}


@strawberry.type(
    description=(
        "What more bandwidth costs for a while, and what can be had. Nothing is reserved by it: boostBandwidth looks again, and the "
        "price is firm until then."
    )
)
class BandwidthQuote:
    """graph.changes.bandwidth.offers.Quote."""

    id: strawberry.ID | None = strawberry.field(
        description="What `boostBandwidth(quoteId:)` takes; of this caller only. Null where what was asked for does not fit."
    )
    service: Service = strawberry.field(description="The service whose rate it is.")
    fits: bool = strawberry.field(description="Whether what was asked for may be booked; else see `alternatives`.")
    mbps: int = strawberry.field(description="What is added to the rate of the service, in Mbit/s.")
    start_at: Moment = strawberry.field(
        description="When it begins: now, where no start was given; then it begins when it is booked."
    )
    end_at: Moment = strawberry.field(description="When it ends: from this moment on it is over.")
    price: Money = strawberry.field(description="What it costs, without taxes.")
    firm_until: Moment = strawberry.field(description="Until when the price holds.")
    least_mbps: int = strawberry.field(description="The lowest rate on offer, in Mbit/s.")
    most_mbps: int = strawberry.field(
        description="The highest rate on offer that fits for that time, in Mbit/s; 0 where none does."
    )
    step_mbps: int = strawberry.field(description="Rates on offer are multiples of this, in Mbit/s.")
    limited_by: LimitedBy = strawberry.field(
        description="What keeps mostMbps from being higher; CAP where the rate fits and needs an approval."
    )
    needs_approval: bool = strawberry.field(
        description="Whether it is above what the customer may spend in a month: then approveBoost has to follow."
    )
    tiers: list[BandwidthTier] = strawberry.field(
        description="The tiers of the tariff, the lowest rate first.", directives=[ListSize(assumed_size=10)]
    )
    alternatives: list[BandwidthAlternative] = strawberry.field(
        description="What would fit instead; empty where what was asked for fits, or nothing does within some weeks.",
        directives=[ListSize(assumed_size=3)],
    )
    availability: list[AvailableRate] = strawberry.field(
        description="What may be booked from the start on, for a day at least: rounded down, in whole quarters of an hour.",
        directives=[ListSize(assumed_size=100)],
    )

    @classmethod
    def of(cls, quote: Quote, seal: Seal) -> BandwidthQuote:
        """Show a quote."""
        slot = quote.slot
        return cls(
            id=strawberry.ID(seal(slot)) if quote.fits else None,
            service=Service(id=strawberry.ID(quote.service)),
            fits=quote.fits,
            mbps=slot.mbps,
            start_at=Moment(slot.begins),
            end_at=Moment(slot.end),
            price=show_price(slot.price),
            firm_until=Moment(quote.firm_until),
            least_mbps=quote.least,
            most_mbps=quote.most,
            step_mbps=quote.step,
            limited_by=_LIMITS[quote.limited_by],
            needs_approval=quote.needs_approval,
            tiers=[BandwidthTier.of(each) for each in quote.tiers],
            alternatives=[BandwidthAlternative.of(each, seal) for each in quote.alternatives],
            availability=[AvailableRate.of(each) for each in quote.free],
        )
