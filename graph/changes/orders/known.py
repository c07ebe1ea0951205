"""An order as it is under its lock, and what is written when it has changed: its state, its items', their event, what people wait for.

Whoever looks for an order that is not the caller's takes the same steps as for one that is not there, and locks nothing before it knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graph.changes import events
from graph.changes.events import Event
from graph.changes.orders.rules import FULFILMENT, LEAVES, WAITS, scope_of
from graph.changes.orders.states import FINAL, LEAVING, Item, cancellation_state, has_begun, order_state
from graph.ledger import timers
from graph.model.scope import Principal
from graph.processes import tasks
from graph.processes.tasks import Opened
from graph.store.store import Transaction

# Where the index has none, one of the caller's own is looked at in its place: both take the same steps.
_ORDER: Final = """
WITH HEAD(COLLECT { MATCH (c:Customer)<-[:PLACED_BY]-(n:Order) WHERE c.id IN $customers RETURN n LIMIT 1 }) AS other
WITH coalesce(HEAD(COLLECT { MATCH (n:Order {id: $order}) RETURN n LIMIT 1 }), other) AS o
WITH o, $everyone OR ($system <> '' AND o.system = $system)
  OR EXISTS { MATCH (c:Customer)<-[:PLACED_BY]-(o) WHERE c.id IN $customers } AS mine
WITH o WHERE mine AND o.id = $order
RETURN o.id
"""
_LOCK: Final = """
MATCH (o:Order {id: $order})
SET o._locked = coalesce(o._locked, 0) + 1
RETURN o.id, coalesce(o.kind, 'product'), o.system, o.externalId, o.state, coalesce(o._version, 0), o.startedAt,
  datetime.realtime().epochMillis,
  [o.description, o.category, o.priority, o.requestedStartAt, o.requestedCompletionAt, o.expectedCompletionAt],
  COLLECT { MATCH (o)-[:PLACED_BY]->(c:Customer) RETURN c.id ORDER BY c.id },
  COLLECT {
    MATCH (o)-[:HAS_ITEM]->(i:OrderItem)
    RETURN [i.id, i.externalId, coalesce(i.action, 'add'), i.state, coalesce(i._phase, '')] ORDER BY coalesce(i.position, 0), i.id
  },
  COLLECT { MATCH (x:OrderCancellation)-[:CANCELS]->(o) WHERE x.state IN ['accepted', 'inProgress'] RETURN [x.id, x.state, x._items] ORDER BY x.id }
"""
# Before the order: the work of the timer locks them so. It is never made here, since anybody may ask for an order that is not there.
_HOLD: Final = "MATCH (t:Timer {id: $timer}) SET t._locked = coalesce(t._locked, 0) + 1"
_MOVE: Final = """
MATCH (o:Order {id: $order})
SET o.state = $state, o._version = $version, o.startedAt = $startedAt,
    o.completedAt = CASE WHEN $isCompleted THEN $now ELSE o.completedAt END,
    o.cancelledAt = CASE WHEN $isCancelled THEN $now ELSE o.cancelledAt END,
    o.cancellationReason = coalesce($reason, o.cancellationReason)
