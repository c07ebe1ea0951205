"""An order comes in: whoever asks for the same again is given the same order, and what cannot be is refused before anything is written.

What an order asks for is kept as it came, beside what everybody may read of it. What is in the catalogue is then carried out by itself
(graph/changes/fulfilment); all else is for people: one task is open until they have done it (`moving.py`).

Rules. 1. An external id means one order of its source: with the same content it is answered with that order, whatever has become of
it since; with another it is refused. A customer has its own external ids: those of one that was merged into it are not among them. To others, of two orders of one external
id the one with this content is meant. 2. It is looked for and made behind its gate, and so is a customer that is made of a party. 3. Items
to change name services of the order's customer; of anybody else's it is said that there is no such service. 4. Nothing is written of
an order that is refused.

    request = OrderRequest(kind="product", external_id="PO-7", party=Party(id="4711", name="Ada"), items=(ItemRequest(id="1"),))
    outcome = await place_order(store, crm, policy, request, idempotency_key=None, deadline=soon)
    outcome.ids                    # {"order": "order-..."}; asked again, the same
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import orjson
import uuid_utils

from graph.changes import events, gates
from graph.changes.catalogue import Product, Said
from graph.changes.idempotency import Asked, once
from graph.changes.orders import parties
from graph.changes.orders.known import Order, wait_for_people, write_start
from graph.changes.orders.parties import Orderer
from graph.changes.orders.requests import ItemRequest, OrderRequest, Party, past_problem
from graph.changes.orders.rules import (
    DATE_IN_THE_PAST,
    NO_ORDERS,
    ORDER_EXISTS,
    TOO_MANY_ITEMS,
    TOO_MANY_OPEN,
    check_may,
    not_done,
    source_of,
)
from graph.changes.orders.services import Wanted, find_services
from graph.changes.orders.states import Item, first_state, order_state
from graph.changes.outcome import Outcome, UserError
from graph.changes.policy import AlarmPolicy
from graph.model.model import LABELS
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction

_SAME: Final = """
MATCH (o:Order {externalId: $externalId}) WHERE o.system = $source AND coalesce(o.kind, $kind) = $kind
  AND ($everyone OR EXISTS { MATCH (o)-[r:PLACED_BY]->(c:Customer) WHERE c.id IN $customers AND r._trail IS NULL })
