"""A customer writes on, reopens or closes its own tickets: the ticketing system is sent each change, in order.

What is asked is decided here and now, by what is known of the ticket, and written with its delivery in one transaction. So the
caller has its answer at once, and nothing is lost while the ticketing system is away.

Rules. 1. A customer asks for its own services and tickets only, and what is another's is not there. What says so takes the same
steps for both, and locks nothing before it knows. 2. A resolved ticket is reopened (`inProgress`); one that is closed, cancelled
or rejected is not, and nothing is written on it. 3. Deliveries of one ticket are in the order in which they were asked for, and
in that of the alarm's own where an alarm has opened it: they count on the alarm then, as those do, and on the ticket otherwise.
4. While the ticketing system is away, only so much may wait for it: of one ticket, and of one customer's reports.

    request = TicketRequest(doing="commentTicket", ticket="ticket-1", comment="It is slow again")
    outcome = await change_ticket(store, customer, policy, request, idempotency_key="k2", deadline=soon)
    outcome.ids                    # {"ticket": "ticket-1"}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from graph.changes import events, gates
from graph.changes.events import Event
from graph.changes.idempotency import Asked, once, remembered
from graph.changes.outcome import Outcome, UserError
from graph.changes.policy import AlarmPolicy
from graph.changes.tickets.request_rules import (
    MOST_WAITING,
    NO_TICKETING,
    SERVICE_TERMINATED,
    TICKET_CLOSED,
    TICKET_NOT_RESOLVED,
    TOO_MANY_WAITING,
    Doing,
    TicketRequest,
    check_may,
    is_mine,
    no_ticket,
    notify,
    refusal,
    scope_of,
    tell_ticketing,
)
from graph.changes.tickets.tickets import FINAL
from graph.ledger.outbox import hold
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction

# Where the index has none, one of the caller's own is looked at in its place: both take the same steps.
_TICKET: Final = """
WITH HEAD(COLLECT { MATCH (c:Customer)<-[:OPENED_FOR]-(o:Ticket) WHERE c.id IN $customers RETURN o LIMIT 1 }) AS other
WITH coalesce(HEAD(COLLECT { MATCH (n:Ticket {id: $ticket}) RETURN n LIMIT 1 }), other) AS t
WITH t, $everyone OR EXISTS { MATCH (c:Customer)<-[:OPENED_FOR]-(t) WHERE c.id IN $customers } AS mine
WITH t WHERE mine AND t.id = $ticket
RETURN coalesce(t.orderKey, t.id), HEAD(COLLECT { MATCH (t)-[:REPORTS]->(a:Alarm) RETURN a.id })
"""
_LOCK_ALARM: Final = """
MATCH (a:Alarm {id: $alarm})
SET a._locked = coalesce(a._locked, 0) + 1
RETURN a.id, coalesce(a._version, 0)
"""
_LOCK_TICKET: Final = """
MATCH (t:Ticket {id: $ticket})
SET t._locked = coalesce(t._locked, 0) + 1
RETURN t.id, t.system, t.orderKey, t.externalId, t.status, t.severity, coalesce(t._version, 0),
  datetime.realtime().epochMillis,
  COLLECT { MATCH (t)-[:OPENED_FOR]->(c:Customer) RETURN [c.id, c.name] ORDER BY c.id },
  COLLECT { MATCH (t)-[:CONCERNS]->(s:Service) RETURN [s.id, s.state] ORDER BY s.id }
