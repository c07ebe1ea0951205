"""What an operator decides about bandwidth, as data that the changes are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from graph.capacity.limits import Overbooking
from graph.capacity.tariff import Tariff
from graph.changes.policy import Hearing
from graph.model.thresholds import Thresholds

_DAY_MS: Final = 86_400_000
ANY_TIER: Final = "any"
"""the key of the tariff for contracts that have none of their own."""


class NoTariff(StrEnum):
    """Why there is no tariff."""

    NOT_SOLD = "NOT_SOLD"
    NOT_READ = "NOT_READ"
    """prices are another system's, and could not be read there of late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendCap:
    """What a customer may spend in a month without anybody's approval, in minor units of a currency."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if self.amount < 0:
            raise ValueError("A cap is not below zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRule:
    """When a customer needs more than the contract gives: so many boosts of one service within so many days."""

    reason: str = "repeatedBoosts"
    boosts: int = 3
    days: int = 30

    def __post_init__(self) -> None:
        if self.boosts < 1 or self.days < 1:
            raise ValueError("A rule for leads has at least one boost and one day")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingRule:
    """The same, by its load: so often above its threshold within so many days."""

    reason: str = "thresholdCrossings"
    crossings: int = 10
    days: int = 30

    def __post_init__(self) -> None:
        if self.crossings < 1 or self.days < 1:
            raise ValueError("A rule for leads has at least one crossing and one day")


@dataclass(frozen=True, slots=True, kw_only=True)
class UtilizationRule:
    """The same, by how long: so many hours above its threshold within so many days, all together."""

    reason: str = "sustainedUtilization"
    hours: int = 48
    days: int = 30

    def __post_init__(self) -> None:
        if not 1 <= self.hours <= self.days * 24:
            raise ValueError("A rule for leads has at least one hour, and no more than its days have")


AnyLeadRule: TypeAlias = LeadRule | CrossingRule | UtilizationRule


@dataclass(frozen=True, slots=True, kw_only=True)
class BandwidthPolicy:
    """Whom a change of rate is told to, and what may be booked. An empty name: there is no such system."""

    provisioning: str = ""
    """the name of the system that sets rates in the network; without it nothing can be booked."""
    performance: str = ""
    """the name of the performance monitoring system, which receives thresholds."""
    sales: str = ""
    """the name of the system that receives leads."""
    billing: str = ""
    inventory: str = ""
    fault_management: Hearing | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)
    hold_ms: int = 900_000
    """for how long a booking that waits for an approval holds its capacity."""
    late_ms: int = 60_000
    """a start that lies so little in the past is now: it was now when somebody asked for it."""
    horizon_ms: int = 366 * _DAY_MS
    """how far ahead a booking may end."""
    notice_ms: int = 600_000
    """how long before its end a customer is reminded of it; a boost that is no longer than that has no reminder."""
    charge: Literal["confirmed", "ordered"] = "confirmed"
    """from when on a boost is charged: since the network has confirmed it, or since it was ordered for."""
    overbooking: Overbooking = field(default_factory=lambda: Overbooking(by_layer={}, otherwise=Fraction(1)))
    cap: SpendCap | None = None
    """of every customer that has none of its own; None: there is none."""
    caps: Mapping[str, SpendCap] = field(default_factory=dict)
    """by the id of the customer."""
    tariffs: Mapping[str, Tariff | NoTariff] = field(default_factory=dict)
    """by the tier of the contract; `any` for a tier that has none, and for services without a contract. Nothing is sold without one.
    Where prices are read elsewhere, it has those of the last look: whoever decides takes one of it, and goes by that."""
    quote_ms: int = 900_000
    """for how long the price of a quote is firm."""
    search_ms: int = 31 * _DAY_MS
    """how far ahead a quote looks for another time."""
    leads: tuple[AnyLeadRule, ...] = (LeadRule(),)
    """those for the load of a service are for who asks for them."""

    def cap_of(self, customer: str) -> SpendCap | None:
        """Give the cap of a customer; None: it has none."""
        return self.caps.get(customer, self.cap)

    def tariff_of(self, tier: str | None) -> Tariff | NoTariff:
        """Give the tariff for a contract's tier, or say why there is none."""
        own = self.tariffs.get(tier) if tier else None
        return own or self.tariffs.get(ANY_TIER, NoTariff.NOT_SOLD)
