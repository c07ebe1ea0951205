"""A customer whose load is too high again and again, or for long, needs a larger contract: sales hears of it once, with the evidence.

A threshold that is crossed comes in as an alarm about a service (`qualityOfServiceAlarm` with `crossedThresholdInformation`, TMF642);
the threshold is a share of the rate that the network carries. Its load is above it from the raising of such an alarm until it is
cleared, by our own clock: the events of the alarm say when. A rule says how many crossings, or how many hours all together, within how
many days make a lead.

Alarms know nothing of leads. A timer looks what has become of crossings since it looked last, and which are open, and has the timers of
their services come; each of these judges one service, under its lock. So one service that fails keeps no other waiting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson

from graph.changes.bandwidth.consequences.leads import SHOWN, Prospect, open_lead, since
from graph.changes.bandwidth.policy import BandwidthPolicy, CrossingRule, LeadRule, UtilizationRule
from graph.changes.services import metered
from graph.ledger import timers
from graph.ledger.timers import Due, Work
from graph.store.store import Transaction

LOOKING: Final = "crossings"
"""The kind of the timer that looks for crossings;"""
ABOUT: Final = "bandwidth"
KIND: Final = "serviceCrossings"
"""and that of the timers that judge a service."""
EVERY_MS: Final = 60_000
INDICATOR: Final = "load"
"""whose crossings count: one of availability is no reason to buy more."""
_NEXT_MS: Final = 1_000
_MOST: Final = 2_000
"""events, and open alarms, that are looked at together."""
_ALARMS: Final = 1_000
"""of a service, the latest."""
_SUBJECT: Final = "trunkline"
_HOUR_MS: Final = 3_600_000

_MARKS: Final = "MATCH (t:Timer {id: $timer}) RETURN coalesce(t._since, 0), coalesce(t._after, '')"
_GO_ON: Final = "MATCH (t:Timer {id: $timer}) SET t._since = $since, t._after = $after"
_NEWS: Final = """
MATCH (e:Event) WHERE e.at >= $since AND e.type IN ['AlarmRaised', 'AlarmReopened', 'AlarmCleared']
RETURN e.at, e.aggregateId ORDER BY e.at, e.aggregateId LIMIT $most
"""
# By the index of states, whatever else there was: `coalesce` keeps a planner from that of ids.
_OPEN: Final = """
MATCH (a:Alarm) WHERE a.state IN ['raised', 'updated'] AND coalesce(a.id, '') > $after
RETURN a.id ORDER BY a.id LIMIT $most
"""
# By our id of the service, or by the name that the source has for it, which the alarm awaits.
_SERVICES: Final = """
UNWIND $batch.alarms AS id
MATCH (a:Alarm {id: id}) WHERE a.alarmType = 'qualityOfServiceAlarm'
RETURN COLLECT { MATCH (s:Service {id: a.alarmedObjectRef}) RETURN s.id },
  COLLECT { MATCH (x:ExternalName {key: a.awaits})-[:NAMES]->(s:Service) RETURN s.id }
"""
_NAMES: Final = "MATCH (x:ExternalName)-[:NAMES]->(s:Service {id: $service}) RETURN x.key ORDER BY x.key"
_BY_ID: Final = """
MATCH (a:Alarm {alarmedObjectRef: $service}) WHERE a.alarmType = 'qualityOfServiceAlarm'
RETURN a.id, a.record ORDER BY a.raisedAt DESC LIMIT $most
"""
_BY_NAME: Final = """
UNWIND $batch.keys AS key
MATCH (a:Alarm {awaits: key}) WHERE a.alarmType = 'qualityOfServiceAlarm'
RETURN a.id, a.record ORDER BY a.raisedAt DESC LIMIT $most
"""
_TURNS: Final = """
UNWIND $batch.alarms AS id
MATCH (e:Event {aggregateId: id}) WHERE e.type IN ['AlarmRaised', 'AlarmReopened', 'AlarmCleared']
RETURN e.aggregateId, e.type, e.at ORDER BY e.aggregateId, e.aggregateVersion
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """For how long a load was above its threshold, in epoch milliseconds UTC."""

    alarm: str
    start: int
    end: int
    """now, of one that lasts."""


def looking(policy: BandwidthPolicy, *, most: int = _MOST) -> Work:
    """Make the work of the timer that has the timers of services come whose load was, or is, too high."""

    async def work(transaction: Transaction, due: Due) -> int | None:
        if not _rules(policy):
            return due.now + EVERY_MS
        timer = {"timer": timers.timer_id(LOOKING, due.about)}
        rows = await transaction.run(_MARKS, timer)
        marked, after = cast("tuple[int, str]", tuple(rows[0])) if rows else (0, "")
        # What was written a moment ago may be seen later than what was written after it.
        begin = marked or due.now - EVERY_MS
        news = cast("list[tuple[int, str]]", await transaction.run(_NEWS, {"since": begin, "most": most}))
        opened = [str(each) for (each,) in await transaction.run(_OPEN, {"after": after, "most": most})]
        alarms = sorted({*(alarm for _, alarm in news), *opened})
        for service in await _services(transaction, alarms):
            timers.arm(transaction, kind=KIND, about=service, due_at=due.now)
        is_behind = len(news) == most
        reached = max(begin + 1, news[-1][0]) if is_behind else due.now - EVERY_MS
        last = opened[-1] if len(opened) == most else ""
        transaction.later(_GO_ON, {**timer, "since": reached, "after": last})
        return due.now + (_NEXT_MS if is_behind or last else EVERY_MS)

    return work


