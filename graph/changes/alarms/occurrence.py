"""A source reports the same alarm again and again; each report must find the one alarm that it is of.

Two reports of one alarm that nobody knows yet may come at the same moment, and then there is no node to lock. So what
makes them the same alarm (`Alarm.identity`) is a node of its own, locked while it is decided.

Rules. 1. With an external id, it and the source are the alarm; without, all that tells what it is about. 2. A report of a
cleared alarm reopens it within a window after its clear; later it is a new alarm. 3. A report that is older than what is
known is a repeat that was long under way, and changes nothing: the source's own times tell, never ours against its. So is
a clear that its source dates before the raise: else a fault that came back would be hidden by the end of an earlier one.
4. A time that cannot be (`AlarmPolicy.believed`) is taken as that of the report, or one report of the year 2099 would make
all later ones old. 5. Of several alarms that a report may be of, the open one is it, else the one that we changed last.

An alarm is looked at without its lock first (`look`): which services it concerns must be known before they are locked, and
they are locked before alarms (`graph/changes/gates.py` has the order). `lock` looks again: who finds another alarm than
before begins anew.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import orjson

from graph.changes import gates
from graph.changes.policy import AlarmPolicy
from graph.changes.references import look_up, meant
from graph.changes.sources import Sources
from graph.errors import Contended
from graph.model.alarm import Alarm
from graph.model.model import RELATIONSHIPS, label_of
from graph.store.store import Transaction

_EQUIPMENT: Final = RELATIONSHIPS["RAISED_ON"].ends

# What is known of an identity is one alarm, the latest; those before it are found by their ids only, however many there are.
_FIND: Final = f"""
MERGE (k:AlarmIdentity {{key: $key}})
SET k._locked = coalesce(k._locked, 0) + 1
RETURN k.key, datetime.realtime().epochMillis, HEAD(COLLECT {{
  MATCH (a:Alarm {{identity: $key}})
  RETURN a.id ORDER BY CASE WHEN a.state = 'cleared' THEN 1 ELSE 0 END, a.changedAt DESC, a.id DESC LIMIT 1
}}), {look_up(_EQUIPMENT, "$object", "$names")}
"""

RESOLVE: Final = f"RETURN {look_up(_EQUIPMENT, '$object', '$names')}"
"""Looks up what an alarm may be about: `$object`, or what has one of `$names`."""

_LOOK: Final = """
MATCH (a:Alarm {id: $alarm})
WHERE $everyone OR a.sourceSystemId IN $sources
RETURN datetime.realtime().epochMillis, a.state, a.ackState, a.clearedAt, coalesce(a._endedAt, a.clearedAt), a._sourceAt, a.record,
  HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(o) RETURN o.id }),
  COLLECT { MATCH (a)-[:AFFECTS]->(s:Service) RETURN s.id ORDER BY s.id }, coalesce(a._version, 0),
  [a.sourceSystemId, a.externalAlarmId, a.alarmedObjectRef, a.alarmType, a.probableCause, a.specificProblem,
   a.perceivedSeverity, a.raisedAt], a.identity IS NOT NULL
"""

# Sorted by id, as all who lock several alarms do. The others' change is counted with the lock; `own`'s when it is written,
# and one that is only followed by another does not change.
_LOCK: Final = """
UNWIND $batch.alarms AS id
MATCH (a:Alarm {id: id})
SET a._version = coalesce(a._version, 0) + CASE WHEN a.id IN $batch.kept THEN 0 ELSE 1 END
RETURN a.id, a._version, datetime.realtime().epochMillis
"""

_TAKE: Final = "MATCH (a:Alarm {id: $alarm}) SET a._locked = coalesce(a._locked, 0) + 1 RETURN a.id"

# What lies in equipment's reach is not changed meanwhile: who moves things locks what they are moved from and to.
_HOLD: Final[Mapping[str, str]] = {
    label: f"MATCH (o:{label} {{id: $id}}) SET o._locked = coalesce(o._locked, 0) + 1 RETURN o.id"
    for label in _EQUIPMENT
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An alarm as it is."""

    id: str
    now: int
    """epoch milliseconds by the database's clock."""
    state: str
    acknowledged: bool
    cleared_at: int | None
    """when it was over, as its source says."""
    ended_at: int | None
    """when we heard that, by the database's clock."""
    source_at: int | None
    """the latest time that its source has given in any report."""
    value: Alarm
    """what was last reported of it, with `cleared` and `acknowledged` as they are now."""
    object: str | None
    """the id of what it is raised on; None when it matches nothing."""
    services: tuple[str, ...]
    """those that it affects."""
    version: int
    """how often it has changed."""
    is_latest: bool
    """whether a report of its identity is of it: no later alarm has the same."""

    @property
    def is_cleared(self) -> bool:
        """Tell whether it is over."""
        return self.state == "cleared"


