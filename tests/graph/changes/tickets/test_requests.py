"""A customer reports problems and changes its own tickets; each is written with its delivery, or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import orjson
import pytest

from graph.changes.outcome import Outcome
from graph.changes.policy import AlarmPolicy
from graph.changes.tickets.owners import Reported
from graph.changes.tickets.problems import report_problem
from graph.changes.tickets.reported import report_tickets
from graph.changes.tickets.request_rules import MOST_CHARACTERS, MOST_WAITING, Doing, Problem, TicketRequest
from graph.changes.tickets.requests import change_ticket
from graph.changes.tickets.ticketing import Answered, Heard, note_tickets, settle_deliveries
from graph.errors import Refused
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Done
from graph.model.scope import CLAIMABLE, Principal, Role
from graph.store.store import Store
from tests.graph.changes.network import POLICY, Laid, lay, report, soon

OPERATOR = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
ADA = Principal(subject="9:issuer-a:ada", role=Role.CUSTOMER, customers=("customer-a",), changes=CLAIMABLE)
BOB = replace(ADA, subject="9:issuer-a:bob", customers=("customer-b",))


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await lay(empty_store)
    return Laid(store=empty_store)


async def reported(
    laid: Laid, principal: Principal = ADA, *, service: str = "service-a", key: str = "r", policy: AlarmPolicy = POLICY
) -> Outcome:
    problem = Problem(service=service, description="It is slow")
    return await report_problem(laid.store, principal, policy, problem, idempotency_key=key, deadline=soon())


async def changed(
    laid: Laid, doing: Doing, ticket: str, principal: Principal = ADA, *, text: str = "", key: str = ""
) -> Outcome:
    request = TicketRequest(
        doing=doing, ticket=ticket, comment=text or ("Still slow" if doing == "commentTicket" else "")
    )
    key = key or f"{doing} {ticket} {text}"[:200]
    return await change_ticket(laid.store, principal, POLICY, request, idempotency_key=key, deadline=soon())


async def of_alarm(laid: Laid, customer: str = "customer-a") -> str:
    """A ticket that an alarm has opened; gives its id."""
    alarm = await laid.raise_(report("trunk-1"))
    [[ticket]] = await laid.rows("MATCH (t:Ticket {orderKey: $key}) RETURN t.id", key=f"{alarm}:{customer}")
    return str(ticket)


async def of_theirs(laid: Laid) -> str:
    """A ticket that people have opened in the ticketing system; gives our id of it."""
    theirs = Reported(
        their_id="TT-9",
        key="CRM-7",
        status="inProgress",
        severity="major",
        changed_at=1,
        services=("service-a",),
        customer=None,
    )
    await report_tickets(laid.store, POLICY, [theirs], subject="desk", deadline=soon())
    [[ticket]] = await laid.rows("MATCH (t:Ticket {externalId: 'TT-9'}) RETURN t.id")
    return str(ticket)


async def status(laid: Laid, ticket: str) -> str:
    [[found]] = await laid.rows("MATCH (t:Ticket {id: $id}) RETURN t.status", id=ticket)
    return str(found)


async def deliveries(laid: Laid) -> list[tuple[str, dict[str, Any], bool]]:
    """What is to be told, in the order in which it will be: the order key, what it says, and whether it is due."""
    rows = await laid.rows(
        "MATCH (d:Delivery) WHERE d.system = 'desk' RETURN d.orderKey, d.payload, d.due IS NOT NULL ORDER BY d.orderKey, d.version"
    )
    return [(str(key), orjson.loads(payload), bool(due)) for key, payload, due in rows]


async def kinds(laid: Laid) -> list[tuple[str, list[str]]]:
    return [
        (kind, customers) for _, _, kind, customers in await laid.events() if kind.startswith(("Ticket", "Problem"))
    ]


async def settle(laid: Laid, key: str, *, their_id: str = "TT-1", ended: bool = False, closed: bool = False) -> None:
    """Tell the next delivery of an order key, as its lane would."""
    rows = await laid.rows(
        "MATCH (d:Delivery {orderKey: $key}) WHERE d.due IS NOT NULL RETURN d.id, d.payload", key=key
    )
    [[delivery, payload]] = rows
    await laid.run("MATCH (d:Delivery {id: $id}) SET d.attempts = 1, d._epoch = 1", id=delivery)
    claim = Claim(
        id=str(delivery), order_key=key, version=1, attempts=1, epoch=1, age_ms=0, payload=orjson.loads(str(payload))
    )
    there = "closed" if ended else "acknowledged"
    heard = Heard(order_key=key, their_id=their_id, status=there, changed_at=None)
    answered = Answered(outcome=Done(claim=claim), heard=heard, is_closed=closed)
    await settle_deliveries(laid.store, POLICY, [answered], subject="desk", deadline=soon())


def code(outcome: Outcome) -> str:
    assert outcome.ids == {}
    [error] = outcome.user_errors
    return error.code


# Reporting ------------------------------------------------------------------------------------------------------------


async def test_a_problem_is_a_ticket_of_the_services_customer_at_once(laid: Laid) -> None:
    ticket = (await reported(laid)).ids["ticket"]
    text = (
        "MATCH (s:Service)<-[:CONCERNS]-(t:Ticket {id: $id})-[:OPENED_FOR]->(c:Customer) "
        "RETURN s.id, c.id, t.status, t.severity, t.system, t.externalId, t.description, t.ticketType, t._version"
    )
    told = ["service-a", "customer-a", "acknowledged", "minor", "desk", None, "It is slow", "problem", 1]
    assert await laid.rows(text, id=ticket) == [told]
    assert await kinds(laid) == [("ProblemReported", ["customer-a"])]
    [(key, said, due)] = await deliveries(laid)
    assert due
    assert (said["doing"], said["ticket"], said["orderKey"], said["description"]) == (
        "report",
        ticket,
        key,
        "It is slow",
    )
    assert said["customer"]["id"] == "customer-a"


async def test_the_same_key_opens_one_ticket_and_another_key_another(laid: Laid) -> None:
    first = await reported(laid)
    assert await reported(laid) == first
    assert await reported(laid, key="other") != first
    assert len(await deliveries(laid)) == 2
    with pytest.raises(Refused, match="another change"):
        await reported(
            laid, service="service-b", key="r", principal=replace(ADA, customers=("customer-a", "customer-b"))
        )


async def test_a_service_of_somebody_else_is_answered_as_one_that_is_not_there(laid: Laid) -> None:
    answers = [
        await reported(laid, service=each, key=f"k {each}") for each in ("service-b", "service-none", "customer-a", "")
    ]
    assert {each.user_errors for each in answers} == {answers[0].user_errors}
    assert code(answers[0]) == "SERVICE_NOT_FOUND"
    assert await laid.tickets() == {}


async def test_an_operator_reports_for_any_customer(laid: Laid) -> None:
    ticket = (await reported(laid, OPERATOR, service="service-b")).ids["ticket"]
    assert await laid.rows("MATCH (t:Ticket {id: $id})-[:OPENED_FOR]->(c) RETURN c.id", id=ticket) == [["customer-b"]]
    assert code(await reported(laid, OPERATOR, service="service-none", key="n")) == "SERVICE_NOT_FOUND"


async def test_a_service_that_has_not_one_owner_is_refused_as_that(laid: Laid) -> None:
    await laid.run(
        "MATCH (c:Customer {id: 'customer-b'}) MATCH (s:Service {id: 'service-a'}) CREATE (c)-[:SUBSCRIBES_TO]->(s)"
    )
    for caller in (ADA, OPERATOR):
        assert code(await reported(laid, caller)) == "SERVICE_NOT_OWNED"
    await laid.run("MATCH (:Customer)-[r:SUBSCRIBES_TO]->(:Service {id: 'service-a'}) DELETE r")
    assert code(await reported(laid, OPERATOR, key="none")) == "SERVICE_NOT_OWNED"
    assert code(await reported(laid, key="none")) == "SERVICE_NOT_FOUND"
    assert await laid.tickets() == {}


async def test_what_is_terminated_has_no_problems(laid: Laid) -> None:
    ticket = (await reported(laid)).ids["ticket"]
    await laid.run("MATCH (s:Service {id: 'service-a'}) SET s.state = 'terminated'")
    assert code(await reported(laid, key="2")) == "SERVICE_TERMINATED"
    await laid.run("MATCH (t:Ticket {id: $id}) SET t.status = 'resolved'", id=ticket)
    assert code(await changed(laid, "reopenTicket", ticket)) == "SERVICE_TERMINATED"
    assert (await changed(laid, "closeTicket", ticket)).ids == {"ticket": ticket}


async def test_without_a_ticketing_system_nothing_is_opened(laid: Laid) -> None:
    assert code(await reported(laid, policy=AlarmPolicy())) == "NO_TICKETING"
    ticket = (await reported(laid, key="2")).ids["ticket"]
    request = TicketRequest(doing="commentTicket", ticket=ticket, comment="x")
    other = AlarmPolicy(ticketing="another")
    outcome = await change_ticket(laid.store, ADA, other, request, idempotency_key="3", deadline=soon())
    assert code(outcome) == "NO_TICKETING"


# Who may --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "principal",
    [
        pytest.param(replace(ADA, changes=()), id="no claim"),
        pytest.param(replace(ADA, changes=("reportProblems", "acknowledgeAlarm", "*")), id="unknown names only"),
        pytest.param(Principal(subject="x", role=Role.ANALYST, changes=CLAIMABLE), id="an analyst"),
        pytest.param(Principal(subject="x", role=Role.SYSTEM, system="desk", changes=CLAIMABLE), id="a system"),
        pytest.param(
            Principal(subject="x", role=Role.ROUTER, customers=("customer-a",), changes=CLAIMABLE), id="a router"
        ),
    ],
)
async def test_who_may_not_is_refused_before_anything_is_looked_at(laid: Laid, principal: Principal) -> None:
    ticket = await of_alarm(laid)
    before = await deliveries(laid)
    with pytest.raises(Refused) as refused:
        await reported(laid, principal)
    assert refused.value.code == "FORBIDDEN"
    for doing in ("commentTicket", "reopenTicket", "closeTicket"):
        with pytest.raises(Refused) as refused:
            await changed(laid, doing, ticket, principal)
        assert refused.value.code == "FORBIDDEN"
    assert await deliveries(laid) == before


async def test_a_token_may_what_it_names_and_no_more(laid: Laid) -> None:
    reporter = replace(ADA, changes=("reportProblem",))
    ticket = (await reported(laid, reporter)).ids["ticket"]
    with pytest.raises(Refused):
        await changed(laid, "closeTicket", ticket, reporter)
    router = replace(ADA, role=Role.ROUTER, acts_for=Role.CUSTOMER, changes=("commentTicket",))
    assert (await changed(laid, "commentTicket", ticket, router)).ids == {"ticket": ticket}


@pytest.mark.parametrize("doing", ["commentTicket", "reopenTicket", "closeTicket"])
async def test_a_ticket_of_somebody_else_is_answered_as_one_that_is_not_there(laid: Laid, doing: Doing) -> None:
    ticket = await of_alarm(laid)
    before = await laid.tickets()
    answers = [
        await changed(laid, doing, each, BOB, text="mine?", key=each) for each in (ticket, "ticket-none", "service-b")
    ]
    assert {each.user_errors for each in answers} == {answers[0].user_errors}
    assert code(answers[0]) == "TICKET_NOT_FOUND"
    assert await laid.tickets() == before
    assert await laid.rows("MATCH (t:Ticket {id: $id}) RETURN t._locked", id=ticket) == [[None]], (
        "it was not even locked"
    )


# Changing -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [of_alarm, of_theirs, None], ids=["an alarm's", "theirs", "reported"])
async def test_what_is_asked_of_a_ticket_is_told_in_order(laid: Laid, origin: Any) -> None:
    ticket = await origin(laid) if origin else (await reported(laid)).ids["ticket"]
    await laid.run("MATCH (t:Ticket {id: $id}) SET t.status = 'resolved'", id=ticket)
    steps: tuple[tuple[Doing, str], ...] = (
        ("commentTicket", "1"),
        ("reopenTicket", "2"),
        ("commentTicket", "3"),
        ("closeTicket", ""),
    )
    for doing, text in steps:
        assert (await changed(laid, doing, ticket, text=text)).ids == {"ticket": ticket}
    assert await status(laid, ticket) == "closed"
    asked = [(said["text"], said["status"], due) for _, said, due in await deliveries(laid) if said["doing"] == "write"]
    first = origin is of_theirs  # the others are opened first
    assert asked == [
        ("1", None, first),
        ("2", "inProgress", False),
        ("3", None, False),
        ("The ticket was closed.", "closed", False),
    ]
    assert len({key for key, said, _ in await deliveries(laid) if said["ticket"] == ticket}) == 1
    wanted = ["TicketCommented", "TicketReopened", "TicketCommented", "TicketClosed"]
    assert [kind for kind, _ in await kinds(laid) if kind in wanted] == wanted
    versions = await laid.rows("MATCH (e:Event) RETURN e.aggregateId, e.aggregateVersion")
    assert len({tuple(each) for each in versions}) == len(versions), "each event has the version that it made"


async def test_what_an_alarm_tells_and_what_a_customer_asks_keep_their_order(laid: Laid) -> None:
    ticket = await of_alarm(laid)
    await changed(laid, "commentTicket", ticket, text="1")
    await laid.raise_(report("trunk-1", cleared=True))
    await changed(laid, "reopenTicket", ticket)
    doing = [said["doing"] for key, said, _ in await deliveries(laid) if key.endswith("customer-a")]
    assert doing == ["open", "write", "resolve", "write"]


async def test_many_at_once_are_each_told_once_in_one_order(laid: Laid) -> None:
    ticket = (await reported(laid)).ids["ticket"]
    await asyncio.gather(*(changed(laid, "commentTicket", ticket, text=str(number)) for number in range(8)))
    rows = await laid.rows("MATCH (d:Delivery) RETURN d.version, d.due IS NOT NULL ORDER BY d.version")
    assert rows == [[1, True], *([number, False] for number in range(2, 10))]


@pytest.mark.sampled(7)
@pytest.mark.parametrize(
    ("doing", "before", "said"),
    [
        ("reopenTicket", "resolved", "inProgress"),
        ("reopenTicket", "closed", "TICKET_CLOSED"),
        ("reopenTicket", "cancelled", "TICKET_CLOSED"),
        ("reopenTicket", "rejected", "TICKET_CLOSED"),
        ("reopenTicket", "acknowledged", "TICKET_NOT_RESOLVED"),
        ("reopenTicket", "pending", "TICKET_NOT_RESOLVED"),
        ("closeTicket", "resolved", "closed"),
        ("closeTicket", "held", "closed"),
        ("closeTicket", "closed", "closed"),
        ("closeTicket", "cancelled", "TICKET_CLOSED"),
        ("commentTicket", "held", "held"),
        ("commentTicket", "resolved", "resolved"),
        ("commentTicket", "closed", "TICKET_CLOSED"),
    ],
)
async def test_the_statuses_of_a_ticket(laid: Laid, doing: Doing, before: str, said: str) -> None:
    ticket = await of_theirs(laid)
    await laid.run("MATCH (t:Ticket {id: $id}) SET t.status = $status", id=ticket, status=before)
    outcome = await changed(laid, doing, ticket)
    if said.isupper():
        assert code(outcome) == said
        assert (await status(laid, ticket), await deliveries(laid)) == (before, [])
        return
    assert await status(laid, ticket) == said
    assert len(await deliveries(laid)) == (0 if before == "closed" else 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("x" * 1_000_000, f"at most {MOST_CHARACTERS}", id="a megabyte"),
        pytest.param("x" * (MOST_CHARACTERS + 1), f"at most {MOST_CHARACTERS}", id="one too many"),
        pytest.param(" \n\t", "empty", id="blanks"),
        pytest.param("a\0b", "no text", id="a control character"),
        pytest.param("a\ud800b", "no text", id="half a character"),
    ],
)
async def test_what_is_no_comment_is_refused_with_the_bound(text: str, said: str) -> None:
    for make in (
        lambda: TicketRequest(doing="commentTicket", ticket="ticket-1", comment=text),
        lambda: TicketRequest(doing="closeTicket", ticket="ticket-1", comment=text),
        lambda: Problem(service="service-a", description=text),
    ):
        with pytest.raises(Refused, match=said) as refused:
            make()
        assert refused.value.code == "BAD_USER_INPUT"


async def test_a_text_as_long_as_may_be_is_taken(laid: Laid) -> None:
    ticket = await of_theirs(laid)
    await changed(laid, "commentTicket", ticket, text="\u00e4" * MOST_CHARACTERS)
    [(_, said, _)] = await deliveries(laid)
    assert said["text"] == "\u00e4" * MOST_CHARACTERS


# How much may wait -----------------------------------------------------------------------------------------------------

WAITING = """
MATCH (d:Delivery {orderKey: $key}) MATCH (e:Event)<-[:TELLS]-(d)
UNWIND range(2, $most) AS number
CREATE (:Delivery {id: d.id + toString(number), system: d.system, subject: d.subject, lane: d.lane, state: 'READY', payload: d.payload,
  orderKey: $keys + CASE WHEN $each THEN toString(number) ELSE '' END, openKey: $keys + CASE WHEN $each THEN toString(number) ELSE '' END,
  version: CASE WHEN $each THEN 1 ELSE number END, attempts: 0, createdAt: 1, nextAt: 1, waiting: d.lane})-[:TELLS]->(e)
