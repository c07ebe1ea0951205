"""What another system must be told is written down in the transaction of the change that it must be told of.

A delivery's id is `event:system:subject`, so that one event tells one system of one subject once; the constraint on it
makes sure. What is to be said travels with the delivery, as it was when the change was made: by the time it is told, the
graph may have moved on, and later deliveries tell of that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from graph.ledger.lanes import lane_of
from graph.store.store import Transaction

_WRITE: Final = """
UNWIND $batch.rows AS row
MATCH (e:Event {id: row.event})
CREATE (:Delivery {
  id: row.id, system: row.system, subject: row.subject, lane: row.lane, waiting: row.lane, orderKey: row.orderKey,
  version: e.aggregateVersion, state: 'READY', attempts: 0, createdAt: e.at, nextAt: e.at, payload: row.payload
})-[:TELLS]->(e)
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


def write_down(transaction: Transaction, told: Sequence[Told]) -> None:
    """Write deliveries."""
    if told:
        transaction.later(_WRITE, {"batch": {"rows": [_row(each) for each in told]}})


def _row(told: Told) -> dict[str, object]:
    return {
        "event": told.event,
        "id": f"{told.event}:{told.system}:{told.subject}",
        "system": told.system,
        "subject": told.subject,
        "lane": lane_of(told.system, told.order_key),
        "orderKey": told.order_key,
        "payload": orjson.dumps(told.payload, option=orjson.OPT_SORT_KEYS).decode(),
    }