class Step(enum.Enum):
    """What a report makes of an alarm; the value is the type of the event that tells of it."""

    RAISE = "AlarmRaised"
    UPDATE = "AlarmUpdated"
    CLEAR = "AlarmCleared"
    REOPEN = "AlarmReopened"
    NOTHING = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is of a report before it is taken."""

    now: int
    """epoch milliseconds by the database's clock."""
    known: Known | None
    """the alarm that it is of; None when nobody knows it."""
    object: str | None
    """the id of what it is about; None when it matches nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """Alarms that are locked."""

    versions: Mapping[str, int]
    """of each other alarm, by this change; of one's own, before it."""
    now: int
    """epoch milliseconds by the database's clock, read under the locks; 0 when nothing was locked."""


async def find(transaction: Transaction, policy: AlarmPolicy, alarm: Alarm) -> Found:
    """Find the alarm that a report is of; no other report of it is decided meanwhile.

    `alarmed_object` is an id of ours, or else a name by which the source knows the thing. Who finds neither holds the
    gates of all that it has looked for: it will be seen by whoever brings one of them.
    """
    names = policy.keys_meant(alarm.source_system_id, alarm.alarmed_object)
    about = {"object": alarm.alarmed_object, "names": list(names)}
    [[key, *found]] = await transaction.run(_FIND, {"key": alarm.identity_key, **about})
    if key is None:
        # Neo4j finds the node, waits for its lock, and then holds the lock of what retention has deleted.
        raise Contended("The identity of this alarm was swept away at this moment")
    now, alarm_id, itself, named = cast("tuple[int, str | None, object, object]", tuple(found))
    target = meant(itself, named, names)
    if target is None:
        await gates.lock(transaction, (alarm.alarmed_object, *names))
        [[itself, named]] = await transaction.run(RESOLVE, about)
        target = meant(itself, named, names)
    known = None if alarm_id is None else await look(transaction, alarm_id, Sources(everyone=True))
    return Found(now=now, known=known, object=target)


async def look(transaction: Transaction, alarm_id: str, sources: Sources) -> Known | None:
    """Give an alarm of these sources as it is now; None when there is none."""
    rows = await transaction.run(_LOOK, {"alarm": alarm_id, **sources.parameters()})
    if not rows:
        return None
    now, state, ack, cleared_at, ended_at, source_at, record, target, services, version, told, is_latest = rows[0]
    acknowledged = ack == "acknowledged"
    value = _value(cast("list[Any]", told), str(record), cleared=state == "cleared", acknowledged=acknowledged)
    return Known(
        id=alarm_id,
        now=cast("int", now),
        state=str(state),
        acknowledged=acknowledged,
        cleared_at=cast("int | None", cleared_at),
        ended_at=cast("int | None", ended_at),
        source_at=cast("int | None", source_at),
        value=value,
        object=cast("str | None", target),
        services=tuple(cast("list[str]", services)),
        version=cast("int", version),
        is_latest=bool(is_latest),
    )


async def take(transaction: Transaction, alarm_id: str, sources: Sources) -> Known | None:
    """Lock one alarm, by which nothing but itself changes, and give it as it is; None when these sources have no such."""
    await transaction.run(_TAKE, {"alarm": alarm_id})
    return await look(transaction, alarm_id, sources)


async def hold(transaction: Transaction, target: str) -> bool:
    """Lock a piece of equipment, so that nothing moves into or out of its reach; False when there is no such."""
    label = label_of(target)
    return label is not None and bool(await transaction.run(_HOLD[label.name], {"id": target}))


