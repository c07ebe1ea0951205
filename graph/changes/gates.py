"""Two changes that look for what the other writes can each miss it; whoever comes second must see the first.

An alarm looks for the names of its object and, where there is none, waits. A feed or a load brings a name and looks for
alarms that wait. What is not there yet cannot be locked. So names have *gates*, a fixed number of nodes; a name's gate
is locked before one looks whether the name is there, and before the name is made. Whoever has made many names locks all
gates after that (`pass_all`): every change that found a name missing is over then, or looks again.
What is asked of a ticket that no alarm has opened passes the gate of its order key: it may have no deliveries yet to lock. These
gates are of their own, so that a load, which locks all gates of names, holds up no customer, and customers no alarm.

The order of locks. Transactions lock in this order, and things of one kind by their ids. So no two wait for each other, and a
conflict is only of two that want the same. tests/graph/changes/test_lock_order.py reads it from the statements of every change.

    1. the idempotency record, the feed, the difference, the timer, the alarm's identity, the usage: what is asked or
       answered, which no other kind of change locks; of a service whose bandwidth is changed, its timer
    2. gates
    3. equipment: elements, cards, ports, trunks
    4. the gate of slices (graph/membership/): who moves equipment, who takes it away, who stores a slice
    5. services, and after them the profiles of capacity
    6. alarms
    7. deliveries to the ticketing system, by their order key
    8. tickets
    9. customers: an event or a ticket that is linked to a customer locks it for a moment

An order is locked before all of these but its timer, the gates of names and what is asked, and before its items and its tasks; whoever places one
holds its gate, and nobody else locks both. A merge of customers, which locks orders too, holds all gates of names, then the orders of the one customer,
the gate of slices, the one customer's services and tickets, and both customers last.

Deliveries to other systems come where they are written, under the lock of what they are about. Who settles those holds nothing
that comes before them but what their names are about, and locks nothing after them but the steps that they carry out, and then the
tasks of these. What the network answers changes a service: who settles that holds the service first (graph/changes/bandwidth/network.py).

These follow no order, and may be in another's way. The database ends one of the two, which begins anew: a load, which writes what
its file has and sets its mark last, while who stores a slice takes the marks before services; retention, which deletes what
is over with its relationships, whose ends that locks; who holds the gate of slices, with customers, which its events name before it
forgets their slices; who puts a new service into use, with its customer, to whom it is linked before alarms that are open on it are locked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from graph.store.store import Transaction

GATES: Final = 64
"""Two that want different names rarely want the same gate."""

ORDER_GATES: Final = 256
"""of order keys, which are locked one at a time."""

# Counted, since the embedded database tells of a conflict only where a record differs in the end.
_LOCK: Final = """
UNWIND $batch.gates AS id
MERGE (g:NameGate {id: id})
SET g._locked = coalesce(g._locked, 0) + 1
"""


def gate_of(name: str) -> str:
    """Give the id of a name's gate.

    >>> gate_of("T1") == gate_of("T1")
    True
    """
    return _id(_number(name, GATES))


async def lock(transaction: Transaction, names: Iterable[str]) -> None:
    """Lock the gates of names: keys of external names, and ids."""
    gates = sorted({gate_of(each) for each in names})
    await transaction.run(_LOCK, {"batch": {"gates": gates}})


async def lock_order_key(transaction: Transaction, order_key: str) -> None:
    """Lock the gate of an order key."""
    await transaction.run(_LOCK, {"batch": {"gates": [f"ordergate-{_number(order_key, ORDER_GATES):03d}"]}})


async def pass_all(transaction: Transaction) -> None:
    """Lock every gate."""
    await transaction.run(_LOCK, {"batch": {"gates": [_id(number) for number in range(GATES)]}})


def _number(name: str, most: int) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % most


def _id(number: int) -> str:
    return f"namegate-{number:02d}"
