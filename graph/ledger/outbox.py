"""What another system must be told is written down in the transaction of the change that it must be told of.

A delivery's id is `event:system:subject`, so that one event tells one system of one subject once; the constraint on it
makes sure. What is to be said travels with the delivery, as it was when the change was made: by the time it is told, the
graph may have moved on, and later deliveries tell of that.

Only the first of an order key is `due` in its lane. So the one before is looked for here, among what is not yet DONE of
that order key (`openKey`), never among all that there ever was. It is locked and looked at again: whoever settles it
meanwhile would else not know that there is another behind it. Invariant: deliveries of one order key are written under the
lock of one aggregate, in the order of its versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from graph.ledger.lanes import lane_of
from graph.store.store import Transaction

# The lock is counted: the embedded database tells of a conflict only where a record differs in the end.
_WRITE: Final = """
UNWIND $batch.rows AS row
MATCH (e:Event {id: row.event})
WITH row, e, HEAD(COLLECT {
  MATCH (b:Delivery {openKey: row.orderKey})
  WHERE b.system = row.system AND b.state <> 'DONE'
  RETURN b.id ORDER BY b.version DESC LIMIT 1
}) AS before
OPTIONAL MATCH (b:Delivery {id: before})
SET b._followed = coalesce(b._followed, 0) + 1
WITH row, e, coalesce(b.state, 'DONE') = 'DONE' AS free, b.state = 'DEAD' OR b.held IS NOT NULL AS stuck
WITH row, e, free AND row.first AS due, coalesce(NOT free AND stuck, false) AS held
CREATE (:Delivery {
  id: row.id, system: row.system, subject: row.subject, lane: row.lane, orderKey: row.orderKey, openKey: row.orderKey,
  version: e.aggregateVersion, state: 'READY', attempts: 0, createdAt: e.at, since: e.at, nextAt: e.at, payload: row.payload,
  waiting: CASE WHEN held THEN null ELSE row.lane END, held: CASE WHEN held THEN row.lane ELSE null END,
  due: CASE WHEN due THEN row.lane ELSE null END,
  queued: CASE WHEN due THEN row.system + '#' + toString(e.at) ELSE null END
})-[:TELLS]->(e)
"""


_HOLD: Final = """
UNWIND $batch.rows AS row
WITH HEAD(COLLECT {
  MATCH (b:Delivery {openKey: row.orderKey})
  WHERE b.system = row.system AND b.state <> 'DONE'
  RETURN b.id ORDER BY b.version DESC LIMIT 1
}) AS before
MATCH (b:Delivery {id: before})
SET b._followed = coalesce(b._followed, 0) + 1
"""


# A step that was given up before is under way again; its earlier attempts count on.
_CARRY: Final = """
UNWIND $batch.rows AS row
MATCH (d:Delivery {id: row.id})
MATCH (p:ProcessStep {id: row.step})
CREATE (d)-[:CARRIES_OUT]->(p)
SET d._steps = true, p.state = 'PENDING', p._before = p.attempts
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one system is to be told of one event."""

    event: str
    """its id; the event is written before this, in the same transaction."""
    system: str
    subject: str
    order_key: str
    payload: Mapping[str, object]
    part: str = ""
    """tells several of one event and subject apart; empty of the only one."""
    steps: tuple[str, ...] = ()
    """the ids of the steps of processes (graph/processes) that are done when this is told; they are written before this."""


def hold(transaction: Transaction, system: str, order_keys: Iterable[str]) -> None:
    """Lock what is open of order keys, for who will write deliveries of them but locks other things before that."""
    rows = [{"system": system, "orderKey": each} for each in sorted(set(order_keys))]
    if rows:
        transaction.later(_HOLD, {"batch": {"rows": rows}})


def write_down(transaction: Transaction, told: Sequence[Told]) -> None:
    """Write deliveries; those of one order key in the order of their events' versions."""
    if told:
        transaction.later(_WRITE, {"batch": {"rows": _rows(told)}})
    if carried := [each for each in told if each.steps]:
        transaction.later(_CARRY, {"batch": {"rows": _carrying(carried)}})


def _carrying(told: Iterable[Told]) -> list[dict[str, object]]:
    """Give a row for each step, in the order of their ids."""
    rows = [(step, each) for each in told for step in each.steps]
    return [
        {"step": step, "id": _id(each), "system": each.system, "orderKey": each.order_key}
        for step, each in sorted(rows, key=lambda row: row[0])
    ]


def _rows(told: Sequence[Told]) -> list[dict[str, object]]:
    """Give the rows by order key, as all who lock several deliveries do; the first of each key is marked."""
    seen: set[tuple[str, str]] = set()
    rows = []
    for each in sorted(told, key=lambda each: (each.system, each.order_key)):  # stable: within a key as they came
        key = (each.system, each.order_key)
        rows.append(_row(each, first=key not in seen))
        seen.add(key)
    return rows


def _id(told: Told) -> str:
    only = f"{told.event}:{told.system}:{told.subject}"
    return f"{only}:{told.part}" if told.part else only


def _row(told: Told, *, first: bool) -> dict[str, object]:
    return {
        "event": told.event,
        "id": _id(told),
        "system": told.system,
        "subject": told.subject,
        "lane": lane_of(told.system, told.order_key),
        "orderKey": told.order_key,
        "first": first,
        "payload": orjson.dumps(told.payload, option=orjson.OPT_SORT_KEYS).decode(),
    }
