"""A change that others must hear of and a message about it can come apart; so the message is a node of the same graph.

An event is appended in the transaction of its change. It says what happened to one aggregate (the alarm, the service),
as which version of it: versions are counted under the aggregate's lock, so they have no gaps and their order is the
order of the changes. `position`, the order over all aggregates, is not given here: a number taken inside a transaction
can become visible later than a higher one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
import uuid_utils

from graph.model import LABELS
from graph.store import Transaction

_APPEND: Final = """
CREATE (e:Event {
  id: $id, type: $type, aggregateId: $aggregate, aggregateVersion: $version,
  at: $at, principal: $principal, payload: $payload
})
WITH e
UNWIND $customers AS customer
MATCH (c:Customer {id: customer})
CREATE (e)-[:CONCERNS_CUSTOMER]->(c)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened."""

    type: str
    aggregate_id: str
    aggregate_version: int
    at: int
    """epoch milliseconds by the database's clock, read under the aggregate's lock."""
    principal: str
    """the subject of whoever did it."""
    payload: Mapping[str, object]
    customers: Sequence[str]
    """the ids of those it concerns, sorted: transactions that lock the same customers do it in the same order."""


async def append(transaction: Transaction, event: Event) -> None:
    """Write an event down in the transaction of the change that it tells of."""
    parameters = {
        "id": f"{LABELS['Event'].id_prefix}{uuid_utils.uuid7()}",
        "type": event.type,
        "aggregate": event.aggregate_id,
        "version": event.aggregate_version,
        "at": event.at,
        "principal": event.principal,
        "payload": orjson.dumps(event.payload, option=orjson.OPT_SORT_KEYS).decode(),
        "customers": list(event.customers),
    }
    await transaction.run(_APPEND, parameters)