RETURN o.id, coalesce(o._content, '') = $content AS same ORDER BY same DESC, o.id LIMIT 1
"""
_OPEN: Final = """
MATCH (:Customer {id: $customer})<-[:PLACED_BY]-(o:Order)-[:HAS_ITEM]->(i:OrderItem)
WHERE o.system = $source AND coalesce(i._phase, '') <> '' AND NOT o.state IN ['completed', 'failed', 'cancelled', 'rejected', 'partial']
RETURN count(DISTINCT i)
"""
_ITEMS: Final = """
UNWIND $batch.items AS row
CREATE (:OrderItem {
  id: row.id, externalId: row.externalId, system: row.system, state: row.state, action: row.action, product: row.product,
  offering: row.offering, quantity: row.quantity, position: row.position, request: row.request,
  siteA: row.siteA, siteZ: row.siteZ, mbps: row.mbps, _phase: row.phase, _product: row.built, _unread: row.unread
})
"""
# Before the customer: services are locked before customers, and in the order of their ids.
_PROVISION: Final = """
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
MATCH (i:OrderItem {id: row.item})
CREATE (i)-[:PROVISIONS]->(s)
"""
_RELATE: Final = """
UNWIND $batch.rows AS row
MATCH (a:OrderItem {id: row.start})
MATCH (b:OrderItem {id: row.end})
CREATE (a)-[:RELATES_TO {relationshipType: row.kind}]->(b)
"""
_PLACE: Final = """
MATCH (c:Customer {id: $customer})
CREATE (o:Order {
  id: $id, externalId: $externalId, system: $source, kind: $kind, state: $state, description: $description, category: $category,
  priority: $priority, orderedAt: $now, requestedStartAt: $start, requestedCompletionAt: $completion,
  request: $request, _content: $content, _version: 1
})
CREATE (o)-[:PLACED_BY]->(c)
WITH o
UNWIND $items AS item
MATCH (i:OrderItem {id: item})
CREATE (o)-[:HAS_ITEM]->(i)
"""


async def place_order(
    store: Store,
    principal: Principal,
    policy: AlarmPolicy,
    request: OrderRequest,
    *,
    idempotency_key: str | None,
    deadline: float,
) -> Outcome:
    """Take an order; the outcome has the id of the `order`. Without a key a repetition is known by its external id, if it has one."""
    check_may(principal, policy, "placeOrder")
    key = str(uuid_utils.uuid4()) if idempotency_key is None else idempotency_key
    asked = Asked(subject=principal.subject, client_key=key, operation="placeOrder", input={"order": request.content})

    async def change(transaction: Transaction) -> Outcome:
        return await _place(transaction, principal, policy, request)

    return await once(store, asked, change, deadline=deadline, keeps_failures=idempotency_key is not None)


async def _place(transaction: Transaction, principal: Principal, policy: AlarmPolicy, request: OrderRequest) -> Outcome:
    if (refused := _bounds(policy, request)) is not None:
        return refused
    source, built = source_of(principal), _built(policy, request)
    party = await parties.own_of(transaction, principal, request.party)
    own = _own(principal, party)
    names = [_gate(principal, request, own), *parties.names_of(policy, source, request.party)]
    await gates.lock(transaction, [*names, *(f"open orders of {each}" for each in own if built)])
    if (known := await _same(transaction, principal, request, own)) is not None:
        return known
    orderer = await parties.find(transaction, principal, policy, party)
    if isinstance(orderer, UserError):
        return parties.not_found(orderer)
    if past := past_problem(
        request.requested_start, request.requested_completion, now=orderer.now, skew=policy.skew_ms
    ):
        return not_done(past.message, DATE_IN_THE_PAST, *map(str, past.path))
    services = await find_services(transaction, principal, policy, _wanted(request), orderer)
    if isinstance(services, UserError):
        return Outcome(ids={}, user_errors=(services,))
    if (full := await _too_many_open(transaction, principal, policy, orderer, len(built))) is not None:
        return full
    order = await _write(transaction, principal, request, orderer, services, built)
    return Outcome(ids={"order": order.id})


def _bounds(policy: AlarmPolicy, request: OrderRequest) -> Outcome | None:
    """Refuse what no order may be, whoever asks."""
    if policy.ordering is None:
        return not_done(
            "Orders are not taken here: the section `orders` of the settings is missing", NO_ORDERS, "items"
        )
    if request.size > (most := policy.ordering.most_items):
        text = f"An order has at most {most} items, and this has {request.size}: place it in parts"
        return not_done(text, TOO_MANY_ITEMS, "items")
    return None


def _built(policy: AlarmPolicy, request: OrderRequest) -> dict[str, Product]:
    """Give the products of the items that are built by themselves, by the items' ids."""
    return {each.id: product for each in request.items if (product := _product(policy, each)) is not None}


async def _too_many_open(
    transaction: Transaction, principal: Principal, policy: AlarmPolicy, orderer: Orderer, more: int
) -> Outcome | None:
    """Refuse what a customer orders for itself beyond what may be under way: what is reserved nobody else can have."""
    if principal.effective is not Role.CUSTOMER or not more or policy.ordering is None:
        return None
    [[count]] = await transaction.run(_OPEN, {"customer": orderer.id, "source": source_of(principal)})
    if cast("int", count) + more <= (most := policy.ordering.most_open):
        return None
    text = f"At most {most} new services may be under way, and {count} are: wait until some are in use, or cancel some"
    return not_done(text, TOO_MANY_OPEN, "items")


def _gate(principal: Principal, request: OrderRequest, own: Sequence[str]) -> str:
    """Give the name behind whose gate an external id is looked for, and used; without one nobody else wants it."""
    if not request.external_id:
        return str(uuid_utils.uuid4())
    return f"order {source_of(principal)} {' '.join(own)} {request.kind} {request.external_id}"


def _own(principal: Principal, party: Party | None) -> list[str]:
    """Give the one customer of the caller's that a customer orders for: its external ids are its own, whoever else the token names."""
    is_own = principal.effective is Role.CUSTOMER and party is not None and party.id in principal.customers
    return [party.id] if party is not None and is_own else []


async def _same(
    transaction: Transaction, principal: Principal, request: OrderRequest, own: Sequence[str]
) -> Outcome | None:
    """Give the order that has this external id, or the refusal where its content is another; None: there is none."""
    if not request.external_id:
        return None
    given = {
        "externalId": request.external_id,
        "source": source_of(principal),
        "kind": request.kind,
        "everyone": principal.effective is not Role.CUSTOMER,
        "customers": list(own),
        "content": request.content,
    }
    for order, is_same in await transaction.run(_SAME, given):
        if is_same:
            return Outcome(ids={"order": str(order)})
        text = f"Another order has the external id {request.external_id} already, with another content"
        return not_done(text, ORDER_EXISTS, "externalId")
    return None


