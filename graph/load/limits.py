"""A file may not give a service a second customer, nor a card a second holder: not within itself, and not beside the store.

Within the file that is found while it is checked, and beside the store before anything is written, so that each is told with
its line. What another program writes between the check and our own transaction is found in that transaction, under the lock
of the node (`graph/store/cardinality.py`): then the load ends there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from graph.load.batches import Row
from graph.load.errors import Overtaken
from graph.load.records import RelationshipRecord
from graph.load.statements import Ends
from graph.model.model import label_of
from graph.store.cardinality import One, limits_on, taken_under_lock
from graph.store.store import Transaction


def ones_of(record: RelationshipRecord) -> Iterator[One]:
    """Give what a relationship may be the only one of."""
    start, end = label_of(record.start), label_of(record.end)
    if start and end:
        yield from _ones((record.type, start.name, end.name), record.start, record.end, record.properties)


def key_of(one: One) -> str:
    """Give what no other line of a file may have too."""
    which = f"apart {one.other}" if one.limit.apart else one.per
    return f"{one.limit.type} {one.limit.outgoing} {one.node} {which}"


def problem_of(one: One, there: str = "another") -> str:
    """Say why a relationship is not taken: its node has `there` already."""
    if one.limit.apart:
        return f"{one.node} has {one.limit.type} to {one.other} already, and must have another for each {one.limit.per}"
    way = "to" if one.limit.outgoing else "from"
    which = f" for one {one.limit.per}" if one.limit.per else ""
    return f"{one.node} has {one.limit.type} {way} {there} already, and can have only one{which}"


async def hold_limits(transaction: Transaction, joined: Mapping[Ends, list[Row]]) -> None:
    """Lock what has limits among rows that are about to be merged; raises Overtaken where one has another already."""
    wanted = [one for ends, rows in joined.items() for one in _of_rows(ends, rows)]
    if taken := await taken_under_lock(transaction, wanted):
        one = min(taken, key=lambda each: (each.node, each.other))
        raise Overtaken(problem_of(one, taken[one]))


def _of_rows(ends: Ends, rows: Iterable[Row]) -> Iterator[One]:
    for row in rows:
        for each in cast("list[Mapping[str, object]]", row["ends"]):
            yield from _ones(ends, str(row["start"]), str(each["id"]), each)


def _ones(ends: Ends, start: str, end: str, properties: Mapping[str, object]) -> Iterator[One]:
    for limit in limits_on(*ends):
        node, other = (start, end) if limit.outgoing else (end, start)
        yield One(limit=limit, node=node, other=other, per=str(properties[limit.per]) if limit.per else "")
