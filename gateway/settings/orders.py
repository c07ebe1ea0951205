"""Orders come in where the operator says so: which systems place them, how large one may be, and what is built by itself.

The section `orders` of the settings; `gateway/settings/settings.py` says where settings come from. What is sold and built by itself is data:

    [orders.products."E-Line"]
    service_type = "E-Line"
    tier = "PREMIUM"
    least_mbps = 100
    most_mbps = 1000
    protected = true
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Mbps = Annotated[int, Field(gt=0, le=10_000_000)]
_OF_PEOPLE: Final = frozenset({"operator", "customer"})
"""What stands as the system of an order that a person has placed."""


class WeightSettings(BaseModel):
    """What makes a way dear."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hop: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """each trunk,"""
    km: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """each kilometre,"""
    percent: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """and each percent of a trunk that is taken at the busiest moment."""


class ProductSettings(BaseModel):
    """A service that is built by itself when it is ordered by this name: as an offering (its name, or its id), or as a product."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service_type: Annotated[str, Field(min_length=1, max_length=100)]
    """what kind of service it is, as the network and the inventory call it."""
    tier: Literal["PREMIUM", "STANDARD", "BASIC"]
    """of its contract."""
    mbps: Mbps | None = None
    """the rate of each of them; without it the order says the rate,"""
    characteristic: Annotated[str, Field(min_length=1, max_length=100)] = "bandwidth"
    """in this characteristic, in Mbit/s,"""
    least_mbps: Mbps = 1
    """and it is at least this,"""
    most_mbps: Mbps = 10_000_000
    """and at most this."""
    boost_to_mbps: Mbps | None = None
    """up to which rate it may be [boosted](selfservice.md); without it, to no more than its own."""
    protected: bool = False
    """whether it needs a second way, which shares nothing with the first."""
    weights: WeightSettings = WeightSettings()
    """what makes a way dear: the cheapest is taken."""
    availability_percent: Annotated[float, Field(ge=0, le=100)] = 99.0
    """what its contract promises,"""
    repair_hours: Annotated[int, Field(ge=0, le=8_784)] = 24
    """and within which time it is repaired."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.least_mbps > self.most_mbps:
            raise ValueError("has a least_mbps above its most_mbps.")
        if self.mbps is not None and not self.least_mbps <= self.mbps <= self.most_mbps:
            raise ValueError("has an mbps that is not between its least_mbps and its most_mbps.")
        return self


class Orders(BaseModel):
    """Who places orders, and what is built by itself. Products need a provisioning system that speaks TMF640."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    systems: tuple[Annotated[str, Field(min_length=1, pattern="^[^#:]+$")], ...] = ("order-management",)
    """the names in their roles `system:<name>`; operators and customers with the claim place orders too."""
    most_items: Annotated[int, Field(gt=0, le=1_000)] = 200
    """of one order, those within other items included."""
    most_open: Annotated[int, Field(gt=0, le=100_000)] = 50
    """of what one customer has ordered for itself, how many items may be under way that are built by themselves."""
    products: Mapping[Annotated[str, Field(min_length=1, max_length=200)], ProductSettings] = Field(
        default_factory=dict
    )
    """what is built by itself, by the name by which it is ordered; people carry out all else."""

    @field_validator("systems")
    @classmethod
    def _no_people(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if taken := _OF_PEOPLE & set(value):
            raise ValueError(f"names {min(taken)}, which stands for orders that people place.")
        return value
