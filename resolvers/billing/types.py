"""A customer's bills are billing's; which account a customer has, only the graph knows."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar

import strawberry
from strawberry.dataloader import DataLoader
from strawberry.types import Info

from adapters.billing import BILL_STATES, Rate, Read
from adapters.billing import Bill as ReadBill
from adapters.billing import Money as Amount
from adapters.errors import Malformed, Nonsense
from graph.model.mapping import enum_name
from resolvers.directives import ListSize
from resolvers.moments import Moment
from resolvers.money import Money, money

MOST: Final = 100
"""of bills, the latest first."""
USUAL: Final = 12


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


T = TypeVar("T")


def shown(value: Read[T]) -> T | None:
    """Show a value; one that cannot be read is an error at its place, and costs nothing else."""
    if isinstance(value, Nonsense):
        raise value.with_traceback(None)
    return value


def _moment(value: Read[int]) -> Moment | None:
    milliseconds = shown(value)
    return None if milliseconds is None else Moment(milliseconds)


def _money(read: Read[Amount]) -> Money | None:
    """Show an amount, where there is one."""
    amount = shown(read)
    return None if amount is None else money(amount.value, amount.minor, amount.currency)


def _from(root: Bill | BillRate) -> Moment | None:
    return _moment(root.read.start)


def _to(root: Bill | BillRate) -> Moment | None:
    return _moment(root.read.end)


def _tax_excluded(root: Bill | BillRate) -> Money | None:
    return _money(root.read.tax_excluded)


def _tax_included(root: Bill | BillRate) -> Money | None:
    return _money(root.read.tax_included)


def _name(root: BillRate) -> str | None:
    return shown(root.read.name)


def _kind(root: BillRate) -> str | None:
    return shown(root.read.kind)


def _at(root: BillRate) -> Moment | None:
    return _moment(root.read.at)


def _number(root: Bill) -> str | None:
    return shown(root.read.number)


def _dated_at(root: Bill) -> Moment | None:
    return _moment(root.read.dated_at)


def _due_at(root: Bill) -> Moment | None:
    return _moment(root.read.due_at)


def _amount_due(root: Bill) -> Money | None:
    return _money(root.read.amount_due)


def _remaining(root: Bill) -> Money | None:
    return _money(root.read.remaining)


def _state(root: Bill) -> BillState | None:
    state = shown(root.read.state)
    return None if state is None else BillState(state)


async def _rates(root: Bill, info: Info[Desk]) -> list[BillRate] | None:
    return [BillRate(read=each) for each in await info.context.rates.load(root.read.id)]


@strawberry.type(description="What a bill is made of (TMF678 AppliedCustomerBillingRate).")
class BillRate:
    """TMF678 v4, AppliedCustomerBillingRate."""

    read: strawberry.Private[Rate]
    name: str | None = strawberry.field(resolver=_name, description="What it is for.")
    kind: str | None = strawberry.field(resolver=_kind, description="Which kind of rate it is, in billing's words.")
    at: Moment | None = strawberry.field(resolver=_at, description="When it was made.")
    from_: Moment | None = strawberry.field(
        name="from", resolver=_from, description="The begin of the period that it covers."
    )
    to: Moment | None = strawberry.field(resolver=_to, description="The end of the period that it covers.")
    tax_excluded: Money | None = strawberry.field(resolver=_tax_excluded, description="The amount without taxes.")
    tax_included: Money | None = strawberry.field(resolver=_tax_included, description="The amount with taxes.")


@strawberry.type(description="A customer's bill, as billing has it now (TMF678 CustomerBill).")
class Bill:
    """TMF678 v4, CustomerBill."""

    id: strawberry.ID = strawberry.field(description="Billing's own id of the bill.")
    read: strawberry.Private[ReadBill]
    number: str | None = strawberry.field(resolver=_number, description="The number that is printed on it.")
    state: BillState | None = strawberry.field(resolver=_state, description="How far it is.")
    dated_at: Moment | None = strawberry.field(resolver=_dated_at, description="When it was made.")
    due_at: Moment | None = strawberry.field(resolver=_due_at, description="Until when it is to be paid.")
    from_: Moment | None = strawberry.field(
        name="from", resolver=_from, description="The begin of the period that is billed."
    )
    to: Moment | None = strawberry.field(resolver=_to, description="The end of the period that is billed.")
    amount_due: Money | None = strawberry.field(resolver=_amount_due, description="What is to be paid.")
    remaining: Money | None = strawberry.field(resolver=_remaining, description="What is still to be paid.")
    tax_excluded: Money | None = strawberry.field(resolver=_tax_excluded, description="The amount without taxes.")
    tax_included: Money | None = strawberry.field(resolver=_tax_included, description="The amount with taxes.")
    rates: list[BillRate] | None = strawberry.field(
        resolver=_rates,
        description="What it is made of, by time; null when it cannot be had.",
        directives=[ListSize(assumed_size=10)],
    )

    @classmethod
    def of(cls, bill: ReadBill) -> Self:
        """Show a bill."""
        return cls(id=strawberry.ID(bill.id), read=bill)


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
        directives=[ListSize(assumed_size=USUAL, slicing_arguments=["first"])],
    )

    @classmethod
    def resolve_reference(cls, **known: Any) -> Self:
        """Take what the gateway knows of a customer."""
        return cls(id=known["id"], account_ref=known.get("accountRef") or "")
