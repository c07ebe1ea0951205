"""Whose a ticket is that somebody opened over there follows from the services that it names, and must never be guessed.

It names services by ids of ours, by names of its own or of systems whose names it uses (`graph/changes/references.py`), or by
nothing that we know.

Rules. 1. A ticket is of one customer: whose services it names. 2. Where it names several customers' services, it is the one's that
it says it is for, and only that one's services count; where it says none, it is nobody's. 3. One that says it is for a customer of
ours is of no other; a customer that was merged means the one that it was merged into.

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

from graph.changes.customers.stubs import meant_by
from graph.changes.policy import AlarmPolicy
from graph.changes.references import look_up, meant
from graph.model.model import label_of
from graph.store.store import Transaction

_NAMED: Final = f"""
UNWIND $batch.names AS name
RETURN name.name, {look_up(("Service",), "name.name", "name.keys")}
"""
_OWNED: Final = """
UNWIND $batch.services AS id
MATCH (s:Service {id: id})<-[:SUBSCRIBES_TO]-(c:Customer)
RETURN s.id, c.id
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


async def linked_to(
    transaction: Transaction, policy: AlarmPolicy, reported: Sequence[Reported]
) -> dict[str, Owned | None]:
    """Find out whose each is, by their id; what does not say which services it is about is left out."""
    names = sorted({name for each in reported for name in each.services or ()})
    services = await _services_meant(transaction, policy, names)
    wanted = sorted(set(services.values()))
    rows = await transaction.run(_OWNED, {"batch": {"services": wanted}}) if wanted else []
    owners = {str(service): str(customer) for service, customer in rows}
    said = [each.customer for each in reported if each.customer is not None and _is_one_of_ours(each.customer)]
    meant_by_them = await meant_by(transaction.run, said)
    linked = {}
    for each in reported:
        if each.services is not None:
            found = (services.get(name) for name in each.services)
            named = frozenset(service for service in found if service in owners)
            customer = None if each.customer is None else meant_by_them.get(each.customer, each.customer)
            linked[each.their_id] = owned(named, owners, customer)
    nobodys = [their_id for their_id, owner in linked.items() if owner is None]
    if nobodys:
        unknown = sum(services.get(name) not in owners for name in names)
        log.info(
            "tickets are nobody's",
            system=policy.ticketing,
            tickets=len(nobodys),
            first=nobodys[:5],
            unknown_names=unknown,
        )
    return linked


async def _services_meant(transaction: Transaction, policy: AlarmPolicy, names: Sequence[str]) -> dict[str, str]:
    """Give the services that the ticketing system means by names, as far as it means any."""
    keys = {name: policy.keys_meant(policy.ticketing, name) for name in names}
    given = [{"name": name, "keys": list(each)} for name, each in keys.items()]
    rows = await transaction.run(_NAMED, {"batch": {"names": given}}) if given else []
    found = {str(name): meant(itself, named, keys[str(name)]) for name, itself, named in rows}
    return {name: service for name, service in found.items() if service is not None}


def _is_one_of_ours(customer: str) -> bool:
    label = label_of(customer)
    return label is not None and label.name == "Customer"
