"""A customer's bills are billing's; which account a customer has, only the graph knows."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Final, NewType, Self

import strawberry
from strawberry.dataloader import DataLoader
from strawberry.types import Info

from adapters.billing import BILL_STATES, Rate
from adapters.billing import Bill as ReadBill
from adapters.billing import Money as Amount
from adapters.errors import Malformed
from graph.compiler.leaves import rfc3339
from graph.model.mapping import enum_name

MOST: Final = 100
"""of bills, the latest first."""
USUAL: Final = 12

Moment = NewType("Moment", int)
"""Epoch milliseconds."""
MOMENT = strawberry.scalar(name="DateTime", serialize=rfc3339, description="Date with time (isoformat)")
Large = NewType("Large", int)
LARGE = strawberry.scalar(
    name="BigInt", serialize=str, description="A whole number of up to 64 bits, as a string of digits."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a resolver knows of the request it runs in."""

    is_known: bool
    """whether there is a billing system that can be asked."""
    bills: DataLoader[str, list[ReadBill]]
    """by account, the latest first."""
    rates: DataLoader[str, list[Rate]]
    """by billing's own id of the bill."""


@strawberry.enum(description="State of a customer bill (TMF678).")
class BillState(enum.Enum):
    """TMF678 v4, CustomerBillStateType."""

    NEW = "new"
    ON_HOLD = "onHold"
    VALIDATED = "validated"
    SENT = "sent"
    SETTLED = "settled"
    PARTIALLY_PAID = "partiallyPaid"


if {each.name: each.value for each in BillState} != {enum_name(word): word for word in BILL_STATES}:
    raise TypeError("BillState does not say what billing says")


@strawberry.type(description="An amount in integer minor units, such as cents, of a currency (ISO 4217).")
class Money:
    """TMF678 v4, Money, exactly."""

    amount: Large
    currency: str

    @classmethod
    def of(cls, amount: Amount | None) -> Self | None:
        """Show an amount, where there is one."""
        return None if amount is None else cls(amount=Large(amount.amount), currency=amount.currency)


@strawberry.type(description="What a bill is made of (TMF678 AppliedCustomerBillingRate).")
class BillRate:
    """TMF678 v4, AppliedCustomerBillingRate."""

    name: str | None
    kind: str | None
    at: Moment | None
    from_: Moment | None = strawberry.field(name="from")
    to: Moment | None
    tax_excluded: Money | None
    tax_included: Money | None

    @classmethod
    def of(cls, rate: Rate) -> Self:
        """Show a rate."""
        return cls(
            name=rate.name,
            kind=rate.kind,
            at=_moment(rate.at),
            from_=_moment(rate.start),
            to=_moment(rate.end),
            tax_excluded=Money.of(rate.tax_excluded),
            tax_included=Money.of(rate.tax_included),
        )


async def _rates(root: Bill, info: Info[Desk]) -> list[BillRate] | None:
    return [BillRate.of(each) for each in await info.context.rates.load(root.id)]


@strawberry.type(description="A customer's bill, as billing has it now (TMF678 CustomerBill).")
class Bill:
    """TMF678 v4, CustomerBill."""

    id: strawberry.ID
    number: str | None
    state: BillState | None
    dated_at: Moment | None
    due_at: Moment | None
    from_: Moment | None = strawberry.field(name="from")
    to: Moment | None
    amount_due: Money | None
    remaining: Money | None
    tax_excluded: Money | None
    tax_included: Money | None
    rates: list[BillRate] | None = strawberry.field(
        resolver=_rates, description="What it is made of, by time; null when it cannot be had."
    )

    @classmethod
    def of(cls, bill: ReadBill) -> Self:
        """Show a bill."""
        return cls(
            id=strawberry.ID(bill.id),
            number=bill.number,
            state=None if bill.state is None else BillState(bill.state),
            dated_at=_moment(bill.dated_at),
            due_at=_moment(bill.due_at),
            from_=_moment(bill.start),
            to=_moment(bill.end),
            amount_due=Money.of(bill.amount_due),
            remaining=Money.of(bill.remaining),
            tax_excluded=Money.of(bill.tax_excluded),
            tax_included=Money.of(bill.tax_included),
        )


async def _bills(root: Customer, info: Info[Desk], first: int = USUAL) -> list[Bill] | None:
    if not 1 <= first <= MOST:
        raise Malformed(f"first is 1 to {MOST}", field="first")
    if not (info.context.is_known and root.account_ref):
        return None  # nobody can be asked, or nobody knows the customer
    return [Bill.of(each) for each in (await info.context.bills.load(root.account_ref))[:first]]


@strawberry.federation.type(keys=["id"], description="Who buys.")
class Customer:
    """A customer, as far as only billing knows it."""

    id: strawberry.ID
    account_ref: str = strawberry.federation.field(external=True)
    bills: list[Bill] | None = strawberry.federation.field(
        resolver=_bills,
        requires=["accountRef"],
        description=f"The customer's bills, the latest first, at most {MOST}; null when they cannot be had.",
    )

    @classmethod
    def resolve_reference(cls, **known: Any) -> Self:
        """Take what the gateway knows of a customer."""
        return cls(id=known["id"], account_ref=known.get("accountRef") or "")


def _moment(milliseconds: int | None) -> Moment | None:
    return None if milliseconds is None else Moment(milliseconds)
