"""What customer management says of its customers is written here: who is new is made, who is known is kept as it is said there.

A customer is known by what customer management calls it (an external name), or was made of an order under that name; else it is made.

Rules. 1. What is older than what is known is passed over: an event by its own time, a look by when it began. 2. A customer has its
values of one record, the first that was told of it: where an operator gives it the name of another record too, that says nothing of it.
3. A name that came by a merge is still the stub's: what is said of it is written there, and nothing of it here. 4. Nobody is deleted: a
customer that is gone there is marked, and a task asks a person. 5. What is the same as before is not written. 6. Who is new or has another
name is compared with others (`matches.py`).

    told = CustomerRecord(external_id="4711", name="Acme Ltd", status="active", at=now)
    await take_records(store, policy, [told], subject="customer-management", deadline=soon)      # 1: a customer was made
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from graph.changes import gates
from graph.changes.customers.matches import Named, gate_of, propose
from graph.changes.events import Event, append
from graph.changes.policy import AlarmPolicy
from graph.model.companies import company_of
from graph.model.identity import external_key, loaded_id
from graph.model.model import searchable
from graph.processes import tasks
from graph.processes.tasks import Opened
from graph.store.store import Store, Transaction

GONE: Final = "customerGone"
"""The kind of the task that is open for a customer who is gone from customer management."""
_PAGE: Final = 500

# What the name names, and of what was moved by a merge, the customer that had it first.
_FIND: Final = """
UNWIND $batch.rows AS row
RETURN row.record, HEAD(COLLECT {
  MATCH (:ExternalName {key: row.key})-[r:NAMES]->(n) RETURN CASE WHEN r._trail IS NULL THEN n.id ELSE split(r._trail, ' ')[0] END
}), HEAD(COLLECT { MATCH (c:Customer {id: row.made}) RETURN c.id })
"""
_LOCK: Final = """
UNWIND $batch.customers AS id
MATCH (c:Customer {id: id})
SET c._locked = coalesce(c._locked, 0) + 1
RETURN c.id, c.name, c.status, coalesce(c.segment, ''), coalesce(c.accountRef, ''), c._record, c._toldAt, c.goneAt,
  coalesce(c._version, 0), EXISTS { MATCH (c)-[:MERGED_INTO]->(m:Customer) }, datetime.realtime().epochMillis
"""
_NOW: Final = "RETURN datetime.realtime().epochMillis"
_MAKE: Final = "CREATE (c:Customer {id: $id, segment: '', accountRef: '', _version: 0})"
# The name of a stub leads to whom it means, with the trail that it would have, had it been there before.
_NAME: Final = """
MATCH (c:Customer {id: $customer})
OPTIONAL MATCH (c)-[m:MERGED_INTO]->(o:Customer)
WITH coalesce(o, c) AS owner, CASE WHEN m IS NULL THEN null ELSE c.id + coalesce(' ' + m._trail, '') END AS trail
MERGE (x:ExternalName {key: $key})
ON CREATE SET x.id = $id, x.system = $system, x.name = $name
WITH x, owner, trail WHERE NOT EXISTS { MATCH (x)-[:NAMES]->(n) }
CREATE (x)-[r:NAMES]->(owner)
SET r._trail = trail
"""
_WRITE: Final = """
MATCH (c:Customer {id: $id})
SET c.name = $name, c.status = $status, c.segment = $segment, c.accountRef = $account, c.words = $words, c.company = $company,
    c.managedBy = $system, c._record = $record, c._toldAt = $at, c.goneAt = $goneAt, c._version = $version
"""
_MANAGED: Final = """
MATCH (c:Customer {managedBy: $system}) WHERE c.id > $after AND c.goneAt IS NULL
RETURN c.id, c._record ORDER BY c.id LIMIT $most
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRecord:
    """What customer management says of one customer. Times are epoch milliseconds."""

    external_id: str
    """what it calls the customer."""
    name: str | None = None
    """None: it does not say, and what is known stays."""
    status: str | None = None
    segment: str | None = None
    account: str | None = None
    """of these three the same."""
    at: int
    """when this was so: the time of an event, by its clock; of a look, when that began, by ours."""
    is_gone: bool = False
    """whether it is not there any more: then nothing else is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A customer under its lock, as far as customer management says what it is."""

    id: str
    name: str
    status: str
    segment: str
    account: str
    record: str | None
    """the record that it has its values of."""
    told_at: int | None
    """when what is known was so."""
    gone_at: int | None
    version: int
    is_stub: bool
    now: int
    """epoch milliseconds by the database's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What becomes of a customer."""

    name: str
    status: str
    segment: str
    account: str
    gone_at: int | None


