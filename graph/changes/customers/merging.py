"""Two customers that are one company become one customer, by an operator's word; and two again, where that was a mistake.

All of it is one transaction with its event. It holds every gate of names, so that nobody who looks for a customer misses where it
has gone; the gate of slices; what hangs on the customer; and then both customers. An alarm, a boost, a ticket or an order under way comes
before the merge or after it, and then finds the customer that has the thing now.

Rules. 1. What hangs on the one hangs on the other since then (`moving.py`); the one is a stub. 2. Where the other has no account, it has
the stub's, and what becomes of that (`records.py`), until it has its own; and customer management, where it says who the one is, says who the other is. 3. The stored slices of both are forgotten: they are stored anew. 4. An undo takes back what the merge has moved and is still
there; what came since stays. It is refused while something open is about both (`hindrances.py`), and while the customer is itself a stub.
5. A dry run decides all of that, writes nothing and locks nothing. 6. What is more than one transaction can move is refused, and counted before it is locked.

    wanted = Merging(stub="customer-shop", into="customer-crm")
    outcome = await merge_customers(store, operator, wanted, dry_run=False, idempotency_key="k1", deadline=soon)
    outcome.ids, outcome.counts    # {"customer": "customer-crm", "stub": "customer-shop"}, {"services": 2, "orders": 1, ...}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from graph import membership
from graph.changes import gates
from graph.changes.customers import matches, moving
from graph.changes.customers.hindrances import hindrance
from graph.changes.customers.matches import Named
from graph.changes.customers.moving import Counts
from graph.changes.customers.records import wait_for_gone
from graph.changes.customers.rules import (
    CUSTOMER_MANAGED,
    CUSTOMER_MERGED,
    CUSTOMER_NOT_FOUND,
    NOT_MERGED,
    SAME_CUSTOMER,
    TOO_MANY_MOVED,
    UNDO_HINDERED,
    check_operator,
)
from graph.changes.customers.stubs import meant_by
from graph.changes.dry_run import decided
from graph.changes.events import Event, append
from graph.changes.idempotency import Asked, Change, once
from graph.changes.outcome import Outcome, user_error
from graph.errors import Contended
from graph.model.scope import Principal
from graph.store.store import Store, Transaction

_LOCK: Final = """
UNWIND $batch.customers AS id
MATCH (c:Customer {id: id})
SET c._locked = coalesce(c._locked, 0) + 1
RETURN c.id, coalesce(c.name, c.id), coalesce(c.accountRef, ''), coalesce(c._version, 0), coalesce(c._tookAccount, ''),
  coalesce(c._takenAccount, ''), c._record, c.goneAt,
  HEAD(COLLECT { MATCH (c)-[:MERGED_INTO]->(m:Customer) RETURN m.id }),
  HEAD(COLLECT { MATCH (c)-[r:MERGED_INTO]->(:Customer) RETURN r._trail }), datetime.realtime().epochMillis
"""
_LOOK: Final = """
UNWIND $batch.customers AS id
MATCH (c:Customer {id: id})
RETURN c.id, coalesce(c.name, c.id), coalesce(c.accountRef, ''), coalesce(c._version, 0), coalesce(c._tookAccount, ''),
  coalesce(c._takenAccount, ''), c._record, c.goneAt,
  HEAD(COLLECT { MATCH (c)-[:MERGED_INTO]->(m:Customer) RETURN m.id }),
  HEAD(COLLECT { MATCH (c)-[r:MERGED_INTO]->(:Customer) RETURN r._trail }), datetime.realtime().epochMillis
"""
_LINK: Final = """
MATCH (f:Customer {id: $from})
MATCH (t:Customer {id: $into})
SET f._version = $version
CREATE (f)-[:MERGED_INTO]->(t)
"""
_UNLINK: Final = """
MATCH (f:Customer {id: $from})
MATCH (f)-[r:MERGED_INTO]->(t:Customer {id: $into})
SET f._version = $version
DELETE r
"""
_TAKE_ACCOUNT: Final = """
MATCH (c:Customer {id: $into})
SET c.accountRef = $account, c._takenAccount = $account, c._tookAccount = $of
"""
# A stub that had the account of another stub goes on with it as it is by now.
_GIVE_ACCOUNT_BACK: Final = """
MATCH (c:Customer {id: $into})
MATCH (s:Customer {id: $from})
SET s.accountRef = CASE WHEN s._tookAccount = c._tookAccount THEN c._takenAccount ELSE s.accountRef END,
    s._takenAccount = CASE WHEN s._tookAccount = c._tookAccount THEN c._takenAccount ELSE s._takenAccount END
