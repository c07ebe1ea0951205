"""A customer reports a problem, and writes on, reopens or closes its own tickets: the ticketing system is sent each, in order.

What is asked is decided here and now, by what is known of the ticket, and written with its delivery in one transaction. So the
caller has its answer at once, and nothing is lost while the ticketing system is away.

Rules. 1. A customer asks for its own services and tickets only, and what is another's is not there. What says so takes the same
steps for both, and locks nothing before it knows. 2. A resolved ticket is reopened (`inProgress`); one that is closed, cancelled
or rejected is not, and nothing is written on it. 3. Deliveries of one ticket are in the order in which they were asked for, and
in that of the alarm's own where an alarm has opened it: they count on the alarm then, as those do, and on the ticket otherwise.
4. While the ticketing system is away, only so much may wait for it: of one ticket, and of one customer's reports.

    outcome = await report_problem(store, customer, policy, Problem(service="service-1", description="It is slow"),
                                   idempotency_key="k1", deadline=soon)
    outcome.ids                    # {"ticket": "ticket-..."}; its externalId follows when the ticketing system has it
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, cast

import uuid_utils

from graph.changes import events, gates, notices
from graph.changes.events import Event
from graph.changes.idempotency import Asked, once, remembered
from graph.changes.notices import TicketEvent
from graph.changes.outcome import Outcome, UserError
from graph.changes.policy import AlarmPolicy
from graph.changes.tickets.tickets import FINAL
from graph.errors import Refused
from graph.ledger.outbox import Told, hold, write_down
from graph.model.event_kinds import kind_of
from graph.model.identity import loaded_id
from graph.model.scope import Principal, Role
from graph.model.vocabulary import SEVERITIES
from graph.store.store import Store, Transaction

MOST_CHARACTERS: Final = 10_000
"""of a description or a comment."""
MOST_OF_A_NAME: Final = 255
"""characters of a type or a reference."""
MOST_WAITING: Final = 100
"""deliveries of one ticket, and reports of one customer, that the ticketing system has not taken yet."""
SERVICE_NOT_FOUND: Final = "SERVICE_NOT_FOUND"
SERVICE_TERMINATED: Final = "SERVICE_TERMINATED"
SERVICE_NOT_OWNED: Final = "SERVICE_NOT_OWNED"
TICKET_NOT_FOUND: Final = "TICKET_NOT_FOUND"
TICKET_CLOSED: Final = "TICKET_CLOSED"
TICKET_NOT_RESOLVED: Final = "TICKET_NOT_RESOLVED"
NO_TICKETING: Final = "NO_TICKETING"
TOO_MANY_WAITING: Final = "TOO_MANY_WAITING"
TICKET_TYPE: Final = "problem"
"""of what is reported without one."""
REPORTABLE: Final = tuple(each for each in SEVERITIES if each != "cleared")
_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""What no protocol carries: control characters, and halves of characters."""

# Where the index has none, one of the caller's own is looked at in its place: both take the same steps.
_SERVICE: Final = """
WITH HEAD(COLLECT { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(o:Service) WHERE c.id IN $customers RETURN o LIMIT 1 }) AS other
WITH coalesce(HEAD(COLLECT { MATCH (n:Service {id: $service}) RETURN n LIMIT 1 }), other) AS s
WITH s, $everyone OR EXISTS { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s) WHERE c.id IN $customers } AS mine
WITH s WHERE mine AND s.id = $service
RETURN s.id
"""
_TICKET: Final = """
WITH HEAD(COLLECT { MATCH (c:Customer)<-[:OPENED_FOR]-(o:Ticket) WHERE c.id IN $customers RETURN o LIMIT 1 }) AS other
WITH coalesce(HEAD(COLLECT { MATCH (n:Ticket {id: $ticket}) RETURN n LIMIT 1 }), other) AS t
WITH t, $everyone OR EXISTS { MATCH (c:Customer)<-[:OPENED_FOR]-(t) WHERE c.id IN $customers } AS mine
WITH t WHERE mine AND t.id = $ticket
RETURN coalesce(t.orderKey, t.id), HEAD(COLLECT { MATCH (t)-[:REPORTS]->(a:Alarm) RETURN a.id })
"""