def values_of(known: Known | None, told: CustomerRecord, policy: AlarmPolicy) -> Values | None:
    """Decide what a customer is by what is told of it; None where that is nothing new, or nothing to believe."""
    if known is None:
        if told.is_gone:
            return None
        return _said(told, Values(name=told.external_id, status="", segment="", account="", gone_at=None))
    if known.record not in (None, told.external_id) or _is_older(known, told, policy):
        return None
    was = Values(
        name=known.name, status=known.status, segment=known.segment, account=known.account, gone_at=known.gone_at
    )
    if told.is_gone:
        gone_at = known.gone_at or policy.believed(told.at, known.now)
        after = replace(was, gone_at=gone_at)
    else:
        after = _said(told, was)
    return None if after == was and known.record is not None else after


def _said(told: CustomerRecord, was: Values) -> Values:
    """Give what is told of a customer that is there; what is not told stays."""
    return Values(
        name=told.name or was.name,
        status=was.status if told.status is None else told.status,
        segment=was.segment if told.segment is None else told.segment,
        account=was.account if told.account is None else told.account,
        gone_at=None,
    )


def _is_older(known: Known, told: CustomerRecord, policy: AlarmPolicy) -> bool:
    last = known.told_at
    return last is not None and told.at < last and not policy.is_ahead(last, known.now)


async def clock_of(store: Store, *, deadline: float) -> int:
    """Give the time by the database's clock, for a look that begins."""
    [[now]] = await store.rows(_NOW, {}, deadline=deadline)
    return int(str(now))


async def take_records(
    store: Store, policy: AlarmPolicy, records: Sequence[CustomerRecord], *, subject: str, deadline: float
) -> int:
    """Take what customer management says, of each customer the last in the sequence; give how many customers that changed."""
    told = {each.external_id: each for each in records}

    async def work(transaction: Transaction) -> int:
        return await _take(transaction, policy, told, subject)

    return await store.write(work, deadline=deadline) if told else 0


async def note_missing(
    store: Store, policy: AlarmPolicy, seen: Collection[str], *, at: int, subject: str, deadline: float
) -> int:
    """Mark the customers that a look which began at `at` has not seen; give how many."""
    after, count = "", 0
    given = {"system": policy.customers, "most": _PAGE}
    while rows := await store.rows(_MANAGED, {**given, "after": after}, deadline=deadline):
        missing = [str(record) for _, record in rows if record is not None and record not in seen]
        gone = [CustomerRecord(external_id=each, at=at, is_gone=True) for each in missing]
        count += await take_records(store, policy, gone, subject=subject, deadline=deadline)
        after = str(rows[-1][0])
    return count


async def _take(transaction: Transaction, policy: AlarmPolicy, told: Mapping[str, CustomerRecord], subject: str) -> int:
    system = policy.customers
    keys = {each: external_key(system, each) for each in told}
    made = {each: loaded_id("Customer", system, each) for each in told}
    companies = (gate_of(each.name or each.external_id) for each in told.values())
    await gates.lock(transaction, [*keys.values(), *made.values(), *companies])
    rows = [{"record": each, "key": keys[each], "made": made[each]} for each in sorted(told)]
    found = await transaction.run(_FIND, {"batch": {"rows": rows}})
    meant = {str(record): str(named or there) for record, named, there in found if named or there}
    known, now = await _locked(transaction, meant.values())
    count = 0
    for record, each in sorted(told.items()):
        customer = meant.get(record)
        if customer is not None and customer not in known:
            log.warning("a record is of no customer: the name is another thing's", system=system, record=record)
            continue
        there = known[customer] if customer is not None else None
        count += await _taken(transaction, policy, each, there or made[record], (subject, now))
    return count


