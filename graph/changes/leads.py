"""A lead is sales's once sales has it: what they call it and what becomes of it is read back, and nothing else of it changes here.

What sales calls a lead is written with the delivery that told of it, in one transaction. A state goes on until sales has decided;
what is decided is not looked at any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from graph.ledger.outcomes import Outcome, settle
from graph.store.store import Store, Transaction

DECIDED: Final = ("accepted", "rejected", "cancelled")
"""The states after which nothing more becomes of a lead."""

# Sorted by id, as all who change several do.
_NOTE: Final = """
UNWIND $batch.rows AS row
MATCH (l:Lead {id: row.lead})
SET l.system = $system, l.externalId = row.name, l.state = coalesce(row.state, l.state, 'acknowledged')
"""
_OPEN: Final = """
MATCH (l:Lead)
WHERE l.id > $after AND l.system = $system AND NOT l.state IN $decided
RETURN l.id ORDER BY l.id LIMIT $most
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What sales has of one lead."""

    lead: str
    """our id."""
    name: str
    """what sales calls it."""
    state: str | None
    """one of `graph.model.vocabulary.LEAD_STATES`; None: as before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """What became of one delivery of a lead, and what was learnt by it."""

    outcome: Outcome
    known: Known | None = None


async def settle_leads(store: Store, system: str, told: Sequence[Sold], *, deadline: float) -> None:
    """Write down what became of deliveries; what is learnt by one counts only if its outcome does."""

    async def work(transaction: Transaction) -> None:
        taken = await settle(transaction, [each.outcome for each in told])
        learnt = [each.known for each in told if each.known is not None and each.outcome.claim.id in taken]
        _note(transaction, system, learnt)

    await store.write(work, deadline=deadline)


async def note_states(store: Store, system: str, known: Sequence[Known], *, deadline: float) -> None:
    """Write down what became of leads that sales has."""

    async def work(transaction: Transaction) -> None:
        _note(transaction, system, known)

    if known:
        await store.write(work, deadline=deadline, quiet=True)


async def open_leads(store: Store, system: str, *, after: str, most: int, deadline: float) -> list[str]:
    """Give the ids of leads that a sales system has and has not decided, in order, behind the id `after`."""
    given = {"system": system, "after": after, "most": most, "decided": list(DECIDED)}
    return [str(row[0]) for row in await store.rows(_OPEN, given, deadline=deadline)]


def _note(transaction: Transaction, system: str, known: Sequence[Known]) -> None:
    rows = [
        {"lead": each.lead, "name": each.name, "state": each.state}
        for each in sorted(known, key=lambda each: each.lead)
    ]
    if rows:
        transaction.later(_NOTE, {"batch": {"rows": rows}, "system": system})