_LOCK_SERVICE: Final = """
MATCH (s:Service {id: $service})
SET s._locked = coalesce(s._locked, 0) + 1
RETURN s.id, s.name, s.state, datetime.realtime().epochMillis,
  COLLECT { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s) RETURN [c.id, c.name] ORDER BY c.id }
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

# Of the newest only, which is as many as may wait: however many were taken before, no more than these are looked at. Nothing is
# locked, so that of some at once each may miss the others: as many more may wait as ask at once.
_REPORTS_WAITING: Final = """
MATCH (d:Delivery) WHERE d.openKey STARTS WITH $keys AND d.version = 1
WITH d ORDER BY d.openKey DESC LIMIT $most
WITH d WHERE d.system = $system AND d.subject = $customer AND d.state <> 'DONE'
RETURN count(d)
"""

_REPORT: Final = """
MATCH (s:Service {id: $service})
MATCH (c:Customer {id: $customer})
CREATE (t:Ticket {
  id: $id, system: $system, orderKey: $orderKey, status: 'acknowledged', severity: $severity, description: $description,
  ticketType: $type, reference: $reference, _version: 1, _heardAt: $now
})
CREATE (t)-[:OPENED_FOR]->(c)
CREATE (t)-[:CONCERNS]->(s)
"""
_COUNT_ON_ALARM: Final = "MATCH (a:Alarm {id: $alarm}) SET a._version = $version"
_SET: Final = "MATCH (t:Ticket {id: $ticket}) SET t.status = $status, t._version = $version"

Doing: TypeAlias = Literal["commentTicket", "reopenTicket", "closeTicket"]

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
_TOO_MANY_REPORTS: Final = f"{MOST_WAITING} reports wait for the ticketing system: ask again when it has taken some"
_UNSAID: Final[Mapping[Doing, str]] = {
    "commentTicket": "",
    "reopenTicket": "The ticket was reopened.",
    "closeTicket": "The ticket was closed.",
}
"""What is noted there where nothing was written: who works there must see who did it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What somebody reports of a service."""

    service: str
    description: str
    severity: str = "minor"
    """one of `REPORTABLE`."""
    ticket_type: str = TICKET_TYPE
    reference: str | None = None
    """what whoever reports it calls it."""
    note: str = ""
    """what is noted beside the description."""

    def __post_init__(self) -> None:
        _check_text(self.description, "description")
        _check_text(self.ticket_type, "ticketType", most=MOST_OF_A_NAME)
        if self.reference is not None:
            _check_text(self.reference, "reference", most=MOST_OF_A_NAME)
        if self.note:
            _check_text(self.note, "note")
        if self.severity not in REPORTABLE:
            raise Refused(f"It is none of {', '.join(REPORTABLE)}", code="BAD_USER_INPUT", path=("severity",))


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRequest:
    """What somebody asks of a ticket."""

    doing: Doing
    ticket: str
    """its id."""
    comment: str = ""
    """what is written on it; only a comment must have one."""
    patch: Mapping[str, Any] | None = field(default=None, compare=False)
    """the document that it was read from, if any: that is what makes a repetition one, since it may read otherwise by then."""

    def __post_init__(self) -> None:
        if self.comment or self.doing == "commentTicket":
            _check_text(self.comment, "comment")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    """A service as it is, under its lock."""

    id: str
    name: str
    state: str
    now: int
    """epoch milliseconds by the database's clock."""
    customer: str
    customer_name: str


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


async def report_problem(
    store: Store,
    principal: Principal,
    policy: AlarmPolicy,
    problem: Problem,
    *,
    idempotency_key: str | None,
    deadline: float,
) -> Outcome:
    """Open a ticket for a service of the caller's; the outcome has the id of the `ticket`.

    Without a key a repetition is known by the reference, if there is one; it names the problem and not this attempt, so that what
    was not done may be asked for again.
    """
    _check_may(principal, "reportProblem")
    texts = [problem.description, problem.severity, problem.ticket_type, problem.reference, problem.note]
    given = {"serviceId": problem.service, "problem": texts}
    key = _key_of(problem) if idempotency_key is None else idempotency_key
    asked = Asked(subject=principal.subject, client_key=key, operation="reportProblem", input=given)

    async def change(transaction: Transaction) -> Outcome:
        return await _report(transaction, principal, policy, problem)

    return await once(store, asked, change, deadline=deadline, keeps_failures=idempotency_key is not None)


def _key_of(problem: Problem) -> str:
    return str(uuid_utils.uuid4()) if problem.reference is None else f"externalId {problem.reference}"


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
    _check_may(principal, request.doing)
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