WITH c
SET c.accountRef = CASE WHEN c.accountRef = c._takenAccount THEN '' ELSE c.accountRef END
SET c._tookAccount = null, c._takenAccount = null
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merging:
    """Which customer is to be merged into which, by their ids."""

    stub: str
    into: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Customer:
    """A customer under its lock."""

    id: str
    name: str
    account: str
    version: int
    took_account: str
    """the id of the stub whose account it has; empty: it has its own,"""
    taken_account: str
    """and that account."""
    record: str | None
    """the record of customer management that it has its values of."""
    gone_at: int | None
    merged_into: str | None
    trail: str | None
    """of that; None where it was merged into that one itself."""
    now: int
    """epoch milliseconds by the database's clock."""

    @property
    def named(self) -> Named:
        """Its id and its name."""
        return Named(id=self.id, name=self.name)

    @property
    def account_of(self) -> str:
        """The id of the customer whose account it has."""
        return self.took_account or self.id


async def merge_customers(
    store: Store,
    principal: Principal,
    merging: Merging,
    *,
    dry_run: bool,
    idempotency_key: str,
    deadline: float,
) -> Outcome:
    """Merge a customer into another; the outcome has the ids of the `customer` and of the `stub`, and counts what was moved."""
    check_operator(principal)
    given = {"from": merging.stub, "into": merging.into}
    asked = Asked(subject=principal.subject, client_key=idempotency_key, operation="mergeCustomers", input=given)

    async def change(transaction: Transaction) -> Outcome:
        return await _merge(transaction, principal, merging, dry_run=dry_run)

    return await _made(store, asked, change, dry_run=dry_run, deadline=deadline)


async def undo_merge_customers(
    store: Store,
    principal: Principal,
    customer: str,
    *,
    dry_run: bool,
    idempotency_key: str,
    deadline: float,
) -> Outcome:
    """Let a customer that was merged be itself again; the outcome as of `merge_customers`, with what was moved back."""
    check_operator(principal)
    given = {"customerId": customer}
    asked = Asked(subject=principal.subject, client_key=idempotency_key, operation="undoMergeCustomers", input=given)

    async def change(transaction: Transaction) -> Outcome:
        return await _undo(transaction, principal, customer, dry_run=dry_run)

    return await _made(store, asked, change, dry_run=dry_run, deadline=deadline)


async def _made(store: Store, asked: Asked, change: Change, *, dry_run: bool, deadline: float) -> Outcome:
    if dry_run:
        return await decided(store, change, deadline=deadline)
    # What hinders is done away with by people, who then ask again.
    return await once(store, asked, change, deadline=deadline, keeps_failures=False)


async def _merge(transaction: Transaction, principal: Principal, merging: Merging, *, dry_run: bool) -> Outcome:
    if merging.stub == merging.into and await _seen(transaction, (merging.stub,)):
        return _not_done("A customer is not merged into itself", SAME_CUSTOMER, "into")
    would_move = await moving.count(transaction, merging.stub, merging.into)  # before anything is locked
    if (size := sum(would_move.values())) > moving.MOST:
        text = f"{size} things hang on it, and a merge moves {moving.MOST} at most"
        return _not_done(text, TOO_MANY_MOVED, "from")
    pair = (merging.stub, merging.into)
    found = await (_seen(transaction, pair) if dry_run else _held(transaction, holder=merging.stub, customers=pair))
    stub, into = found.get(merging.stub), found.get(merging.into)
    if stub is None or into is None:
        return _not_done("There is no such customer", CUSTOMER_NOT_FOUND, "from" if stub is None else "into")
    for each, path in ((stub, "from"), (into, "into")):
        if each.merged_into is not None:
            text = f"It was merged into {each.merged_into} before: that one is meant"
            return _not_done(text, CUSTOMER_MERGED, path)
    if stub.record is not None and into.record is None:
        text = "Customer management says who `from` is, and does not know `into`: merge `into` into `from`"
        return _not_done(text, CUSTOMER_MANAGED, "into")
    if dry_run:
        return Outcome(ids={"customer": into.id, "stub": stub.id}, counts=would_move)
    counts = await moving.move(transaction, stub.id, into.id)
    await membership.forget(transaction, (stub.id, into.id))
    transaction.later(_LINK, {"from": stub.id, "into": into.id, "version": stub.version + 1})
    account = stub.account if stub.account and not into.account else None
    if account is not None:
        transaction.later(_TAKE_ACCOUNT, {"of": stub.account_of, "into": into.id, "account": account})
    await matches.note_merged(transaction, stub.named, into.named, at=stub.now, subject=principal.subject)
    wait_for_gone(transaction, stub.named, None, at=stub.now)
    return _told(transaction, principal, "CustomerMerged", (stub, into), counts, account)