def judging(policy: BandwidthPolicy) -> Work:
    """Make the work of the timers that judge a service: a lead for each rule that its crossings fulfil, unless there is one."""

    async def work(transaction: Transaction, due: Due) -> int | None:
        locked = (await metered.lock(transaction, [due.about])).get(due.about)
        if locked is None:
            return None
        crossings = await _crossings(transaction, locked.id, locked.now)
        prospect = Prospect(
            id=locked.id,
            name=locked.name or locked.id,
            customer=locked.customer,
            customer_name=locked.customer_name or locked.customer,
            now=locked.now,
        )
        for rule in _rules(policy):
            evidence = evidence_of(rule, crossings, locked.now)
            if evidence:
                await open_lead(transaction, policy, prospect, rule, evidence, subject=_SUBJECT)
        return None

    return work


def evidence_of(rule: CrossingRule | UtilizationRule, crossings: Sequence[Crossing], now: int) -> list[object]:
    """Give why a rule is fulfilled, the latest crossings first; empty: it is not.

    >>> rule = UtilizationRule(hours=2, days=1)
    >>> evidence_of(rule, [Crossing(alarm="a", start=0, end=7_200_000)], 7_200_000)[0], evidence_of(rule, [], 0)
    ('2.0 hours above the threshold in 1 days', [])
    """
    begin = since(rule, now)
    match rule:
        case CrossingRule():
            fitting = [each for each in crossings if each.start >= begin]
            if len(fitting) < rule.crossings:
                return []
            said = f"{len(fitting)} times above the threshold in {rule.days} days"
        case UtilizationRule():
            fitting = [each for each in crossings if each.end > begin]
            above = _length(fitting, begin)
            if above < rule.hours * _HOUR_MS:
                return []
            said = f"{above / _HOUR_MS:.1f} hours above the threshold in {rule.days} days"
    latest = sorted(fitting, key=lambda each: (-each.start, each.alarm))[:SHOWN]
    return [said, *({"alarm": each.alarm, "from": each.start, "to": each.end} for each in latest)]


def crossings_of(turns: Iterable[tuple[str, str, int]], now: int) -> Iterator[Crossing]:
    """Give the crossings by what became of their alarms, in the order in which it did; one that is not over lasts until now."""
    begun: dict[str, int] = {}
    for alarm, kind, at in turns:
        if kind != "AlarmCleared":
            begun.setdefault(alarm, at)
        elif alarm in begun:
            yield Crossing(alarm=alarm, start=begun.pop(alarm), end=at)
    for alarm, at in begun.items():
        yield Crossing(alarm=alarm, start=at, end=max(now, at))


def is_of_load(record: str | None) -> bool:
    """Tell whether the record of an alarm says that the load of a service went above its threshold."""
    told: Mapping[str, Any] = orjson.loads(record) if record else {}
    crossed = told.get("crossedThresholdInformation")
    if not isinstance(crossed, dict):
        return False
    return crossed.get("indicatorName") == INDICATOR and crossed.get("direction") != "down"


def _rules(policy: BandwidthPolicy) -> list[CrossingRule | UtilizationRule]:
    return [each for each in policy.leads if not isinstance(each, LeadRule)]


def _length(crossings: Iterable[Crossing], begin: int) -> int:
    """Give for how long the load was above a threshold since a moment; where two alarms say so, it counts once."""
    total, reached = 0, begin
    for each in sorted(crossings, key=lambda each: each.start):
        total += max(0, each.end - max(each.start, reached))
        reached = max(reached, each.end)
    return total


async def _services(transaction: Transaction, alarms: Sequence[str]) -> list[str]:
    """Give the services that crossings among these alarms are about."""
    if not alarms:
        return []
    rows = await transaction.run(_SERVICES, {"batch": {"alarms": list(alarms)}})
    return sorted({str(each) for row in rows for of in row for each in cast("list[str]", of)})


async def _crossings(transaction: Transaction, service: str, now: int) -> list[Crossing]:
    keys = [str(each) for (each,) in await transaction.run(_NAMES, {"service": service})]
    rows = await transaction.run(_BY_ID, {"service": service, "most": _ALARMS})
    if keys:
        rows = [*rows, *await transaction.run(_BY_NAME, {"batch": {"keys": keys}, "most": _ALARMS})]
    alarms = sorted({str(alarm) for alarm, record in rows if is_of_load(cast("str | None", record))})
    if not alarms:
        return []
    turns = await transaction.run(_TURNS, {"batch": {"alarms": alarms}})
    return list(crossings_of(cast("list[tuple[str, str, int]]", [tuple(each) for each in turns]), now))
