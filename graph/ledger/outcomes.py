"""What became of a claim counts only while it is the latest: one that comes too late must not undo what is known since.

The lane's owner may have lost its lease without knowing. So each outcome names the attempt and the epoch of its claim,
and is taken under the delivery's lock only if both are still those of the delivery.

What waits behind it in its order key goes with it, in the same transaction: the next one is due when it is DONE, and all of
them are held when it is parked, until a person has replayed it (`release`). Each looks only at what is not yet DONE of
that order key (`openKey`). A delivery that is DONE keeps its `openKey` until the next of its order key is DONE and its own
claim has run out: until then the other system may not have acted on it yet (graph/changes/alarms/acknowledge.py).

A delivery may carry out steps of a process (graph/processes): what became of it is what became of them (`step_outcomes.py`).

What people of the other system have suspended does not age, and nor does what waits behind it: whoever looks how old the oldest
is asks whether a system is behind, and one that was told to wait is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, assert_never, cast

import orjson
import uuid_utils

from graph.ledger.claims import Claim
from graph.ledger.step_outcomes import StepOutcome, note_steps
from graph.model.model import LABELS
from graph.store.store import Transaction

# What follows an outcome is locked with it, order key by order key: who writes deliveries of several keys locks the last of
# each. All of each key where some will be held, or wait anew.
_LOCK: Final = """
UNWIND $batch.rows AS row
MATCH (d:Delivery {id: row.id})
WITH COLLECT {
  MATCH (n:Delivery {openKey: row.orderKey}) WHERE n.system = d.system AND n.state <> 'DONE'
  RETURN n.id ORDER BY n.version LIMIT $most
} AS open
UNWIND open AS id
MATCH (n:Delivery {id: id})
SET n._locked = coalesce(n._locked, 0) + 1
"""

_SETTLE: Final = """
UNWIND $batch.rows AS row
MATCH (d:Delivery {id: row.id})
SET d._lock = true
REMOVE d._lock
WITH d, row, datetime.realtime().epochMillis AS now
WHERE d.state = 'READY' AND d.attempts = row.attempts AND d._epoch = row.epoch
SET d.state = row.state,
    d.waiting = CASE WHEN row.state = 'READY' THEN d.waiting ELSE null END,
    d.due = CASE WHEN row.state = 'READY' THEN d.due ELSE null END,
    d.since = CASE WHEN row.suspended THEN now ELSE d.since END,
    d.queued = CASE
      WHEN row.state <> 'READY' THEN null WHEN row.suspended THEN d.system + '#' + toString(now) ELSE d.queued END,
    d.parked = CASE WHEN row.state = 'DEAD' THEN d.lane ELSE null END,
    d.parkedFor = row.reason,
    d.suspended = CASE WHEN row.suspended THEN d.lane ELSE null END,
    d.suspendedSince = CASE WHEN row.suspended THEN coalesce(d.suspendedSince, now) ELSE null END,
    d._suspended = CASE WHEN row.suspended THEN coalesce(d._suspended, 0) + 1 ELSE d._suspended END,
    d.nextAt = CASE WHEN row.state = 'READY' THEN now + row.pause ELSE d.nextAt END,
    d.lastError = row.error,
    d.lastAnswer = row.answer
