"""Of streams: each subscriber heard each event of its scope once, in order, as it was, and nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

from tests.faults.about_alarms import suffering
from tests.faults.evidence import Evidence
from tests.faults.stream_records import Happened, Heard, Seen

_ALARMS: Final = frozenset({"AlarmRaised", "AlarmUpdated", "AlarmReopened", "AlarmCleared", "AlarmEffectChanged"})
_KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "serviceEvents": {"DowntimeBegan": "EFFECT_BEGAN", "DowntimeEnded": "EFFECT_ENDED"},
    "topologyChanges": {
        "ResourceAdded": "ADDED",
        "ResourceChanged": "CHANGED",
        "ResourceStateChanged": "STATE_CHANGED",
        "ResourceMoved": "MOVED",
        "ResourceRemoved": "REMOVED",
    },
    "deliveries": {"DeliveryParked": "PARKED", "DeliveryReplayed": "REPLAYED"},
}
_NOTHING: Final = (None, None)
_TICKETS: Final[Mapping[str, str]] = {
    "ProblemReported": "PROBLEM_REPORTED",
    "TicketReported": "TICKET_OPENED",
    "AlarmTicketFollowed": "TICKET_OPENED",
    "TicketReopened": "TICKET_STATUS_CHANGED",
    "TicketStatusChanged": "TICKET_STATUS_CHANGED",
    "TicketClosed": "TICKET_CLOSED",
}
_TURNS: Final[Mapping[str, str]] = {
    "open": "TICKET_OPENED",
    "reopen": "TICKET_STATUS_CHANGED",
    "resolve": "TICKET_STATUS_CHANGED",
}
"""Of a ticket that an alarm's event has moved."""
_FIRST: Final = ("PROBLEM_REPORTED", "TICKET_OPENED", "TICKET_STATUS_CHANGED", "TICKET_CLOSED")
"""An event that moves several tickets is of the first of these kinds."""


def expected(heard: Heard, happened: tuple[Happened, ...]) -> list[Seen]:
    """Give what a subscriber ought to have heard of a sequence."""
    found = (_seen(heard, each) for each in happened if each.position > heard.after)
    return [each for each in found if each is not None]


def streams(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Each event of its scope once, in the order of the sequence, and as it was when it happened."""
    for heard in evidence.heard:
        yield from ((heard.name, each) for each in heard.faults)
        for before, after in pairwise(heard.seen):
            if after.position <= before.position:
                yield heard.name, f"heard {after.position} after {before.position}"
        wanted = {each.position: each for each in expected(heard, evidence.happened)}
        got = {each.position: each for each in heard.seen}
        if missed := sorted(wanted.keys() - got.keys()):
            yield heard.name, f"never heard {len(missed)} events: {[wanted[each] for each in missed[:3]]}"
        if more := sorted(got.keys() - wanted.keys()):
            yield heard.name, f"heard {len(more)} events that were not for it: {[got[each] for each in more[:3]]}"
        for each in sorted(wanted.keys() & got.keys()):
            if wanted[each] != got[each]:
                yield heard.name, f"heard {got[each]} instead of {wanted[each]}"


def privacy(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """A customer hears of its own services, as they were sold, and of nobody else's."""
    owners = {each.id: each.customer for each in evidence.network.services.values()}
    for heard in evidence.heard:
        if heard.customer is None:
            continue
        named = {service for each in heard.seen for service, _, _ in each.services}
        named |= {each.about for each in heard.seen} if heard.stream == "serviceEvents" else set()
        for each in sorted(named):
            if owners.get(each) != heard.customer:
                yield heard.name, f"heard of {each}, which is of {owners.get(each)}"


def folds(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Whoever keeps the last alert of each alarm knows what the services of its scope suffer, and asks nobody."""
    suffered = suffering(evidence)
    for heard in evidence.heard:
        if heard.stream != "alerts":
            continue
        last = {each.about: each for each in heard.seen}
        known = {
            (alarm, service): (effect, severity)
            for alarm, each in last.items()
            for service, effect, severity in each.services
            if effect is not None
        }
        wanted = {
            (alarm, service.id): (suffered[service.id].effect, suffered[service.id].severity)
            for service in evidence.network.services.values()
            if heard.customer in {None, service.customer}
            for alarm in suffered[service.id].parts
        }
        for each in sorted(known.keys() | wanted.keys()):
            if known.get(each) != wanted.get(each):
                yield heard.name, f"knows {known.get(each)} of {each}, and it is {wanted.get(each)}"


def _seen(heard: Heard, event: Happened) -> Seen | None:
    if heard.stream == "alerts":
        return _alert(heard, event) if event.type in _ALARMS else None
    kind = _KINDS[heard.stream].get(event.type)
    concerned = event.customers
    if heard.stream == "serviceEvents":
        if kind is None:
            return _tickets(heard, event)
        if event.payload.get("customer") is None:
            return None
        concerned = frozenset({event.payload["customer"]})
    if kind is None or (heard.customer is not None and heard.customer not in concerned):
        return None
    return Seen(position=event.position, at=event.at, kind=kind, about=event.about)


def _alert(heard: Heard, event: Happened) -> Seen | None:
    impacts: Mapping[str, list[list[Any]]] = event.payload.get("impacts", {})
    rows = [row for customer, found in impacts.items() if heard.customer in {None, customer} for row in found]
    before, after = [tuple(row[1:3]) for row in rows], [tuple(row[3:5]) for row in rows]
    if before == after:
        return None
    seen = Seen(
        position=event.position,
        at=event.at,
        kind="CHANGED",
        about=event.about,
        services=frozenset((row[0], row[3], row[4]) for row in rows),
    )
    if all(each == _NOTHING for each in before):
        return replace(seen, kind="BEGAN")
    return replace(seen, kind="ENDED") if all(each == _NOTHING for each in after) else seen


def _tickets(heard: Heard, event: Happened) -> Seen | None:
    """Give what is heard of tickets: with the services that they are about, the first of which the event is named by."""
    turns = [each for each in _turns(event) if heard.customer in {None, each[0]} and each[2]]
    if not turns:
        return None
    kind = min((kind for _, kind, _ in turns), key=_FIRST.index)
    return Seen(position=event.position, at=event.at, kind=kind, about=turns[0][2][0])


def _turns(event: Happened) -> Iterator[tuple[str, str, list[str]]]:
    """Give the customer, the kind and the services of each ticket that an event has moved."""
    payload = event.payload
    for customer, moved in payload.get("ticketTurns", {}).items():
        services = [row[0] for row in payload.get("impacts", {}).get(customer, ())]
        yield from ((customer, _TURNS[doing], services) for _, doing, _ in moved)
    kind = _TICKETS.get(event.type)
    if kind is None or payload.get("customer") is None:
        return
    if event.type in {"TicketStatusChanged", "TicketReopened"}:
        if payload.get("status") == payload.get("statusBefore"):
            return
        kind = "TICKET_CLOSED" if payload.get("status") == "closed" else kind
    yield payload["customer"], kind, list(payload.get("services", ()))