"""

# Under the lock that deliveries of this key are written under.
_WAITING: Final = """
MATCH (d:Delivery {openKey: $key}) WHERE d.system = $system AND d.state <> 'DONE'
RETURN count(d)
"""

_COUNT_ON_ALARM: Final = "MATCH (a:Alarm {id: $alarm}) SET a._version = $version"
_SET: Final = "MATCH (t:Ticket {id: $ticket}) SET t.status = $status, t._version = $version"

_EVENTS: Final[Mapping[Doing, str]] = {
    "commentTicket": "TicketCommented",
    "reopenTicket": "TicketReopened",
    "closeTicket": "TicketClosed",
}
_BECOMES: Final[Mapping[Doing, str | None]] = {
    "commentTicket": None,
    "reopenTicket": "inProgress",
    "closeTicket": "closed",
}
_TOO_MANY: Final = (
    f"{MOST_WAITING} changes of this ticket wait for the ticketing system: ask again when it has taken some"
)
_UNSAID: Final[Mapping[Doing, str]] = {
    "commentTicket": "",
    "reopenTicket": "The ticket was reopened.",
    "closeTicket": "The ticket was closed.",
}
"""What is noted there where nothing was written: who works there must see who did it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ticket:
    """A ticket as it is, under its lock."""

    id: str
    system: str
    order_key: str | None
    external_id: str | None
    status: str
    severity: str
    version: int
    now: int
    customers: Mapping[str, str]
    """the names, by id: of one, or of none where it is nobody's."""
    services: Mapping[str, str]
    """the states of those that it is about, by id."""

    @property
    def is_terminated(self) -> bool:
        """Whether all of its services are."""
        return set(self.services.values()) == {"terminated"}


async def change_ticket(
    store: Store,
    principal: Principal,
    policy: AlarmPolicy,
    request: TicketRequest,
    *,
    idempotency_key: str,
    deadline: float,
) -> Outcome:
    """Write on a ticket of the caller's, reopen or close it; the outcome has the id of the `ticket`."""
    check_may(principal, request.doing)
    if request.patch is None:
        given = {"ticketId": request.ticket, "comment": request.comment}
        asked = Asked(subject=principal.subject, client_key=idempotency_key, operation=request.doing, input=given)
    else:
        asked = _patched(principal, request.ticket, request.patch, idempotency_key)

    async def change(transaction: Transaction) -> Outcome:
        return await _change(transaction, principal, policy, request)

    return await once(store, asked, change, deadline=deadline)


async def patched_before(
    store: Store,
    principal: Principal,
    ticket: str,
    patch: Mapping[str, object],
    *,
    idempotency_key: str,
    deadline: float,
) -> Outcome | None:
    """Give what came of this very patch, asked for under this key before; None: it was not."""
    return await remembered(store, _patched(principal, ticket, patch, idempotency_key), deadline=deadline)


def _patched(principal: Principal, ticket: str, patch: Mapping[str, object], key: str) -> Asked:
    given = {"ticketId": ticket, "patch": patch}
    return Asked(subject=principal.subject, client_key=key, operation="patchTicket", input=given)


async def _change(
    transaction: Transaction, principal: Principal, policy: AlarmPolicy, request: TicketRequest
) -> Outcome:
    found = await transaction.run(_TICKET, {"ticket": request.ticket, **scope_of(principal)})
    if not found:
        return no_ticket()
    key, alarm = str(found[0][0]), cast("str | None", found[0][1])
    alarm_version = await _lock_before(transaction, policy, key, alarm)
    ticket = await _locked_ticket(transaction, request.ticket)
    if ticket is None or not is_mine(principal, ticket.customers):
        return no_ticket()
    if (problem := _problem(request, ticket, policy)) is not None:
        return Outcome(ids={}, user_errors=(problem,))
    if request.doing == "closeTicket" and ticket.status == "closed":
        return Outcome(ids={"ticket": ticket.id})
    if await _waiting(transaction, policy, key) >= MOST_WAITING:
        return Outcome(ids={}, user_errors=(refusal(_TOO_MANY, TOO_MANY_WAITING),))
    status = _BECOMES[request.doing] or ticket.status
    told = _event(principal, request, ticket, status, alarm, alarm_version)
    own = ticket.version if alarm else told.aggregate_version
    if alarm:
        transaction.later(_COUNT_ON_ALARM, {"alarm": alarm, "version": told.aggregate_version})
    transaction.later(_SET, {"ticket": ticket.id, "status": status, "version": own})
    events.append(transaction, told)
    customer = next(iter(ticket.customers), ticket.id)
    tell_ticketing(transaction, policy, told, customer, key, _said_of_change(principal, request, ticket, key))
    await notify(transaction, principal, policy, told, key)
    return Outcome(ids={"ticket": ticket.id})


