"""What others ask of orders by TMF622 and TMF641 is what GraphQL asks: the same changes, said otherwise.

`POST` of an order is placeOrder, of a request to cancel cancelOrder. A merge patch is changeOrder for what an order asks for, and advanceOrder
for states: those of items, and that of the order, which is meant for all items that people carry out and that are not over. Only operators move orders. What is so already is no change, so
that an order that was read can be sent back with what is new.

A repetition is known by `Idempotency-Key`, an order also by its `externalId`, for ever.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final

from adapters.endpoint.edge import Call
from adapters.endpoint.errors import MalformedBody, Refusal
from adapters.order_management.api import Api
from adapters.order_management.decode import OURS, order_of
from adapters.order_management.shape import cancel_of, checked, create_of, update_of
from adapters.tmf.shape import Fault
from adapters.tmf.tmf630 import read_time
from graph.changes.orders.amending import Amendment, amend_order, amended_before
from graph.changes.orders.cancelling import Cancellation, cancel_order
from graph.changes.orders.changing import OrderChange, Value
from graph.changes.orders.moving import Advance, Move
from graph.changes.orders.placing import place_order
from graph.changes.orders.rules import NO_ORDERS, ORDER_EXISTS, ORDER_NOT_FOUND, ORDER_STATE
from graph.changes.outcome import Outcome
from graph.errors import Refused

CHANGED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "description": "description",
        "category": "category",
        "priority": "priority",
        "requestedStartDate": "requestedStartAt",
        "requestedCompletionDate": "requestedCompletionAt",
        "expectedCompletionDate": "expectedCompletionAt",
    }
)
"""The attributes of an order that may be changed, and the properties that they are kept as."""
_STATES: Final = frozenset({"state", "cancellationReason"})
_IN_CONFLICT: Final = frozenset({ORDER_EXISTS, ORDER_STATE, NO_ORDERS})
_PASSED_OVER: Final = OURS - CHANGED.keys() - _STATES
"""What we say of an order, and is passed over where it comes back with it: it may have changed since it was read."""


async def create(api: Api, call: Call, body: object) -> str:
    """Place what a body orders, and give the id of the order; raises Refusal and MalformedBody."""
    with _in_words_of(api):
        request = order_of(api, checked(create_of(api), body))
        port, key = call.port, call.key or None
        outcome = await place_order(
            port.store, call.principal, port.policy, request, idempotency_key=key, deadline=call.deadline
        )
    return _done(api, outcome)["order"]


async def cancel(api: Api, call: Call, body: object) -> str:
    """Ask to cancel the order that a body names, and give the id of the request; raises the same."""
    said, port = checked(cancel_of(api), body), call.port
    wished = said.get("requestedCancellationDate")
    with _in_words_of(api):
        request = Cancellation(
            order=said[api.order]["id"],
            kind=api.kind,
            reason=said.get("cancellationReason", ""),
            requested_for=None if wished is None else read_time(wished, "requestedCancellationDate"),
        )
        key = call.key or uuid.uuid4().hex
        outcome = await cancel_order(
            port.store, call.principal, port.policy, request, idempotency_key=key, deadline=call.deadline
        )
    if any(each.code == ORDER_NOT_FOUND for each in outcome.user_errors):
        raise MalformedBody([Fault(path=f"{api.order}.id", problem="names no order that there is")])
    return _done(api, outcome)["cancellation"]


async def amend(api: Api, call: Call, body: object, shown: Mapping[str, Any]) -> None:
    """Do to an order, which the caller is shown so, what a merge patch says; raises the same."""
    patch = _patch_of(api, body)
    key, port, order = call.key or uuid.uuid4().hex, call.port, shown["id"]
    by: dict[str, Any] = {"idempotency_key": key, "deadline": call.deadline}
    before = await amended_before(port.store, call.principal, order, patch, **by) if call.key else None
    if before is not None:
        _done(api, before)
        return
    values, moves = changed_by(patch, shown), moves_of(api, patch, shown)
    _check_fixed(api, patch, shown)
    if not values and not moves:
        return
    with _in_words_of(api):
        amendment = Amendment(
            change=OrderChange(order=order, values=values),
            advance=Advance(order=order, moves=moves, reason=patch.get("cancellationReason") or ""),
            patch=patch,
        )
        _done(api, await amend_order(port.store, call.principal, port.policy, amendment, **by))


def _patch_of(api: Api, body: object) -> Mapping[str, Any]:
    """Give a patch that has its shape; null takes away what may be changed, and nothing else."""
    taken = {name: value for name, value in body.items() if value is None} if isinstance(body, dict) else {}
    kept = {name: value for name, value in body.items() if value is not None} if isinstance(body, dict) else body
    fixed = [Fault(path=each, problem="cannot be taken away") for each in taken if each not in CHANGED]
    if fixed:
        raise MalformedBody(fixed)
    return {**checked(update_of(api), kept), **taken}


def changed_by(patch: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Value]:
    """Give what a patch changes, by the names of properties."""
    return {
        ours: read_time(patch[name], name) if name.endswith("Date") and patch[name] is not None else patch[name]
        for name, ours in CHANGED.items()
        if name in patch and patch[name] != shown.get(name)
    }


def moves_of(api: Api, patch: Mapping[str, Any], shown: Mapping[str, Any]) -> tuple[Move, ...]:
    """Give what a patch moves: items first, then the order."""
    states = {each["id"]: each["state"] for each in shown[api.item]}
    items = [
        Move(to=each["state"], item=each["id"])
        for each in patch.get(api.item, ())
        if "state" in each and each["state"] != states.get(each["id"])
    ]
    whole = [Move(to=patch["state"])] if patch.get("state", shown["state"]) != shown["state"] else []
    return (*items, *whole)


def _check_fixed(api: Api, patch: Mapping[str, Any], shown: Mapping[str, Any]) -> None:
    """Refuse what a patch would change, and may not."""
    free = {*CHANGED, *_STATES, *_PASSED_OVER, api.item}
    fixed = [each for each in patch if each not in free and patch[each] != shown.get(each)]
    found = [Fault(path=each, problem="cannot be changed") for each in fixed]
    items = {each["id"]: each for each in shown[api.item]}
    for number, each in enumerate(patch.get(api.item, ())):
        there = items.get(each["id"], {})
        others = [name for name in each if name not in ("id", "state") and each[name] != there.get(name)]
        found += [Fault(path=f"{api.item}[{number}].{name}", problem="cannot be changed") for name in others]
    if found:
        raise MalformedBody(found)


@contextmanager
def _in_words_of(api: Api) -> Iterator[None]:
    """Say by its attribute what a broken value is refused for."""
    try:
        yield
    except MalformedBody:
        raise
    except Refused as refused:
        if refused.code != "BAD_USER_INPUT" or not refused.path or refused.path[0] == "idempotencyKey":
            raise
        raise MalformedBody([Fault(path=api.field(refused.path), problem=refused.message)]) from refused


def _done(api: Api, outcome: Outcome) -> Mapping[str, str]:
    """Give the ids of what was done; raises Refusal and MalformedBody for what was not."""
    for error in outcome.user_errors:
        if error.code == ORDER_NOT_FOUND:
            raise Refusal("NOT_FOUND")
        if error.code in _IN_CONFLICT:
            raise Refusal("CONFLICT", f"{api.field(error.path)}: {error.message}.")
        raise MalformedBody([Fault(path=api.field(error.path), problem=error.message)])
    return outcome.ids