async def _undo(transaction: Transaction, principal: Principal, customer: str, *, dry_run: bool) -> Outcome:
    looked = (await meant_by(transaction.run, [customer])).get(customer)
    if looked is None:
        if not await _seen(transaction, (customer,)):
            return _not_done("There is no such customer", CUSTOMER_NOT_FOUND, "customerId")
        return _not_done("This customer was not merged into another", NOT_MERGED, "customerId")
    pair = (customer, looked)
    found = await (_seen(transaction, pair) if dry_run else _held(transaction, holder=looked, customers=pair))
    stub, into = found.get(customer), found.get(looked)
    if stub is None or into is None or stub.merged_into != into.id:
        raise Contended("The customer is being merged, or parted, at this moment")
    if stub.trail is not None:
        text = f"The customer that it was merged into was merged into {into.id} itself: undo that first"
        return _not_done(text, UNDO_HINDERED, "customerId")
    if (reason := await hindrance(transaction, stub.id, into.id)) is not None:
        return _not_done(reason, UNDO_HINDERED, "customerId")
    if dry_run:
        counts = await moving.count_back(transaction, stub.id, into.id)
        return Outcome(ids={"customer": into.id, "stub": stub.id}, counts=counts)
    counts = await moving.move_back(transaction, stub.id, into.id)
    await membership.forget(transaction, (stub.id, into.id))
    transaction.later(_UNLINK, {"from": stub.id, "into": into.id, "version": stub.version + 1})
    account = into.taken_account if into.took_account == stub.account_of else None
    if account is not None:
        transaction.later(_GIVE_ACCOUNT_BACK, {"from": stub.id, "into": into.id})
    await matches.note_parted(transaction, stub.named, into.named, at=stub.now, subject=principal.subject)
    await matches.propose(transaction, stub.named, at=stub.now)  # those who came while it was a stub
    wait_for_gone(transaction, stub.named, stub.gone_at, at=stub.now)
    return _told(transaction, principal, "CustomerMergeUndone", (stub, into), counts, account)


async def _held(transaction: Transaction, *, holder: str, customers: tuple[str, ...]) -> dict[str, _Customer]:
    """Lock all that a merge changes, and give the customers as they are; `holder` has what is to be moved."""
    await gates.pass_all(transaction)
    await moving.hold_orders(transaction, holder)
    await membership.hold(transaction)
    await moving.hold(transaction, holder)
    rows = await transaction.run(_LOCK, {"batch": {"customers": sorted(customers)}})
    return _customers(rows)


async def _seen(transaction: Transaction, customers: tuple[str, ...]) -> dict[str, _Customer]:
    """Give customers as they are, for a dry run, which is in nobody's way."""
    return _customers(await transaction.run(_LOOK, {"batch": {"customers": sorted(customers)}}))


def _customers(rows: list[list[object]]) -> dict[str, _Customer]:
    return {each.id: each for each in (_customer(row) for row in rows if row[0] is not None)}


def _customer(row: list[object]) -> _Customer:
    given = cast("tuple[str, str, str, int, str, str, str | None, int | None, str | None, str | None, int]", tuple(row))
    customer, name, account, version, took, taken, record, gone_at, merged, trail, now = given
    return _Customer(
        id=customer,
        name=name,
        account=account,
        version=version,
        took_account=took,
        taken_account=taken,
        record=record,
        gone_at=gone_at,
        merged_into=merged,
        trail=trail,
        now=now,
    )


def _told(
    transaction: Transaction,
    principal: Principal,
    kind: str,
    customers: tuple[_Customer, _Customer],
    counts: Counts,
    account: str | None,
) -> Outcome:
    """Append the event, which concerns no customer: neither may learn of the other by it."""
    stub, into = customers
    append(
        transaction,
        Event(
            type=kind,
            aggregate_id=stub.id,
            aggregate_version=stub.version + 1,
            at=stub.now,
            principal=principal.subject,
            payload={"customer": stub.id, "into": into.id, "moved": dict(counts), "accountRef": account},
            customers=(),
        ),
    )
    return Outcome(ids={"customer": into.id, "stub": stub.id}, counts=counts)


def _not_done(message: str, code: str, path: str) -> Outcome:
    return Outcome(ids={}, user_errors=(user_error(message, code, path),))
