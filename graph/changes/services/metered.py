"""What billing is told is about one service: which it is, whose, on which account, and in which order things happened.

Usage and downtime of a service have one order key, the service; versions are counted on it under its lock, so that
billing hears in the order of the changes. What is told travels whole in the delivery, as it was then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from graph.ledger.outbox import Told
from graph.model.usage import Usage
from graph.store.store import Transaction

# Sorted by id, as all who lock several services do.
_LOCK: Final = """
UNWIND $batch.services AS id
MATCH (s:Service {id: id})
SET s._locked = coalesce(s._locked, 0) + 1
WITH s
OPTIONAL MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s)
RETURN s.id, s.name, coalesce(s._version, 0), datetime.realtime().epochMillis, c.id, c.name, c.accountRef
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A locked service, and whose it is; empty where it is nobody's."""

    id: str
    name: str
    version: int
    now: int
    customer: str
    customer_name: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """A record of usage that is known to be of a service, and which system has told of it."""

    usage: Usage
    service: str
    by: str


async def lock(transaction: Transaction, services: Iterable[str]) -> Mapping[str, Service]:
    """Lock services and give them as they are, by id."""
    wanted = sorted(set(services))
    rows = await transaction.run(_LOCK, {"batch": {"services": wanted}}) if wanted else []
    return {str(row[0]): _service(row) for row in rows}


def told(billing: str, event: str, service: str, said: Mapping[str, object]) -> Told:
    """Make the delivery of an event of a service."""
    return Told(event=event, system=billing, subject=service, order_key=service, payload=said)


def payload(usage: Usage, service: Service) -> Mapping[str, object]:
    """Give what a delivery says of a record of usage."""
    return {
        "telling": "usage",
        "id": usage.id,
        "source": usage.source,
        "externalId": usage.external_id,
        **about(service.id, service.name, (service.customer, service.customer_name, service.account)),
        "from": usage.start,
        "to": usage.end,
        "octets": usage.octets,
        "mbps": usage.mbps,
        "kind": usage.kind,
        "state": usage.state,
    }


def about(service: str, name: str, customer: tuple[str, str, str]) -> Mapping[str, object]:
    """Give what every delivery says: of which service, and whose; a service may be nobody's."""
    who = {"id": customer[0], "name": customer[1], "account": customer[2]}
    return {"service": {"id": service, "name": name}, "customer": who if customer[0] else None}


def _service(row: list[object]) -> Service:
    service, name, version, now, customer, customer_name, account = row
    return Service(
        id=str(service),
        name=str(name or ""),
        version=cast("int", version),
        now=cast("int", now),
        customer=str(customer or ""),
        customer_name=str(customer_name or ""),
        account=str(account or ""),
    )