RETURN d.id, coalesce(d._steps, false)
"""

_GO_ON: Final = """
UNWIND $batch.ids AS id
MATCH (d:Delivery {id: id})
WITH d, HEAD(COLLECT {
  MATCH (n:Delivery {openKey: d.orderKey})
  WHERE n.system = d.system AND n.state <> 'DONE'
  RETURN n.id ORDER BY n.version LIMIT 1
}) AS next
MATCH (n:Delivery {id: next})
WHERE n.state = 'READY' AND n.held IS NULL AND n.due IS NULL
SET n.due = n.lane, n.queued = n.system + '#' + toString(n.since)
"""

_CLOSE: Final = """
UNWIND $batch.ids AS id
MATCH (d:Delivery {id: id})
MATCH (e:Delivery {openKey: d.orderKey})
WHERE e.system = d.system AND e.state = 'DONE' AND e.id <> d.id AND e.nextAt <= datetime.realtime().epochMillis
SET e.openKey = null
"""

_HOLD: Final = """
UNWIND $batch.ids AS id
MATCH (d:Delivery {id: id})
MATCH (e:Delivery {openKey: d.orderKey})
WHERE e.system = d.system AND e.state = 'READY' AND e.held IS NULL
SET e.held = e.lane, e.waiting = null
"""

# Somebody must hear of it: a person is waited for from now on.
_TELL_PARKED: Final = """
UNWIND $batch.rows AS row
MATCH (d:Delivery {id: row.id})
WITH d, row, datetime.realtime().epochMillis AS now
SET d._version = coalesce(d._version, 0) + 1
CREATE (e:Event {
  id: row.event, type: 'DeliveryParked', aggregateId: row.id, aggregateVersion: d._version,
  at: now, unplaced: now, principal: 'trunkline', payload: row.payload
})
"""

_RELEASE: Final = """
MATCH (d:Delivery {id: $id})
MATCH (e:Delivery {openKey: d.orderKey})
WHERE e.system = d.system AND e.state = 'READY' AND e.held IS NOT NULL
SET e.waiting = e.lane, e.held = null, e.since = $now
"""

_SKIP: Final = """
MATCH (d:Delivery {id: $id})
SET d._lock = true
REMOVE d._lock
WITH d, datetime.realtime().epochMillis AS now WHERE d.state = 'DEAD'
SET d.state = 'DONE', d.parked = null, d.parkedFor = null, d.lastError = $note
RETURN now, d.id
"""

# None of these is due, so none of them is `queued`.
_STAY_YOUNG: Final = """
UNWIND $batch.ids AS id
MATCH (d:Delivery {id: id})
MATCH (e:Delivery {openKey: d.orderKey})
WHERE e.system = d.system AND e.state = 'READY' AND e.id <> d.id
SET e.since = d.since
"""

_ITSELF_AND_NEXT: Final = 2
_ALL: Final = 1_000_000

ParkedFor: TypeAlias = Literal["refused", "invalidAnswer", "expired", "fault"]
"""`graph.model.vocabulary.PARKING_REASONS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The other system has it."""

    claim: Claim
    note: str | None = None
    """what is worth knowing of how it went: for operators."""
    receipt: str | None = None
    """what customers may read of it on the steps that it carries out; None: the note; empty: nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """To be tried again."""

    claim: Claim
    error: str
    pause_ms: int
    answer: str | None = None
    """what the other system said, as far as it is kept: for operators."""
    is_suspended: bool = False
    """people of the other system have suspended it: it waits anew since now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """Parked: a person must look at it."""

    claim: Claim
    error: str
    reason: ParkedFor
    answer: str | None = None
    """what the other system said, as far as it is kept: for operators."""


Outcome: TypeAlias = Done | Again | Dead


async def skip(transaction: Transaction, delivery: str, *, note: str) -> bool:
    """Give up a parked delivery for good, since a person says so, and let what is held behind it go on; False: it is not parked."""
    rows = await transaction.run(_SKIP, {"id": delivery, "note": note})
    for now, _ in cast("list[tuple[int, str]]", rows):
        release(transaction, delivery, now=now)
        transaction.later(_GO_ON, {"batch": {"ids": [delivery]}})
        transaction.later(_CLOSE, {"batch": {"ids": [delivery]}})
    return bool(rows)


async def settle(transaction: Transaction, outcomes: Sequence[Outcome]) -> frozenset[str]:
    """Write outcomes down, and what they mean for what waits behind; give the ids of the deliveries for which they were taken."""
    # By order key, as all who lock several deliveries do.
    ordered = sorted(outcomes, key=lambda each: (each.claim.order_key, each.claim.id))
    if not ordered:
        return frozenset()
    keys = [{"id": each.claim.id, "orderKey": each.claim.order_key} for each in ordered]
    most = _ALL if any(isinstance(each, Dead) or _is_suspended(each) for each in ordered) else _ITSELF_AND_NEXT
    transaction.later(_LOCK, {"batch": {"rows": keys}, "most": most})
    rows = await transaction.run(_SETTLE, {"batch": {"rows": [_row(each) for each in ordered]}})
    taken = frozenset(str(row[0]) for row in rows)
    if carrying := {str(row[0]) for row in rows if row[1]}:
        await note_steps(transaction, [_carried(each) for each in ordered if each.claim.id in carrying])
    done = [each.claim.id for each in ordered if isinstance(each, Done) and each.claim.id in taken]
    dead = [each.claim.id for each in ordered if isinstance(each, Dead) and each.claim.id in taken]
    if done:
        transaction.later(_GO_ON, {"batch": {"ids": done}})
        transaction.later(_CLOSE, {"batch": {"ids": done}})
    if dead:
        transaction.later(_HOLD, {"batch": {"ids": dead}})
        told = [_parked(each) for each in ordered if isinstance(each, Dead) and each.claim.id in taken]
        transaction.later(_TELL_PARKED, {"batch": {"rows": told}})
    if suspended := [each.claim.id for each in ordered if _is_suspended(each) and each.claim.id in taken]:
        transaction.later(_STAY_YOUNG, {"batch": {"ids": suspended}})
    return taken


def release(transaction: Transaction, delivery: str, *, now: int) -> None:
    """Let what is held behind a parked delivery wait for it again: it was replayed, and they wait since then."""
    transaction.later(_RELEASE, {"id": delivery, "now": now})


def _parked(outcome: Dead) -> dict[str, object]:
    """Give the event that tells that a delivery is parked."""
    payload = {"delivery": outcome.claim.id, "reason": outcome.reason, "error": outcome.error}
    return {
        "event": f"{LABELS['Event'].id_prefix}{uuid_utils.uuid7()}",
        "id": outcome.claim.id,
        "payload": orjson.dumps(payload, option=orjson.OPT_SORT_KEYS).decode(),
    }


def _carried(outcome: Outcome) -> StepOutcome:
    """Give what an outcome means for the steps that its delivery carries out."""
    claim = outcome.claim
    match outcome:
        case Done(note=note, receipt=receipt):
            shown = note if receipt is None else receipt or None
            return StepOutcome(delivery=claim.id, attempts=claim.attempts, state="DONE", receipt=shown, error=None)
        case Again(error=error):
            return StepOutcome(delivery=claim.id, attempts=claim.attempts, state="PENDING", receipt=None, error=error)
        case Dead(error=error):
            return StepOutcome(delivery=claim.id, attempts=claim.attempts, state="FAILED", receipt=None, error=error)
        case never:
            assert_never(never)


def _is_suspended(outcome: Outcome) -> bool:
    return isinstance(outcome, Again) and outcome.is_suspended


def _row(outcome: Outcome) -> dict[str, object]:
    claim = outcome.claim
    token: dict[str, object] = {"id": claim.id, "attempts": claim.attempts, "epoch": claim.epoch}
    nothing: dict[str, object] = {"pause": 0, "reason": None, "answer": None, "suspended": False}
    match outcome:
        case Done(note=note):
            return {**token, **nothing, "state": "DONE", "error": note}
        case Again(error=error, pause_ms=pause, answer=answer, is_suspended=suspended):
            waits = {"pause": pause, "answer": answer, "suspended": suspended}
            return {**token, **nothing, **waits, "state": "READY", "error": error}
        case Dead(error=error, reason=reason, answer=answer):
            return {**token, **nothing, "state": "DEAD", "error": error, "reason": reason, "answer": answer}
        case never:
            assert_never(never)
