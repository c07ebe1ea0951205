"""An alarm comes in, and everybody whom it concerns must be told, or it must never have come in.

So one transaction does it all: it finds the alarm that the report is of, writes what the report says, and everything that
follows from it (`consequences.follow`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

import uuid_utils

from graph.changes.alarms import occurrence
from graph.changes.alarms.acknowledge import acknowledge_alarm, unacknowledge_alarm
from graph.changes.alarms.comments import comment_alarm
from graph.changes.alarms.consequences import By, Changed, Written, follow, state_of
from graph.changes.alarms.occurrence import Found, Known, Step
from graph.changes.idempotency import Asked, once
from graph.changes.outcome import Outcome
from graph.changes.policy import AlarmPolicy
from graph.changes.sources import Sources, not_found, sources_of
from graph.errors import Refused
from graph.model.alarm import Alarm
from graph.model.identity import external_key
from graph.model.model import LABELS, RELATIONSHIPS, label_of
from graph.model.scope import Principal
from graph.store.store import Store, Transaction

__all__ = [
    "AlarmPolicy",
    "acknowledge_alarm",
    "amend_alarm",
    "clear_alarm",
    "comment_alarm",
    "raise_alarm",
    "unacknowledge_alarm",
]

Amend: TypeAlias = Callable[[Known], Alarm]
"""Gives, from an alarm as it is, what it is to be; runs in the transaction, maybe several times."""

_MADE: Final = """{id: $id, sourceSystemId: $source, alarmedObjectRef: $object, raisedAt: $raised}"""
_SAID: Final = """
SET a.externalAlarmId = $external, a.alarmType = $type, a.probableCause = $cause, a.specificProblem = $problem,
    a.perceivedSeverity = $severity, a.state = $state, a.ackState = $ack, a.changedAt = $now, a.clearedAt = $cleared,
    a.record = $record, a.awaits = $awaits, a.identity = $identity, a.openOn = $openOn, a._sourceAt = $sourceAt,
    a._endedAt = $ended, a._version = $version
"""


def _created_on(label: str) -> str:
    return f"MATCH (o:{label} {{id: $target}}) CREATE (a:Alarm {_MADE})-[:RAISED_ON]->(o) {_SAID}"


_CREATE: Final[Mapping[str, str]] = {
    "": f"CREATE (a:Alarm {_MADE}) {_SAID}",
    **{label: _created_on(label) for label in RELATIONSHIPS["RAISED_ON"].ends},
}
"""By the label of what the alarm is raised on."""

# A source may find out that it is another thing than it said at first; or the name that it gave is known only now.
_LEAVE: Final = """
MATCH (a:Alarm {id: $id})
SET a.alarmedObjectRef = $object, a.awaits = $awaits
WITH a
OPTIONAL MATCH (a)-[r:RAISED_ON]->()
DELETE r
"""
_ENTER: Final[Mapping[str, str]] = {
    label: f"MATCH (a:Alarm {{id: $id}}) MATCH (o:{label} {{id: $target}}) CREATE (a)-[:RAISED_ON]->(o)"
    for label in RELATIONSHIPS["RAISED_ON"].ends
}

_SET: Final = """
MATCH (a:Alarm {id: $id})
SET a.externalAlarmId = $external, a.alarmType = $type, a.probableCause = $cause, a.specificProblem = $problem,
    a.perceivedSeverity = $severity, a.state = $state, a.ackState = $ack, a.changedAt = $now, a.clearedAt = $cleared,
    a.raisedAt = $raised, a.record = $record, a.identity = $identity, a.openOn = $openOn, a._sourceAt = $sourceAt,
    a._endedAt = $ended, a._version = $version
