"""A difference is found again by every full feed until it is settled; it must stay one difference, and end when it ends.

So its id is made of what it is about: the inventory, the thing, the aspect. One that is found again stays as it was found
first; one that was settled and is found again later is open anew. One that a full feed does not find is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import orjson

from graph.model.identity import loaded_id
from graph.model.resource import NotTaken, Resource, as_record
from graph.store.link import Work
from graph.store.store import Store, Transaction

MISSING_HERE: Final = "missingHere"
MISSING_THERE: Final = "missingThere"
PROPERTY: Final = "property"
CONTAINMENT: Final = "containment"
NOT_TAKEN: Final = "notTaken"
_GONE_AT_ONCE: Final = 500

# What was told to the inventory after the feed had begun may be no news to it any more: then it stays told.
_NOTE: Final = """
UNWIND $batch.rows AS row
MERGE (d:InventoryDifference {id: row.id})
SET d._lock = true
REMOVE d._lock
WITH d, row, datetime.realtime().epochMillis AS now
WITH d, row, now, coalesce(d.state IN ['open', 'held'], false) AS again,
  coalesce(d.state = 'told' AND d.settledAt > row.since, false) AS told
SET d.system = row.system, d.feed = row.feed, d.kind = row.kind, d.resourceType = row.resourceType,
    d.resource = row.resource, d.name = row.name, d.property = row.property, d.theirs = row.theirs, d.ours = row.ours,
    d.reason = row.reason, d.record = row.record,
    d.foundAt = CASE WHEN again OR told THEN d.foundAt ELSE now END,
    d.settledAt = CASE WHEN told THEN d.settledAt ELSE null END,
    d.state = CASE WHEN told THEN 'told' ELSE row.state END
"""

_HOLD: Final = """
UNWIND $batch.ids AS id
MATCH (d:InventoryDifference {id: id})
SET d._locked = coalesce(d._locked, 0) + 1
"""

_END: Final = """
UNWIND $ids AS id
MATCH (d:InventoryDifference {id: id})
WHERE d.state = 'open' OR d.state = 'held'
SET d.state = 'gone', d.settledAt = datetime.realtime().epochMillis
"""

_END_UNSEEN: Final = """
MATCH (d:InventoryDifference {state: $state})
WHERE d.system = $system AND d.feed <> $feed
WITH d LIMIT $most
SET d.state = 'gone', d.settledAt = datetime.realtime().epochMillis
RETURN count(d)
"""

_LISTED: Final = """
MATCH (d:InventoryDifference {state: $state})
WHERE coalesce(d.id, '') > $after
RETURN d.id, d.state, d.kind, d.system, d.resourceType, d.name, d.resource, d.property, d.theirs, d.ours, d.reason
ORDER BY d.id LIMIT $most
"""
_COLUMNS: Final = (
    "id", "state", "kind", "system", "resourceType", "name", "resource", "property", "theirs", "ours", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing on which an inventory and the graph do not agree."""

    system: str
    kind: str
    """one of `graph.model.vocabulary.DIFFERENCE_KINDS`."""
    record: Resource | NotTaken
    """what the inventory says; of what it says nothing, what the graph has."""
    resource: str | None = None
    """our id of it."""
    aspect: str = ""
    theirs: str | None = None
    ours: str | None = None
    held: bool = False
    reason: str | None = None

    @property
    def id(self) -> str:
        """Give what it is found again by."""
        return difference_id(self.system, self.record.name, self.aspect or self.kind)


def difference_id(system: str, name: str, aspect: str) -> str:
    """Give the id of a difference about one aspect of what an inventory calls so."""
    return loaded_id("InventoryDifference", system, f"{len(name)}:{name}{aspect}")


def ids_about(system: str, name: str, aspects: Iterable[str]) -> list[str]:
    """Give the ids of all differences about these aspects."""
    return [difference_id(system, name, each) for each in aspects]


def note(transaction: Transaction, feed: str, since: int, found: Sequence[Difference]) -> None:
    """Write down what a feed that began at that time differs in."""
    if found:
        transaction.later(_NOTE, {"batch": {"rows": [_row(each, feed, since) for each in found]}})


async def hold(transaction: Transaction, ids: Iterable[str]) -> None:
    """Lock differences that a change may end, before all else that it locks: so does who settles one."""
    await transaction.run(_HOLD, {"batch": {"ids": sorted(ids)}})


def end(transaction: Transaction, ids: Sequence[str]) -> None:
    """Take note that these differ no more."""
    if ids:
        transaction.later(_END, {"ids": list(ids)})


class Writing(Protocol):
    """Writes in somebody's name."""

    async def __call__(self, work: Work[int], *, deadline: float) -> int:
        """Run a unit of work in a transaction."""
        ...


async def end_unseen(write: Writing, system: str, feed: str, *, deadline: Callable[[], float]) -> None:
    """Take note that what this feed did not differ in differs no more; each transaction has a deadline of its own."""
    for state in ("open", "held"):
        given: dict[str, object] = {"state": state, "system": system, "feed": feed, "most": _GONE_AT_ONCE}

        async def work(transaction: Transaction, given: dict[str, object] = given) -> int:
            [[count]] = await transaction.run(_END_UNSEEN, given)
            return cast("int", count)

        while await write(work, deadline=deadline()):
            pass


async def listed(store: Store, state: str, *, after: str, most: int, deadline: float) -> list[dict[str, Any]]:
    """Give differences in a state, by id, from the one behind `after` on."""
    rows = await store.rows(_LISTED, {"state": state, "after": after, "most": most}, deadline=deadline)
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]


def _row(difference: Difference, feed: str, since: int) -> dict[str, object]:
    return {
        "id": difference.id,
        "system": difference.system,
        "feed": feed,
        "since": since,
        "kind": difference.kind,
        "state": "held" if difference.held else "open",
        "resourceType": difference.record.kind,
        "resource": difference.resource,
        "name": difference.record.name,
        "property": difference.aspect or None,
        "theirs": difference.theirs,
        "ours": difference.ours,
        "reason": difference.reason,
        "record": orjson.dumps(as_record(difference.record), option=orjson.OPT_SORT_KEYS).decode(),
    }