async def lock(
    transaction: Transaction, own: Known | None, others: Iterable[str], followed: Iterable[str] = ()
) -> Locked:
    """Lock one's own alarm, others, whose change is counted, and those that it follows.

    Raises Contended where one's own is not as it was.
    """
    kept = {*followed, *([own.id] if own else ())}
    wanted = sorted({*others, *kept})
    rows = await transaction.run(_LOCK, {"batch": {"alarms": wanted, "kept": sorted(kept)}}) if wanted else []
    locked = cast("list[tuple[str, int, int]]", [tuple(row) for row in rows])
    if own is not None:
        found = await look(transaction, own.id, Sources(everyone=True))
        if found is None or replace(found, now=own.now, version=own.version) != own:
            raise Contended("An alarm is being changed by others")
    return Locked(
        versions={alarm: version for alarm, version, _ in locked}, now=max((now for *_, now in locked), default=0)
    )


def _value(told: list[Any], record: str, *, cleared: bool, acknowledged: bool) -> Alarm:
    source, external, target, kind, cause, problem, severity, raised = told
    return Alarm(
        source_system_id=source,
        external_alarm_id=external,
        alarmed_object=target,
        alarm_type=kind,
        probable_cause=cause,
        specific_problem=problem,
        perceived_severity=severity,
        cleared=cleared,
        acknowledged=acknowledged,
        raised_at=raised,
        record=orjson.loads(record),
    )


def step_of(known: Known | None, alarm: Alarm, policy: AlarmPolicy) -> Step:
    """Decide what a report makes of the alarm that it is of."""
    if known is None:
        return Step.RAISE
    if _is_repeat(known, alarm, policy):
        return Step.NOTHING
    if not known.is_cleared:
        return Step.CLEAR if alarm.cleared else Step.UPDATE
    if alarm.cleared:
        return Step.NOTHING
    within = known.ended_at is not None and known.now - known.ended_at <= policy.reopen_ms
    return Step.REOPEN if within else Step.RAISE


def amendment_of(known: Known, alarm: Alarm) -> Step:
    """Decide what a change to one known alarm makes of it: whoever names it means it, however long it is over."""
    if _says_the_same(known, alarm) and alarm.acknowledged == known.acknowledged:
        return Step.NOTHING
    match known.is_cleared, alarm.cleared:
        case False, True:
            return Step.CLEAR
        case True, False:
            return Step.REOPEN
        case _:
            return Step.UPDATE


def is_late_clear(known: Known, alarm: Alarm, policy: AlarmPolicy) -> bool:
    """Tell whether an alarm that is open would be cleared as of before it was raised."""
    cleared, raised, now = alarm.cleared_at, known.value.raised_at, known.now
    if known.is_cleared or not alarm.cleared or cleared is None or policy.is_ahead(raised, now):
        return False
    was_reset = policy.is_late(cleared, now) and not policy.is_late(raised, now)
    return cleared < raised and not was_reset


def dated_before(known: Known, policy: AlarmPolicy) -> int | None:
    """Give the latest time that the source of an alarm has told; None where that cannot be."""
    at = known.source_at
    return None if at is None or policy.is_ahead(at, known.now) else at


def source_time(alarm: Alarm, policy: AlarmPolicy, now: int, known: Known | None = None) -> int:
    """Give the latest time that a report bears, or now where the clock that told it must be wrong.

    So it is where a time lies far ahead, and where all of a report lies far back while the alarm's last report did not: the
    source's clock was reset. That it says of an old alarm when it was raised is no sign of that.
    """
    told = [each for each in (alarm.raised_at, alarm.changed_at, alarm.cleared_at) if each is not None]
    at = max(now if policy.is_ahead(each, now) else each for each in told)
    if known is None or known.source_at is None or alarm.raised_at == known.value.raised_at:
        return at
    return now if policy.is_late(at, now) and not policy.is_late(known.source_at, now) else at


def record_text(record: Mapping[str, object]) -> str:
    """Spell a record as it is kept: equal records have equal texts."""
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS).decode()


def _is_repeat(known: Known, alarm: Alarm, policy: AlarmPolicy) -> bool:
    if _says_the_same(known, alarm):
        return True
    before = dated_before(known, policy)
    if before is None or (alarm.cleared and alarm.changed_at is None and alarm.cleared_at is None):
        return False  # a clear that bears no time of its own is of now
    at = source_time(alarm, policy, known.now, known)
    back = known.is_cleared and not alarm.cleared
    return at <= before if back else at < before


def _says_the_same(known: Known, alarm: Alarm) -> bool:
    return alarm.record == known.value.record and alarm.cleared == known.is_cleared
