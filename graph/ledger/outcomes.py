"""What became of a claim counts only while it is the latest: one that comes too late must not undo what is known since.

The lane's owner may have lost its lease without knowing. So each outcome names the attempt and the epoch of its claim,
and is taken under the delivery's lock only if both are still those of the delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

from graph.ledger.claims import Claim
from graph.store import Transaction

_DONE: Final = """
UNWIND $rows AS row
MATCH (d:Delivery {id: row.id})
SET d._lock = true
REMOVE d._lock
WITH d, row WHERE d.state = 'READY' AND d.attempts = row.attempts AND d._epoch = row.epoch
SET d.state = 'DONE', d.waiting = null, d.lastError = row.error
RETURN d.id
"""

_AGAIN: Final = """
UNWIND $rows AS row
MATCH (d:Delivery {id: row.id})
SET d._lock = true
REMOVE d._lock
WITH d, row, datetime.realtime().epochMillis AS now
WHERE d.state = 'READY' AND d.attempts = row.attempts AND d._epoch = row.epoch
SET d.nextAt = now + row.pause, d.lastError = row.error
RETURN d.id
"""

_DEAD: Final = """
UNWIND $rows AS row
MATCH (d:Delivery {id: row.id})
SET d._lock = true
REMOVE d._lock
WITH d, row WHERE d.state = 'READY' AND d.attempts = row.attempts AND d._epoch = row.epoch
SET d.state = 'DEAD', d.waiting = null, d.lastError = row.error
RETURN d.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The other system has it."""

    claim: Claim
    note: str | None = None
    """what is worth knowing of how it went."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """To be tried again."""

    claim: Claim
    error: str
    pause_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """Parked: a person must look at it."""

    claim: Claim
    error: str


Outcome: TypeAlias = Done | Again | Dead


async def settle(transaction: Transaction, outcomes: Sequence[Outcome]) -> frozenset[str]:
    """Write outcomes down; give the ids of the deliveries for which they were taken."""
    rows: dict[str, list[dict[str, object]]] = {_DONE: [], _AGAIN: [], _DEAD: []}
    for each in outcomes:
        text, more = _written(each)
        token = {"id": each.claim.id, "attempts": each.claim.attempts, "epoch": each.claim.epoch}
        rows[text].append({**token, **more})
    taken: set[str] = set()
    if rows[_DONE]:
        taken.update(str(row[0]) for row in await transaction.run(_DONE, {"rows": rows[_DONE]}))
    if rows[_AGAIN]:
        taken.update(str(row[0]) for row in await transaction.run(_AGAIN, {"rows": rows[_AGAIN]}))
    if rows[_DEAD]:
        taken.update(str(row[0]) for row in await transaction.run(_DEAD, {"rows": rows[_DEAD]}))
    return frozenset(taken)


def _written(outcome: Outcome) -> tuple[str, dict[str, object]]:
    match outcome:
        case Done(note=note):
            return _DONE, {"error": note}
        case Again(error=error, pause_ms=pause):
            return _AGAIN, {"error": error, "pause": pause}
        case Dead(error=error):
            return _DEAD, {"error": error}
        case never:
            assert_never(never)
