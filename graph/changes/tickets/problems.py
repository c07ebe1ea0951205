"""A customer reports a problem of a service: a ticket is opened here, and the ticketing system is sent it.

Rules 1 and 4 of `requests.py` hold for reports too. A customer asks for its own services only, and what says that there is no such
service takes the same steps for another's. While the ticketing system is away, only so many reports of one customer wait for it.

    outcome = await report_problem(store, customer, policy, Problem(service="service-1", description="It is slow"),
                                   idempotency_key="k1", deadline=soon)
    outcome.ids                    # {"ticket": "ticket-..."}; its externalId follows when the ticketing system has it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

import uuid_utils

from graph.changes import events
from graph.changes.events import Event
from graph.changes.idempotency import Asked, once
from graph.changes.outcome import Outcome
from graph.changes.policy import AlarmPolicy
from graph.changes.tickets.request_rules import (
    MOST_WAITING,
    NO_TICKETING,
    SERVICE_NOT_FOUND,
    SERVICE_NOT_OWNED,
    SERVICE_TERMINATED,
    TOO_MANY_WAITING,
    Problem,
    check_may,
    is_mine,
    not_done,
    notify,
    scope_of,
    tell_ticketing,
)
from graph.model.identity import loaded_id
from graph.model.scope import Principal
from graph.store.store import Store, Transaction

# Where the index has none, one of the caller's own is looked at in its place: both take the same steps.
_SERVICE: Final = """
WITH HEAD(COLLECT { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(o:Service) WHERE c.id IN $customers RETURN o LIMIT 1 }) AS other
WITH coalesce(HEAD(COLLECT { MATCH (n:Service {id: $service}) RETURN n LIMIT 1 }), other) AS s
WITH s, $everyone OR EXISTS { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s) WHERE c.id IN $customers } AS mine
WITH s WHERE mine AND s.id = $service
RETURN s.id
"""
_LOCK_SERVICE: Final = """
MATCH (s:Service {id: $service})
SET s._locked = coalesce(s._locked, 0) + 1
RETURN s.id, s.name, s.state, datetime.realtime().epochMillis,
  COLLECT { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s) RETURN [c.id, c.name] ORDER BY c.id }
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

_TOO_MANY: Final = f"{MOST_WAITING} reports wait for the ticketing system: ask again when it has taken some"


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
    check_may(principal, "reportProblem")
    texts = [problem.description, problem.severity, problem.ticket_type, problem.reference, problem.note]
    given = {"serviceId": problem.service, "problem": texts}
    key = _key_of(problem) if idempotency_key is None else idempotency_key
    asked = Asked(subject=principal.subject, client_key=key, operation="reportProblem", input=given)

    async def change(transaction: Transaction) -> Outcome:
        return await _report(transaction, principal, policy, problem)

    return await once(store, asked, change, deadline=deadline, keeps_failures=idempotency_key is not None)


def _key_of(problem: Problem) -> str:
    return str(uuid_utils.uuid4()) if problem.reference is None else f"externalId {problem.reference}"


async def _report(transaction: Transaction, principal: Principal, policy: AlarmPolicy, problem: Problem) -> Outcome:
    service = await _locked_service(transaction, principal, problem.service)
    if service is None:
        return not_done("There is no such service", SERVICE_NOT_FOUND, "serviceId")
    if isinstance(service, Outcome):
        return service
    if not policy.ticketing:
        return not_done("No ticketing system is connected", NO_TICKETING, "serviceId")
    if service.state == "terminated":
        return not_done("The service is terminated: there is nothing to mend", SERVICE_TERMINATED, "serviceId")
    if await _reports_waiting(transaction, policy, service.customer) >= MOST_WAITING:
        return not_done(_TOO_MANY, TOO_MANY_WAITING, "serviceId")
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
    tell_ticketing(transaction, policy, told, service.customer, order_key, said)
    await notify(transaction, principal, policy, told, order_key)
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
    if not await transaction.run(_SERVICE, {"service": service, **scope_of(principal)}):
        return None
    for found, name, state, now, customers in await transaction.run(_LOCK_SERVICE, {"service": service}):
        owners = cast("list[tuple[str, str]]", customers or [])
        # Neo4j gives nulls of what was deleted while its lock was waited for.
        if found is not None and is_mine(principal, dict(owners)):
            if len(owners) != 1:
                return not_done(
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
