"""Each customer has one ticket for an alarm that hurt it, which goes through its states in order and ends in the right one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

from graph.changes.policy import AlarmPolicy
from tests.faults.about_alarms import suffering
from tests.faults.evidence import Evidence
from tests.faults.kept import KeptDelivery, KeptTicket
from tests.faults.systems import TICKETING
from tests.naive_effects import worst

POLICY: Final = AlarmPolicy(ticketing=TICKETING)


def tickets(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Exactly one ticket for each alarm and customer that it hurt; none for whom it never hurt."""
    held = Counter(each.external_id for each in evidence.books.tickets)
    kept = Counter(each.order_key for each in evidence.kept.tickets)
    opened = Counter(each.order_key for each in _deliveries(evidence) if each.payload["doing"] == "open")
    for key in sorted(held.keys() | kept.keys() | opened.keys()):
        if (held[key], kept[key], opened[key]) != (1, 1, 1):
            yield key, f"{held[key]} tickets there, {kept[key]} in the graph, ordered {opened[key]} times"
    possible, certain = _pairs(evidence)
    yield from ((key, "has no ticket, and was hurt") for key in sorted(certain - held.keys()))
    yield from ((key, "has a ticket, and was never hurt") for key in sorted(held.keys() - possible))
    theirs = {each.external_id: each for each in evidence.books.tickets}
    for ticket in evidence.kept.tickets:
        there = theirs.get(ticket.order_key)
        if there is not None and (ticket.their_id, ticket.customer) != (there.id, there.customer):
            yield ticket.order_key, f"is {ticket.their_id} of {ticket.customer}, and there {there.id}, {there.customer}"


def states(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """A ticket is resolved when nothing of the customer suffers from its alarm any more, and else as bad as the worst."""
    harm = _harm(evidence)
    theirs = {each.external_id: each for each in evidence.books.tickets}
    for ticket in evidence.kept.tickets:
        key, there = ticket.order_key, theirs.get(ticket.order_key)
        hurts = harm.get(key)
        yield from ((key, what) for what in _of_one_state(ticket, hurts))
        if there and (there.status, there.severity) != (ticket.status, ticket.severity):
            said = f"{there.status}, {there.severity}"
            yield key, f"is {said} there, and {ticket.status}, {ticket.severity} in the graph"


def doubles(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """The ticketing system, which notices nothing, was told to open each ticket once."""
    posted = Counter(
        each.external_id for each in evidence.books.journal if each.system == TICKETING and each.method == "POST"
    )
    yield from ((key, f"was opened {count} times") for key, count in posted.items() if count > 1)


def contents(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What the ticketing system was told of a ticket is what the delivery says."""
    by_id = {each.id: each for each in evidence.kept.deliveries}
    for line in evidence.books.journal:
        delivery = by_id.get(line.delivery or "") if line.system == TICKETING else None
        if delivery is None:
            continue
        wanted = (delivery.order_key, delivery.payload["status"], delivery.payload["severity"])
        if (line.external_id, line.status, line.severity) != wanted:
            yield line.external_id, f"became {line.status}, {line.severity} by {delivery.id}, not {', '.join(wanted)}"


def _deliveries(evidence: Evidence) -> Iterator[KeptDelivery]:
    return (each for each in evidence.kept.deliveries if each.system == TICKETING)


def _of_one_state(ticket: KeptTicket, hurts: list[str | None] | None) -> Iterator[str]:
    severity = worst(hurts or ())
    if hurts is None and ticket.status != "resolved":
        yield f"is {ticket.status} in the graph, and nothing suffers"
    elif ticket.status == "resolved" and POLICY.is_ticketed(severity):
        yield f"is resolved in the graph, and the customer suffers: {severity}"
    elif ticket.status != "resolved" and ticket.severity != (severity or "indeterminate"):
        yield f"has severity {ticket.severity} in the graph, instead of {severity}"


def _harm(evidence: Evidence) -> dict[str, list[str | None]]:
    """Give, by the key of a ticket, how severe it is for each service of the customer that its alarm hits."""
    found: defaultdict[str, list[str | None]] = defaultdict(list)
    for service, suffers in suffering(evidence).items():
        for alarm in suffers.parts:
            found[f"{alarm}:{evidence.network.services[service].customer}"].append(suffers.severity)
    return dict(found)


def _pairs(evidence: Evidence) -> tuple[set[str], set[str]]:
    """Give the keys of the tickets that there may be, and of those that there must be.

    Others can make what an alarm does worse and never better: where it alone is bad enough, there must be a ticket.
    """
    possible, certain = set(), set()
    for told in evidence.told.alarms:
        if not told.ever_asserted:
            continue
        for service in evidence.network.hit(told.target):
            key = f"{told.alarm}:{evidence.network.services[service].customer}"
            possible.add(key)
            if POLICY.is_ticketed(evidence.network.worst_alone(service, told.target)):
                certain.add(key)
    return possible, certain
