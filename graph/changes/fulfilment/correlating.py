"""What the network has confirmed becomes a service that is in use: customer, contract, ports and trunks are correlated at once.

All of it is one transaction, that in which the delivery to the network is settled. From then on the service is in its customer's slice,
what is open on its ports and trunks hits it, and the other systems are told. An alarm on a card or a site takes none of the
locks that are held here: one that comes at this very moment is found when the order is looked at for the last time, some minutes later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from graph import membership
from graph.changes import events, notices
from graph.changes.alarms.consequences import OURSELVES, By, reassess
from graph.changes.bandwidth.consequences import thresholds
from graph.changes.events import Event
from graph.changes.fulfilment import process
from graph.changes.fulfilment.billing import bill
from graph.changes.fulfilment.failures import Failure
from graph.changes.fulfilment.policy import FulfilmentPolicy
from graph.changes.fulfilment.process import CORRELATE
from graph.changes.fulfilment.sending import TELLING, Asked, Built, built
from graph.changes.notices import Notice
from graph.changes.orders.known import Order
from graph.ledger.outbox import Told, write_down
from graph.model.event_kinds import KINDS
from graph.processes import steps
from graph.processes.steps import Step
from graph.store.store import Transaction

_STATE: Final = KINDS["ServiceStateChanged"]
# Where the order came along when its customer was merged, its service goes back with it (graph/changes/customers/moving.py).
_ACTIVATE: Final = """
MATCH (s:Service {id: $service}) WHERE NOT EXISTS { MATCH (:Customer)-[:SUBSCRIBES_TO]->(s) }
MATCH (c:Customer {id: $customer})
WITH s, c, HEAD(COLLECT { MATCH (:Order {id: $order})-[p:PLACED_BY]->(c) RETURN p._trail }) AS trail
CREATE (c)-[r:SUBSCRIBES_TO]->(s)
SET s.state = 'active', s.effectiveMbps = $mbps, r._trail = trail
RETURN coalesce(c.name, c.id)
"""


async def correlate(
    transaction: Transaction, policy: FulfilmentPolicy, by: By, order: Order, asked: Asked
) -> Failure | None:
    """Let a service be in use at the rate that it was reserved with; the gate of slices is held. Give why it cannot be, and nothing is done then."""
    found = await built(transaction, asked.service)
    customer = next(iter(order.customers), None)
    if found is None or customer is None:
        what = "service" if found is None else "customer"
        return Failure(word="REQUEST", detail=f"The {what} of the order is not in the graph any more")
    given = {"service": found.id, "customer": customer, "mbps": found.mbps, "order": order.id}
    rows = cast("list[tuple[str]]", await transaction.run(_ACTIVATE, given))
    if not rows:  # a load has linked what is only reserved, or taken the customer away
        return Failure(
            word="REQUEST", detail=f"The service {found.id} is a customer's already, or the customer is gone"
        )
    waiting = process.telling(asked.node, policy)
    steps.begin(transaction, waiting, at=order.now)
    _tell(transaction, policy, found, (customer, rows[0][0]), order, waiting)
    await membership.forget_behind(transaction, [customer])
    carried = {"PERFORMANCE": _steps(waiting, "PERFORMANCE"), "FAULT_MANAGEMENT": _steps(waiting, "FAULT_MANAGEMENT")}
    await thresholds.tell(transaction, policy.selling, [found.id], carried)
    if policy.selling.billing:
        told = _steps(waiting, "BILLING")
        await bill(transaction, policy.selling.billing, found.id, found.mbps, asked.node, told)
    await reassess(transaction, by, [found.id])
    open_ = await process.open_steps(transaction, asked.node)
    process.done(transaction, order, (each for each in open_ if each.name == CORRELATE), "in use")
    process.move(transaction, order, asked.item, "completed", phase="")
    return None


def _tell(
    transaction: Transaction,
    policy: FulfilmentPolicy,
    found: Built,
    customer: tuple[str, str],
    order: Order,
    waiting: Sequence[Step],
) -> None:
    """Tell the inventory of a new service, and fault management of its state."""
    whose = {"id": customer[0], "name": customer[1]}
    made = Event(
        type="ServiceActivated",
        aggregate_id=found.id,
        aggregate_version=found.version,
        at=found.now,
        principal=OURSELVES.subject,
        payload={"service": found.id, "customer": customer[0], "order": order.id, "mbps": found.mbps},
        customers=(customer[0],),
    )
    events.append(transaction, made)
    if inventory := policy.selling.inventory:
        payload = {"telling": TELLING, "customer": whose, "state": "active", "at": found.now, **found.said()}
        told = Told(
            event=made.id,
            system=inventory,
            subject=found.id,
            order_key=found.id,
            payload=payload,
            steps=_steps(waiting, "INVENTORY"),
        )
        write_down(transaction, [told])
    values: dict[str, object] = {
        "name": found.name,
        "state": "active",
        "effect": None,
        "customer": whose,
        "alarms": [],
        "since": found.now,
    }
    heard = () if policy.hears_rates else _steps(waiting, "FAULT_MANAGEMENT")
    notice = Notice(event=made, kind=_STATE, about=found.id, order_key=found.id, values=values, steps=heard)
    notices.tell(transaction, policy.selling.fault_management, [notice])


def _steps(waiting: Sequence[Step], system: str) -> tuple[str, ...]:
    """Give the ids of the steps by which a system is told."""
    return tuple(each.id for each in waiting if each.system == system)
