"""Two customers that are one company, by GraphQL: operators merge them, undo it, or decline (`graph/changes/customers/`)."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import strawberry

from graph.changes.customers.declining import Declining, decline_match
from graph.changes.customers.merging import Merging
from graph.changes.customers.merging import merge_customers as merge
from graph.changes.customers.merging import undo_merge_customers as undo
from graph.changes.customers.moving import MOVED
from graph.changes.outcome import Outcome
from graph.model.mapping import Changed
from resolvers.knowledge.fields import mapped
from resolvers.knowledge.noting import Info, noted
from resolvers.knowledge.types import Customer, CustomerMatch
from resolvers.user_errors import UserError

Key: TypeAlias = Annotated[str, strawberry.argument(description="The same for the same change asked for again.")]
DryRun: TypeAlias = Annotated[
    bool, strawberry.argument(description="Only say what would be moved, or why nothing would be: nothing is changed.")
]


@strawberry.type(description="How much was moved from one customer to another, or would be.")
class MovedCounts:
    """graph.changes.customers.moving.Counts."""

    services: int = strawberry.field(description="Services, with their boosts, usage, downtime and alarms.")
    tickets: int = strawberry.field(description="Tickets.")
    orders: int = strawberry.field(description="Orders, with their items.")
    external_names: int = strawberry.field(description="Names that surrounding systems have for the customer.")
    leads: int = strawberry.field(description="Leads.")
    stubs: int = strawberry.field(description="Customers that were merged before.")


if {field.name for field in MovedCounts.__strawberry_definition__.fields} != {  # type: ignore[attr-defined]  # Strawberry's own
    "external_names" if each == "externalNames" else each for each in MOVED.values()
}:
    raise TypeError("MovedCounts does not say what is moved")

_NOT_FOUND: Final = "CUSTOMER_NOT_FOUND"


@strawberry.type(description="What became of mergeCustomers.")
class MergeCustomersPayload:
    """Both customers as they are after the change."""

    customer: Customer | None = mapped(
        Changed(label="Customer"), description="The customer that has everything now; null where nothing was merged."
    )
    stub: Customer | None = mapped(
        Changed(label="Customer"),
        description="The customer that was merged: `mergedInto` leads from it to the other. Null where nothing was merged.",
    )
    moved: MovedCounts | None = strawberry.field(
        description="What was moved, or would be by a dry run; null where that is nothing, for a reason in `userErrors`."
    )
    user_errors: list[UserError] = strawberry.field(
        description=(
            f"{_NOT_FOUND}, SAME_CUSTOMER where both are one, CUSTOMER_MERGED where one of the two was merged before: the message "
            "says into which; CUSTOMER_MANAGED where customer management knows the one that is merged, and not the other; TOO_MANY_MOVED where "
            "more hangs on it than one merge moves. Empty where it was done, or would be."
        )
    )


@strawberry.type(description="What became of undoMergeCustomers.")
class UndoMergeCustomersPayload:
    """Both customers as they are after the change."""

    customer: Customer | None = mapped(
        Changed(label="Customer"), description="The customer that had everything; null where nothing was undone."
    )
    stub: Customer | None = mapped(
        Changed(label="Customer"), description="The customer that is itself again; null where nothing was undone."
    )
    moved: MovedCounts | None = strawberry.field(
        description="What was moved back, or would be by a dry run; null where that is nothing, for a reason in `userErrors`."
    )
    user_errors: list[UserError] = strawberry.field(
        description=(
            f"{_NOT_FOUND}, NOT_MERGED, or UNDO_HINDERED: something that is open, and came since, is about both, or the other customer was merged "
            "itself; the message says what is to be done first. Empty where it was done, or would be."
        )
    )


@strawberry.type(description="What became of declineCustomerMatch.")
class DeclineCustomerMatchPayload:
    """The match as it is after the change."""

    match: CustomerMatch | None = mapped(
        Changed(label="CustomerMatch"), description="The match, DECLINED; null where it was not declined."
    )
    user_errors: list[UserError] = strawberry.field(
        description="MATCH_NOT_FOUND, or MATCH_SETTLED where the two were merged. Empty where it was done."
    )


async def merge_customers(
    info: Info,
    from_: Annotated[
        strawberry.ID, strawberry.argument(name="from", description="The customer that the other has everything of.")
    ],
    into: Annotated[strawberry.ID, strawberry.argument(description="The customer that stays.")],
    idempotency_key: Key,
    dry_run: DryRun = False,  # noqa: FBT002 - an argument of the field, which Strawberry gives by its name
) -> MergeCustomersPayload:
    """Merge them."""
    asked = info.context
    outcome = await merge(
        asked.store,
        asked.principal,
        Merging(stub=from_, into=into),
        dry_run=dry_run,
        idempotency_key=idempotency_key,
        deadline=asked.deadline,
    )
    return MergeCustomersPayload(customer=None, stub=None, moved=_moved(outcome), user_errors=noted(info, outcome))


async def undo_merge_customers(
    info: Info,
    customer_id: Annotated[strawberry.ID, strawberry.argument(description="The customer that was merged.")],
    idempotency_key: Key,
    dry_run: DryRun = False,  # noqa: FBT002 - as above
) -> UndoMergeCustomersPayload:
    """Part them."""
    asked = info.context
    outcome = await undo(
        asked.store,
        asked.principal,
        customer_id,
        dry_run=dry_run,
        idempotency_key=idempotency_key,
        deadline=asked.deadline,
    )
    return UndoMergeCustomersPayload(customer=None, stub=None, moved=_moved(outcome), user_errors=noted(info, outcome))


async def decline_customer_match(
    info: Info,
    match_id: Annotated[strawberry.ID, strawberry.argument(description="The match.")],
    idempotency_key: Key,
    reason: Annotated[str | None, strawberry.argument(description="Why, for whoever reads it later.")] = None,
) -> DeclineCustomerMatchPayload:
    """Decline it."""
    asked = info.context
    outcome = await decline_match(
        asked.store,
        asked.principal,
        Declining(match=match_id, reason=reason or ""),
        idempotency_key=idempotency_key,
        deadline=asked.deadline,
    )
    return DeclineCustomerMatchPayload(match=None, user_errors=noted(info, outcome))


def _moved(outcome: Outcome) -> MovedCounts | None:
    counts = outcome.counts
    if counts is None:
        return None
    return MovedCounts(
        services=counts["services"],
        tickets=counts["tickets"],
        orders=counts["orders"],
        external_names=counts["externalNames"],
        leads=counts["leads"],
        stubs=counts["stubs"],
    )