"""
_MOVE_ITEMS: Final = """
UNWIND $batch.items AS row
MATCH (i:OrderItem {id: row.id})
SET i.state = row.state, i._phase = row.phase
"""
_DECIDE: Final = """
MATCH (x:OrderCancellation {id: $cancellation})
SET x.state = $state, x.effectiveAt = CASE WHEN $isDone THEN $now ELSE x.effectiveAt END
"""

LAST_LOOK_MS: Final = 300_000
"""after the last of an order is in use: longer than a change may take that has walked the network before."""
VALUES: Final = (
    "description",
    "category",
    "priority",
    "requestedStartAt",
    "requestedCompletionAt",
    "expectedCompletionAt",
)
"""What of an order may be changed, by the names of its properties."""


@dataclass(slots=True, kw_only=True)
class Order:
    """An order under its lock; its version rises with each event of it."""

    id: str
    kind: str
    system: str
    external_id: str
    state: str
    version: int
    started_at: int | None
    now: int
    """epoch milliseconds by the database's clock."""
    customers: tuple[str, ...]
    items: tuple[Item, ...]
    nodes: Mapping[str, str]
    """the ids of items, by their ids within the order."""
    cancellation: tuple[str, str, frozenset[str]] | None
    """the request to cancel it that is not decided: its id, how far it is, and the items that were open when it was asked."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """by `VALUES`."""

    @property
    def has_begun(self) -> bool:
        """Whether somebody has worked on it."""
        return self.started_at is not None or has_begun(self.items)

    def begin(self) -> None:
        """Note that somebody works on it, where nobody has before."""
        if self.started_at is None:
            self.started_at = self.now

    def said(self, before: str | None = None, **more: object) -> dict[str, object]:
        """Give what its events say of it."""
        return {
            "order": self.id,
            "kind": self.kind,
            "system": self.system,
            "externalId": self.external_id,
            "state": self.state,
            "stateBefore": before,
            "customer": next(iter(self.customers), None),
            **more,
        }

    def event(self, kind: str, principal: Principal, payload: Mapping[str, object]) -> Event:
        """Make the next event of it."""
        self.version += 1
        return Event(
            type=kind,
            aggregate_id=self.id,
            aggregate_version=self.version,
            at=self.now,
            principal=principal.subject,
            payload=payload,
            customers=self.customers,
        )


async def locked(transaction: Transaction, principal: Principal, order_id: str) -> Order | None:
    """Lock an order of the caller's and give it as it is; None where there is none, or it is another's."""
    if not await transaction.run(_ORDER, {"order": order_id, **scope_of(principal)}):
        return None
    return await take(transaction, order_id)


async def take(transaction: Transaction, order_id: str) -> Order | None:
    """Lock an order, whoever placed it, with the timer by which it is carried out; None where there is none."""
    await transaction.run(_HOLD, {"timer": timers.timer_id(FULFILMENT, order_id)})
    for row in await transaction.run(_LOCK, {"order": order_id}):
        if row[0] is not None:  # Neo4j gives nulls of what was deleted while its lock was waited for
            return _order(row)
    return None


def _order(row: Sequence[Any]) -> Order:
    found, kind, system, external, state, version, started, now, values, customers, items, cancellations = row
    return Order(
        id=found,
        kind=kind,
        system=system,
        external_id=external,
        state=state,
        version=version,
        started_at=started,
        now=now,
        customers=tuple(customers),
        items=tuple(Item(id=each[1], action=each[2], state=each[3], phase=each[4]) for each in items),
        nodes={each[1]: each[0] for each in items},
        cancellation=next(((each[0], each[1], frozenset(each[2])) for each in cancellations), None),
        values=dict(zip(VALUES, values, strict=True)),
    )


def write_moved(
    transaction: Transaction, principal: Principal, order: Order, items: Sequence[Item], *, reason: str = ""
) -> None:
    """Write the states that items have become, the order's that follows, their events, and what becomes of tasks.

    Whoever moves an item over inProgress to another state says before that the order has begun (`begin`).
    """
    pairs = list(zip(items, order.items, strict=True))
    moved = [each for each, was in pairs if each.state != was.state]
    if not moved:
        write_phases(transaction, order, items)
        return
    before, order.items, order.state = order.state, tuple(items), order_state(items)
    if any(each.state == "inProgress" for each in moved):
        order.begin()
    said = order.said(before, items={each.id: each.state for each in moved}, reason=reason or None)
    told = [order.event("OrderStateChanged", principal, said)]
    told += _decide(transaction, principal, order)
    transaction.later(_MOVE, _written(order, before, reason))
    _write_items(transaction, order, [each for each, was in pairs if each != was])
    events.append(transaction, *told)
    _wait(transaction, order, was_ours=any(was.phase for _, was in pairs))


def write_phases(transaction: Transaction, order: Order, items: Sequence[Item]) -> None:
    """Write how far items are that are carried out by themselves; their states stay, and nobody is told."""
    other = [each for each, was in zip(items, order.items, strict=True) if each.phase != was.phase]
    order.items = tuple(items)
    if other:
        _write_items(transaction, order, other)


def _write_items(transaction: Transaction, order: Order, items: Sequence[Item]) -> None:
    rows = [{"id": order.nodes[each.id], "state": each.state, "phase": each.phase or None} for each in items]
    transaction.later(_MOVE_ITEMS, {"batch": {"items": sorted(rows, key=lambda row: str(row["id"]))}})


def _written(order: Order, before: str, reason: str) -> dict[str, object]:
    is_over = order.state in FINAL and before not in FINAL
    is_cancelled = is_over and order.state == "cancelled"
    return {
        "order": order.id,
        "state": order.state,
        "version": order.version,
        "startedAt": order.started_at,
        "now": order.now,
        "isCompleted": is_over and order.state in ("completed", "partial"),
        "isCancelled": is_cancelled,
        "reason": reason or None if is_cancelled or order.state in LEAVING else None,
    }


def _decide(transaction: Transaction, principal: Principal, order: Order) -> list[Event]:
    """Write how far the request to cancel is, where that is another now; give the event of it."""
    if order.cancellation is None:
        return []
    cancellation, before, asked = order.cancellation
    state = cancellation_state(each for each in order.items if each.id in asked)
    if state == before:
        return []
    given = {"cancellation": cancellation, "state": state, "isDone": state == "done", "now": order.now}
    transaction.later(_DECIDE, given)
    said = order.said(cancellation=cancellation, cancellationState=state)
    return [order.event("OrderCancellationDecided", principal, said)]


def _wait(transaction: Transaction, order: Order, *, was_ours: bool) -> None:
    """Open and close the tasks that an order makes for people, and let what is carried out by itself be looked at.

    When the last of that is over it is looked at once more, some minutes later; its timer ends then.
    """
    if was_ours:
        is_over = all(each.is_over for each in order.items if each.phase)
        due = order.now + LAST_LOOK_MS if is_over else order.now
        timers.arm(transaction, kind=FULFILMENT, about=order.id, due_at=due)
    if not any(each.state == "assessingCancellation" and not each.phase for each in order.items):
        tasks.close_task(transaction, kind=LEAVES, about=order.id, at=order.now)
    else:
        opened = Opened(kind=LEAVES, about=order.id, reason=f"{_called(order)} is to be cancelled: say whether it is")
        tasks.open_task(transaction, opened, at=order.now)
    if not any(each.is_of_people for each in order.items):
        tasks.close_task(transaction, kind=WAITS, about=order.id, at=order.now)


def write_start(transaction: Transaction, order: Order, start: int | None) -> None:
    """Let what is carried out by itself begin when it is wanted, by `start` in epoch milliseconds; None: at once."""
    if any(each.phase and not each.is_over for each in order.items):
        timers.arm(transaction, kind=FULFILMENT, about=order.id, due_at=max(start or 0, order.now))


def wait_for_people(transaction: Transaction, order: Order, why: str = "") -> None:
    """Open the task that is there as long as people have something of an order to carry out; `why` they have, if that is to be said."""
    said = f"{_called(order)} waits to be carried out" + (f": {why}" if why else "")
    opened = Opened(kind=WAITS, about=order.id, reason=said)
    tasks.open_task(transaction, opened, at=order.now)


def _called(order: Order) -> str:
    return f"The {order.kind} order {order.external_id} of {order.system}"
