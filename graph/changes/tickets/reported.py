"""A ticket that somebody opened in the ticketing system about a service of ours is shown to the customer whose service it is.

Nobody over there knows our graph: a ticket names services by ids of ours, or by names of its own or of others that it uses, or by
nothing that we know. What it names decides whose it is, and it must never become another's.

Rules. 1. A ticket that we have opened ourselves is none of these, whatever it names. 2. Each report says all: what a ticket no
longer names it is no longer linked to, and one that names nothing of ours any more is nobody's. 3. What is older than what is
known, by the other system's clock, is passed over; what has no time is taken as it comes. 4. What was never anybody's is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from graph.changes import events, notices
from graph.changes.events import Event
from graph.changes.policy import AlarmPolicy
from graph.changes.tickets.owners import Owned, Reported, linked_to
from graph.model.identity import loaded_id
from graph.model.vocabulary import SEVERITIES
from graph.store.store import Store, Transaction

_OURS: Final = """
UNWIND $batch.rows AS row
WITH row WHERE EXISTS {
  MATCH (k:Ticket {orderKey: row.key}) WHERE k.system = $system
} OR EXISTS {
  MATCH (n:Ticket {externalId: row.theirId}) WHERE n.system = $system AND n.orderKey IS NOT NULL
}
RETURN row.theirId
"""

# Sorted by id, as all who lock several tickets of this kind do. A new one has no `_version` yet.
_LOCK_OR_MAKE: Final = """
UNWIND $batch.rows AS row
MERGE (t:Ticket {id: row.id})
ON CREATE SET t.system = $system, t.externalId = row.theirId, t.status = row.status, t.severity = row.severity
SET t._lock = true
REMOVE t._lock
"""

_LOCK: Final = """
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
SET t._lock = true
REMOVE t._lock
"""

_KNOWN: Final = """
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
RETURN t.id, t.status, t.severity, t.changedAt, t._version, datetime.realtime().epochMillis, EXISTS {
    MATCH (d:Delivery {openKey: t.id}) WHERE d.system = t.system AND d.state = 'READY'
  },
  COLLECT { MATCH (t)-[:OPENED_FOR]->(c:Customer) RETURN c.id ORDER BY c.id },
  COLLECT { MATCH (t)-[:CONCERNS]->(s:Service) RETURN s.id ORDER BY s.id }
"""

_WRITE: Final = """
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
SET t.status = row.status, t.severity = row.severity, t.changedAt = row.changedAt, t._version = row.version,
    t._heardAt = row.now
