"""A change that others must hear of and a message about it can come apart; so the message is a node of the same graph.

An event is appended in the transaction of its change. It says what happened to one aggregate (the alarm, the service),
as which version of it: versions are counted under the aggregate's lock, so they have no gaps and their order is the
order of the changes. `position`, the order over all aggregates, is not given here: a number taken inside a transaction
can become visible later than a higher one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson
import uuid_utils

from graph.model.event_kinds import LEFT_OUT, kind_of
from graph.model.model import LABELS
from graph.store.store import Transaction

_APPEND: Final = """
UNWIND $batch.rows AS row
CREATE (e:Event {
  id: row.id, type: row.type, aggregateId: row.aggregate, aggregateVersion: row.version,
  at: row.at, unplaced: row.at, principal: row.principal, payload: row.payload
})
"""

# Sorted by customer, over all events of the transaction: a customer is locked for a moment where it is linked.
_CONCERN: Final = """
UNWIND $batch.rows AS row
MATCH (c:Customer {id: row.customer})
MATCH (e:Event {id: row.event})
CREATE (e)-[:CONCERNS_CUSTOMER]->(c)
"""


def new_id() -> str:
    """Make the id of an event, which others may refer to before it is appended: uuid7, so that ids sort by time."""
    return f"{LABELS['Event'].id_prefix}{uuid_utils.uuid7()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened."""

    id: str = field(default_factory=new_id)
    type: str
    aggregate_id: str
    aggregate_version: int
    at: int
    """epoch milliseconds by the database's clock, read under the aggregate's lock."""
    principal: str
    """the subject of whoever did it."""
    payload: Mapping[str, object]
    customers: Sequence[str]
    """the ids of those it concerns."""

    def __post_init__(self) -> None:
        if kind_of(self.type) is None and self.type not in LEFT_OUT:
            raise ValueError(
                f"{self.type}: graph/model/event_kinds.py says neither which kind it is nor why nobody is told"
            )


def append(transaction: Transaction, *events: Event) -> None:
    """Write events down in the transaction of the change that they tell of."""
    if not events:
        return
    transaction.later(_APPEND, {"batch": {"rows": [_row(each) for each in events]}})
    concerned = sorted((customer, each.id) for each in events for customer in each.customers)
    if concerned:
        rows = [{"customer": customer, "event": event} for customer, event in concerned]
        transaction.later(_CONCERN, {"batch": {"rows": rows}})


def _row(event: Event) -> dict[str, object]:
    return {
        "id": event.id,
        "type": event.type,
        "aggregate": event.aggregate_id,
        "version": event.aggregate_version,
        "at": event.at,
        "principal": event.principal,
        "payload": orjson.dumps(event.payload, option=orjson.OPT_SORT_KEYS).decode(),
    }
