"""What follows from an alarm as it is now: effects, downtime, tickets, events, and what other systems must be told.

All of it in the transaction of the change, in the order in which each depends on the one before. Where an alarm changes
what another alarm's service suffers, that other alarm's event tells of it (`AlarmEffectChanged`), and its tickets follow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from graph.changes import events
from graph.changes.alarms import hearing
from graph.changes.alarms.hearing import Happened
from graph.changes.alarms.occurrence import Known, Step
from graph.changes.events import Event
from graph.changes.outcome import Outcome, Raised
from graph.changes.policy import AlarmPolicy
from graph.changes.services import affected, downtime, hits
from graph.changes.tickets import tickets
from graph.ledger.outbox import Told, write_down
from graph.model.alarm import Alarm
from graph.model.effects import asserts_failure
from graph.model.scope import Principal
from graph.store.store import Transaction

# Sorted by id, as all who lock several alarms do. It is their lock too: see `follow`.
_COUNT_ON: Final = """
UNWIND $batch.alarms AS id
MATCH (a:Alarm {id: id})
SET a._version = coalesce(a._version, 0) + 1
RETURN a.id, a._version
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who makes a change, by which policy."""

    principal: Principal
    policy: AlarmPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """An alarm in the course of a change: as it will be."""

    id: str
    value: Alarm
    step: Step
    now: int
    known: Known | None
    target: str | None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The statement that writes the alarm itself; it returns nothing."""

    text: str
    parameters: Mapping[str, object]


def state_of(alarm: Changed) -> str:
    """Give the state of an alarm, in the words of TMF642."""
    if alarm.value.cleared:
        return "cleared"
    return "updated" if alarm.step is Step.UPDATE else "raised"


async def follow(transaction: Transaction, by: By, alarm: Changed, written: Written) -> Outcome:
    """Write an alarm as it is now, and all that follows: effects, tickets, events, what others must be told.

    Another transaction may hold other services of a customer of whom this one decides. Both count on the alarm whose
    ticket it is about before they read what it does: so the second sees what the first has written.
    """
    value = alarm.value
    asserts = not value.cleared and asserts_failure(value.alarm_type, value.perceived_severity)
    hit = await hits.hits_of(transaction, alarm.target) if asserts and alarm.target else hits.NOTHING
    before = alarm.known.services if alarm.known else ()
    services = await affected.lock(transaction, {*hit, *before})
    changed = affected.changes(services, alarm.id, hit)
    transaction.later(written.text, written.parameters)
    affected.write(transaction, alarm.id, changed)
    versions = await _count_on(transaction, {other for each in changed for other in each.alarms} - {alarm.id})
    decisions = await _decisions(transaction, by.policy, alarm, changed)
    made = _tell(transaction, by, alarm, changed, versions)
    told = {each.aggregate_id: each.id for each in made}
    # Deliveries before their tickets: so does who settles a delivery, and neither may wait for the other.
    write_down(transaction, [_delivery(each, told, by.policy) for each in decisions])
    tickets.write(transaction, by.policy.ticketing, decisions)
    touched = {other for each in changed for other in each.alarms}
    happened = [Happened(event=each, touches=each.aggregate_id in touched) for each in made]
    await hearing.tell(transaction, by.policy.fault_management, by.principal.system, happened)
    occasion = _occasion(by, alarm)
    downtime.write(transaction, downtime.turns(changed, occasion), occasion)
    return Outcome(ids={"alarm": alarm.id}, raised=_raised(alarm, changed) if alarm.step is Step.RAISE else None)


def _occasion(by: By, alarm: Changed) -> downtime.Occasion:
    subject, billing = by.principal.subject, by.policy.billing
    return downtime.Occasion(at=_effective_at(alarm), now=alarm.now, subject=subject, billing=billing)


