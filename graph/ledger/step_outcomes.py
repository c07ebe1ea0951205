"""A step of a process is carried out by a delivery, so what became of the one is written to the other, in one transaction.

A delivery that is parked will not go on by itself: a person is asked by a `Task`, which is open until the delivery is replayed and
done, or somebody has settled it otherwise (graph/changes/tasks.py).

The steps are locked after their delivery, by their ids, and tasks after both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import orjson
import uuid_utils

from graph.model.model import LABELS
from graph.store.store import Transaction

PARKED_STEP: Final = "stepParked"
"""The kind of a task for a step whose delivery is parked."""

_NOTE: Final = """
UNWIND $batch.rows AS row
MATCH (d:Delivery {id: row.delivery})-[:CARRIES_OUT]->(p:ProcessStep)
WITH row, p ORDER BY p.id
SET p.state = row.state, p.attempts = coalesce(p._before, 0) + row.attempts, p.error = row.error, p.receipt = row.receipt,
    p.finishedAt = CASE WHEN row.state = 'DONE' THEN datetime.realtime().epochMillis ELSE null END
"""

_OPEN: Final = """
UNWIND $batch.rows AS row
MATCH (d:Delivery {id: row.delivery})
WITH row, d, HEAD(COLLECT {
  MATCH (d)-[:CARRIES_OUT]->(p:ProcessStep)-[:STEP_OF]->(o) RETURN [p.id, o.id] ORDER BY p.id LIMIT 1
}) AS carried, datetime.realtime().epochMillis AS now
WHERE NOT EXISTS { MATCH (t:Task {delivery: row.delivery}) WHERE t.state = 'OPEN' }
CREATE (t:Task {
  id: row.task, kind: row.kind, state: 'OPEN', about: carried[1], openAbout: carried[1], step: carried[0],
  delivery: row.delivery, reason: row.reason, openedAt: now, _version: 1
})
CREATE (e:Event {
  id: row.event, type: 'TaskOpened', aggregateId: row.task, aggregateVersion: 1, at: now, unplaced: now, principal: 'trunkline',
  payload: row.payload
})
"""

_CLOSE: Final = """
UNWIND $batch.rows AS row
MATCH (t:Task {delivery: row.delivery}) WHERE t.state = 'OPEN'
WITH t, row, datetime.realtime().epochMillis AS now
SET t.state = 'DONE', t.openAbout = null, t.settledAt = now, t.settledBy = 'trunkline', t._version = coalesce(t._version, 1) + 1
CREATE (e:Event {
  id: row.event, type: 'TaskSettled', aggregateId: t.id, aggregateVersion: t._version, at: now, unplaced: now,
  principal: 'trunkline', payload: '{"state":"DONE","task":"' + t.id + '"}'
})
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """What became of a delivery that carries out steps."""

    delivery: str
    attempts: int
    state: Literal["DONE", "PENDING", "FAILED"]
    receipt: str | None
    """what the other system calls what it has done."""
    error: str | None


async def note_steps(transaction: Transaction, carried: Sequence[StepOutcome]) -> None:
    """Write what became of deliveries to the steps that they carry out; open tasks for parked ones, close those of done ones."""
    transaction.later(_NOTE, {"batch": {"rows": [_row(each) for each in carried]}})
    parked = [_opened(each) for each in carried if each.state == "FAILED"]
    done = [{"delivery": each.delivery, "event": _new("Event")} for each in carried if each.state == "DONE"]
    if parked:
        transaction.later(_OPEN, {"batch": {"rows": parked}})
    if done:
        transaction.later(_CLOSE, {"batch": {"rows": done}})


def _row(carried: StepOutcome) -> dict[str, object]:
    return {
        "delivery": carried.delivery,
        "attempts": carried.attempts,
        "state": carried.state,
        "receipt": carried.receipt,
        "error": carried.error,
    }


def _opened(carried: StepOutcome) -> dict[str, object]:
    task = _new("Task")
    payload = {"task": task, "kind": PARKED_STEP, "about": carried.delivery, "state": "OPEN", "reason": carried.error}
    return {
        "task": task,
        "event": _new("Event"),
        "kind": PARKED_STEP,
        "delivery": carried.delivery,
        "reason": carried.error,
        "payload": orjson.dumps(payload, option=orjson.OPT_SORT_KEYS).decode(),
    }


def _new(label: str) -> str:
    return f"{LABELS[label].id_prefix}{uuid_utils.uuid7()}"