"""
# Under the lock of the identity (occurrence.py). A load, or an earlier version, may have left several.
_OF_IDENTITY: Final = "MATCH (a:Alarm {identity: $identity}) RETURN a.id ORDER BY a.id"
_SUPERSEDE: Final = "UNWIND $batch.alarms AS id MATCH (a:Alarm {id: id}) SET a.identity = null"

_COUNT: Final = """
MATCH (a:Alarm {id: $id})
SET a._version = $version, a.changedAt = $now, a.state = $state, a.openOn = $openOn
"""


async def raise_alarm(
    store: Store,
    principal: Principal,
    policy: AlarmPolicy,
    alarm: Alarm,
    *,
    idempotency_key: str | None = None,
    deadline: float,
) -> Outcome:
    """Take a report of an alarm: new, known, cleared or back; the outcome has the id of the `alarm` that it is of."""
    if not sources_of(principal).has(alarm.source_system_id):
        raise Refused(
            f"This caller does not speak for the source {alarm.source_system_id!r}",
            code="FORBIDDEN",
            path=("sourceSystemId",),
            hint="Have the operator name the source in the setting `systems`",
        )
    by = By(principal=principal, policy=policy)

    async def change(transaction: Transaction) -> Outcome:
        return await take_report(transaction, by, alarm)

    if idempotency_key is None:
        return await store.write(change, deadline=deadline)
    given = {"record": occurrence.record_text(alarm.record)}
    asked = Asked(subject=principal.subject, client_key=idempotency_key, operation="raiseAlarm", input=given)
    return await once(store, asked, change, deadline=deadline)


async def take_report(transaction: Transaction, by: By, alarm: Alarm) -> Outcome:
    """Take a report in a transaction that has locked nothing of what comes after alarms' identities; also one of our own."""
    found = await occurrence.find(transaction, by.policy, alarm)
    known = found.known
    told = alarm.after(known.value) if known else alarm
    step = occurrence.step_of(known, told, by.policy)
    if step is Step.RAISE:
        return await _begin(transaction, by, alarm, found)
    assert known is not None  # what is not there can only be raised
    if step is Step.NOTHING and found.object is not None and known.object is None:
        return await _resolved(transaction, by, known, found.object)
    value = told if step is Step.REOPEN else told.dated_as(known.value)
    still = known.acknowledged and step is not Step.REOPEN
    value = replace(value, acknowledged=value.acknowledged or still)
    is_same = alarm.alarmed_object == known.value.alarmed_object
    target = found.object or (known.object if is_same else None)
    return await _go_on(transaction, by, known, value, step, target=target)


async def amend_alarm(
    store: Store, principal: Principal, policy: AlarmPolicy, *, alarm_id: str, amend: Amend, deadline: float
) -> Outcome:
    """Change what is kept of an alarm; `ALARM_NOT_FOUND` where there is none that the caller may change."""
    sources = sources_of(principal)
    by = By(principal=principal, policy=policy)

    async def change(transaction: Transaction) -> Outcome:
        known = await occurrence.look(transaction, alarm_id, sources)
        if known is None:
            return Outcome(ids={}, user_errors=(not_found(),))
        value = amend(known)
        late = not sources.everyone and occurrence.is_late_clear(known, value, policy)
        step = Step.NOTHING if late else occurrence.amendment_of(known, value)
        return await _go_on(transaction, by, known, value, step, target=known.object)

    return await store.write(change, deadline=deadline)


async def clear_alarm(
    store: Store, principal: Principal, policy: AlarmPolicy, *, alarm_id: str, idempotency_key: str, deadline: float
) -> Outcome:
    """Say that an alarm is over. One that is over already stays as it is, and nobody is told again."""
    sources = sources_of(principal)
    by = By(principal=principal, policy=policy)
    given = {"alarmId": alarm_id}
    asked = Asked(subject=principal.subject, client_key=idempotency_key, operation="clearAlarm", input=given)

    async def change(transaction: Transaction) -> Outcome:
        known = await occurrence.look(transaction, alarm_id, sources)
        if known is None:
            return Outcome(ids={}, user_errors=(not_found(),))
        step = Step.NOTHING if known.is_cleared else Step.CLEAR
        value = replace(known.value, cleared=True)
        return await _go_on(transaction, by, known, value, step, target=known.object)

    return await once(store, asked, change, deadline=deadline)


async def raise_on(transaction: Transaction, by: By, alarm_id: str, target: str) -> bool:
    """Raise an alarm that matched nothing on the thing that it is about; tell whether both are still so."""
    if not await occurrence.hold(transaction, target):
        return False
    known = await occurrence.look(transaction, alarm_id, Sources(everyone=True))
    if known is None or known.object is not None:
        return False
    await _resolved(transaction, by, known, target)
    return True


async def _resolved(transaction: Transaction, by: By, known: Known, target: str) -> Outcome:
    """Raise a known alarm on what it is about, and leave the rest as it is."""
    changed = Changed(id=known.id, value=known.value, step=Step.UPDATE, now=known.now, known=known, target=target)

    def write(now: Changed) -> Sequence[Written]:
        given = {
            "id": now.id,
            "version": now.version,
            "now": now.now,
            "state": state_of(now),
            "openOn": _open_on(now),
        }
        return [*_moved(now, known), Written(text=_COUNT, parameters=given)]

    return await follow(transaction, by, changed, write)


