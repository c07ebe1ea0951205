"""Acknowledging, clearing and commenting are tasks in TMF642: a body names many alarms, the answer tells what became of each.

An alarm is named by its id, or by what its source calls it. What names nothing that the caller may change is given back
as it came, whether there is no such alarm or it is another's. The alarms are changed one after another, each once for
one task: under the caller's `Idempotency-Key` also when the task is sent again. A task is done when it is answered;
nothing is kept of it, so it cannot be asked for afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog
import uuid_utils

from adapters.endpoint.errors import MalformedBody
from adapters.fault_management.inbound.query import AlarmFilter
from adapters.fault_management.inbound.reads import AlarmReads
from adapters.fault_management.inbound.shape import ACK_ALARMS, CLEAR_ALARMS, COMMENT_ALARMS, MATCHED
from adapters.tmf.shape import MOST_FAULTS, Fault, Thing, faults
from graph.changes.alarms.alarms import acknowledge_alarm, clear_alarm, comment_alarm, unacknowledge_alarm
from graph.changes.alarms.comments import Comment
from graph.changes.outcome import Outcome
from graph.errors import GraphError

MOST_ALARMS: Final = 200
"""Each is a transaction, and all must be done before the deadline."""

log = structlog.get_logger(__name__)


class Change(Protocol):
    """What a task does to one alarm."""

    async def __call__(self, reads: AlarmReads, asked: Mapping[str, Any], alarm_id: str, key: str, /) -> Outcome:
        """Do it, as the body asks."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A kind of task."""

    name: str
    """the resource in the address."""
    shape: Thing
    done: str
    """the field that names the alarms it was done to."""
    change: Change


async def _acknowledge(reads: AlarmReads, _: Mapping[str, Any], alarm_id: str, key: str) -> Outcome:
    port = reads.port
    return await acknowledge_alarm(
        port.store, reads.principal, port.policy, alarm_id=alarm_id, idempotency_key=key, deadline=reads.deadline
    )


async def _unacknowledge(reads: AlarmReads, _: Mapping[str, Any], alarm_id: str, key: str) -> Outcome:
    port = reads.port
    return await unacknowledge_alarm(
        port.store, reads.principal, port.policy, alarm_id=alarm_id, idempotency_key=key, deadline=reads.deadline
    )


async def _clear(reads: AlarmReads, _: Mapping[str, Any], alarm_id: str, key: str) -> Outcome:
    port = reads.port
    return await clear_alarm(
        port.store, reads.principal, port.policy, alarm_id=alarm_id, idempotency_key=key, deadline=reads.deadline
    )


async def _comment(reads: AlarmReads, asked: Mapping[str, Any], alarm_id: str, key: str) -> Outcome:
    port, told = reads.port, asked["comment"]
    comment = Comment(
        alarm=alarm_id,
        text=told["comment"],
        user=told.get("userId", ""),
        system=told.get("systemId", ""),
        time=told.get("time", ""),
    )
    return await comment_alarm(
        port.store,
        reads.principal,
        port.policy,
        comment,
        idempotency_key=key,
        deadline=reads.deadline,
    )


ACK: Final = Task(name="ackAlarms", shape=ACK_ALARMS, done="ackedAlarm", change=_acknowledge)
UN_ACK: Final = Task(name="unAckAlarms", shape=ACK_ALARMS, done="unAckedAlarm", change=_unacknowledge)
COMMENT: Final = Task(name="commentAlarms", shape=COMMENT_ALARMS, done="commentedAlarm", change=_comment)
CLEAR: Final = Task(name="clearAlarms", shape=CLEAR_ALARMS, done="clearedAlarm", change=_clear)


async def perform(task: Task, reads: AlarmReads, body: object, key: str | None) -> dict[str, Any]:
    """Do a task to every alarm that it names and give it as it then is, without its address."""
    asked = _checked(task, body)
    patterns: Sequence[Mapping[str, Any]] = asked["alarmPattern"]
    targets = _targets(patterns, await reads.matching(_filter(patterns)))
    task_id = f"{task.name.lower()}-{uuid_utils.uuid7()}"
    done = await _change_all(task, reads, asked, targets, key or task_id)
    failed = [pattern for pattern, found in zip(patterns, targets, strict=True) if not done.issuperset(found or [""])]
    return {
        **{name: value for name, value in asked.items() if name not in (task.done, "state", "unmatchedPattern")},
        "id": task_id,
        "state": "terminatedWithError" if failed else "done",
        task.done: [{"id": each, "href": f"{reads.place}/{each}", "@referredType": "Alarm"} for each in sorted(done)],
        **({"unmatchedPattern": failed} if failed else {}),
    }


def _checked(task: Task, body: object) -> dict[str, Any]:
    found = list(faults(task.shape, body))
    if not found and isinstance(body, dict):
        found = [fault for index, each in enumerate(body["alarmPattern"]) for fault in _unclear(index, each)]
    if found or not isinstance(body, dict):
        raise MalformedBody(found[:MOST_FAULTS])
    return body


def _unclear(index: int, pattern: Mapping[str, Any]) -> list[Fault]:
    """Say why a pattern names no alarm: whoever asks for all critical ones would be surprised by what else is."""
    path = f"alarmPattern[{index}]"
    if "id" not in pattern and "externalAlarmId" not in pattern:
        return [Fault(path=path, problem="has neither id nor externalAlarmId")]
    others = [name for name in pattern if name not in MATCHED and not name.startswith("@")]
    return [Fault(path=f"{path}.{name}", problem=f"is not matched; what is: {', '.join(MATCHED)}") for name in others]


def _filter(patterns: Sequence[Mapping[str, Any]]) -> AlarmFilter:
    named = {name: sorted({each[name] for each in patterns if name in each}) for name in ("id", "externalAlarmId")}
    return {"or": [{name: {"in": values}} for name, values in named.items() if values]}


def _targets(patterns: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Give for each pattern the ids of the alarms it names."""
    found = [
        [row["id"] for row in rows if all(row[name] == each[name] for name in MATCHED if name in each)]
        for each in patterns
    ]
    count = len({each for ids in found for each in ids})
    if count > MOST_ALARMS:
        problem = f"names {count} alarms; at most {MOST_ALARMS} are taken"
        raise MalformedBody([Fault(path="alarmPattern", problem=problem)])
    return found


async def _change_all(
    task: Task, reads: AlarmReads, asked: Mapping[str, Any], targets: Sequence[Sequence[str]], key: str
) -> set[str]:
    """Do it to one alarm after another; give those that it was done to.

    What fails after some were changed is no error of the task: its answer tells what was done, and it may be sent again.
    """
    done: set[str] = set()
    alarms = dict.fromkeys(each for found in targets for each in found)
    for alarm_id in alarms:
        own = hashlib.sha256(f"{task.name} {alarm_id} {key}".encode()).hexdigest()
        try:
            outcome = await task.change(reads, asked, alarm_id, own)
        except GraphError as error:
            if not done:
                raise
            log.warning("a task ended early", task=task.name, done=len(done), asked=len(alarms), reason=str(error))
            break
        if not outcome.user_errors:
            done.add(alarm_id)
    return done