def _effective_at(alarm: Changed) -> int:
    """Give when an alarm became what it is now: as its source says, where that is news and not of an earlier change."""
    value, known = alarm.value, alarm.known
    before = known.source_at if known and known.source_at is not None else -1
    told = [each for each in (value.raised_at, value.changed_at) if each is not None and each > before]
    match alarm.step:
        case Step.RAISE:
            return value.raised_at
        case Step.CLEAR if value.cleared_at is not None:
            return value.cleared_at
        case _:
            return min(told, default=alarm.now)


def _raised(alarm: Changed, changed: Sequence[affected.Change]) -> Raised:
    hit = sorted(each.service.id for each in changed if alarm.id in each.parts)
    return Raised(id=alarm.id, value=alarm.value, state=state_of(alarm), at=alarm.now, services=tuple(hit))


async def _count_on(transaction: Transaction, alarms: set[str]) -> Mapping[str, int]:
    """Lock other alarms, and give the version that each has by this change."""
    rows = await transaction.run(_COUNT_ON, {"batch": {"alarms": sorted(alarms)}}) if alarms else []
    return {str(of): cast("int", version) for of, version in rows}


async def _decisions(
    transaction: Transaction, policy: AlarmPolicy, alarm: Changed, changed: Sequence[affected.Change]
) -> list[tickets.Decision]:
    """Decide about the ticket of each alarm and customer for whom anything changed."""
    if not policy.ticketing:
        return []
    had = {(other, each.service.customer) for each in changed for other in each.service.alarms}
    touched = {(other, each.service.customer) for each in changed for other in each.alarms}
    new = {pair for pair in touched if alarm.known is None and pair[0] == alarm.id}
    known = await tickets.read_pairs(transaction, policy.ticketing, {pair: pair not in had for pair in touched - new})
    made = (tickets.decide(each, policy) for each in (*_new_pairs(alarm.id, changed, new), *known))
    return [each for each in made if each is not None]


def _new_pairs(alarm: str, changed: Sequence[affected.Change], pairs: set[tuple[str, str]]) -> list[tickets.Pair]:
    """Make the pairs of an alarm that nobody knew: all that it does is at hand, and there is no ticket yet."""
    services: defaultdict[tuple[str, str], list[tickets.Harm]] = defaultdict(list)
    for each in changed:
        if (alarm, each.service.customer) in pairs and each.effect is not None:
            harm = tickets.Harm(
                service=each.service.id, name=each.service.name, effect=each.effect, severity=each.severity
            )
            services[each.service.customer, each.service.customer_name].append(harm)
    return [
        tickets.Pair(
            alarm=alarm, customer=customer, customer_name=name, services=tuple(harms), tickets=(), returns=True
        )
        for (customer, name), harms in sorted(services.items())
    ]


def _tell(
    transaction: Transaction, by: By, alarm: Changed, changed: Sequence[affected.Change], versions: Mapping[str, int]
) -> Sequence[Event]:
    """Append the events, one of each alarm that has any."""
    concerned: defaultdict[str, set[str]] = defaultdict(set)
    for each in changed:
        concerned[alarm.id].add(each.service.customer)
        for other in each.alarms:
            concerned[other].add(each.service.customer)
    subject = by.principal.subject

    def event(of: str, kind: str, version: int, payload: Mapping[str, object]) -> Event:
        return Event(
            type=kind,
            aggregate_id=of,
            aggregate_version=version,
            at=alarm.now,
            principal=subject,
            payload={"alarm": of, **payload},
            customers=sorted(concerned[of]),
        )

    state = {"state": state_of(alarm), "perceivedSeverity": alarm.value.perceived_severity}
    made = [event(alarm.id, alarm.step.value, alarm.version, state)]
    made += [event(of, "AlarmEffectChanged", versions[of], {"by": alarm.id}) for of in sorted(versions)]
    events.append(transaction, *made)
    return made


def _delivery(decision: tickets.Decision, told: Mapping[str, str], policy: AlarmPolicy) -> Told:
    return Told(
        event=told[decision.pair.alarm],
        system=policy.ticketing,
        subject=decision.pair.customer,
        order_key=decision.ticket.order_key,
        payload=tickets.told(decision),
    )
