"""Orders by GraphQL: the same door as TMF622 and TMF641, with the same rules (`graph/changes/orders/`)."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias, cast

import strawberry

from graph.changes.orders.cancelling import Cancellation
from graph.changes.orders.cancelling import cancel_order as cancel
from graph.changes.orders.changing import EXPECTED, OrderChange, Value
from graph.changes.orders.changing import change_order as change
from graph.changes.orders.moving import Advance, Move
from graph.changes.orders.moving import advance_order as advance
from graph.changes.orders.placing import place_order as place
from graph.changes.orders.requests import (
    LONGEST_DESCRIPTION,
    Action,
    ItemRequest,
    Kind,
    OrderRequest,
    Party,
    Relation,
)
from graph.model.mapping import Changed
from resolvers.knowledge.fields import mapped
from resolvers.knowledge.noting import Info, noted
from resolvers.knowledge.types import Order, OrderCancellation
from resolvers.knowledge.words import OrderItemAction, OrderKind, OrderState
from resolvers.moments import Moment
from resolvers.user_errors import UserError

RELIES_ON: Final = "reliesOn"

Key: TypeAlias = Annotated[str, strawberry.argument(description="The same for the same change asked for again.")]
OrderId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="The order, by our id.")]
Description: TypeAlias = Annotated[
    str | None,
    strawberry.argument(description=f"What the order is for; at most {LONGEST_DESCRIPTION:,} characters."),
]
Category: TypeAlias = Annotated[
    str | None, strawberry.argument(description="What sort of order it is, in your own words.")
]
Priority: TypeAlias = Annotated[
    str | None, strawberry.argument(description="How urgent it is, in your own words: 0 to 4 in TMF622.")
]
StartAt: TypeAlias = Annotated[Moment | None, strawberry.argument(description="When it is wanted to begin.")]
CompletionAt: TypeAlias = Annotated[
    Moment | None, strawberry.argument(description="When it is wanted to be completed.")
]
Reason: TypeAlias = Annotated[
    str | None, strawberry.argument(description=f"Why; at most {LONGEST_DESCRIPTION:,} characters.")
]


@strawberry.input(description="What an item of an order has to do with another: no circle may come of it.")
class OrderItemRelationshipInput:
    """graph.changes.orders.requests.Relation."""

    item_id: str = strawberry.field(description="The other item, by its id within the order.")
    relationship_type: str = strawberry.field(
        default=RELIES_ON, description="How, in your own words: reliesOn where the other has to come first."
    )


@strawberry.input(description="One thing that is ordered.")
class OrderItemInput:
    """graph.changes.orders.requests.ItemRequest."""

    id: str = strawberry.field(description="What you call it; another for each item of the order.")
    action: OrderItemAction = strawberry.field(default=OrderItemAction.ADD, description="What is to be done.")
    product: str | None = strawberry.field(default=None, description="What it is called.")
    offering: str | None = strawberry.field(
        default=None, description="What it is sold as: the name or the id of a product offering."
    )
    service_id: strawberry.ID | None = strawberry.field(
        default=None, description="The service that is to be changed or to end: one of the order's customer."
    )
    site_a: strawberry.ID | None = strawberry.field(
        default=None,
        description="Of a new service: the site of one end, by its id or by a name that whoever orders has for it,",
    )
    site_z: strawberry.ID | None = strawberry.field(default=None, description="and the site of its other end.")
    mbps: int | None = strawberry.field(
        default=None, description="Its rate in Mbit/s; left out where the product has one rate only."
    )
    quantity: int | None = strawberry.field(default=None, description="How many.")
    relationships: list[OrderItemRelationshipInput] = strawberry.field(
        default_factory=list, description="What it has to do with other items of the order."
    )


@strawberry.input(description="Whose order it is: a customer that is known, or a new one.")
class OrderCustomerInput:
    """graph.changes.orders.requests.Party."""

    id: str | None = strawberry.field(
        default=None, description="Our id. For an operator also a name that a new customer is known by from now on."
    )
    name: str | None = strawberry.field(default=None, description="What a new customer is called.")
    segment: str | None = strawberry.field(default=None, description="What sort of customer a new one is.")
    account: str | None = strawberry.field(default=None, description="The account that a new customer pays from.")


_NOT_FOUND: Final = "ORDER_NOT_FOUND, also for another's"
_STATE: Final = "ORDER_STATE where its state does not allow it"


@strawberry.type(description="What became of placeOrder.")
class PlaceOrderPayload:
    """The order as it is after the change."""

    order: Order | None = mapped(
        Changed(label="Order"),
        description="The order; one that had the same externalId already. Null where none was placed.",
    )
    user_errors: list[UserError] = strawberry.field(
        description=(
            "CUSTOMER_MISSING, CUSTOMER_NOT_FOUND, SERVICE_NOT_FOUND, SERVICE_TERMINATED, DATE_IN_THE_PAST, TOO_MANY_ITEMS, TOO_MANY_OPEN, ORDER_EXISTS "
            "where another order has the externalId, or NO_ORDERS where none are taken here. Empty where it was placed."
        )
    )


@strawberry.type(description="What became of changeOrder.")
class ChangeOrderPayload:
    """The order as it is after the change."""

    order: Order | None = mapped(
        Changed(label="Order"), description="The order as it is now; null where it was not changed."
    )
    user_errors: list[UserError] = strawberry.field(
        description=f"{_NOT_FOUND}; {_STATE}: somebody works on it, or it is over; DATE_IN_THE_PAST. Empty where it was done."
    )


@strawberry.type(description="What became of cancelOrder.")
class CancelOrderPayload:
    """The order and the request as they are after the change."""

    order: Order | None = mapped(
        Changed(label="Order"),
        description="The order: CANCELLED, or ASSESSING_CANCELLATION until an operator has decided. Null where nothing was asked.",
    )
    cancellation: OrderCancellation | None = mapped(
        Changed(label="OrderCancellation"), description="The request, and how far it is; null where nothing was asked."
    )
    user_errors: list[UserError] = strawberry.field(
        description=f"{_NOT_FOUND}; {_STATE}: it is over, or being cancelled. Empty where it was done."
    )


@strawberry.type(description="What became of advanceOrder.")
class AdvanceOrderPayload:
    """The order as it is after the change."""

    order: Order | None = mapped(
        Changed(label="Order"), description="The order with its new state; null where it was not moved."
    )
    user_errors: list[UserError] = strawberry.field(
        description=f"{_NOT_FOUND}; ITEM_NOT_FOUND; {_STATE}: the message says what may follow. Empty where it was done."
    )


async def place_order(  # noqa: PLR0913 - the arguments of the field
    info: Info,
    items: Annotated[list[OrderItemInput], strawberry.argument(description="What is ordered: one item or more.")],
    idempotency_key: Key,
    *,
    kind: Annotated[OrderKind, strawberry.argument(description="What is ordered.")] = OrderKind.PRODUCT,
    customer: Annotated[
        OrderCustomerInput | None,
        strawberry.argument(description="Whose order it is; a customer may leave it out: it is its own."),
    ] = None,
    external_id: Annotated[
        str | None, strawberry.argument(description="What you call the order: the same again is the same order.")
    ] = None,
    description: Description = None,
    category: Category = None,
    priority: Priority = None,
    requested_start_at: StartAt = None,
    requested_completion_at: CompletionAt = None,
) -> PlaceOrderPayload:
    """Place it."""
    asked = info.context
    request = OrderRequest(
        kind=cast("Kind", kind.value),
        items=tuple(map(_item, items)),
        external_id=external_id or "",
        party=None if customer is None else _party(customer),
        description=description or "",
        category=category or "",
        priority=priority or "",
        requested_start=requested_start_at,
        requested_completion=requested_completion_at,
    )
    outcome = await place(
        asked.store, asked.principal, asked.policy, request, idempotency_key=idempotency_key, deadline=asked.deadline
    )
    return PlaceOrderPayload(order=None, user_errors=noted(info, outcome))


async def change_order(  # noqa: PLR0913 - the arguments of the field
    info: Info,
    order_id: OrderId,
    idempotency_key: Key,
    *,
    description: Description = strawberry.UNSET,
    category: Category = strawberry.UNSET,
    priority: Priority = strawberry.UNSET,
    requested_start_at: StartAt = strawberry.UNSET,
    requested_completion_at: CompletionAt = strawberry.UNSET,
    expected_completion_at: Annotated[
        Moment | None,
        strawberry.argument(description="When it will be completed, as far as is known; for operators only."),
    ] = strawberry.UNSET,
) -> ChangeOrderPayload:
    """Change what is given; null takes a value away."""
    asked = info.context
    given: dict[str, Value] = {
        "description": description,
        "category": category,
        "priority": priority,
        "requestedStartAt": requested_start_at,
        "requestedCompletionAt": requested_completion_at,
        EXPECTED: expected_completion_at,
    }
    values = {name: value for name, value in given.items() if value is not strawberry.UNSET}
    outcome = await change(
        asked.store,
        asked.principal,
        asked.policy,
        OrderChange(order=order_id, values=values),
        idempotency_key=idempotency_key,
        deadline=asked.deadline,
    )
    return ChangeOrderPayload(order=None, user_errors=noted(info, outcome))


async def cancel_order(
    info: Info, order_id: OrderId, idempotency_key: Key, reason: Reason = None
) -> CancelOrderPayload:
    """Ask to cancel it."""
    asked = info.context
    outcome = await cancel(
        asked.store,
        asked.principal,
        asked.policy,
        Cancellation(order=order_id, reason=reason or ""),
        idempotency_key=idempotency_key,
        deadline=asked.deadline,
    )
    return CancelOrderPayload(order=None, cancellation=None, user_errors=noted(info, outcome))


async def advance_order(
    info: Info,
    order_id: OrderId,
    state: Annotated[OrderState, strawberry.argument(description="What it becomes; any that items have.")],
    idempotency_key: Key,
    item_id: Annotated[
        str | None,
        strawberry.argument(
            description="One item, by its id within the order; left out: all that people carry out and that are not over."
        ),
    ] = None,
    reason: Reason = None,
) -> AdvanceOrderPayload:
    """Move it."""
    asked = info.context
    moves = (Move(to=state.value, item=item_id or ""),)
    outcome = await advance(
        asked.store,
        asked.principal,
        Advance(order=order_id, moves=moves, reason=reason or ""),
        idempotency_key=idempotency_key,
        deadline=asked.deadline,
    )
    return AdvanceOrderPayload(order=None, user_errors=noted(info, outcome))


def _item(given: OrderItemInput) -> ItemRequest:
    return ItemRequest(
        id=given.id,
        action=cast("Action", given.action.value),
        product=given.product or "",
        offering=given.offering or "",
        service=given.service_id or "",
        site_a=given.site_a or "",
        site_z=given.site_z or "",
        mbps=given.mbps,
        quantity=given.quantity,
        relations=tuple(Relation(to=each.item_id, kind=each.relationship_type) for each in given.relationships),
    )


def _party(given: OrderCustomerInput) -> Party:
    return Party(id=given.id or "", name=given.name or "", segment=given.segment or "", account=given.account or "")
