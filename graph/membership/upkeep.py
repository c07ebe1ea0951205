"""Whoever changes what is in a slice says so here, in the transaction of the change, after the change is written.

Two ways. Where a change knows its pairs of customer and node, it adds them, or drops those to which no other way is left.
Where it changes the network, it forgets every stored slice behind it: a card that moves may matter to hundreds of customers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from graph.membership.ways import BEHIND, DROP, FROM_END
from graph.model.identity import membership_id
from graph.model.model import label_of
from graph.store.store import Transaction

Pair = tuple[str, str]
"""The ids of a customer and of a shared node."""

_HOLD: Final = "MATCH (v:SchemaVersion) SET v._gate = coalesce(v._gate, 0) + 1"
_ADD: Final = """
UNWIND $batch.rows AS row
MERGE (m:Membership {id: row.id})
SET m.customer = row.customer
"""
_FORGET: Final = "UNWIND $batch.customers AS id MATCH (c:Customer {id: id}) REMOVE c._sliceStored"


async def hold(transaction: Transaction) -> None:
    """Take the gate: nobody stores a slice, or moves equipment, until this transaction ends."""
    await transaction.run(_HOLD, {})


def add(transaction: Transaction, pairs: Iterable[Pair]) -> None:
    """Add memberships to stored slices; whoever calls it has the locks of the services that lead to the nodes."""
    if rows := _rows(pairs):
        transaction.later(_ADD, {"batch": {"rows": rows}})


def drop(transaction: Transaction, pairs: Iterable[Pair]) -> None:
    """Take memberships away, but for those where another way leads to the node; locks as for `add`."""
    by_label: defaultdict[str, set[Pair]] = defaultdict(set)
    for pair in pairs:
        if label := label_of(pair[1]):
            by_label[label.name].add(pair)
    for name, some in by_label.items():
        transaction.later(DROP[name], {"batch": {"rows": _rows(some)}})


def near(kind: str, start: str, end: str) -> str | None:
    """Give the end of a relationship behind which slices change when it comes or goes; None where it is in no slice."""
    if kind not in FROM_END:
        return None
    return end if FROM_END[kind] else start


async def forget_behind(transaction: Transaction, nodes: Iterable[str]) -> None:
    """Forget the stored slices of all who see one of these nodes: what is behind it changes, or has just changed.

    Whoever calls it has taken the gate, or set the mark of a load, and looks only then.
    """
    by_label: defaultdict[str, set[str]] = defaultdict(set)
    for each in nodes:
        if label := label_of(each):
            by_label[label.name].add(each)
    customers: set[str] = set()
    for name, ids in by_label.items():
        for text in BEHIND.get(name, ()):
            customers |= {str(row[0]) for row in await transaction.run(text, {"batch": {"ids": sorted(ids)}})}
    if customers:
        await forget(transaction, customers)


async def forget(transaction: Transaction, customers: Iterable[str]) -> None:
    """Forget the stored slices of customers whose services change; whoever calls it has the gate, or the mark of a load."""
    await transaction.run(_FORGET, {"batch": {"customers": sorted(customers)}})


def _rows(pairs: Iterable[Pair]) -> list[dict[str, str]]:
    found = sorted(set(pairs))
    return [{"id": membership_id(customer, node), "customer": customer, "node": node} for customer, node in found]
