"""What an alarm did to services when an event happened is gone from the graph once the next event has happened.

So each event of an alarm keeps it, in its payload: every service that the alarm affected before the change or affects after
it, by the customer that had the service then, with effect and severity at both times; what the alarm is raised on; and the
tickets that followed. Whoever subscribes later reads the same as whoever heard it live.

    "impacts": {"customer-1": [["service-1", null, null, "down", "critical"]]}     # it has begun
    "tickets": {"customer-1": ["ticket-1"]}
    "ticketTurns": {"customer-1": [["ticket-1", "open", "acknowledged"]]}          # without those that are amended
    "resource": "card-1"

A service without a customer is nobody's, and is left out, as it is of effects (`graph.changes.services.affected`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

from graph.changes.services.affected import Change
from graph.changes.tickets.tickets import Decision
from graph.store.store import Transaction

# What these alarms affect beyond the services that are being changed: under the alarm's lock nobody else changes it.
_READ: Final = """
UNWIND $batch.alarms AS id
MATCH (a:Alarm {id: id})
RETURN a.id, a.state, a.perceivedSeverity, HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(o) RETURN o.id }), COLLECT {
  MATCH (a)-[r:AFFECTS]->(s:Service)<-[:SUBSCRIBES_TO]-(c:Customer)
  RETURN [s.id, c.id, r.effect, r.severity] ORDER BY s.id
}
"""

Suffered: TypeAlias = tuple[str | None, str | None]
"""Effect, and severity by contract; the effect is None where the alarm does nothing to the service."""
NOTHING: Final[Suffered] = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceImpact:
    """What an alarm did to one service before an event, and did after it."""

    service: str
    customer: str
    """whose it was then."""
    before: Suffered
    after: Suffered


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """An alarm of which only what it does changes, as it is."""

    state: str
    perceived_severity: str
    resource: str | None
    impacts: tuple[ServiceImpact, ...]
    """on services that are not being changed."""


def by_alarm(changed: Sequence[Change]) -> Mapping[str, Sequence[ServiceImpact]]:
    """Give what each alarm does to services that are being changed, where it does anything before or after."""
    found: defaultdict[str, list[ServiceImpact]] = defaultdict(list)
    for each in changed:
        for alarm in {*each.service.alarms, *each.parts}:
            before, after = _before(each, alarm), _after(each, alarm)
            if (before, after) != (NOTHING, NOTHING):
                service = each.service
                found[alarm].append(
                    ServiceImpact(service=service.id, customer=service.customer, before=before, after=after)
                )
    return found


def _before(change: Change, alarm: str) -> Suffered:
    known = change.service.alarms.get(alarm)
    return (known.effect, known.severity) if known else NOTHING


def _after(change: Change, alarm: str) -> Suffered:
    return (change.effect, change.severity) if change.effect and alarm in change.parts else NOTHING


async def read_others(
    transaction: Transaction, alarms: Sequence[str], changed: Sequence[Change]
) -> Mapping[str, Other]:
    """Read locked alarms, and what they do to services that are not being changed."""
    rows = await transaction.run(_READ, {"batch": {"alarms": list(alarms)}}) if alarms else []
    changing = {each.service.id for each in changed}
    return {str(row[0]): _other(row, changing) for row in rows}


def _other(row: Sequence[object], changing: set[str]) -> Other:
    _, state, severity, resource, affected = row
    kept = (
        ServiceImpact(service=service, customer=customer, before=(effect, by_contract), after=(effect, by_contract))
        for service, customer, effect, by_contract in cast("list[tuple[str, str, str, str | None]]", affected)
        if service not in changing
    )
    return Other(
        state=str(state),
        perceived_severity=str(severity),
        resource=cast("str | None", resource),
        impacts=tuple(kept),
    )


def written(impacts: Sequence[ServiceImpact], decisions: Sequence[Decision]) -> dict[str, object]:
    """Give the part of a payload that says what an alarm does, and which tickets follow it."""
    by_customer: defaultdict[str, list[list[str | None]]] = defaultdict(list)
    for each in sorted(impacts, key=lambda each: each.service):
        by_customer[each.customer].append([each.service, *each.before, *each.after])
    tickets: defaultdict[str, list[str]] = defaultdict(list)
    turns: defaultdict[str, list[list[str]]] = defaultdict(list)
    for decision in decisions:
        customer, ticket = decision.pair.customer, decision.ticket
        tickets[customer].append(ticket.id)
        if decision.doing != "amend":
            turns[customer].append([ticket.id, decision.doing, ticket.status])
    return {"impacts": by_customer, "tickets": tickets, "ticketTurns": turns}


def read(payload: Mapping[str, Any], customers: Collection[str] | None = None) -> Iterator[ServiceImpact]:
    """Read the impacts that `written` wrote, of some customers or of all; an event of an earlier version has none.

    An alarm may hit thousands of customers, and each of them reads only its own.
    """
    impacts = payload.get("impacts", {})
    for customer in impacts if customers is None else [each for each in customers if each in impacts]:
        for service, effect, severity, effect_after, severity_after in impacts[customer]:
            yield ServiceImpact(
                service=service, customer=customer, before=(effect, severity), after=(effect_after, severity_after)
            )