async def _begin(transaction: Transaction, by: By, alarm: Alarm, found: Found) -> Outcome:
    """Make an alarm that nobody knew."""
    followed = [str(each) for [each] in await transaction.run(_OF_IDENTITY, {"identity": alarm.identity_key})]
    made = Changed(
        id=f"{LABELS['Alarm'].id_prefix}{uuid_utils.uuid7()}",
        value=alarm,
        step=Step.RAISE,
        now=found.now,
        known=None,
        target=found.object,
        follows=tuple(followed),
    )

    def write(now: Changed) -> Sequence[Written]:
        label = label_of(found.object) if found.object else None
        about = {"source": alarm.source_system_id, "object": alarm.alarmed_object, "target": found.object}
        given = {**_parameters(now, by.policy), **about, "awaits": _awaits(now)}
        superseded = Written(text=_SUPERSEDE, parameters={"batch": {"alarms": followed}})
        return [superseded, Written(text=_CREATE[label.name if label else ""], parameters=given)]

    return await follow(transaction, by, made, write)


async def _go_on(  # private: the parts of a change
    transaction: Transaction, by: By, known: Known, value: Alarm, step: Step, *, target: str | None
) -> Outcome:
    """Write what becomes of a known alarm, if anything does."""
    if step is Step.NOTHING:
        return Outcome(ids={"alarm": known.id})
    changed = Changed(id=known.id, value=value, step=step, now=known.now, known=known, target=target)

    def write(now: Changed) -> Sequence[Written]:
        said = Written(text=_SET, parameters=_parameters(now, by.policy))
        return [*_moved(now, known), said]

    return await follow(transaction, by, changed, write)


def _moved(alarm: Changed, known: Known) -> Sequence[Written]:
    """Raise an alarm on another object than before, if it is on another."""
    reference = alarm.value.alarmed_object
    if alarm.target == known.object and reference == known.value.alarmed_object:
        return ()
    left = Written(text=_LEAVE, parameters={"id": alarm.id, "object": reference, "awaits": _awaits(alarm)})
    label = label_of(alarm.target) if alarm.target else None
    if label is None:
        return [left]
    return [left, Written(text=_ENTER[label.name], parameters={"id": alarm.id, "target": alarm.target})]


def _awaits(alarm: Changed) -> str | None:
    """Give the name that an alarm waits for; None when it is raised on something."""
    value = alarm.value
    return None if alarm.target else external_key(value.source_system_id, value.alarmed_object)


def _parameters(alarm: Changed, policy: AlarmPolicy) -> dict[str, object]:
    value, known = alarm.value, alarm.known
    before = (occurrence.dated_before(known, policy) if known else None) or 0
    return {
        "id": alarm.id,
        "external": value.external_alarm_id,
        "type": value.alarm_type,
        "cause": value.probable_cause,
        "problem": value.specific_problem,
        "severity": "cleared" if value.cleared else value.perceived_severity,
        "state": state_of(alarm),
        "ack": "acknowledged" if value.acknowledged else "unacknowledged",
        "now": alarm.now,
        "version": alarm.version,
        "raised": value.raised_at,
        "cleared": (value.cleared_at or alarm.now) if value.cleared else None,
        "ended": _ended(alarm),
        "record": occurrence.record_text(value.record),
        "sourceAt": max(before, occurrence.source_time(value, policy, alarm.now, known)),
        "identity": _identity(alarm),
        "openOn": _open_on(alarm),
    }


def _open_on(alarm: Changed) -> str | None:
    """Give what an alarm is raised on while it is open; None once it is over, or where it matches nothing."""
    return None if alarm.value.cleared else alarm.target


def _identity(alarm: Changed) -> str | None:
    """Give the key of its identity, where reports of that are of it; one that another has followed gets it back by a change only."""
    known, key = alarm.known, alarm.value.identity_key
    is_latest = known is None or known.is_latest or alarm.step is Step.REOPEN or key != known.value.identity_key
    return key if is_latest else None


def _ended(alarm: Changed) -> int | None:
    """Tell when we heard that an alarm is over: now, or before, where it is only changed since."""
    if not alarm.value.cleared:
        return None
    before = alarm.known.ended_at if alarm.known else None
    return alarm.now if before is None else before
