"""What became of a claim counts only while it is the latest: one that comes too late must not undo what is known since.

The lane's owner may have lost its lease without knowing. So each outcome names the attempt and the epoch of its claim,
and is taken under the delivery's lock only if both are still those of the delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

from graph.ledger.claims import Claim
from graph.store.store import Transaction

_SETTLE: Final = """
UNWIND $batch.rows AS row
MATCH (d:Delivery {id: row.id})
SET d._lock = true
REMOVE d._lock
WITH d, row, datetime.realtime().epochMillis AS now
WHERE d.state = 'READY' AND d.attempts = row.attempts AND d._epoch = row.epoch
SET d.state = row.state,
    d.waiting = CASE WHEN row.state = 'READY' THEN d.waiting ELSE null END,
    d.parked = CASE WHEN row.state = 'DEAD' THEN d.lane ELSE null END,
    d.nextAt = CASE WHEN row.state = 'READY' THEN now + row.pause ELSE d.nextAt END,
    d.lastError = row.error
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
    rows = [_row(each) for each in sorted(outcomes, key=lambda each: each.claim.id)]
    return (
        frozenset(str(row[0]) for row in await transaction.run(_SETTLE, {"batch": {"rows": rows}}))
        if rows
        else frozenset()
    )


def _row(outcome: Outcome) -> dict[str, object]:
    claim = outcome.claim
    token: dict[str, object] = {"id": claim.id, "attempts": claim.attempts, "epoch": claim.epoch}
    match outcome:
        case Done(note=note):
            return {**token, "state": "DONE", "error": note, "pause": 0}
        case Again(error=error, pause_ms=pause):
            return {**token, "state": "READY", "error": error, "pause": pause}
        case Dead(error=error):
            return {**token, "state": "DEAD", "error": error, "pause": 0}
        case never:
            assert_never(never)
