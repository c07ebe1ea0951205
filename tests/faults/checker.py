"""After everything was killed again and again, each promise is looked at by itself, and each breach of it is named.

`violations` is a row of rules; each takes the evidence and gives what speaks against it. None of them asks the graph
what ought to be: that follows from what the sources remember, from the network as it was loaded, and from what the
ticketing system has received.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from graph.changes.policy import AlarmPolicy
from graph.effects import worst
from tests.faults.evidence import Evidence, KeptDelivery, KeptTicket, Received
from tests.faults.network import Suffering

POLICY: Final = AlarmPolicy(ticketing="ticketing")
SYSTEM: Final = POLICY.ticketing


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A promise that was not kept."""

    rule: str
    about: str
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.about}: {self.what}"


Rule: TypeAlias = Callable[[Evidence], Iterator[tuple[str, str]]]
"""Gives what it is about, and what is wrong with it."""


def violations(evidence: Evidence) -> list[Violation]:
    """Look at every promise; empty when all were kept."""
    return [
        Violation(rule=name, about=about, what=what) for name, rule in RULES.items() for about, what in rule(evidence)
    ]


def _alarms(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What was acknowledged is in the graph, once, as it was last said; and nothing else is."""
    kept = Counter((each.source, each.external_id) for each in evidence.alarms)
    by_id = {each.id: each for each in evidence.alarms}
    for told in evidence.remembered:
        found = by_id.get(told.alarm)
        if found is None:
            yield told.alarm, "was acknowledged and is lost"
            continue
        state = "cleared" if told.cleared else "open"
        severity = "cleared" if told.cleared else told.words.severity
        if (found.state == "cleared") != told.cleared:
            yield told.alarm, f"is {found.state}, and its source knows that it is {state}"
        elif found.severity != severity:
            yield told.alarm, f"has severity {found.severity}, and its source said {severity}"
        if found.target != told.target:
            yield told.alarm, f"is raised on {found.target} instead of {told.target}"
        kept[told.source, told.external_id] -= 1
    for (source, external_id), more in kept.items():
        if more > 0:
            yield f"{source} {external_id}", f"{more} more in the graph than were told"


def _effects(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What services suffer in the graph is what all open alarms together do to the network."""
    suffering = _suffering(evidence)
    if missing := suffering.keys() - {each.id for each in evidence.services}:
        yield from ((each, "was loaded and is lost") for each in sorted(missing))
    for service in evidence.services:
        wanted = suffering[service.id]
        if service.effect != wanted.effect:
            yield service.id, f"has effect {service.effect} instead of {wanted.effect}"
        parts = {alarm: each.parts for alarm, each in service.affected_by.items()}
        if parts != wanted.parts:
            yield service.id, f"is hit by {parts} instead of {wanted.parts}"
        for alarm, each in service.affected_by.items():
            if (each.effect, each.severity) != (wanted.effect, wanted.severity):
                yield service.id, f"suffers {each.effect}, {each.severity} from {alarm}, not {wanted.severity}"


def _tickets(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Exactly one ticket for each alarm and customer that it hurt; none for whom it never hurt."""
    held = Counter(each.external_id for each in evidence.held)
    kept = Counter(each.order_key for each in evidence.tickets)
    opened = Counter(each.order_key for each in evidence.deliveries if each.doing == "open")
    for key in sorted(held.keys() | kept.keys() | opened.keys()):
        if (held[key], kept[key], opened[key]) != (1, 1, 1):
            yield key, f"{held[key]} tickets there, {kept[key]} in the graph, ordered {opened[key]} times"
    possible, certain = _pairs(evidence)
    yield from ((key, "has no ticket, and was hurt") for key in sorted(certain - held.keys()))
    yield from ((key, "has a ticket, and was never hurt") for key in sorted(held.keys() - possible))
    theirs = {each.external_id: each for each in evidence.held}
    for ticket in evidence.tickets:
        there = theirs.get(ticket.order_key)
        if there is not None and (ticket.their_id, ticket.customer) != (there.id, there.customer):
            yield ticket.order_key, f"is {ticket.their_id} of {ticket.customer}, and there {there.id}, {there.customer}"


def _states(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """A ticket is resolved when nothing of the customer suffers from its alarm any more, and else as bad as the worst."""
    harm = _harm(evidence)
    theirs = {each.external_id: each for each in evidence.held}
    for ticket in evidence.tickets:
        key, there = ticket.order_key, theirs.get(ticket.order_key)
        hurts = harm.get(key)
        yield from ((key, what) for what in _of_one_state(ticket, hurts))
        if there and (there.status, there.severity) != (ticket.status, ticket.severity):
            said = f"{there.status}, {there.severity}"
            yield key, f"is {said} there, and {ticket.status}, {ticket.severity} in the graph"


def _of_one_state(ticket: KeptTicket, hurts: list[str | None] | None) -> Iterator[str]:
    severity = worst(hurts or ())
    if hurts is None and ticket.status != "resolved":
        yield f"is {ticket.status} in the graph, and nothing suffers"
    elif ticket.status == "resolved" and POLICY.is_ticketed(severity):
        yield f"is resolved in the graph, and the customer suffers: {severity}"
    elif ticket.status != "resolved" and ticket.severity != (severity or "indeterminate"):
        yield f"has severity {ticket.severity} in the graph, instead of {severity}"


def _doubles(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """The ticketing system, which notices nothing, was told to open each ticket once."""
    posted = Counter(each.external_id for each in evidence.journal if each.method == "POST")
    yield from ((key, f"was opened {count} times") for key, count in posted.items() if count > 1)


def _order(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What it was told of each ticket is what was to be told, all of it, in the order of versions."""
    by_id = {each.id: each for each in evidence.deliveries}
    received: defaultdict[str, list[Received]] = defaultdict(list)
    for each in evidence.journal:
        received[each.external_id].append(each)
    for key, lines in received.items():
        told = [by_id.get(each.delivery or "") for each in lines]
        yield from ((key, what) for what in _of_one_ticket(lines, told))
    heard = {each.delivery for each in evidence.journal}
    for delivery in evidence.deliveries:
        if delivery.state == "DONE" and delivery.id not in heard:
            yield delivery.id, "is done, and was never received"


def _of_one_ticket(lines: list[Received], told: list[KeptDelivery | None]) -> Iterator[str]:
    for line, delivery in zip(lines, told, strict=True):
        if delivery is None:
            yield f"was told {line.delivery}, which is no delivery"
        elif (line.status, line.severity) != (delivery.status, delivery.severity):
            yield f"became {line.status}, {line.severity} by {delivery.id}, not {delivery.status}, {delivery.severity}"
    for before, after in pairwise(each for each in told if each is not None):
        if after.version < before.version:
            yield f"version {after.version} was told after {before.version}"


def _deliveries(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Everything has been told, and tells of an event that is there."""
    for each in evidence.deliveries:
        if each.state != "DONE":
            yield each.id, f"is {each.state}: {each.error}"
        if each.event is None or not each.id.startswith(f"{each.event}:{SYSTEM}:"):
            yield each.id, f"tells of {each.event}, which is not its event"
        elif each.event_version != each.version:
            yield each.id, f"has version {each.version}, and its event {each.event_version}"


def _events(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """The events of each thing have versions without a gap, up to the thing's own."""
    versions: defaultdict[str, list[int]] = defaultdict(list)
    for each in evidence.events:
        versions[each.aggregate].append(each.version)
    for aggregate, found in versions.items():
        if sorted(found) != list(range(1, len(found) + 1)):
            yield aggregate, f"has events of versions {sorted(found)}"
    for alarm in evidence.alarms:
        if alarm.version != max(versions[alarm.id], default=0):
            yield alarm.id, f"has version {alarm.version}, and its last event {max(versions[alarm.id], default=0)}"


RULES: Final[dict[str, Rule]] = {
    "alarms": _alarms,
    "effects": _effects,
    "tickets": _tickets,
    "states": _states,
    "doubles": _doubles,
    "order": _order,
    "deliveries": _deliveries,
    "events": _events,
}


def _suffering(evidence: Evidence) -> dict[str, Suffering]:
    return evidence.network.suffering({each.alarm: each.target for each in evidence.remembered if each.fails})


def _harm(evidence: Evidence) -> dict[str, list[str | None]]:
    """Give, by the key of a ticket, how severe it is for each service of the customer that its alarm hits."""
    found: defaultdict[str, list[str | None]] = defaultdict(list)
    for service, suffers in _suffering(evidence).items():
        for alarm in suffers.parts:
            found[f"{alarm}:{evidence.network.services[service].customer}"].append(suffers.severity)
    return dict(found)


def _pairs(evidence: Evidence) -> tuple[set[str], set[str]]:
    """Give the keys of the tickets that there may be, and of those that there must be.

    Others can make what an alarm does worse and never better: where it alone is bad enough, there must be a ticket.
    """
    possible, certain = set(), set()
    for told in evidence.remembered:
        if not told.ever_asserted:
            continue
        for service in evidence.network.hit(told.target):
            key = f"{told.alarm}:{evidence.network.services[service].customer}"
            possible.add(key)
            if POLICY.is_ticketed(evidence.network.worst_alone(service, told.target)):
                certain.add(key)
    return possible, certain
