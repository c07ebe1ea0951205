"""A file names customers as they were when it was written; one that was merged since means the one that it was merged into.

What hangs on a customer hangs on that one then, with the trail that it would have, had it been there before the merge: an undo
takes it back with the rest (`graph/changes/customers/moving.py`). Whom a customer means is read for the limits before anything is written,
and again under its lock in the transaction that writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, cast

from graph.errors import Contended
from graph.load.batches import Row
from graph.load.records import RelationshipRecord
from graph.load.statements import LED, Ends
from graph.store.store import Run, Transaction

_CUSTOMER: Final = "customer-"
_MEANT: Final = """
UNWIND $batch.customers AS id
MATCH (:Customer {id: id})-[m:MERGED_INTO]->(c:Customer)
RETURN id, c.id, id + coalesce(' ' + m._trail, '')
"""
_LOCK: Final = """
UNWIND $batch.customers AS id
MATCH (c:Customer {id: id})
SET c._locked = coalesce(c._locked, 0) + 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """Whom a stub means."""

    customer: str
    trail: str
    """of what hung on the stub, and hangs on that customer."""


async def meant_by(run: Run, customers: Iterable[str]) -> Mapping[str, Meant]:
    """Give, for those of these customers that are stubs, whom each of them means."""
    wanted = sorted(set(customers))
    rows = await run(_MEANT, {"batch": {"customers": wanted}}) if wanted else []
    return {str(stub): Meant(customer=str(customer), trail=str(trail)) for stub, customer, trail in rows}


def customer_of(record: RelationshipRecord) -> str | None:
    """Give the customer on whom a relationship hangs, where it would come along with a merge."""
    if record.type not in LED:
        return None
    return next((each for each in (record.start, record.end) if each.startswith(_CUSTOMER)), None)


def led(record: RelationshipRecord, stubs: Mapping[str, Meant]) -> RelationshipRecord:
    """Give a relationship as it will be written."""
    meant = stubs.get(customer_of(record) or "")
    if meant is None:
        return record
    if record.start.startswith(_CUSTOMER):
        return replace(record, start=meant.customer)
    return replace(record, end=meant.customer)


async def lead(transaction: Transaction, joined: Mapping[Ends, list[Row]]) -> Mapping[Ends, list[Row]]:
    """Give rows that are about to be merged with the customers that are meant; those are not locked yet."""
    stubs = await meant_by(transaction.run, _customers(joined))
    return {ends: list(_led(ends, rows, stubs)) for ends, rows in joined.items()} if stubs else joined


async def hold_customers(
    transaction: Transaction, joined: Mapping[Ends, list[Row]], written: Mapping[Ends, list[Row]]
) -> None:
    """Lock the customers of rows, after services; raises Contended where one has been merged, or parted, meanwhile."""
    if customers := sorted({*_customers(joined), *_customers(written)}):
        await transaction.run(_LOCK, {"batch": {"customers": customers}})
        if await lead(transaction, joined) != written:
            raise Contended("A customer is being merged, or parted, at this moment")


def _customers(joined: Mapping[Ends, list[Row]]) -> Iterator[str]:
    for (kind, start, _), rows in joined.items():
        if kind in LED:
            for row in rows:
                yield from [str(row["start"])] if start == "Customer" else _ends_of(row)


def _ends_of(row: Row) -> Iterator[str]:
    return (str(each["id"]) for each in cast("list[Row]", row["ends"]) if str(each["id"]).startswith(_CUSTOMER))


def _led(ends: Ends, rows: Iterable[Row], stubs: Mapping[str, Meant]) -> Iterator[Row]:
    kind, start, _ = ends
    for row in rows:
        theirs = cast("list[Row]", row["ends"])
        if kind in LED and start == "Customer" and (meant := stubs.get(str(row["start"]))):
            yield {"start": meant.customer, "ends": [{**each, "trail": meant.trail} for each in theirs]}
        elif kind in LED and start != "Customer":
            yield {**row, "ends": [_led_end(each, stubs) for each in theirs]}
        else:
            yield row


def _led_end(end: Row, stubs: Mapping[str, Meant]) -> Row:
    meant = stubs.get(str(end["id"]))
    return {**end, "id": meant.customer, "trail": meant.trail} if meant else end
