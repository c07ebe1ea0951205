"""Whose a ticket is that somebody opened over there follows from the services that it names, and must never be guessed.

It names services by ids of ours, by names of its own (`ExternalName`), or by nothing that we know.

Rules. 1. A ticket is of one customer: whose services it names. 2. Where it names several customers' services, it is the one's that
it says it is for, and only that one's services count; where it says none, it is nobody's. 3. One that says it is for a customer of
ours is of no other.

>>> owners = {"service-1": "customer-a", "service-2": "customer-a", "service-3": "customer-b"}
>>> owned(frozenset(owners), owners, None) is None
True
>>> owned(frozenset(["service-1", "service-3"]), owners, "customer-b")
('customer-b', ('service-3',))
>>> owned(frozenset(["service-1"]), owners, "customer-b") is None
True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import structlog

from graph.model.identity import external_key
from graph.model.model import label_of
from graph.store.store import Transaction

_BY_ID: Final = """
UNWIND $batch.names AS name
MATCH (s:Service {id: name.name})<-[:SUBSCRIBES_TO]-(c:Customer)
RETURN name.name, s.id, c.id
"""

_BY_NAME: Final = """
UNWIND $batch.names AS name
MATCH (:ExternalName {key: name.key})-[:NAMES]->(s:Service)<-[:SUBSCRIBES_TO]-(c:Customer)
RETURN name.name, s.id, c.id
"""

Owned: TypeAlias = tuple[str, tuple[str, ...]]
"""A customer, and its services that a ticket names."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What the ticketing system says of a ticket that somebody else may have opened."""

    their_id: str
    key: str | None
    """its external id, if it has one: by it one of ours is known."""
    status: str
    """a word of `graph.model.vocabulary.TICKET_STATES`."""
    severity: str
    changed_at: int | None
    """epoch milliseconds by its clock."""
    services: tuple[str, ...] | None
    """as it names them; None: this was not asked, and stays as it was."""
    customer: str | None
    """whose it says it is."""


def owned(named: frozenset[str], owners: Mapping[str, str], customer: str | None) -> Owned | None:
    """Give whose ticket it is that names these services, and which of them are its; None: nobody's."""
    customers = {owners[each] for each in named}
    if customer is not None and customer not in customers and _is_one_of_ours(customer):
        return None
    if customer is not None and customer in customers:
        customers = {customer}
    if len(customers) != 1:
        return None
    [owner] = customers
    return owner, tuple(sorted(each for each in named if owners[each] == owner))


async def linked_to(transaction: Transaction, system: str, reported: Sequence[Reported]) -> dict[str, Owned | None]:
    """Find out whose each is, by their id; what does not say which services it is about is left out."""
    names = sorted({name for each in reported for name in each.services or ()})
    given = [{"name": name, "key": external_key(system, name)} for name in names]
    found: dict[str, set[str]] = {}
    owners: dict[str, str] = {}
    by_id = await transaction.run(_BY_ID, {"batch": {"names": given}}) if given else []
    by_name = await transaction.run(_BY_NAME, {"batch": {"names": given}}) if given else []
    for name, service, customer in (*by_id, *by_name):
        found.setdefault(str(name), set()).add(str(service))
        owners[str(service)] = str(customer)
    linked = {}
    for each in reported:
        if each.services is not None:
            named = frozenset(service for name in each.services for service in found.get(name, ()))
            linked[each.their_id] = owned(named, owners, each.customer)
    nobodys = [their_id for their_id, owner in linked.items() if owner is None]
    if nobodys:
        unknown = sum(name not in found for name in names)
        log.info("tickets are nobody's", system=system, tickets=len(nobodys), first=nobodys[:5], unknown_names=unknown)
    return linked


def _is_one_of_ours(customer: str) -> bool:
    label = label_of(customer)
    return label is not None and label.name == "Customer"
