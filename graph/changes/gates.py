"""Two changes that look for what the other writes can each miss it; whoever comes second must see the first.

An alarm looks for the names of its object and, where there is none, waits. A feed or a load brings a name and looks for
alarms that wait. What is not there yet cannot be locked. So names have *gates*, a fixed number of nodes; a name's gate
is locked before one looks whether the name is there, and before the name is made. Whoever has made many names locks all
gates after that (`pass_all`): every change that found a name missing is over then, or looks again.

The order of locks. Every transaction locks in this order, and things of one kind by their ids. So no two ever wait for each
other, and a conflict is only ever of two that want the same. tests/graph/changes/test_lock_order.py holds it.

    1. the idempotency record, the feed, the difference, the timer, the alarm's identity, the usage: what is asked or
       answered, which no other kind of change locks
    2. gates
    3. equipment: elements, cards, ports, trunks
    4. services
    5. alarms
    6. deliveries, by their order key
    7. tickets
    8. customers: an event or a ticket that is linked to a customer locks it for a moment
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from graph.store.store import Transaction

GATES: Final = 64
"""Two that want different names rarely want the same gate."""

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
    return _id(int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % GATES)


async def lock(transaction: Transaction, names: Iterable[str]) -> None:
    """Lock the gates of names: keys of external names, and ids."""
    gates = sorted({gate_of(each) for each in names})
    await transaction.run(_LOCK, {"batch": {"gates": gates}})


async def pass_all(transaction: Transaction) -> None:
    """Lock every gate."""
    await transaction.run(_LOCK, {"batch": {"gates": [_id(number) for number in range(GATES)]}})


def _id(number: int) -> str:
    return f"namegate-{number:02d}"
