"""What customer management says of its customers is written here: who is new is made, who is known is kept as it is said there.

A customer is known by what customer management calls it (an external name), or was made of an order under that name; else it is made.

Rules. 1. What is older than what is known is passed over: an event by its own time, a look by when it began. Known is what was said last,
though it was said before: an event that changes nothing is kept by its time, and of a look over all customers the one time. 2. A customer has its
values of one record, the first that was told of it: where an operator gives it the name of another record too, that says nothing of it.
3. A name that came by a merge is still the stub's: what is said of it is written there, and nothing of it here. 4. Nobody is deleted: a
customer that is gone there is marked, and a task asks a person. 5. What is the same as before is not written. 6. Who is new or has another
name is compared with others (`matches.py`).

    told = CustomerRecord(external_id="4711", name="Acme Ltd", status="active", at=now)
    await take_records(store, policy, [told], subject="customer-management", deadline=soon)      # 1: a customer was made
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import structlog

from graph.changes import gates
from graph.changes.customers.matches import Named, alike, gate_of, propose
from graph.changes.customers.stubs import meant_by
from graph.changes.events import Event, append
from graph.changes.policy import AlarmPolicy
from graph.model.companies import company_of
from graph.model.identity import external_key, loaded_id
from graph.model.model import LABELS, searchable
from graph.processes import tasks
from graph.processes.tasks import Opened
from graph.store.store import Store, Transaction

GONE: Final = "customerGone"
"""The kind of the task that is open for a customer who is gone from customer management."""
_PAGE: Final = 500
MOST_MISSED: Final = 0.1
"""of the customers that are known: a look that misses more than these, and more than `FEW_MISSED`, has not seen all that there is."""
FEW_MISSED: Final = 10

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
  coalesce(c._version, 0), HEAD(COLLECT { MATCH (c)-[:MERGED_INTO]->(m:Customer) RETURN m.id }),
  coalesce(c._tookAccount, ''), coalesce(c._takenAccount, ''),
  HEAD(COLLECT { MATCH (l:CustomerLook {id: $look}) RETURN l.at }), datetime.realtime().epochMillis
"""
_READ: Final = """
UNWIND $batch.customers AS id
MATCH (c:Customer {id: id})
RETURN c.id, c.name, c.status, coalesce(c.segment, ''), coalesce(c.accountRef, ''), c._record, c._toldAt, c.goneAt,
  coalesce(c._version, 0), HEAD(COLLECT { MATCH (c)-[:MERGED_INTO]->(m:Customer) RETURN m.id }),
  coalesce(c._tookAccount, ''), coalesce(c._takenAccount, ''),
  HEAD(COLLECT { MATCH (l:CustomerLook {id: $look}) RETURN l.at }), datetime.realtime().epochMillis
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
    c.companyForm = $form,
    c.managedBy = $system, c._record = $record, c._toldAt = $at, c.goneAt = $goneAt, c._version = $version,
    c._tookAccount = $tookAccount
"""
_CONFIRM: Final = "MATCH (c:Customer {id: $id}) SET c._toldAt = $at"
_LEND_ACCOUNT: Final = """
MATCH (c:Customer {id: $id})
SET c.accountRef = $account, c._takenAccount = $account, c._version = $version
"""
_MANAGED: Final = """
MATCH (c:Customer {managedBy: $system}) WHERE c.id > $after AND c.goneAt IS NULL
RETURN c.id, c._record, c._missedAt ORDER BY c.id LIMIT $most
"""
_LOOKED: Final = "MATCH (l:CustomerLook {id: $look}) RETURN l.at"
_MISSED: Final = """
UNWIND $batch.customers AS id
MATCH (c:Customer {id: id})
SET c._missedAt = $at
"""
_END_LOOK: Final = """
MERGE (l:CustomerLook {id: $look})
SET l.at = CASE WHEN coalesce(l.at, 0) > $at THEN l.at ELSE $at END
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
    is_looked_at: bool = False
    """whether a look has seen it, whose time is kept once for all (`note_missing`)."""


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
    merged_into: str | None
    took_account: str
    """the id of the stub whose account it took by a merge; empty: of none,"""
    taken_account: str
    """and which account that is."""
    looked_at: int | None
    """when the last look at all customers began."""
    now: int
    """epoch milliseconds by the database's clock."""

    @property
    def has_taken_account(self) -> bool:
        """Whether the account that it has is a stub's."""
        return bool(self.took_account) and self.account == self.taken_account

    @property
    def values(self) -> Values:
        """What it is."""
        return Values(
            name=self.name,
            status=self.status,
            segment=self.segment,
            account=self.account,
            took_account=self.took_account,
            gone_at=self.gone_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What becomes of a customer."""

    name: str
    status: str
    segment: str
    account: str
    gone_at: int | None
    took_account: str = ""
    """as in `Known`."""


def values_of(known: Known | None, told: CustomerRecord, policy: AlarmPolicy) -> Values | None:
    """Decide what a customer is by what is told of it; None where that is nothing new, or nothing to believe."""
    if known is None:
        if told.is_gone:
            return None
        return _said(told, Values(name=told.external_id, status="", segment="", account="", gone_at=None))
    if not is_believed(known, told, policy):
        return None
    was = known.values
    if told.is_gone:
        after = replace(was, gone_at=known.gone_at or min(told.at, known.now))
    else:
        after = _said(told, was, keeps_account=known.has_taken_account and not told.account)
    return None if after == was and known.record is not None else after


def is_believed(known: Known, told: CustomerRecord, policy: AlarmPolicy) -> bool:
    """Tell whether what is told is of the record that a customer has its values of, and not older than what is known."""
    return known.record in (None, told.external_id) and not _is_older(known, told, policy)


def _said(told: CustomerRecord, was: Values, *, keeps_account: bool = False) -> Values:
    """Give what is told of a customer that is there; what is not told stays, and so does the account that a merge has given it."""
    keeps_account = keeps_account or told.account is None
    return Values(
        name=told.name or was.name,
        status=was.status if told.status is None else told.status,
        segment=was.segment if told.segment is None else told.segment,
        account=was.account if keeps_account else told.account or "",
        took_account=was.took_account if keeps_account else "",
        gone_at=None,
    )


def _is_older(known: Known, told: CustomerRecord, policy: AlarmPolicy) -> bool:
    times = [each for each in (known.told_at, known.looked_at) if each is not None and known.record is not None]
    last = max((each for each in times if not policy.is_ahead(each, known.now)), default=None)
    return last is not None and told.at < last


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


async def differing(
    store: Store, policy: AlarmPolicy, records: Sequence[CustomerRecord], *, deadline: float
) -> list[CustomerRecord]:
    """Give those of the records that may change something, as it is without a lock: most looks find all as it was."""
    rows = _sought(policy.customer_management, [each.external_id for each in records])
    found = await store.rows(_FIND, {"batch": {"rows": rows}}, deadline=deadline)
    meant = {str(record): str(named or there) for record, named, there in found if named or there}
    given = {"batch": {"customers": sorted(set(meant.values()))}, "look": _look_of(policy)}
    known = {each.id: each for each in map(_known, await store.rows(_READ, given, deadline=deadline))}
    return [each for each in records if values_of(known.get(meant.get(each.external_id, "")), each, policy)]


async def note_missing(
    store: Store, policy: AlarmPolicy, seen: Collection[str], *, at: int, subject: str, deadline: float
) -> int:
    """End a look that began at `at`: mark the customers that it and the look before have not seen, and give how many.

    A look that misses too many is not believed, and then nothing is marked.
    """
    known, missing = await _managed(store, policy, seen, deadline)
    if len(missing) > max(FEW_MISSED, known * MOST_MISSED):
        log.warning("a look misses too many customers: none is taken to be gone", missing=len(missing), known=known)
        return 0
    looked = await store.rows(_LOOKED, {"look": _look_of(policy)}, deadline=deadline)
    before = looked[0][0] if looked else None
    again = [record for _, record, missed in missing if missed is not None and missed == before]
    gone = [CustomerRecord(external_id=each, at=at, is_gone=True) for each in again]
    count = 0
    for first in range(0, len(gone), _PAGE):
        page = gone[first : first + _PAGE]
        count += await take_records(store, policy, page, subject=subject, deadline=deadline)
    await _end_look(store, policy, [customer for customer, *_ in missing], at, deadline)
    return count


async def _managed(
    store: Store, policy: AlarmPolicy, seen: Collection[str], deadline: float
) -> tuple[int, list[tuple[str, str, int | None]]]:
    """Give how many customers there are that are not gone, and those that a look has not seen: id, record, when missed last."""
    after, count, missing = "", 0, list[tuple[str, str, int | None]]()
    given = {"system": policy.customer_management, "most": _PAGE}
    while rows := await store.rows(_MANAGED, {**given, "after": after}, deadline=deadline):
        count += len(rows)
        missing += [cast("tuple[str, str, int | None]", tuple(row)) for row in rows if row[1] not in seen]
        after = str(rows[-1][0])
    return count, missing


async def _end_look(store: Store, policy: AlarmPolicy, missing: Sequence[str], at: int, deadline: float) -> None:
    """Keep when the look was, and whom it missed: together, since the next look asks for both."""

    async def work(transaction: Transaction) -> None:
        if missing:
            transaction.later(_MISSED, {"batch": {"customers": sorted(missing)}, "at": at})
        transaction.later(_END_LOOK, {"look": _look_of(policy), "at": at})

    await store.write(work, deadline=deadline)


def _look_of(policy: AlarmPolicy) -> str:
    return f"{LABELS['CustomerLook'].id_prefix}{policy.customer_management}"


def _sought(system: str, records: Iterable[str]) -> list[dict[str, str]]:
    return [
        {"record": each, "key": external_key(system, each), "made": loaded_id("Customer", system, each)}
        for each in sorted(records)
    ]


async def _take(transaction: Transaction, policy: AlarmPolicy, told: Mapping[str, CustomerRecord], subject: str) -> int:
    rows = _sought(policy.customer_management, told)
    companies = (gate_of(each.name or each.external_id) for each in told.values())
    await gates.lock(transaction, [*(row[each] for row in rows for each in ("key", "made")), *companies])
    found = await transaction.run(_FIND, {"batch": {"rows": rows}})
    meant = {str(record): str(named or there) for record, named, there in found if named or there}
    compared = await _compared(transaction, policy, told.values(), {row["record"]: row["made"] for row in rows} | meant)
    known, now = await _locked(transaction, policy, {*meant.values(), *compared})
    count = 0
    for row in rows:
        record = row["record"]
        customer = meant.get(record)
        if customer is not None and customer not in known:
            log.warning(
                "a record is of no customer: the name is another thing's",
                system=policy.customer_management,
                record=record,
            )
            continue
        by = By(policy=policy, subject=subject, now=now, known=known)
        count += await _taken(transaction, by, told[record], customer or row["made"])
    return count


async def _compared(
    transaction: Transaction, policy: AlarmPolicy, told: Iterable[CustomerRecord], customers: Mapping[str, str]
) -> set[str]:
    """Give whom customers will be proposed with, who are locked with these, since a match locks both; their gates are held."""
    given = {"batch": {"customers": sorted(set(customers.values()))}, "look": _look_of(policy)}
    names = {each.id: each.name for each in map(_known, await transaction.run(_READ, given))}
    compared: set[str] = set()
    for each in told:
        customer, name = customers[each.external_id], each.name or each.external_id
        if not each.is_gone and (each.name or customer not in names) and names.get(customer) != name:
            compared |= {other.id for other in await alike(transaction, Named(id=customer, name=name))}
    return compared


async def _locked(
    transaction: Transaction, policy: AlarmPolicy, customers: Collection[str]
) -> tuple[dict[str, Known], int]:
    """Lock customers, and whom they mean where they are stubs, in the order of their ids."""
    wanted = sorted({*customers, *(await meant_by(transaction.run, customers)).values()})
    given = {"batch": {"customers": wanted}, "look": _look_of(policy)}
    rows: list[list[Any]] = await transaction.run(_LOCK, given) if wanted else []
    known = [_known(row) for row in rows if row[0] is not None]
    if known:
        return {each.id: each for each in known}, max(each.now for each in known)
    [[now]] = await transaction.run(_NOW, {})
    return {}, int(str(now))


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who says something, by which policy, and what is known then; that grows with what is taken."""

    policy: AlarmPolicy
    subject: str
    now: int
    known: dict[str, Known]


async def _taken(transaction: Transaction, by: By, told: CustomerRecord, customer: str) -> bool:
    """Write what becomes of a customer, or of one that is made with this id; tell whether anything does."""
    known = by.known.get(customer)
    values = values_of(known, told, by.policy)
    if values is None:
        _confirm(transaction, by, told, known)
        return False
    if known is None:
        transaction.later(_MAKE, {"id": customer})
    if known is None or known.record is None:
        _name(transaction, by.policy.customer_management, told.external_id, customer)
    await _write(transaction, by, told, (customer, known, values))
    if known is not None and known.merged_into is not None and values.account != known.account:
        _pass_on(transaction, by, known, values.account)
    return True


def _confirm(transaction: Transaction, by: By, told: CustomerRecord, known: Known | None) -> None:
    """Keep that an event said the same later: what was said before it is older."""
    if known is None or told.is_looked_at or known.record is None or not is_believed(known, told, by.policy):
        return
    at = min(told.at, by.now)
    if known.told_at is None or at > known.told_at:
        transaction.later(_CONFIRM, {"id": known.id, "at": at})
        by.known[known.id] = replace(known, told_at=at)


def _pass_on(transaction: Transaction, by: By, stub: Known, account: str) -> None:
    """Let whoever took a stub's account have the one that it has now."""
    into = by.known[str(stub.merged_into)]
    if into.took_account != stub.id or not into.has_taken_account:
        return
    after = replace(into, account=account, taken_account=account, version=into.version + 1)
    by.known[into.id] = after
    transaction.later(_LEND_ACCOUNT, {"id": into.id, "account": account, "version": after.version})
    said = {"customer": into.id, "record": into.record, "changed": ["accountRef"]}
    append(transaction, _event(by, "CustomerChanged", into.id, after.version, said))


def _name(transaction: Transaction, system: str, record: str, customer: str) -> None:
    """Let a customer be known by its record, unless somebody is."""
    key = external_key(system, record)
    given = {"key": key, "id": loaded_id("ExternalName", system, record), "system": system, "name": record}
    transaction.later(_NAME, {**given, "customer": customer})


async def _write(
    transaction: Transaction, by: By, told: CustomerRecord, what: tuple[str, Known | None, Values]
) -> None:
    customer, known, values = what
    version = known.version + 1 if known else 1
    company = company_of(values.name)
    at = min(told.at, by.now)  # a clock that is ahead must not silence what comes next
    written = {
        "id": customer,
        "name": values.name,
        "status": values.status,
        "segment": values.segment,
        "account": values.account,
        "tookAccount": values.took_account or None,
        "words": searchable(values.name),
        "company": company.core or None,
        "form": company.form,
        "system": by.policy.customer_management,
        "record": told.external_id,
        "at": at,
        "goneAt": values.gone_at,
        "version": version,
    }
    transaction.later(_WRITE, written)
    if known is None or known.merged_into is None:  # a stub is compared with nobody, and nothing hangs on it
        if known is None or known.name != values.name:
            await propose(transaction, Named(id=customer, name=values.name), at=by.now)
        wait_for_gone(transaction, Named(id=customer, name=values.name), values.gone_at, at=by.now)
    said = {"customer": customer, "record": told.external_id, "changed": _changed(known, values)}
    append(transaction, _event(by, _kind(known, values), customer, version, said))
    if known is not None:  # another record of this customer may follow in the same batch
        by.known[customer] = _after(known, values, record=told.external_id, at=at, version=version)


def _after(known: Known, values: Values, *, record: str, at: int, version: int) -> Known:
    return replace(
        known,
        name=values.name,
        status=values.status,
        segment=values.segment,
        account=values.account,
        took_account=values.took_account,
        gone_at=values.gone_at,
        record=record,
        told_at=at,
        version=version,
    )


def _event(by: By, kind: str, customer: str, version: int, payload: Mapping[str, object]) -> Event:
    return Event(
        type=kind,
        aggregate_id=customer,
        aggregate_version=version,
        at=by.now,
        principal=by.subject,
        payload=payload,
        customers=(customer,),
    )


def wait_for_gone(transaction: Transaction, customer: Named, gone_at: int | None, *, at: int) -> None:
    """Ask a person about a customer that is gone; one that is back, or is merged into another, needs nobody."""
    if gone_at is None:
        tasks.close_task(transaction, kind=GONE, about=customer.id, at=at)
        return
    reason = f"{customer.name} ({customer.id}) is gone from customer management: see what becomes of its services"
    tasks.open_task(transaction, Opened(kind=GONE, about=customer.id, reason=reason), at=at)


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
    customer, name, status, segment, account, record, told_at, gone_at, version, *more = row
    merged_into, took_account, taken_account, looked_at, now = more
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
        merged_into=merged_into,
        took_account=took_account,
        taken_account=taken_account,
        looked_at=looked_at,
        now=now,
    )