async def _lock_before(transaction: Transaction, policy: AlarmPolicy, key: str, alarm: str | None) -> int:
    """Lock what deliveries of a ticket are in order by, and those that are open; give the alarm's version, if it has one.

    A ticket that no alarm has opened passes its key's gate in the place of an alarm: deliveries are locked before tickets.
    """
    version = 0
    if alarm is None:
        await gates.lock_order_key(transaction, key)
    else:
        for _, found in await transaction.run(_LOCK_ALARM, {"alarm": alarm}):
            version = cast("int", found)
    hold(transaction, policy.ticketing, [key])
    return version


async def _waiting(transaction: Transaction, policy: AlarmPolicy, key: str) -> int:
    """Count what the ticketing system is still to be told of an order key."""
    [[count]] = await transaction.run(_WAITING, {"key": key, "system": policy.ticketing})
    return cast("int", count)


async def _locked_ticket(transaction: Transaction, ticket_id: str) -> _Ticket | None:
    for row in await transaction.run(_LOCK_TICKET, {"ticket": ticket_id}):
        ticket, system, key, external, status, severity, version, now, customers, services = row
        if ticket is not None:
            return _Ticket(
                id=str(ticket),
                system=str(system),
                order_key=cast("str | None", key),
                external_id=cast("str | None", external),
                status=str(status),
                severity=str(severity),
                version=cast("int", version),
                now=cast("int", now),
                customers=dict(cast("list[tuple[str, str]]", customers)),
                services=dict(cast("list[tuple[str, str]]", services)),
            )
    return None


def _problem(request: TicketRequest, ticket: _Ticket, policy: AlarmPolicy) -> UserError | None:
    """Say why a ticket may not be changed so; None: it may."""
    if ticket.system != policy.ticketing:
        return refusal("No ticketing system is connected that has this ticket", NO_TICKETING)
    if request.doing == "closeTicket" and ticket.status == "closed":
        return None
    if ticket.status in FINAL:
        return refusal(f"The ticket is {ticket.status}, and stays so: report the problem anew", TICKET_CLOSED)
    if request.doing != "reopenTicket":
        return None
    if ticket.status != "resolved":
        return refusal(f"Only a resolved ticket is reopened: this one is {ticket.status}", TICKET_NOT_RESOLVED)
    if ticket.is_terminated:
        return refusal("The service is terminated: there is nothing to mend", SERVICE_TERMINATED)
    return None


def _event(
    principal: Principal, request: TicketRequest, ticket: _Ticket, status: str, alarm: str | None, alarm_version: int
) -> Event:
    return Event(
        type=_EVENTS[request.doing],
        aggregate_id=alarm or ticket.id,
        aggregate_version=(alarm_version if alarm else ticket.version) + 1,
        at=ticket.now,
        principal=principal.subject,
        payload={
            "ticket": ticket.id,
            "status": status,
            "customer": next(iter(ticket.customers), None),
            "services": sorted(ticket.services),
        },
        customers=sorted(ticket.customers),
    )


def _said_of_change(principal: Principal, request: TicketRequest, ticket: _Ticket, key: str) -> Mapping[str, object]:
    """Give what a delivery of a request says: what is noted, and what the status becomes, if it does."""
    by_customer = principal.effective is Role.CUSTOMER
    return {
        "doing": "write",
        "insist": False,
        "ticket": ticket.id,
        "orderKey": key,
        "theirId": None if ticket.order_key else ticket.external_id,
        "status": _BECOMES[request.doing],
        "severity": ticket.severity,
        "author": next(iter(ticket.customers.values()), "") if by_customer else "operator",
        "text": request.comment or _UNSAID[request.doing],
    }
