"""Billing learns what it has to bill: that a service of so many Mbit/s is in use, for whom, since when.

It is a record of usage of the kind `activation`, of one moment: what billing makes of it is in its own price list. What the service carries
and suffers from then on is told as of any service.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from graph.changes.alarms.consequences import OURSELVES
from graph.changes.events import Event, append
from graph.changes.services import metered
from graph.ledger.outbox import write_down
from graph.model.usage import Usage
from graph.store.store import Transaction

KIND: Final = "activation"
SOURCE: Final = "trunkline"
_RECORD: Final = """
MATCH (s:Service {id: $service})
CREATE (u:Usage {
  id: $id, source: $source, externalId: $externalId, serviceRef: $service, from: $now, to: $now, mbps: $mbps, kind: $kind, state: $state,
  _takenAt: $now
})-[:USED_BY]->(s)
SET s._version = $version
"""


async def bill(
    transaction: Transaction, billing: str, service: str, mbps: int, item: str, steps: tuple[str, ...]
) -> None:
    """Tell billing of a service that is in use, and locked; `item` is what it was ordered by, `steps` are done when it is told."""
    owner = (await metered.lock(transaction, [service]))[service]
    record = Usage(
        source=SOURCE,
        external_id=item,
        service=service,
        start=None,
        end=None,
        at=owner.now,
        octets=None,
        mbps=mbps,
        kind=KIND,
    )
    given = {
        "id": record.id,
        "source": SOURCE,
        "externalId": item,
        "service": service,
        "now": owner.now,
        "mbps": mbps,
        "kind": KIND,
        "state": record.state,
        "version": owner.version + 1,
    }
    transaction.later(_RECORD, given)
    made = Event(
        type="UsageRecorded",
        aggregate_id=service,
        aggregate_version=owner.version + 1,
        at=owner.now,
        principal=OURSELVES.subject,
        payload={"usage": record.id, "service": service},
        customers=(owner.customer,),
    )
    append(transaction, made)
    said = {**metered.payload(record, owner), "from": owner.now, "to": owner.now}
    told = metered.told(billing, made.id, service, said)
    write_down(transaction, [replace(told, steps=steps)])