def _wanted(request: OrderRequest) -> Sequence[Wanted]:
    return [
        Wanted(place=("items", str(number), "serviceId"), service=each.service, action=each.action)
        for number, each in enumerate(request.items)
        if each.service
    ]


async def _write(
    transaction: Transaction,
    principal: Principal,
    request: OrderRequest,
    orderer: Orderer,
    services: Mapping[str, str],
    built: Mapping[str, Product],
) -> Order:
    order = _new_order(principal, request, orderer, built)
    rows = [
        {**_row(order, each, number, asked), **_new_service(asked, built.get(each.id)), "phase": each.phase or None}
        for number, (each, asked) in enumerate(zip(order.items, request.items, strict=True))
    ]
    transaction.later(_ITEMS, {"batch": {"items": rows}})
    _link(transaction, order, request, services)
    await parties.make(transaction, orderer)
    transaction.later(_PLACE, {"customer": orderer.id, **_values(order, request)})
    said = order.said(items={each.id: each.state for each in order.items}, newCustomer=orderer.made_of is not None)
    events.append(transaction, order.event("OrderPlaced", principal, said))
    if any(each.is_of_people for each in order.items):
        wait_for_people(transaction, order)
    write_start(transaction, order, request.requested_start)
    return order


def _new_order(principal: Principal, request: OrderRequest, orderer: Orderer, built: Mapping[str, Product]) -> Order:
    order = f"{LABELS['Order'].id_prefix}{uuid_utils.uuid7()}"
    items = tuple(
        Item(id=each.id, action=each.action, state=first_state(each.action), phase="waits" if each.id in built else "")
        for each in request.items
    )
    prefix = LABELS["OrderItem"].id_prefix
    return Order(
        id=order,
        kind=request.kind,
        system=source_of(principal),
        external_id=request.external_id or order,
        state=order_state(items),
        version=0,
        started_at=None,
        now=orderer.now,
        customers=(orderer.id,),
        items=items,
        nodes={each.id: f"{prefix}{uuid_utils.uuid7()}" for each in items},
        cancellation=None,
    )


def _row(order: Order, item: Item, position: int, asked: ItemRequest) -> dict[str, object]:
    return {
        "id": order.nodes[item.id],
        "externalId": item.id,
        "system": order.system,
        "state": item.state,
        "action": item.action,
        "product": asked.product or None,
        "offering": asked.offering or None,
        "quantity": asked.quantity,
        "position": position,
        "request": _json(asked.request),
    }


def _new_service(asked: ItemRequest, product: Product | None) -> dict[str, object]:
    """Give what is kept of what an item says of a new service."""
    said = Said(mbps=asked.mbps) if product is None else product.asked(asked.mbps, asked.characteristics)
    sites = {"siteA": asked.site_a or None, "siteZ": asked.site_z or None}
    return {**sites, "mbps": said.mbps, "unread": said.unread or None, "built": product.name if product else None}


def _product(policy: AlarmPolicy, asked: ItemRequest) -> Product | None:
    """Give what is built by itself for an item; None: people carry it out, as all that is several, or has other items within it."""
    products = {} if policy.ordering is None else policy.ordering.products
    if asked.action != "add" or asked.size > 1 or asked.quantity not in (None, 1):
        return None
    return products.get(asked.offering) or products.get(asked.product)


def _values(order: Order, request: OrderRequest) -> dict[str, object]:
    return {
        "id": order.id,
        "externalId": order.external_id,
        "source": order.system,
        "kind": order.kind,
        "state": order.state,
        "description": request.description or None,
        "category": request.category or None,
        "priority": request.priority or None,
        "now": order.now,
        "start": request.requested_start,
        "completion": request.requested_completion,
        "request": _json(request.request),
        "content": request.content,
        "items": list(order.nodes.values()),
    }


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _link(transaction: Transaction, order: Order, request: OrderRequest, services: Mapping[str, str]) -> None:
    """Write which services items are about, and what items have to do with each other."""
    provided = [
        {"item": order.nodes[each.id], "service": services[each.service]} for each in request.items if each.service
    ]
    if provided:
        rows = sorted(provided, key=lambda row: (row["service"], row["item"]))
        transaction.later(_PROVISION, {"batch": {"rows": rows}})
    related = [
        {"start": order.nodes[each.id], "end": order.nodes[one.to], "kind": one.kind}
        for each in request.items
        for one in each.relations
    ]
    if related:
        transaction.later(_RELATE, {"batch": {"rows": related}})