"""


@pytest.mark.parametrize("doing", ["commentTicket", "closeTicket"])
async def test_only_so_much_of_one_ticket_waits(laid: Laid, doing: Doing) -> None:
    ticket, other = [(await reported(laid, key=each)).ids["ticket"] for each in "ab"]
    [[key]] = await laid.rows("MATCH (t:Ticket {id: $id}) RETURN t.orderKey", id=ticket)
    await laid.run(WAITING, key=key, keys=key, each=False, most=MOST_WAITING)
    assert code(await changed(laid, doing, ticket)) == "TOO_MANY_WAITING"
    assert await status(laid, ticket) == "acknowledged"
    assert (await changed(laid, doing, other)).ids == {"ticket": other}
    await laid.run("MATCH (d:Delivery {orderKey: $key, version: 2}) SET d.state = 'DONE'", key=key)
    assert (await changed(laid, doing, ticket, text="later")).ids == {"ticket": ticket}


async def test_only_so_many_reports_of_one_customer_wait(laid: Laid) -> None:
    await reported(laid)
    [(key, _, _)] = await deliveries(laid)
    assert key.startswith("problem-customer-a:0")
    await laid.run(WAITING, key=key, keys="problem-customer-a:", each=True, most=MOST_WAITING)
    assert code(await reported(laid, key="2")) == "TOO_MANY_WAITING"
    assert (await reported(laid, BOB, service="service-b")).ids, "another customer's do not count"
    await laid.run("MATCH (d:Delivery {orderKey: $key}) SET d.state = 'DONE'", key=key)
    assert (await reported(laid, key="3")).ids


# What the ticketing system says meanwhile -----------------------------------------------------------------------------


async def test_what_they_say_is_older_while_something_waits_to_be_told(laid: Laid) -> None:
    ticket = await of_theirs(laid)
    await laid.run("MATCH (t:Ticket {id: $id}) SET t.status = 'resolved'", id=ticket)
    await changed(laid, "reopenTicket", ticket)
    said = Reported(
        their_id="TT-9", key="CRM-7", status="resolved", severity="major", changed_at=2, services=None, customer=None
    )
    await report_tickets(laid.store, POLICY, [said], subject="desk", deadline=soon())
    assert await status(laid, ticket) == "inProgress"
    await laid.run("MATCH (d:Delivery) SET d.state = 'DONE'")
    later = replace(said, changed_at=3)
    await report_tickets(laid.store, POLICY, [later], subject="desk", deadline=soon())
    assert await status(laid, ticket) == "resolved"


@pytest.mark.parametrize("origin", [of_theirs, None], ids=["theirs", "reported"])
async def test_one_that_was_closed_here_stays_so_where_they_have_no_word_for_it(laid: Laid, origin: Any) -> None:
    ticket = await origin(laid) if origin else (await reported(laid)).ids["ticket"]
    await changed(laid, "closeTicket", ticket)
    await laid.run("MATCH (d:Delivery) SET d.state = 'DONE'")
    key, [[their_key]] = "CRM-7", await laid.rows("MATCH (t:Ticket {id: $id}) RETURN t.orderKey", id=ticket)
    for word, then in (("resolved", "closed"), ("inProgress", "inProgress")):
        if origin:
            said = Reported(
                their_id="TT-9", key=key, status=word, severity="major", changed_at=None, services=None, customer=None
            )
            await report_tickets(laid.store, POLICY, [said], subject="desk", deadline=soon())
        else:
            heard = Heard(order_key=str(their_key), their_id="TT-1", status=word, changed_at=None)
            await note_tickets(laid.store, POLICY, [heard], subject="desk", deadline=soon())
        assert await status(laid, ticket) == then


async def test_who_asked_in_vain_is_told_and_knows_the_status(laid: Laid) -> None:
    ticket = (await reported(laid)).ids["ticket"]
    [(key, _, _)] = await deliveries(laid)
    await settle(laid, key)
    assert await laid.rows("MATCH (t:Ticket {id: $id}) RETURN t.externalId", id=ticket) == [["TT-1"]]
    await changed(laid, "commentTicket", ticket)
    await settle(laid, key, ended=True, closed=True)
    assert await status(laid, ticket) == "closed"
    assert [each for each in await kinds(laid) if each[0] != "TicketCommented"] == [
        ("ProblemReported", ["customer-a"]),
        ("TicketStatusChanged", ["customer-a"]),
        ("TicketChangeRefused", ["customer-a"]),
    ]
