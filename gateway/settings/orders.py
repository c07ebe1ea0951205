"""Orders come in where the operator says so: which systems place them, and how large one may be.

The section `orders` of the settings; `gateway/settings/settings.py` says where settings come from.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

_OF_PEOPLE: Final = frozenset({"operator", "customer"})
"""What stands as the system of an order that a person has placed."""


class Orders(BaseModel):
    """Who places orders by TMF622 and TMF641."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    systems: tuple[Annotated[str, Field(min_length=1, pattern="^[^#:]+$")], ...] = ("order-management",)
    """the names in their roles `system:<name>`; operators and customers with the claim place orders too."""
    most_items: Annotated[int, Field(gt=0, le=1_000)] = 200
    """of one order, those within other items included."""

    @field_validator("systems")
    @classmethod
    def _no_people(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if taken := _OF_PEOPLE & set(value):
            raise ValueError(f"names {min(taken)}, which stands for orders that people place.")
        return value
