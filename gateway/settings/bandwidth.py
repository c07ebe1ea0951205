"""More bandwidth for a while is sold by rules that differ from provider to provider: what it costs, how far ahead, how much is too much.

The section `bandwidth` of the settings. A tariff is data: a step, tiers of rates with a price per Mbit/s and hour, a minimum. Amounts
are decimal numbers in the currency itself, written as text, so that no digit is lost; caps too.

    [bandwidth.tariffs.any]
    currency = "EUR"
    step_mbps = 50
    minimum = "5.00"
    tiers = [{ name = "M", mbps = 500, per_mbps_hour = "0.02" }, { name = "L", mbps = 1000, per_mbps_hour = "0.015" }]

Or the tiers are those of a product offering in the `catalog`: `offering = "..."` in their place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

Text = Annotated[str, Field(min_length=1, max_length=100)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=9)]
Mbps = Annotated[int, Field(gt=0, le=10_000_000)]
Days = Annotated[int, Field(gt=0, le=3_660)]


def _currency(code: str) -> str:
    if not re.fullmatch("[A-Z]{3}", code):
        raise ValueError("must be three capital letters, such as EUR (ISO 4217)")
    return code


Currency = Annotated[str, AfterValidator(_currency)]


class TierSettings(BaseModel):
    """Rates that have one price."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    """as `quoteBandwidth(tier:)` names it."""
    mbps: Mbps
    """the highest rate of the tier; whoever asks for the tier gets this one."""
    per_mbps_hour: Amount
    """the price of 1 Mbit/s for an hour, in the currency: euros, not cents."""


class TariffSettings(BaseModel):
    """What boosts cost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: Currency | None = None
    """may be left out with an `offering`, unless there is a minimum; where it is given, prices must be in it."""
    step_mbps: Mbps
    """rates are multiples of it."""
    tiers: Annotated[tuple[TierSettings, ...], Field(max_length=50)] = ()
    """by ascending rate; or an `offering`."""
    offering: Annotated[str, Field(max_length=200)] = ""
    """the id of the product offering in the `catalog` whose prices these are, instead of tiers."""
    minimum: Amount = Decimal(0)
    """of whatever is charged at all, in the currency."""
    rounding: Literal["UP", "DOWN", "HALF_UP", "HALF_DOWN", "HALF_EVEN"] = "HALF_UP"
    """to the smallest unit of the currency."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if bool(self.tiers) == bool(self.offering):
            raise ValueError("must have either tiers or an offering.")
        if self.currency is None and (self.tiers or self.minimum):
            raise ValueError("has no currency.")
        rates = [each.mbps for each in self.tiers]
        if rates != sorted(set(rates)):
            raise ValueError("has tiers whose rates do not ascend.")
        if any(each % self.step_mbps for each in rates):
            raise ValueError(f"has a tier whose rate is no multiple of {self.step_mbps} Mbit/s.")
        if len({each.name for each in self.tiers}) != len(rates):
            raise ValueError("has two tiers of one name.")
        return self


class CapSettings(BaseModel):
    """What a customer may spend on boosts in a month without an approval."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    amount: Amount
    """in the currency: euros, not cents."""
    currency: Currency


class LeadSettings(BaseModel):
    """When sales is told that a customer needs more: one of three findings about one service, within so many days."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Text | None = None
    """there is one lead for each service and reason; without it repeatedBoosts, thresholdCrossings, sustainedUtilization."""
    boosts: Annotated[int, Field(gt=0, le=1_000)] | None = None
    """so many boosts, three where no finding is named;"""
    crossings: Annotated[int, Field(gt=0, le=1_000)] | None = None
    """or so often above the threshold of performance monitoring;"""
    hours: Annotated[int, Field(gt=0, le=87_840)] | None = None
    """or above it for so many hours, all together."""
    days: Days = 30

    @model_validator(mode="after")
    def _one_finding(self) -> Self:
        if sum(each is not None for each in (self.boosts, self.crossings, self.hours)) > 1:
            raise ValueError("must have only one of boosts, crossings and hours.")
        if self.hours is not None and self.hours > self.days * 24:
            raise ValueError("has more hours than its days have.")
        return self


class Bandwidth(BaseModel):
    """How boosts are sold. Nothing can be booked without a provisioning system, nor where no tariff fits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hold_seconds: Annotated[float, Field(gt=0, le=604_800)] = 900.0
    """for which a booking that waits for an approval holds its capacity."""
    quote_seconds: Annotated[float, Field(gt=0, le=86_400)] = 900.0
    """for which the price of a quote is firm. A quote holds no capacity."""
    quotes_per_minute: Annotated[int, Field(gt=0, le=10_000)] = 30
    """quotes and bookings of a customer's principal for one service, in each process: what can be learned of others is bounded by it."""
    horizon_days: Days = 366
    """how far ahead a booking may end."""
    search_days: Annotated[int, Field(gt=0, le=92)] = 31
    """how far ahead a quote looks for another time, and shows what is free."""
    notice_seconds: Annotated[float, Field(ge=0, le=604_800)] = 600.0
    """before its end at which a customer is reminded of a boost."""
    late_seconds: Annotated[float, Field(ge=0, le=3_600)] = 60.0
    """a start that lies so little in the past is now."""
    charge: Literal["confirmed", "ordered"] = "confirmed"
    """from when on a boost is charged: since the network has confirmed it, or since it was ordered for."""
    overbooking: Mapping[str, str] = Field(default_factory=dict)
    """how much more than its capacity a thing is booked with, such as "1.25": by the layer rate of trunks, PORT for ports, or `any`."""
    cap: CapSettings | None = None
    """of each customer that has none of its own."""
    caps: Mapping[str, CapSettings] = Field(default_factory=dict)
    """by the id of the customer."""
    tariffs: Mapping[Literal["PREMIUM", "STANDARD", "BASIC", "any"], TariffSettings] = Field(default_factory=dict)
    """by the tier of the contract; `any` for a tier that has none, and for services without a contract."""
    leads: Annotated[tuple[LeadSettings, ...], Field(max_length=20)] = (LeadSettings(),)
    """crossings and hours count only where they are named here: sales gets no new kind of lead unasked."""

    @field_validator("overbooking")
    @classmethod
    def _factors(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for layer, factor in value.items():
            try:
                is_factor = Fraction(factor) > 0
            except (ValueError, ZeroDivisionError):
                is_factor = False
            if not is_factor:
                raise ValueError(f"of {layer} is {factor!r:.40}, which is no number above 0, such as 1.25.")
        return value
