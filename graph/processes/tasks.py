"""What a program cannot settle by itself waits for a person, once: as a `Task` that is open until somebody or something settles it.

Tasks are opened and closed under the lock of what they are about. A task of a parked delivery is opened where that is settled
(graph/ledger/step_outcomes.py); what people do with tasks is graph/changes/tasks.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson
import uuid_utils

from graph.model.model import LABELS
from graph.store.store import Transaction

_OPEN: Final = """
UNWIND $batch.rows AS row
WITH row WHERE NOT EXISTS { MATCH (o:Task {openAbout: row.about}) WHERE o.state = 'OPEN' AND o.kind = row.kind }
CREATE (t:Task {
  id: row.id, kind: row.kind, state: 'OPEN', about: row.about, openAbout: row.about, reason: row.reason,
  openedAt: row.at, _version: 1
})
CREATE (e:Event {
  id: row.event, type: 'TaskOpened', aggregateId: row.id, aggregateVersion: 1, at: row.at, unplaced: row.at,
  principal: 'trunkline', payload: row.payload
})
"""
_CLOSE: Final = """
UNWIND $batch.rows AS row
MATCH (t:Task {openAbout: row.about}) WHERE t.state = 'OPEN' AND t.kind = row.kind
SET t.state = 'DONE', t.openAbout = null, t.settledAt = row.at, t.settledBy = 'trunkline', t._version = coalesce(t._version, 1) + 1
CREATE (e:Event {
  id: row.event, type: 'TaskSettled', aggregateId: t.id, aggregateVersion: t._version, at: row.at, unplaced: row.at,
  principal: 'trunkline', payload: '{"state":"DONE","task":"' + t.id + '"}'
})
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A task that is opened, unless one of its kind is open for what it is about."""

    kind: str
    about: str
    """the id of what it is about."""
    reason: str


def open_task(transaction: Transaction, opened: Opened, *, at: int) -> None:
    """Open a task; `at` is epoch milliseconds by the database's clock."""
    task = _new("Task")
    payload = {"task": task, "kind": opened.kind, "about": opened.about, "state": "OPEN", "reason": opened.reason}
    row = {
        "id": task,
        "event": _new("Event"),
        "kind": opened.kind,
        "about": opened.about,
        "reason": opened.reason,
        "at": at,
        "payload": orjson.dumps(payload, option=orjson.OPT_SORT_KEYS).decode(),
    }
    transaction.later(_OPEN, {"batch": {"rows": [row]}})


def close_task(transaction: Transaction, *, kind: str, about: str, at: int) -> None:
    """Close the open task of a kind, if there is one: what it asks for is done."""
    row = {"event": _new("Event"), "kind": kind, "about": about, "at": at}
    transaction.later(_CLOSE, {"batch": {"rows": [row]}})


def _new(label: str) -> str:
    return f"{LABELS[label].id_prefix}{uuid_utils.uuid7()}"
