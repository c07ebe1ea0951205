"""Somebody takes a side in a difference, and from then on it is one thing: the graph's, or the inventory's.

With the inventory's side the graph changes as the inventory says; what still carries services is not taken away even then.
With the graph's side the inventory is told, by a delivery in the same transaction. Either way the difference says what
became of it, and the event who did it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from graph.changes.alarms.consequences import By
from graph.changes.events import Event, append
from graph.changes.idempotency import Asked, once
from graph.changes.outcome import Outcome, UserError
from graph.changes.policy import AlarmPolicy
from graph.errors import Refused
from graph.inventory import equipment
from graph.inventory.comparing import INSIDE, KIND
from graph.inventory.differences import CONTAINMENT, MISSING_HERE, MISSING_THERE, PROPERTY
from graph.inventory.equipment import CARRIES_SERVICES, NOT_THERE, Hand, Held
from graph.inventory.known import Known, known_within, locked
from graph.ledger.outbox import Told, write_down
from graph.model.identity import external_key
from graph.model.resource import NotTaken, Resource, entry_of
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction

DIFFERENCE_NOT_FOUND: Final = "DIFFERENCE_NOT_FOUND"
DIFFERENCE_SETTLED: Final = "DIFFERENCE_SETTLED"
NOT_TOLD: Final = "NOT_TOLD"
CANNOT_BE_SETTLED: Final = "CANNOT_BE_SETTLED"
SIDES: Final = ("inventory", "graph")

_LOCK: Final = """
MATCH (d:InventoryDifference {id: $id})
SET d._lock = true
REMOVE d._lock
WITH d, datetime.realtime().epochMillis AS now
RETURN now, d.state, d.system, d.kind, d.resource, d.property, d.record, coalesce(d._version, 0)
"""

_SETTLE: Final = """
MATCH (d:InventoryDifference {id: $id})
SET d.state = $state, d.reason = $reason, d.settledAt = $settled, d._version = $version
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A difference, under its lock."""

    id: str
    now: int
    state: str
    system: str
    kind: str
    resource: str | None
    aspect: str
    record: Resource
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _NoPlace:
    """A difference about a thing that the graph has no place for: there is no side to take."""

    reason: str


async def settle_difference(  # noqa: PLR0913  # all by name
    store: Store,
    principal: Principal,
    policy: AlarmPolicy,
    *,
    difference_id: str,
    side: str,
    idempotency_key: str,
    deadline: float,
) -> Outcome:
    """Take a side: one of `SIDES`. The outcome has the `difference`."""
    if principal.effective is not Role.OPERATOR:
        raise Refused(
            "Only operators take a side", code="FORBIDDEN", hint="Ask with a token that has the role operator"
        )
    given = {"differenceId": difference_id, "side": side}
    asked = Asked(
        subject=principal.subject, client_key=idempotency_key, operation="settleInventoryDifference", input=given
    )
    by = By(principal=principal, policy=policy)

    async def change(transaction: Transaction) -> Outcome:
        found = await _lock(transaction, difference_id)
        if found is None:
            return _sorry("There is no such difference", DIFFERENCE_NOT_FOUND)
        if isinstance(found, _NoPlace):
            return _sorry(f"It cannot be settled: {found.reason}", CANNOT_BE_SETTLED, difference_id)
        if found.state not in ("open", "held"):
            return _sorry("It is settled already", DIFFERENCE_SETTLED, found.id)
        hand = Hand(by=by, system=found.system, origin={"difference": found.id})
        if side == "graph":
            return await _told(transaction, hand, found, policy.inventory)
        return await _taken(transaction, hand, found)

    return await once(store, asked, change, deadline=deadline)


async def _taken(transaction: Transaction, hand: Hand, found: _Found) -> Outcome:
    """Let the graph become what the inventory says."""
    done = await _take(transaction, hand, found)
    if isinstance(done, Held):
        if done.code == CARRIES_SERVICES:
            _write(transaction, found, "held", done.reason)
        return _sorry(f"It cannot be settled so: {done.reason}", done.code, found.id)
    _write(transaction, found, "taken", None)
    append(transaction, _settled(hand, found, "inventory"))
    return Outcome(ids={"difference": found.id})


async def _take(transaction: Transaction, hand: Hand, found: _Found) -> Held | None:
    done: object
    match found.kind:
        case "missingHere":
            done = await equipment.make(transaction, hand, found.record)
        case "missingThere":
            done = await equipment.remove(transaction, hand, found.resource or "")
        case "containment":
            done = await _move(transaction, hand, found)
        case _ if found.aspect == KIND:
            done = Held(code=CANNOT_BE_SETTLED, reason="a thing of one kind does not become one of another")
        case _:
            value = {found.aspect: found.record.properties[found.aspect]}
            done = await equipment.change(transaction, hand, found.resource or "", value)
    return done if isinstance(done, Held) else None


async def _move(transaction: Transaction, hand: Hand, found: _Found) -> bool | Held:
    keys = {name: external_key(hand.system, name) for name in found.record.references}
    known = await known_within(transaction, keys.values())
    ids = {name: known[key].id for name, key in keys.items() if key in known}
    place = await equipment.place_of(transaction, found.record, ids)
    return place if isinstance(place, Held) else await equipment.move(transaction, hand, found.resource or "", place)


async def _told(transaction: Transaction, hand: Hand, found: _Found, told_to: str) -> Outcome:
    """Let the inventory be told what the graph says."""
    if told_to != hand.system:
        reason = f"{hand.system} is not an inventory that can be told: the setting `inventory` names none, or another"
        return _sorry(reason, NOT_TOLD, found.id)
    if found.kind == MISSING_HERE:
        event = _settled(hand, found, "graph")
        append(transaction, event)
        payload = _payload("remove", found, replace(found.record, inside=None, ends=None), ours=found.id)
    else:
        known = await locked(transaction, found.resource or "")
        if known is None:
            return _sorry("The graph has it no more", NOT_THERE, found.id)
        doing = "create" if found.kind == MISSING_THERE else "amend"
        event = await equipment.count_on(transaction, hand, known, "InventoryTold", {"side": "graph", "doing": doing})
        payload = _payload(doing, found, _ours(known, found), ours=known.id)
        payload["resource"]["insideName"] = known.inside[1] if known.inside else None
    order_key = event.aggregate_id
    write_down(
        transaction, [Told(event=event.id, system=told_to, subject=order_key, order_key=order_key, payload=payload)]
    )
    _write(transaction, found, "told", None)
    return Outcome(ids={"difference": found.id})


def _ours(known: Known, found: _Found) -> Resource:
    """Say of a thing what is to be told: all of it when it is new there, or else what differs. Places are our ids."""
    new = found.kind == MISSING_THERE
    properties = {
        name: value
        for name, value in known.properties.items()
        if new or (found.kind == PROPERTY and name == found.aspect)
    }
    placed = new or found.kind == CONTAINMENT
    ends = tuple(each for each, _ in known.ends)
    return Resource(
        kind=known.kind,
        name=found.record.name,
        inside=known.inside[0] if placed and known.inside else None,
        ends=(ends[0], ends[1]) if placed and len(ends) == 2 else None,
        properties=properties,
    )


def _payload(doing: str, found: _Found, resource: Resource, *, ours: str) -> dict[str, Any]:
    record: dict[str, Any] = {
        "kind": resource.kind,
        "name": resource.name,
        "inside": resource.inside,
        "ends": list(resource.ends) if resource.ends else None,
        "properties": dict(resource.properties),
    }
    return {"doing": doing, "ours": ours, "difference": found.id, "resource": record}


def _write(transaction: Transaction, found: _Found, state: str, reason: str | None) -> None:
    given = {"id": found.id, "state": state, "reason": reason, "version": found.version + 1}
    transaction.later(_SETTLE, {**given, "settled": None if state == "held" else found.now})


def _settled(hand: Hand, found: _Found, side: str) -> Event:
    return Event(
        type="InventoryDifferenceSettled",
        aggregate_id=found.id,
        aggregate_version=found.version + 1,
        at=found.now,
        principal=hand.by.principal.subject,
        payload={"difference": found.id, "system": found.system, "side": side, "kind": found.kind},
        customers=(),
    )


async def _lock(transaction: Transaction, difference_id: str) -> _Found | _NoPlace | None:
    rows: list[list[Any]] = await transaction.run(_LOCK, {"id": difference_id})
    if not rows:
        return None
    now, state, system, kind, resource, aspect, text, version = tuple(rows[0])
    record = entry_of(orjson.loads(text))
    if isinstance(record, NotTaken):
        return _NoPlace(reason=record.reason)
    return _Found(
        id=difference_id,
        now=now,
        state=state,
        system=system,
        kind=kind,
        resource=resource,
        aspect=aspect or (INSIDE if kind == CONTAINMENT else ""),
        record=record,
        version=version,
    )


def _sorry(message: str, code: str, difference_id: str | None = None) -> Outcome:
    ids = {"difference": difference_id} if difference_id else {}
    return Outcome(ids=ids, user_errors=(UserError(message=message, code=code, path=("differenceId",)),))
