"""What follows from an alarm as it is now: effects, downtime, tickets, events, and what other systems must be told.

All of it in the transaction of the change, in the order in which each depends on the one before. Where an alarm changes
what another alarm's service suffers, that other alarm's event tells of it (`AlarmEffectChanged`), and its tickets follow.
Where the network, a service or its contract changes, the same follows without any alarm of its own (`reassess`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from graph.changes import events, notices
from graph.changes.alarms import hearing, impacts, occurrence
from graph.changes.alarms.hearing import Happened
from graph.changes.alarms.occurrence import Known, Locked, Step
from graph.changes.events import Event
from graph.changes.notices import TicketEvent
from graph.changes.outcome import Outcome, Raised
from graph.changes.policy import AlarmPolicy
from graph.changes.services import affected, downtime, hits
from graph.changes.services.affected import Change
from graph.changes.sources import Sources
from graph.changes.tickets import tickets
from graph.errors import Contended
from graph.ledger.outbox import Told, hold, write_down
from graph.model.alarm import Alarm
from graph.model.effects import asserts_failure
from graph.model.event_kinds import kind_of_doing
from graph.model.scope import Principal, Role
from graph.store.store import Transaction

OURSELVES: Final = Principal(subject="trunkline", role=Role.SYSTEM)
"""Who makes a change that nobody has asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who makes a change, by which policy."""

    principal: Principal
    policy: AlarmPolicy
    also: set[str] = field(default_factory=set, compare=False)
    """services that turned out to be concerned too: a transaction that meets one which it has not locked begins anew."""


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
    follows: tuple[str, ...] = ()
    """alarms of the same identity that are over, where this is a new one."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """What changes for services, and for alarms by that."""

    by: By
    changed: Sequence[Change]
    services: frozenset[str]
    """all that are locked."""
    own: Changed | None
    """the alarm that changes by itself; None where only what alarms do changes."""
    locked: Locked
    now: int
    at: int
    """when it became so."""

    @property
    def others(self) -> list[str]:
        """The alarms of which only what they do changes, sorted."""
        return sorted({other for each in self.changed for other in each.alarms} - {self.own.id if self.own else ""})


async def follow(
    transaction: Transaction, by: By, alarm: Changed, write: Callable[[Changed], Sequence[Written]]
) -> Outcome:
    """Write an alarm as it is now, and all that follows: effects, tickets, events, what others must be told.

    Locks what the alarm is about, then services, then alarms; raises Contended where the alarm is not as it was looked at.
    Another transaction may hold other services of a customer of whom this one decides. Both count on the alarm whose
    ticket it is about before they read what it does: so the second sees what the first has written.
    """
    hit = await _hit(transaction, alarm)
    before = alarm.known.services if alarm.known else ()
    services = await affected.lock(transaction, {*hit, *before, *by.also}, by.policy.default_tier)
    changed = affected.changes(services, alarm.id, hit)
    others = {other for each in changed for other in each.alarms} - {alarm.id}
    locked = await occurrence.lock(transaction, alarm.known, others, alarm.follows)
    now = _latest(alarm.now, services, locked)
    version = locked.versions[alarm.id] + 1 if alarm.known else 1
    alarm = replace(alarm, now=now, version=version)
    for each in write(alarm):
        transaction.later(each.text, each.parameters)
    held = frozenset(each.id for each in services)
    turn = _Turn(
        by=by, changed=changed, services=held, own=alarm, locked=locked, now=now, at=_effective_at(alarm, by.policy)
    )
    await _write(transaction, turn)
    return Outcome(ids={"alarm": alarm.id}, raised=_raised(alarm, changed) if alarm.step is Step.RAISE else None)


async def reassess(transaction: Transaction, by: By, services: Iterable[str]) -> int:
    """Look anew what all open alarms do to services, with all that follows; give how many services that changed.

    To be called where anything has changed that the effect of a service is made of, after it was written.
    """
    wanted = sorted({*services, *by.also})
    known = await affected.lock(transaction, wanted, by.policy.default_tier)
    changed = affected.changes_anew(known, await hits.hits_on(transaction, wanted))
    if not changed:
        return 0
    locked = await occurrence.lock(transaction, None, {other for each in changed for other in each.alarms})
    now = _latest(0, known, locked)
    await _write(
        transaction, _Turn(by=by, changed=changed, services=frozenset(wanted), own=None, locked=locked, now=now, at=now)
    )
    return len(changed)


async def hold_all(transaction: Transaction, target: str, alarms: Iterable[str]) -> None:
    """Lock all that several alarms concern about the same thing, which is held: one after the other would lock out of order."""
    services = await affected.lock(transaction, await hits.hits_of(transaction, target), "")
    for each in sorted({*alarms, *(other for service in services for other in service.alarms)}):
        await occurrence.take(transaction, each, Sources(everyone=True))


async def _hit(transaction: Transaction, alarm: Changed) -> hits.Hits:
    """Give what an alarm hits. What it is about is held wherever that is read, or the alarm is put on it or taken off it."""
    value, before = alarm.value, alarm.known.object if alarm.known else None
    asserts = not value.cleared and asserts_failure(value.alarm_type, value.perceived_severity)
    things = {alarm.target, before} if alarm.target != before else {alarm.target} if asserts else set()
    for each in sorted(each for each in things if each):
        if not await occurrence.hold(transaction, each):
            raise Contended("What an alarm is about has just been taken away")
    return await hits.hits_of(transaction, alarm.target) if asserts and alarm.target else hits.NOTHING


def _latest(now: int, services: Iterable[affected.Service], locked: Locked) -> int:
    """Give the time after the last lock: what others did to the same things before was earlier."""
    return max(now, locked.now, *(each.now for each in services))


async def _write(transaction: Transaction, turn: _Turn) -> None:
    """Write effects, events, tickets, downtime, and what others must be told of them."""
    policy = turn.by.policy
    affected.write(transaction, turn.changed)
    decisions = await _decisions(transaction, turn)
    _demand_locked(turn, decisions)
    # Deliveries before their tickets: so does who settles a delivery, and neither may wait for the other.
    hold(transaction, policy.ticketing, (each.ticket.order_key for each in decisions))
    tickets.write_others(transaction, decisions)
    made = await _tell(transaction, turn, decisions)
    told = {each.aggregate_id: each for each in made}
    tickets.write_opened(transaction, policy.ticketing, decisions)
    write_down(transaction, [_delivery(each, told, policy) for each in decisions])
    touched = {other for each in turn.changed for other in each.alarms}
    happened = [Happened(event=each, touches=each.aggregate_id in touched) for each in made]
    await hearing.tell(transaction, policy.fault_management, turn.by.principal.system, happened)
    await notices.tell_tickets(transaction, policy.fault_management, _ticket_events(decisions, told))
    occasion = downtime.Occasion(
        at=turn.at,
        now=turn.now,
        subject=turn.by.principal.subject,
        billing=policy.billing,
        hearing=policy.fault_management,
    )
    downtime.write(transaction, downtime.turns(turn.changed, occasion), occasion)


def _effective_at(alarm: Changed, policy: AlarmPolicy) -> int:
    """Give when an alarm became what it is now: as its source says, where that can be, is news, and not of an earlier change."""
    value, known = alarm.value, alarm.known
    before = occurrence.dated_before(known, policy) if known else None
    told = [each for each in (value.raised_at, value.changed_at) if each is not None and each > (before or -1)]
    match alarm.step:
        case Step.RAISE:
            at = value.raised_at
        case Step.CLEAR if value.cleared_at is not None:
            at = value.cleared_at
        case _:
            at = min(told, default=alarm.now)
    return policy.believed(at, now=alarm.now)


def _raised(alarm: Changed, changed: Sequence[affected.Change]) -> Raised:
    hit = sorted(each.service.id for each in changed if alarm.id in each.parts)
    return Raised(id=alarm.id, value=alarm.value, state=state_of(alarm), at=alarm.now, services=tuple(hit))


def _demand_locked(turn: _Turn, decisions: Iterable[tickets.Decision]) -> None:
    """Begin anew where a ticket will be linked to a service of the customer that is not locked: it would be out of order."""
    linked = {
        each.service
        for decision in decisions
        if decision.doing in ("open", "reopen")
        for each in decision.pair.services
    }
    if not linked <= turn.services:
        turn.by.also.update(linked)
        raise Contended("A customer has more services that are concerned")


async def _decisions(transaction: Transaction, turn: _Turn) -> list[tickets.Decision]:
    """Decide about the ticket of each alarm and customer for whom anything changed, in the order of their keys."""
    policy, changed = turn.by.policy, turn.changed
    if not policy.ticketing:
        return []
    had = {(other, each.service.customer) for each in changed for other in each.service.alarms}
    touched = {(other, each.service.customer) for each in changed for other in each.alarms}
    begun = turn.own.id if turn.own and turn.own.known is None else ""
    new = {pair for pair in touched if pair[0] == begun}
    known = await tickets.read_pairs(transaction, policy.ticketing, {pair: pair not in had for pair in touched - new})
    made = (tickets.decide(each, policy) for each in (*_new_pairs(begun, changed, new), *known))
    return sorted((each for each in made if each is not None), key=lambda each: each.ticket.order_key)


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


async def _tell(transaction: Transaction, turn: _Turn, decisions: Sequence[tickets.Decision]) -> Sequence[Event]:
    """Append the events, one of each alarm that has any."""
    concerned: defaultdict[str, set[str]] = defaultdict(set)
    for each in turn.changed:
        for other in (*each.alarms, *([turn.own.id] if turn.own else ())):
            concerned[other].add(each.service.customer)
    others = await impacts.read_others(transaction, turn.others, turn.changed)
    impact, decided = impacts.by_alarm(turn.changed), defaultdict[str, list[tickets.Decision]](list)
    for decision in decisions:
        decided[decision.pair.alarm].append(decision)

    def event(of: str, kind: str, version: int, payload: Mapping[str, object]) -> Event:
        beyond = others[of].impacts if of in others else ()
        frozen = impacts.written((*impact.get(of, ()), *beyond), decided[of])
        return Event(
            type=kind,
            aggregate_id=of,
            aggregate_version=version,
            at=turn.now,
            principal=turn.by.principal.subject,
            payload={"alarm": of, **payload, **frozen},
            customers=sorted(concerned[of]),
        )

    own, made = turn.own, list[Event]()
    if own is not None:
        severity = own.value.perceived_severity
        state = {"state": state_of(own), "perceivedSeverity": severity, "resource": own.target}
        made.append(event(own.id, own.step.value, own.version, state))
    by = own.id if own else None
    for of, other in sorted(others.items()):
        state = {"state": other.state, "perceivedSeverity": other.perceived_severity, "resource": other.resource}
        made.append(event(of, "AlarmEffectChanged", turn.locked.versions[of], {"by": by, **state}))
    events.append(transaction, *made)
    return made


def _ticket_events(decisions: Sequence[tickets.Decision], told: Mapping[str, Event]) -> list[TicketEvent]:
    """Say what the alarms' events make of tickets."""
    return [
        TicketEvent(event=told[each.pair.alarm], kind=kind, ticket=each.ticket.id, order_key=each.ticket.order_key)
        for each in decisions
        if (kind := kind_of_doing(each.doing)) is not None
    ]


def _delivery(decision: tickets.Decision, told: Mapping[str, Event], policy: AlarmPolicy) -> Told:
    return Told(
        event=told[decision.pair.alarm].id,
        system=policy.ticketing,
        subject=decision.pair.customer,
        part=decision.pair.beside,
        order_key=decision.ticket.order_key,
        payload=tickets.told(decision),
    )
