"""Two customers whose names may mean one company are proposed to a person: once for each pair, whatever becomes of it.

Whether two names may mean one company is a rule that people can check (graph/model/companies.py). Whoever makes or renames a customer
holds the gate of its company's name (`gate_of`), so that of two that come at once the second finds the first.

Rules. 1. A pair has one match, whose id is made of both ids: what was said of it stands. 2. A customer is compared with others, with so many at
most; the name of a stub counts as one of the customer that it means. 3. Where one of two is merged into a third, their open match is over, and the third is compared in its
place; it is open again when the merge is undone. 4. A merge that is undone says that the two are not the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from graph.model.companies import company_of, may_be_same
from graph.model.identity import loaded_id
from graph.processes import tasks
from graph.processes.tasks import Opened
from graph.store.store import Transaction

CUSTOMER_MATCH: Final = "customerMatch"
"""The kind of the task that is open while a match is."""
MOST: Final = 10
"""proposals for one customer at a time: who has more of one name has another problem."""
_LOOKED_AT: Final = 100

_ALIKE: Final = """
MATCH (c:Customer {company: $company})
WHERE c.id <> $customer AND (c.companyForm IS NULL OR $form = '' OR c.companyForm IN ['', $form])
OPTIONAL MATCH (c)-[:MERGED_INTO]->(o:Customer)
WITH c, coalesce(o, c) AS meant
WHERE meant.id <> $customer AND NOT EXISTS {
  MATCH (meant)<-[:COMPARES]-(m:CustomerMatch)-[:COMPARES]->(x:Customer) WHERE x.id = $customer
}
RETURN meant.id, meant.name, c.name ORDER BY meant.id, c.id LIMIT $most
"""
_THERE: Final = "UNWIND $batch.ids AS id MATCH (m:CustomerMatch {id: id}) RETURN m.id"
_MAKE: Final = """
UNWIND $batch.rows AS row
MATCH (a:Customer {id: row.first})
MATCH (b:Customer {id: row.second})
CREATE (m:CustomerMatch {id: row.id, state: row.state, reason: row.reason, foundAt: row.at, _version: 1})
CREATE (m)-[:COMPARES]->(a)
CREATE (m)-[:COMPARES]->(b)
"""
_OPEN_OF: Final = """
MATCH (:Customer {id: $customer})<-[:COMPARES]-(m:CustomerMatch)-[:COMPARES]->(o:Customer)
WHERE m.state = $state AND o.id <> $customer AND NOT o.id IN $without
  AND NOT EXISTS { MATCH (o)-[:MERGED_INTO]->(i:Customer) }
RETURN m.id, o.id, o.name ORDER BY m.id
"""
_MOVE: Final = """
UNWIND $batch.ids AS id
MATCH (m:CustomerMatch {id: id})
SET m.state = $state, m.settledAt = $at, m.settledBy = $subject, m._version = coalesce(m._version, 1) + 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A customer, by its id and its name."""

    id: str
    name: str
    once: str = ""
    """the name of one that was merged into it, where that is what another is compared with."""


def gate_of(name: str) -> str:
    """Give the name of the gate behind which customers of a company are looked for, and made."""
    return f"company {company_of(name).core}"


def match_id(one: str, other: str) -> str:
    """Give the id of the match of two customers, whichever is named first.

    >>> match_id("customer-1", "customer-2") == match_id("customer-2", "customer-1")
    True
    """
    return loaded_id("CustomerMatch", "pair", " ".join(sorted((one, other))))


async def propose(transaction: Transaction, customer: Named, *, at: int) -> None:
    """Propose those who may be the same company as a customer that is made or renamed in this transaction, whose gate is held."""
    await _propose(transaction, customer, (await alike(transaction, customer))[:MOST], at=at)


async def alike(transaction: Transaction, customer: Named) -> list[Named]:
    """Give those who may be the same company as a customer, and of whom nobody was asked yet, in the order of their ids."""
    company = company_of(customer.name)
    if not company.core:
        return []
    given = {"company": company.core, "form": company.form, "customer": customer.id, "most": _LOOKED_AT}
    found: dict[str, Named] = {}
    for other, name, alike_name in await transaction.run(_ALIKE, given):
        once = "" if name == alike_name else str(alike_name)
        if may_be_same(str(alike_name), customer.name):
            found.setdefault(str(other), Named(id=str(other), name=str(name), once=once))
    return list(found.values())


async def note_merged(transaction: Transaction, stub: Named, into: Named, *, at: int, subject: str) -> None:
    """Take note that two are one now, by a person's word; what the stub was to be compared with, the other is."""
    pair = match_id(stub.id, into.id)
    if await transaction.run(_THERE, {"batch": {"ids": [pair]}}):
        _settle(transaction, [pair], "merged", at=at, subject=subject)
    else:
        _make(transaction, [_row(stub, into, at=at, state="merged")])
    rows = await transaction.run(_OPEN_OF, {"customer": stub.id, "state": "proposed", "without": [into.id]})
    _settle(transaction, [str(row[0]) for row in rows], "superseded", at=at, subject=subject)
    await _propose(transaction, into, [Named(id=str(other), name=str(name)) for _, other, name in rows], at=at)