async def _locked(transaction: Transaction, customers: Collection[str]) -> tuple[dict[str, Known], int]:
    wanted = sorted(set(customers))
    rows: list[list[Any]] = await transaction.run(_LOCK, {"batch": {"customers": wanted}}) if wanted else []
    known = [_known(row) for row in rows if row[0] is not None]
    if known:
        return {each.id: each for each in known}, max(each.now for each in known)
    [[now]] = await transaction.run(_NOW, {})
    return {}, int(str(now))


async def _taken(
    transaction: Transaction, policy: AlarmPolicy, told: CustomerRecord, customer: Known | str, by: tuple[str, int]
) -> bool:
    """Write what becomes of a customer, or of one that is made with this id; tell whether anything does."""
    known = customer if isinstance(customer, Known) else None
    values = values_of(known, told, policy)
    if values is None:
        return False
    customer_id = customer if isinstance(customer, str) else customer.id
    if known is None:
        transaction.later(_MAKE, {"id": customer_id})
    if known is None or known.record is None:
        _name(transaction, policy.customers, told.external_id, customer_id)
    await _write(transaction, policy, told, (customer_id, known, values), by)
    return True


def _name(transaction: Transaction, system: str, record: str, customer: str) -> None:
    """Let a customer be known by its record, unless somebody is."""
    key = external_key(system, record)
    given = {"key": key, "id": loaded_id("ExternalName", system, record), "system": system, "name": record}
    transaction.later(_NAME, {**given, "customer": customer})


async def _write(
    transaction: Transaction,
    policy: AlarmPolicy,
    told: CustomerRecord,
    what: tuple[str, Known | None, Values],
    by: tuple[str, int],
) -> None:
    customer, known, values = what
    subject, now = by
    version = known.version + 1 if known else 1
    company = company_of(values.name).core or None
    transaction.later(
        _WRITE,
        {
            "id": customer,
            "name": values.name,
            "status": values.status,
            "segment": values.segment,
            "account": values.account,
            "words": searchable(values.name),
            "company": company,
            "system": policy.customers,
            "record": told.external_id,
            "at": policy.believed(told.at, now),
            "goneAt": values.gone_at,
            "version": version,
        },
    )
    if known is None or not known.is_stub:  # a stub is compared with nobody, and nothing hangs on it
        if known is None or known.name != values.name:
            await propose(transaction, Named(id=customer, name=values.name), at=now)
        _wait(transaction, customer, values, at=now)
    append(
        transaction,
        Event(
            type=_kind(known, values),
            aggregate_id=customer,
            aggregate_version=version,
            at=now,
            principal=subject,
            payload={"customer": customer, "record": told.external_id, "changed": _changed(known, values)},
            customers=(customer,),
        ),
    )


def _wait(transaction: Transaction, customer: str, values: Values, *, at: int) -> None:
    """Ask a person about a customer that is gone; one that is back needs nobody."""
    if values.gone_at is None:
        tasks.close_task(transaction, kind=GONE, about=customer, at=at)
        return
    reason = f"{values.name} ({customer}) is gone from customer management: see what becomes of its services"
    tasks.open_task(transaction, Opened(kind=GONE, about=customer, reason=reason), at=at)


def _kind(known: Known | None, values: Values) -> str:
    if known is None:
        return "CustomerAdded"
    return "CustomerGone" if values.gone_at is not None and known.gone_at is None else "CustomerChanged"


def _changed(known: Known | None, values: Values) -> list[str]:
    """Name what is another than before, in the order of the alphabet."""
    if known is None:
        return []
    pairs = {
        "accountRef": (known.account, values.account),
        "goneAt": (known.gone_at, values.gone_at),
        "name": (known.name, values.name),
        "segment": (known.segment, values.segment),
        "status": (known.status, values.status),
    }
    return [name for name, (before, after) in pairs.items() if before != after]


def _known(row: Sequence[Any]) -> Known:
    customer, name, status, segment, account, record, told_at, gone_at, version, is_stub, now = row
    return Known(
        id=customer,
        name=name or "",
        status=status or "",
        segment=segment,
        account=account,
        record=record,
        told_at=told_at,
        gone_at=gone_at,
        version=version,
        is_stub=is_stub,
        now=now,
    )