"""

_UNLINK_CUSTOMER: Final = """
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})-[r:OPENED_FOR]->(c:Customer)
WHERE NOT c.id IN row.customers
DELETE r
"""

_UNLINK_SERVICES: Final = """
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})-[r:CONCERNS]->(s:Service)
WHERE NOT s.id IN row.services
DELETE r
"""

# It may have been merged into another since it was found.
_LINK_CUSTOMER: Final = """
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
UNWIND row.customers AS customer
MATCH (n:Customer {id: customer})
WITH t, coalesce(HEAD(COLLECT { MATCH (n)-[:MERGED_INTO]->(m:Customer) RETURN m LIMIT 1 }), n) AS c
MERGE (t)-[:OPENED_FOR]->(c)
"""

_LINK_SERVICES: Final = """
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
UNWIND row.services AS service
MATCH (s:Service {id: service})
MERGE (t)-[:CONCERNS]->(s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A ticket as it is in the graph, under its lock."""

    id: str
    status: str
    severity: str
    changed_at: int | None
    version: int | None
    now: int
    waits: bool
    """whether the ticketing system is still to be told what was asked of it here: what it says of the status is older than that."""
    customers: tuple[str, ...]
    services: tuple[str, ...]


async def report_tickets(
    store: Store, policy: AlarmPolicy, reported: Sequence[Reported], *, subject: str, deadline: float
) -> None:
    """Take note of tickets that others may have opened; what names nothing of ours is left alone, and counted in the log."""
    theirs = await _theirs(store, policy.ticketing, reported, deadline) if reported else []

    async def work(transaction: Transaction) -> None:
        await _report(transaction, policy, theirs, subject)

    if theirs:
        await store.write(work, deadline=deadline)


async def _theirs(store: Store, system: str, reported: Sequence[Reported], deadline: float) -> list[Reported]:
    """Leave out our own, of each other one the last. What is ours was so before it was told, and stays so: no lock is needed."""
    rows = [{"theirId": each.their_id, "key": each.key or ""} for each in reported]
    found = await store.rows(_OURS, {"batch": {"rows": rows}, "system": system}, deadline=deadline)
    ours = {row[0] for row in found}
    return [*{each.their_id: each for each in reported if each.their_id not in ours}.values()]


async def _report(transaction: Transaction, policy: AlarmPolicy, theirs: Sequence[Reported], subject: str) -> None:
    system = policy.ticketing
    linked = await linked_to(transaction, policy, theirs)
    by_id = {loaded_id("Ticket", system, each.their_id): each for each in theirs}
    known = await _locked(transaction, system, by_id, linked)
    changed = [_changed(known[ticket], each, linked, policy) for ticket, each in by_id.items() if ticket in known]
    made = _write(transaction, [row for row in changed if row is not None], known, subject)
    await notices.tell_tickets(transaction, policy.fault_management, notices.of_tickets(made), system)


async def _locked(
    transaction: Transaction, system: str, by_id: Mapping[str, Reported], linked: Mapping[str, Owned | None]
) -> dict[str, _Known]:
    """Lock the tickets, make those that are somebody's and new, and give them as they are."""
    rows = [
        {"id": ticket, "theirId": each.their_id, "status": each.status, "severity": _severity(each)}
        for ticket, each in sorted(by_id.items())
    ]
    somebodys = [row for row in rows if linked.get(row["theirId"]) is not None]
    others = [row for row in rows if linked.get(row["theirId"]) is None]
    if somebodys:
        await transaction.run(_LOCK_OR_MAKE, {"batch": {"rows": somebodys}, "system": system})
    if others:
        await transaction.run(_LOCK, {"batch": {"rows": others}})
    found = await transaction.run(_KNOWN, {"batch": {"rows": rows}}) if rows else []
    return {each.id: each for each in map(_known, found)}


def _known(row: list[object]) -> _Known:
    ticket, status, severity, changed_at, version, now, waits, customers, services = row
    return _Known(
        id=str(ticket),
        status=str(status),
        severity=str(severity),
        changed_at=cast("int | None", changed_at),
        version=cast("int | None", version),
        now=cast("int", now),
        waits=bool(waits),
        customers=tuple(cast("list[str]", customers)),
        services=tuple(cast("list[str]", services)),
    )


def _changed(
    known: _Known, reported: Reported, linked: Mapping[str, Owned | None], policy: AlarmPolicy
) -> dict[str, object] | None:
    """Give the row to write; None when nothing is new."""
    last = known.changed_at or 0
    is_older = reported.changed_at is not None and reported.changed_at < last
    if is_older and not policy.is_ahead(last, known.now):
        return None
    owner = linked.get(reported.their_id)
    customers: tuple[str, ...] = (owner[0],) if owner else ()
    services: tuple[str, ...] = owner[1] if owner else ()
    if reported.services is None:
        customers, services = known.customers, known.services
    before = known.status, known.severity, known.changed_at, known.customers, known.services
    changed_at = reported.changed_at if reported.changed_at is not None else known.changed_at
    status = known.status if _stays(known, reported.status) else reported.status
    after = status, _severity(reported), changed_at, customers, services
    if before == after and known.version is not None:
        return None
    return {
        "id": known.id,
        "status": status,
        "severity": _severity(reported),
        "changedAt": changed_at,
        "now": known.now,
        "version": (known.version or 0) + 1,
        "customers": list(customers),
        "services": list(services),
    }


def _stays(known: _Known, status: str) -> bool:
    """Tell whether the status that is known here counts: see rules 2 and 6 of `ticketing.py`."""
    return known.waits or (known.status == "closed" and status == "resolved")


def _write(
    transaction: Transaction, rows: Sequence[Mapping[str, object]], known: Mapping[str, _Known], subject: str
) -> Sequence[Event]:
    """Write tickets as they are now; give the events that tell of them."""
    if not rows:
        return ()
    batch = {"batch": {"rows": list(rows)}}
    transaction.later(_WRITE, batch)
    transaction.later(_UNLINK_CUSTOMER, batch)
    transaction.later(_UNLINK_SERVICES, batch)
    transaction.later(_LINK_CUSTOMER, batch)
    transaction.later(_LINK_SERVICES, batch)
    made = [_event(row, known[str(row["id"])], subject) for row in rows]
    events.append(transaction, *made)
    return made


def _event(row: Mapping[str, object], known: _Known, subject: str) -> Event:
    same = known.version is not None and list(known.customers) == row["customers"]
    return Event(
        type="TicketStatusChanged" if same else "TicketReported",
        aggregate_id=known.id,
        aggregate_version=cast("int", row["version"]),
        at=known.now,
        principal=subject,
        payload={
            "ticket": known.id,
            "status": row["status"],
            "statusBefore": known.status,
            "customer": next(iter(cast("list[str]", row["customers"])), None),
            "services": row["services"],
        },
        customers=sorted({*known.customers, *cast("list[str]", row["customers"])}),
    )


def _severity(reported: Reported) -> str:
    """Give a word of ours for what people wrote there."""
    return reported.severity if reported.severity in SEVERITIES else "indeterminate"