def _check_may(principal: Principal, change: str) -> None:
    if not principal.may(change):
        raise Refused(
            f"This token may not do {change}",
            code="FORBIDDEN",
            hint="Ask as an operator, or as a customer with a token that names it in its claim `changes`",
        )


def _check_text(text: str, path: str, *, most: int = MOST_CHARACTERS) -> None:
    problem = ""
    if not text.strip():
        problem = "It is empty"
    elif len(text) > most:
        problem = f"It has {len(text)} characters, and at most {most} are taken"
    elif _UNFIT.search(text):
        problem = "It has characters that are no text"
    if problem:
        raise Refused(problem, code="BAD_USER_INPUT", path=(path,))


# A problem is reported ------------------------------------------------------------------------------------------------


async def _report(transaction: Transaction, principal: Principal, policy: AlarmPolicy, problem: Problem) -> Outcome:
    service = await _locked_service(transaction, principal, problem.service)
    if service is None:
        return _not_done("There is no such service", SERVICE_NOT_FOUND, "serviceId")
    if isinstance(service, Outcome):
        return service
    if not policy.ticketing:
        return _not_done("No ticketing system is connected", NO_TICKETING, "serviceId")
    if service.state == "terminated":
        return _not_done("The service is terminated: there is nothing to mend", SERVICE_TERMINATED, "serviceId")
    if await _reports_waiting(transaction, policy, service.customer) >= MOST_WAITING:
        return _not_done(_TOO_MANY_REPORTS, TOO_MANY_WAITING, "serviceId")
    order_key = f"{_keys_of_reports(service.customer)}{uuid_utils.uuid7()}"
    ticket = loaded_id("Ticket", "order key", order_key)
    told = Event(
        type="ProblemReported",
        aggregate_id=ticket,
        aggregate_version=1,
        at=service.now,
        principal=principal.subject,
        payload={
            "ticket": ticket,
            "service": service.id,
            "status": "acknowledged",
            "customer": service.customer,
            "services": [service.id],
        },
        customers=(service.customer,),
    )
    made = {"id": ticket, "system": policy.ticketing, "orderKey": order_key, "now": service.now, **_reported(problem)}
    transaction.later(_REPORT, {**made, "service": service.id, "customer": service.customer})
    events.append(transaction, told)
    said = _said_of_report(ticket, order_key, problem, service)
    _tell(transaction, policy, told, service.customer, order_key, said)
    await _notify(transaction, principal, policy, told, order_key)
    return Outcome(ids={"ticket": ticket})


def _keys_of_reports(customer: str) -> str:
    """Give how the order keys of a customer's reports begin; times follow, so that they sort by these."""
    return f"problem-{customer}:"


async def _reports_waiting(transaction: Transaction, policy: AlarmPolicy, customer: str) -> int:
    """Count a customer's reports that the ticketing system has not taken yet, up to as many as may wait."""
    given = {"keys": _keys_of_reports(customer), "customer": customer, "system": policy.ticketing, "most": MOST_WAITING}
    [[count]] = await transaction.run(_REPORTS_WAITING, given)
    return cast("int", count)


async def _locked_service(transaction: Transaction, principal: Principal, service: str) -> _Service | Outcome | None:
    """Lock a service of the caller's and give it as it is; None where there is none, or it is another's.

    Where it has not one owner, give the refusal, which tells a customer nothing of the others.
    """
    if not await transaction.run(_SERVICE, {"service": service, **_scope(principal)}):
        return None
    for found, name, state, now, customers in await transaction.run(_LOCK_SERVICE, {"service": service}):
        owners = cast("list[tuple[str, str]]", customers or [])
        # Neo4j gives nulls of what was deleted while its lock was waited for.
        if found is not None and _is_mine(principal, dict(owners)):
            if len(owners) != 1:
                return _not_done(
                    "A ticket is of one customer, and the service has not one", SERVICE_NOT_OWNED, "serviceId"
                )
            [(customer, called)] = owners
            return _Service(
                id=str(found),
                name=str(name),
                state=str(state),
                now=cast("int", now),
                customer=customer,
                customer_name=called,
            )
    return None


def _reported(problem: Problem) -> dict[str, object]:
    return {
        "severity": problem.severity,
        "description": problem.description,
        "type": problem.ticket_type,
        "reference": problem.reference,
    }


