"""A central fault management system hears of more than alarms, where the operator says so: of services, equipment and tickets.

Each notice says what it is about as that was after the change, so that it stands for itself: what is gone when it is sent has
its name in it. It is written in the transaction of the change.

Rules. 1. What is told of one service, piece of equipment or ticket is told in order: its order key is that of the aggregate whose
version the event has, or the order key that the ticket has where an alarm is the aggregate. 2. What that system did itself is not
told to it; what follows from that for services and tickets is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graph.changes.events import Event
from graph.changes.policy import Hearing
from graph.ledger.outbox import Told, write_down
from graph.model.event_kinds import EventKind, kind_of
from graph.store.store import Transaction

TELLING: Final = "notice"
"""What the payload of such a delivery says it is: that of an alarm says nothing."""

_TICKETS: Final = """
UNWIND $batch.tickets AS id
MATCH (t:Ticket {id: id})
RETURN t.id, t.status, t.severity, t.externalId,
  COLLECT { MATCH (t)-[:OPENED_FOR]->(c:Customer) RETURN [c.id, c.name] ORDER BY c.id },
  COLLECT { MATCH (t)-[:CONCERNS]->(s:Service) RETURN [s.id, s.name] ORDER BY s.id LIMIT 1000 }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is told of one event."""

    event: Event
    kind: EventKind
    about: str
    """the id of the service, equipment or ticket."""
    order_key: str
    values: Mapping[str, object]
    steps: tuple[str, ...] = ()
    """the ids of the steps of processes that are done when it is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketEvent:
    """What happened to a ticket."""

    event: Event
    kind: EventKind
    ticket: str
    order_key: str


def hears(hearing: Hearing | None, kind: EventKind | None, *by_systems: str) -> bool:
    """Tell whether a system is told of a kind of event that these systems have brought about: not where it is, or speaks for, one."""
    if hearing is None or kind is None or kind.name not in hearing.events:
        return False
    return {hearing.name, *hearing.sources}.isdisjoint(by_systems)


def tell(transaction: Transaction, hearing: Hearing | None, notices: Iterable[Notice]) -> None:
    """Write down those that the system is told of; their events are written already."""
    if hearing is not None:
        write_down(transaction, [_told(hearing, each) for each in notices if hears(hearing, each.kind)])


async def tell_tickets(
    transaction: Transaction, hearing: Hearing | None, happened: Iterable[TicketEvent], *by_systems: str
) -> None:
    """Write down what is to be told of tickets, which are written already; `by_systems` are those that did it."""
    heard = [each for each in happened if hears(hearing, each.kind, *by_systems)]
    if not heard:
        return
    rows = await transaction.run(_TICKETS, {"batch": {"tickets": sorted({each.ticket for each in heard})}})
    values = {str(row[0]): _ticket(row) for row in rows}
    tell(
        transaction,
        hearing,
        [
            Notice(
                event=each.event,
                kind=each.kind,
                about=each.ticket,
                order_key=each.order_key,
                values=values[each.ticket],
            )
            for each in heard
            if each.ticket in values
        ],
    )


def of_tickets(events: Sequence[Event]) -> list[TicketEvent]:
    """Say which ticket each event is of that has a ticket as its aggregate."""
    return [
        TicketEvent(event=each, kind=kind, ticket=each.aggregate_id, order_key=each.aggregate_id)
        for each in events
        if (kind := kind_of(each.type)) is not None
    ]


def _told(hearing: Hearing, notice: Notice) -> Told:
    event = notice.event
    payload = {
        "telling": TELLING,
        "kind": notice.kind.name,
        "event": event.type,
        "eventId": event.id if notice.about == event.aggregate_id else f"{event.id}:{notice.about}",
        "at": event.at,
        "about": notice.about,
        "values": notice.values,
    }
    return Told(
        event=event.id,
        system=hearing.name,
        subject=notice.about,
        order_key=notice.order_key,
        payload=payload,
        steps=notice.steps,
    )


def _ticket(row: Sequence[Any]) -> Mapping[str, object]:
    _, status, severity, external_id, customers, services = row
    return {
        "status": status,
        "severity": severity,
        "externalId": external_id,
        "customers": [_named(each) for each in customers],
        "services": [_named(each) for each in services],
    }


def _named(row: Sequence[str | None]) -> Mapping[str, str | None]:
    return {"id": row[0], "name": row[1] or row[0]}
