"""Money is shown alike by every area that tells of any: exact, and in the smallest unit where that is a whole number."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NewType

import strawberry

Large = NewType("Large", int)
LARGE: Final = strawberry.scalar(
    name="BigInt", serialize=str, description="A whole number of up to 64 bits, as a string of digits."
)


@strawberry.type(description="An amount of money, exactly.")
class Money:
    """TMF678 v4, Money, exactly."""

    amount: Large | None = strawberry.field(
        description="In the currency's smallest unit, such as cents; null where that is no whole number, as for a rate of 0.0125."
    )
    value: str = strawberry.field(description='In the currency itself, as a decimal number: "19.99", "0.0125".')
    currency: str = strawberry.field(description="The currency, by its three letters (ISO 4217).")


def money(value: Decimal, minor: int | None, currency: str) -> Money:
    """Show an amount in the currency and, where it is whole, in its smallest unit."""
    return Money(amount=None if minor is None else Large(minor), value=f"{value:f}", currency=currency)