async def note_parted(transaction: Transaction, stub: Named, into: Named, *, at: int, subject: str) -> None:
    """Take note that two that were merged are not the same; what was to be compared with the one that was the stub, is again."""
    _settle(transaction, [match_id(stub.id, into.id)], "declined", at=at, subject=subject)
    rows = await transaction.run(_OPEN_OF, {"customer": stub.id, "state": "superseded", "without": [into.id]})
    transaction.later(_MOVE, _moved([str(row[0]) for row in rows], "proposed", at=None, subject=None))
    for match, other, name in rows:
        _wait(transaction, str(match), stub, Named(id=str(other), name=str(name)), at=at)


async def _propose(transaction: Transaction, customer: Named, others: Sequence[Named], *, at: int) -> None:
    """Make the matches of a customer with others that nobody has made before, and a task for each."""
    by_id = {match_id(customer.id, each.id): each for each in others}
    there = {row[0] for row in await transaction.run(_THERE, {"batch": {"ids": sorted(by_id)}})} if by_id else set()
    new = {match: other for match, other in by_id.items() if match not in there}
    _make(transaction, [_row(customer, each, at=at, state="proposed") for each in new.values()])
    for match, other in new.items():
        _wait(transaction, match, customer, other, at=at)


def _make(transaction: Transaction, rows: Sequence[dict[str, object]]) -> None:
    if rows:
        transaction.later(_MAKE, {"batch": {"rows": list(rows)}})


def _row(customer: Named, other: Named, *, at: int, state: str) -> dict[str, object]:
    first, second = sorted((customer.id, other.id))
    return {
        "id": match_id(first, second),
        "first": first,
        "second": second,
        "state": state,
        "reason": _reason(customer, other),
        "at": at,
    }


def _reason(customer: Named, other: Named) -> str:
    if other.once:
        return f"their names mean one company: {other.once} was merged into the other"
    return "their names mean one company" if may_be_same(customer.name, other.name) else "a person has merged them"


def _wait(transaction: Transaction, match: str, customer: Named, other: Named, *, at: int) -> None:
    once = f", into which {other.once} was merged" if other.once else ""
    reason = (
        f"{customer.name} ({customer.id}) may be the same company as {other.name} ({other.id}){once}: "
        "merge them, or decline"
    )
    tasks.open_task(transaction, Opened(kind=CUSTOMER_MATCH, about=match, reason=reason), at=at)


def _settle(transaction: Transaction, matches: Iterable[str], state: str, *, at: int, subject: str) -> None:
    """Write what became of matches; their tasks are over."""
    ids = sorted(matches)
    transaction.later(_MOVE, _moved(ids, state, at=at, subject=subject))
    for each in ids:
        tasks.close_task(transaction, kind=CUSTOMER_MATCH, about=each, at=at)


def _moved(ids: Sequence[str], state: str, *, at: int | None, subject: str | None) -> dict[str, object]:
    return {"batch": {"ids": list(ids)}, "state": state, "at": at, "subject": subject}
