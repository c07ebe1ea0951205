"""All that hangs on a customer must come along when it is merged, or stay for a reason: both are said here, for every relationship.

A relationship that is moved is another one, from or to the other customer, with the *trail* of those on whom it hung before. An undo
takes back what has the customer at the end of its trail. What somebody else has moved or taken away meanwhile has no trail any more, and is left.

The statements are made from the names of the model when this module is imported.

    counts = await move(transaction, "customer-shop", "customer-crm")      # {"services": 2, "orders": 1, ...}
    counts = await move_back(transaction, "customer-shop", "customer-crm")
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias, cast

from graph.model.model import RELATIONSHIPS
from graph.store.store import Transaction

_CUSTOMER: Final = "Customer"
MOVED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "SUBSCRIBES_TO": "services",
        "OPENED_FOR": "tickets",
        "PLACED_BY": "orders",
        "NAMES": "externalNames",
        "ABOUT": "leads",
        "MERGED_INTO": "stubs",
    }
)
"""Which relationships come along, and what is counted by each; of MERGED_INTO those of earlier stubs, so that one step leads from these too."""
KEPT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CONCERNS_CUSTOMER": "an event tells what happened to whom, and its hash says so for ever",
        "COMPARES": "what a person says of two customers is said of these two",
    }
)
"""Which relationships stay with a stub, and why."""

_TRAIL: Final = "CASE WHEN r._trail IS NULL THEN $from ELSE r._trail + ' ' + $from END"
_IS_OURS: Final = "(r._trail = $from OR r._trail ENDS WITH ' ' + $from)"
_SHORTER: Final = (
    "CASE WHEN r._trail = $from THEN null ELSE substring(r._trail, 0, size(r._trail) - size($from) - 1) END"
)


def trail_ends(relationship: str) -> str:
    """Spell the condition that a relationship hung on the customer `$from` before it was moved last.

    >>> trail_ends("s")
    "(s._trail = $from OR s._trail ENDS WITH ' ' + $from)"
    """
    return _IS_OURS.replace("r.", f"{relationship}.")


def _hung(kind: str, customer: str, relationship: str) -> str:
    """Draw a relationship of a type between a customer and what hangs on it; between two customers, the end is whose it is."""
    known = RELATIONSHIPS[kind]
    if _CUSTOMER in known.ends:
        others = "|".join(known.starts)
        return f"(o:{others})-[{relationship}:{kind}]->({customer})"
    others = "|".join(known.ends)
    return f"({customer})-[{relationship}:{kind}]->(o:{others})"


def _drawn(kind: str, customer: str) -> str:
    known = RELATIONSHIPS[kind]
    return f"(o)-[n:{kind}]->({customer})" if _CUSTOMER in known.ends else f"({customer})-[n:{kind}]->(o)"


def _along(kind: str) -> str:
    return f"""
MATCH (f:Customer {{id: $from}})
MATCH (t:Customer {{id: $into}})
MATCH {_hung(kind, "f", "r")}
WITH t, r, o ORDER BY o.id
CREATE {_drawn(kind, "t")}
SET n._trail = {_TRAIL}
DELETE r
RETURN count(*)
"""


def _back(kind: str) -> str:
    return f"""
MATCH (f:Customer {{id: $from}})
MATCH (t:Customer {{id: $into}})
MATCH {_hung(kind, "t", "r")} WHERE {_IS_OURS}
WITH f, r, o ORDER BY o.id
CREATE {_drawn(kind, "f")}
SET n._trail = {_SHORTER}
DELETE r
RETURN count(*)
"""


def _counted(kind: str) -> str:
    return f"""
MATCH (f:Customer {{id: $from}})
MATCH {_hung(kind, "f", "r")}
RETURN count(*)
"""


def _counted_back(kind: str) -> str:
    return f"""
MATCH (t:Customer {{id: $into}})
MATCH {_hung(kind, "t", "r")} WHERE {_IS_OURS}
RETURN count(*)
"""


# Leads that came since, of services that were moved back.
_LEADS_BACK: Final = """
MATCH (f:Customer {id: $from})
MATCH (t:Customer {id: $into})
MATCH (t)<-[r:ABOUT]-(o:Lead)-[:SUGGESTED_FOR]->(:Service)<-[:SUBSCRIBES_TO]-(f)
WITH f, r, o ORDER BY o.id
CREATE (o)-[:ABOUT]->(f)
DELETE r
"""
_ALONG: Final[Mapping[str, str]] = {kind: _along(kind) for kind in MOVED}
_BACK: Final[Mapping[str, str]] = {kind: _back(kind) for kind in MOVED}
_COUNTED: Final[Mapping[str, str]] = {kind: _counted(kind) for kind in MOVED}
_COUNTED_BACK: Final[Mapping[str, str]] = {kind: _counted_back(kind) for kind in MOVED}

MOST: Final = 10_000
"""things that one merge moves: more are no single transaction's."""
Counts: TypeAlias = Mapping[str, int]
"""How many of each kind of thing, by the names of `MOVED`."""


async def move(transaction: Transaction, stub: str, into: str) -> Counts:
    """Hang on one customer what hangs on another; both, and what hangs there, are locked."""
    return await _moved(transaction, _ALONG, stub, into)


async def move_back(transaction: Transaction, stub: str, into: str) -> Counts:
    """Hang back what was moved from `stub` to `into`, and is still there; what is suggested for a service goes with that."""
    counts = await _moved(transaction, _BACK, stub, into)
    transaction.later(_LEADS_BACK, {"from": stub, "into": into})
    return counts


async def _moved(transaction: Transaction, texts: Mapping[str, str], stub: str, into: str) -> Counts:
    given: dict[str, object] = {"from": stub, "into": into}
    return {MOVED[kind]: cast("int", (await transaction.run(text, given))[0][0]) for kind, text in texts.items()}


async def count(transaction: Transaction, stub: str, into: str) -> Counts:
    """Count what `move` would hang on the other; nothing is locked."""
    return await _moved(transaction, _COUNTED, stub, into)


async def count_back(transaction: Transaction, stub: str, into: str) -> Counts:
    """Count what `move_back` would hang back; nothing is locked."""
    return await _moved(transaction, _COUNTED_BACK, stub, into)


# Locks, in the order of graph/changes/gates.py: services, tickets, orders -------------------------------------------

_LOCK_SERVICES: Final = """
MATCH (:Customer {id: $customer})-[:SUBSCRIBES_TO]->(s:Service)
WITH s ORDER BY s.id
SET s._locked = coalesce(s._locked, 0) + 1
"""
# Ours by their order keys, and then those that people have opened over there, by their ids: as all who lock several.
_LOCK_TICKETS: Final = """
MATCH (:Customer {id: $customer})<-[:OPENED_FOR]-(t:Ticket)
WITH t ORDER BY t.orderKey, t.id
SET t._locked = coalesce(t._locked, 0) + 1
"""
_LOCK_ORDERS: Final = """
MATCH (:Customer {id: $customer})<-[:PLACED_BY]-(o:Order)
WITH o ORDER BY o.id
SET o._locked = coalesce(o._locked, 0) + 1
"""


async def hold_orders(transaction: Transaction, customer: str) -> None:
    """Lock the orders of a customer: before the gate of slices, as whoever carries one out does."""
    await transaction.run(_LOCK_ORDERS, {"customer": customer})


async def hold(transaction: Transaction, customer: str) -> None:
    """Lock what else hangs on a customer and is changed by others under its own lock, who look there whose it is."""
    for text in (_LOCK_SERVICES, _LOCK_TICKETS):
        await transaction.run(text, {"customer": customer})
