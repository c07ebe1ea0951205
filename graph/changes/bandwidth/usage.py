"""What a boost was charged becomes one record of usage for each interval, and billing is told of it once.

A record is kept to the millisecond and told to the second: both ends are rounded down, so that intervals that touch still do. One that
is nothing to the second is kept, and not told. Its octets are not known: nobody has measured them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import orjson

from graph.changes.bandwidth.boosts import Service
from graph.changes.bandwidth.rates import Charged
from graph.changes.services import metered
from graph.model.usage import Usage
from graph.store.store import Transaction

KIND: Final = "boost"
"""of a record of usage that says what a boost was charged."""
SOURCE: Final = "trunkline"
_SECOND_MS: Final = 1_000

_KEEP: Final = """
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
CREATE (u:Usage {
  id: row.id, source: row.source, externalId: row.externalId, serviceRef: row.service, from: row.from, to: row.to, mbps: row.mbps,
  kind: row.kind, state: row.state, record: row.record, _takenAt: row.now
})-[:USED_BY]->(s)
"""


def usage_of(service: Service, charged: Charged) -> Usage:
    """Give the record of an interval; its id is the same for the same boost and beginning."""
    return Usage(
        source=SOURCE,
        external_id=f"{charged.boost}:{charged.start}",
        service=service.id,
        start=charged.start,
        end=charged.end,
        octets=None,
        mbps=charged.mbps,
        kind=KIND,
    )


def to_the_second(usage: Usage) -> Usage | None:
    """Give a record as billing is told it; None: there is nothing of it to the second.

    >>> told = Usage(source="t", external_id="b", service="s", start=1_999, end=3_001, octets=None, mbps=5, kind=KIND)
    >>> (to_the_second(told).start, to_the_second(told).end), to_the_second(replace(told, start=3_000))
    ((1000, 3000), None)
    """
    assert usage.start is not None  # both are known of a boost
    assert usage.end is not None
    start, end = (each - each % _SECOND_MS for each in (usage.start, usage.end))
    return replace(usage, start=start, end=end) if start < end else None


def payload(service: Service, usage: Usage) -> dict[str, object]:
    """Give what a delivery to billing says."""
    customer = service.customer
    metered_service = metered.Service(
        id=service.id,
        name=service.name,
        version=service.version,
        now=service.now,
        customer=customer.id,
        customer_name=customer.name,
        account=customer.account,
    )
    return {**metered.payload(usage, metered_service), **({"credit": usage.record} if usage.record else {})}


def keep(transaction: Transaction, service: Service, records: Sequence[Usage]) -> None:
    """Write records of a service that is locked."""
    rows = [
        {
            "id": each.id,
            "source": each.source,
            "externalId": each.external_id,
            "service": service.id,
            "from": each.start,
            "to": each.end,
            "mbps": each.mbps,
            "kind": each.kind,
            "state": each.state,
            "record": orjson.dumps(each.record, option=orjson.OPT_SORT_KEYS).decode() if each.record else None,
            "now": service.now,
        }
        for each in records
    ]
    if rows:
        transaction.later(_KEEP, {"batch": {"rows": rows}})
