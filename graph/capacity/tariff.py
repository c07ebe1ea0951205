"""What a boost costs: a tariff is data, and what a price is made of is exact until it is rounded, once.

A price per Mbit/s and hour is often a fraction of a cent, and a boost is paid for to the second: rounding each part would
add up. So parts are decimals with digits to spare; their sum is held to the minimum and rounded to the currency's smallest
unit by the tariff's own mode. Taxes are the business of billing.

>>> tiers = (Tier(name="M", mbps=500, per_mbps_hour=Decimal("0.02")), Tier(name="L", mbps=1_000, per_mbps_hour=Decimal("0.015")))
>>> tariff = Tariff(currency="EUR", step_mbps=50, tiers=tiers, minimum=Decimal(5), rounding=Rounding.HALF_UP)
>>> str(price(tariff, 500, 0, 7_200_000)), str(price(tariff, 50, 0, 7_200_000)), price(tariff, 1_000, 0, 3_600_000).minor
('20.00 EUR', '5.00 EUR', 1500)
"""

from __future__ import annotations

import decimal
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from graph.capacity.steps import Booking
from graph.model.currencies import minor_digits

_EXACT: Final = decimal.Context(prec=60)
_HOUR: Final = Decimal(3_600)
_SECOND: Final = 1_000


class Rounding(StrEnum):
    """How a price is rounded to the smallest unit of its currency; the names are those of Python's `decimal`."""

    UP = "UP"
    DOWN = "DOWN"
    HALF_UP = "HALF_UP"
    HALF_DOWN = "HALF_DOWN"
    HALF_EVEN = "HALF_EVEN"


class BrokenTariff(ValueError):
    """A tariff has a currency that is unknown, no tiers, or an amount that is none."""


class NotOnOffer(ValueError):
    """A tariff has no price for that: no such rate, or an interval without an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Rates that have one price."""

    name: str
    mbps: int
    """the highest rate of the tier; whoever asks for the tier gets that one."""
    per_mbps_hour: Decimal
    """in the currency of the tariff, such as euros and not cents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """What boosts cost; raises BrokenTariff."""

    currency: str
    """of ISO 4217."""
    step_mbps: int
    """rates are multiples of it."""
    tiers: tuple[Tier, ...]
    """by ascending rate. A rate is of the first tier that holds it."""
    minimum: Decimal
    """of whatever is charged at all, in the currency."""
    rounding: Rounding

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise BrokenTariff(problem)

    @property
    def most_mbps(self) -> int:
        """The highest rate."""
        return self.tiers[-1].mbps

    def tier(self, name: str) -> Tier:
        """Give the tier of that name; raises NotOnOffer."""
        for each in self.tiers:
            if each.name == name:
                return each
        names = ", ".join(each.name for each in self.tiers)
        raise NotOnOffer(f"there is no tier {name!r}, but {names}")

    def tier_of(self, mbps: int) -> Tier:
        """Give the tier whose price a rate has; raises NotOnOffer."""
        for each in self.tiers:
            if 0 < mbps <= each.mbps:
                return each
        raise NotOnOffer(f"{mbps} Mbit/s is not above 0 and at most {self.most_mbps}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """An amount of money, in the smallest unit of its currency."""

    minor: int
    currency: str

    def __str__(self) -> str:
        """Write it as people do, such as 12.50 EUR."""
        return f"{Decimal(self.minor).scaleb(-(minor_digits(self.currency) or 0))} {self.currency}"


def price(tariff: Tariff, mbps: int, start: int, end: int) -> Price:
    """Give the price of a boost; raises NotOnOffer, NotAnInterval."""
    return price_of(tariff, [Booking(start=start, end=end, mbps=mbps)])


def price_of(tariff: Tariff, charged: Iterable[Booking]) -> Price:
    """Give the price of one boost that was changed, by the intervals of its rates; of nothing it is 0. Raises NotOnOffer."""
    with decimal.localcontext(_EXACT):
        parts = [_part(tariff, each) for each in charged]
        amount = max(sum(parts, Decimal(0)), tariff.minimum) if parts else Decimal(0)
        minor = _rounded(tariff, amount)
    return Price(minor=minor, currency=tariff.currency)


def price_of_more(tariff: Tariff, added: Iterable[tuple[Booking, int]]) -> Price:
    """Give what is added to a boost costs: how many Mbit/s of an interval's whole rate are new. There is no minimum. Raises NotOnOffer."""
    with decimal.localcontext(_EXACT):
        parts = [_part(tariff, each) * more / each.mbps for each, more in added]
        minor = _rounded(tariff, sum(parts, Decimal(0)))
    return Price(minor=minor, currency=tariff.currency)


def price_if_cancelled(tariff: Tariff, charged: Iterable[Booking], at: int) -> Price:
    """Give what is still to be paid for a boost that ends at an instant: nothing before it begins; else pro rata, to the second.

    It is never less than the minimum once the boost has begun, and never more than without the cancellation. Raises NotOnOffer.
    """
    begun = [each for each in charged if each.start < at]
    return price_of(tariff, [_until(each, at) for each in begun])


def _until(booking: Booking, at: int) -> Booking:
    end = at if booking.end is None else min(booking.end, at)
    return Booking(start=booking.start, end=end, mbps=booking.mbps)


def _rounded(tariff: Tariff, amount: Decimal) -> int:
    units = amount.scaleb(minor_digits(tariff.currency) or 0)
    return int(units.quantize(Decimal(1), rounding=f"ROUND_{tariff.rounding}"))


def _part(tariff: Tariff, charged: Booking) -> Decimal:
    """Give the exact amount of one interval; a part of a second costs nothing."""
    if charged.end is None:
        raise NotOnOffer("a boost without an end has no price")
    seconds = (charged.end - charged.start) // _SECOND
    return tariff.tier_of(charged.mbps).per_mbps_hour * charged.mbps * seconds / _HOUR


def _problems(tariff: Tariff) -> Iterable[str]:
    if minor_digits(tariff.currency) is None:
        yield f"has the currency {tariff.currency!r}, which is none of ISO 4217"
    if not tariff.tiers:
        yield "has no tier"
    if tariff.step_mbps <= 0:
        yield f"has steps of {tariff.step_mbps} Mbit/s, which is not above 0"
    rates = [each.mbps for each in tariff.tiers]
    if any(low >= high for low, high in zip((0, *rates), rates, strict=False)):
        yield "has tiers whose rates do not ascend from above 0"
    if any(each % tariff.step_mbps for each in rates):
        yield f"has a tier whose rate is no multiple of {tariff.step_mbps} Mbit/s"
    if len({each.name for each in tariff.tiers}) < len(tariff.tiers):
        yield "has two tiers of one name"
    for amount in (tariff.minimum, *(each.per_mbps_hour for each in tariff.tiers)):
        if not amount.is_finite() or amount < 0:
            yield f"has the amount {amount}, which is not 0 or more"