def _said_of_report(ticket: str, order_key: str, problem: Problem, service: _Service) -> Mapping[str, object]:
    """Give what a delivery of a report says: the ticket as it shall be, for any ticketing system."""
    return {
        "doing": "report",
        "insist": False,
        "ticket": ticket,
        "orderKey": order_key,
        "status": "acknowledged",
        "severity": problem.severity,
        "ticketType": problem.ticket_type,
        "description": problem.description,
        "text": problem.note,
        "customer": {"id": service.customer, "name": service.customer_name},
        "services": [{"id": service.id, "name": service.name}],
    }


# A ticket is written on, reopened, closed -----------------------------------------------------------------------------


async def _change(
    transaction: Transaction, principal: Principal, policy: AlarmPolicy, request: TicketRequest
) -> Outcome:
    found = await transaction.run(_TICKET, {"ticket": request.ticket, **_scope(principal)})
    if not found:
        return _no_ticket()
    key, alarm = str(found[0][0]), cast("str | None", found[0][1])
    alarm_version = await _lock_before(transaction, policy, key, alarm)
    ticket = await _locked_ticket(transaction, request.ticket)
    if ticket is None or not _is_mine(principal, ticket.customers):
        return _no_ticket()
    if (problem := _problem(request, ticket, policy)) is not None:
        return Outcome(ids={}, user_errors=(problem,))
    if request.doing == "closeTicket" and ticket.status == "closed":
        return Outcome(ids={"ticket": ticket.id})
    if await _waiting(transaction, policy, key) >= MOST_WAITING:
        return Outcome(ids={}, user_errors=(_error(_TOO_MANY, TOO_MANY_WAITING),))
    status = _BECOMES[request.doing] or ticket.status
    told = _event(principal, request, ticket, status, alarm, alarm_version)
    own = ticket.version if alarm else told.aggregate_version
    if alarm:
        transaction.later(_COUNT_ON_ALARM, {"alarm": alarm, "version": told.aggregate_version})
    transaction.later(_SET, {"ticket": ticket.id, "status": status, "version": own})
    events.append(transaction, told)
    customer = next(iter(ticket.customers), ticket.id)
    _tell(transaction, policy, told, customer, key, _said_of_change(principal, request, ticket, key))
    await _notify(transaction, principal, policy, told, key)
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
        return _error("No ticketing system is connected that has this ticket", NO_TICKETING)
    if request.doing == "closeTicket" and ticket.status == "closed":
        return None
    if ticket.status in FINAL:
        return _error(f"The ticket is {ticket.status}, and stays so: report the problem anew", TICKET_CLOSED)
    if request.doing != "reopenTicket":
        return None
    if ticket.status != "resolved":
        return _error(f"Only a resolved ticket is reopened: this one is {ticket.status}", TICKET_NOT_RESOLVED)
    if ticket.is_terminated:
        return _error("The service is terminated: there is nothing to mend", SERVICE_TERMINATED)
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


# Of both --------------------------------------------------------------------------------------------------------------


def _tell(
    transaction: Transaction, policy: AlarmPolicy, told: Event, subject: str, key: str, said: Mapping[str, object]
) -> None:
    write_down(
        transaction,
        [Told(event=told.id, system=policy.ticketing, subject=subject, order_key=key, payload=said)],
    )


async def _notify(
    transaction: Transaction, principal: Principal, policy: AlarmPolicy, told: Event, order_key: str
) -> None:
    """Write down what the fault management system is to be told of a ticket; an alarm's is in order by the ticket's key."""
    kind, ticket = kind_of(told.type), str(told.payload["ticket"])
    if kind is None:
        return
    key = ticket if told.aggregate_id == ticket else order_key
    happened = TicketEvent(event=told, kind=kind, ticket=ticket, order_key=key)
    await notices.tell_tickets(transaction, policy.fault_management, [happened], principal.system)


def _scope(principal: Principal) -> dict[str, object]:
    return {"everyone": principal.effective is Role.OPERATOR, "customers": list(principal.customers)}


def _is_mine(principal: Principal, owners: Mapping[str, str]) -> bool:
    return principal.effective is Role.OPERATOR or bool(owners.keys() & set(principal.customers))


def _no_ticket() -> Outcome:
    """Say it also of another's ticket: whoever may not see it must not learn that it exists."""
    return Outcome(ids={}, user_errors=(_error("There is no such ticket", TICKET_NOT_FOUND),))


def _error(message: str, code: str) -> UserError:
    return UserError(message=message, code=code, path=("ticketId",))


def _not_done(message: str, code: str, path: str) -> Outcome:
    return Outcome(ids={}, user_errors=(UserError(message=message, code=code, path=(path,)),))
