"""What the ledger promises of a ticket holds in every dialect: one ticket, the right one, whatever the system does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from adapters.delivery.attending import Attention
from adapters.delivery.delivery import Lanes
from adapters.simulator.faults import Kind, Rule
from adapters.ticketing import TicketHistory, TicketState
from adapters.ticketing.telling import TicketTeller
from graph.changes.tickets.owners import Reported
from graph.changes.tickets.problems import report_problem
from graph.changes.tickets.reported import report_tickets
from graph.changes.tickets.request_rules import Doing, Problem, TicketRequest
from graph.changes.tickets.requests import change_ticket
from graph.model.scope import CLAIMABLE, Principal, Role
from graph.store.store import Store
from tests.adapters.conftest import soon
from tests.adapters.delivery.test_delivery import PACE, until
from tests.adapters.ticketing.desks import STAND_INS, Desk
from tests.graph.changes.network import AT, POLICY, Laid, lay, report


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The network, and a ticketing system that is told of it."""

    laid: Laid
    desk: Desk

    @asynccontextmanager
    async def lane(self) -> AsyncIterator[None]:
        attention = Attention(
            poll_seconds=0.3, request_seconds=PACE.request_seconds, processing_seconds=PACE.processing_seconds
        )
        teller = TicketTeller(store=self.laid.store, ticketing=self.desk.ticketing, policy=POLICY, attention=attention)
        task = asyncio.create_task(Lanes(self.laid.store, teller, PACE, owner="one", note=lambda *_: None).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def settled(self) -> bool:
        return await self.laid.rows("MATCH (d:Delivery) WHERE d.state = 'READY' RETURN count(d)") == [[0]]

    async def there(self, key: str) -> TicketState:
        found = await self.desk.ticketing.find(key, deadline=soon())
        assert found is not None
        return found

    async def known(self, key: str) -> list[object]:
        [row] = await self.laid.rows("MATCH (t:Ticket {orderKey: $key}) RETURN t.externalId, t.status", key=key)
        return row

    def knows(self, key: str, status: str) -> Callable[[], Awaitable[bool]]:
        async def asked() -> bool:
            return (await self.known(key))[1] == status

        return asked


@pytest.fixture(params=sorted(STAND_INS))
async def told(request: pytest.FixtureRequest, empty_store: Store) -> AsyncIterator[Told]:
    await lay(empty_store)
    async with STAND_INS[request.param]() as desk:
        yield Told(laid=Laid(store=empty_store), desk=desk)


async def test_an_alarm_becomes_a_ticket_for_each_customer_and_its_clear_resolves_them(told: Told) -> None:
    async with told.lane():
        alarm = await told.laid.raise_(report("trunk-1"))
        await until(told.settled)
        for customer in "ab":
            state = await told.there(f"{alarm}:customer-{customer}")
            assert (state.severity, state.status) == ("major", "acknowledged")
            assert await told.known(f"{alarm}:customer-{customer}") == [state.id, "acknowledged"]
        await told.laid.raise_(report("trunk-1", cleared=True))
        await until(told.settled)
        for customer in "ab":
            state = await told.there(f"{alarm}:customer-{customer}")
            assert state.status == "resolved"
            assert await told.known(f"{alarm}:customer-{customer}") == [state.id, "resolved"]


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    "rules",
    [
        pytest.param([Rule(kind=Kind.DOWN, times=3)], id="down"),
        pytest.param([Rule(kind=Kind.ERROR, times=3)], id="an error inside"),
        pytest.param([Rule(kind=Kind.SILENT, times=2, method="POST")], id="acted and answered nothing"),
        pytest.param([Rule(kind=Kind.TRUNCATED, times=2, method="POST")], id="half an answer"),
        pytest.param([Rule(kind=Kind.SLOW, times=2, method="POST", seconds=1.3)], id="acted too late to be waited for"),
        pytest.param([Rule(kind=Kind.FOREIGN, times=1, method="POST")], id="the answer to somebody else"),
    ],
)
async def test_whatever_the_system_does_there_is_one_ticket(told: Told, rules: list[Rule]) -> None:
    assert told.desk.faults is not None
    told.desk.faults.order(*(replace(each) for each in rules))
    async with told.lane():
        alarm = await told.laid.raise_(report("trunk-1"))
        await until(told.settled)
        keys = [f"{alarm}:customer-{customer}" for customer in "ab"]
        assert sorted(told.desk.keys()) == keys
        for key in keys:
            assert (await told.known(key))[0] == (await told.there(key)).id


@pytest.mark.sampled(2)
async def test_what_people_do_with_a_ticket_is_learnt_by_looking(told: Told) -> None:
    async with told.lane():
        alarm = await told.laid.raise_(report("trunk-1"))
        await until(told.settled)
        key = f"{alarm}:customer-a"
        for status in ("inProgress", "pending"):
            await told.desk.set_status((await told.there(key)).id, status)
            await until(told.knows(key, status))


@pytest.mark.sampled(2)
async def test_a_ticket_that_a_person_ended_is_followed_by_another_when_the_fault_returns(told: Told) -> None:
    async with told.lane():
        alarm = await told.laid.raise_(report("trunk-1"))
        await until(told.settled)
        key = f"{alarm}:customer-a"
        await told.desk.set_status((await told.there(key)).id, told.desk.final[-1])
        await told.laid.raise_(report("trunk-1", cleared=True))
        await until(told.settled)
        await until(told.knows(key, told.desk.final[-1]))
        await told.laid.raise_(report("trunk-1", raised_at=AT + 1))
        await until(told.settled)
        assert (await told.there(f"{key}#2")).status == "acknowledged"


async def test_a_ticket_that_people_open_about_a_service_is_its_customers_and_followed(told: Told) -> None:
    links = (
        "MATCH (t:Ticket {externalId: $id})-[:OPENED_FOR]->(c:Customer) "
        "RETURN t.status, c.id, COLLECT { MATCH (t)-[:CONCERNS]->(s:Service) RETURN s.id }"
    )
    before = await told.desk.report("service-b")
    async with told.lane():
        later = await told.desk.report("service-a", "service-none")
        for their_id, customer, service in ((before, "customer-b", "service-b"), (later, "customer-a", "service-a")):

            async def linked(their_id: str = their_id, customer: str = customer, service: str = service) -> bool:
                return await told.laid.rows(links, id=their_id) == [["acknowledged", customer, [service]]]

            await until(linked)
        await told.desk.set_status(later, "resolved")

        async def resolved() -> bool:
            return await told.laid.rows(links, id=later) == [["resolved", "customer-a", ["service-a"]]]

        await until(resolved)


# What customers ask ---------------------------------------------------------------------------------------------------

ADA = Principal(subject="9:issuer-a:ada", role=Role.CUSTOMER, customers=("customer-a",), changes=CLAIMABLE)


async def reported(told: Told, key: str = "r") -> tuple[str, str]:
    """Report a problem; give the ticket's id and its order key."""
    problem = Problem(service="service-a", description="It is slow")
    outcome = await report_problem(told.laid.store, ADA, POLICY, problem, idempotency_key=key, deadline=soon())
    [[order_key]] = await told.laid.rows("MATCH (t:Ticket {id: $id}) RETURN t.orderKey", id=outcome.ids["ticket"])
    return outcome.ids["ticket"], str(order_key)


async def asked(told: Told, doing: Doing, ticket: str, text: str = "") -> None:
    request = TicketRequest(doing=doing, ticket=ticket, comment=text)
    outcome = await change_ticket(
        told.laid.store, ADA, POLICY, request, idempotency_key=f"{doing} {text}", deadline=soon()
    )
    assert not outcome.user_errors, outcome


async def notes(told: Told, key: str) -> list[str]:
    state = await told.there(key)
    history = (await told.desk.ticketing.histories([state.id], deadline=soon()))[state.id]
    assert isinstance(history, TicketHistory)
    assert {each.author for each in history.notes} <= {"a", "grace"}, history.notes
    return [each.text for each in history.notes]


@pytest.mark.sampled(2)
async def test_what_a_customer_asks_arrives_and_what_people_answer_comes_back(told: Told) -> None:
    async with told.lane():
        ticket, key = await reported(told)
        await until(told.settled)
        state = await told.there(key)
        assert await told.known(key) == [state.id, "acknowledged"]
        await asked(told, "commentTicket", ticket, "Since noon")
        await until(told.settled)
        await told.desk.set_status(state.id, "inProgress")
        await until(told.knows(key, "inProgress"))
        await told.desk.write(state.id, "Mended")
        await told.desk.set_status(state.id, "resolved")
        await until(told.knows(key, "resolved"))
        await asked(told, "reopenTicket", ticket, "It is not")
        await until(told.settled)
        assert (await told.there(key)).status == "inProgress"
        await asked(told, "closeTicket", ticket)
        await until(told.settled)
        assert await notes(told, key) == ["Since noon", "Mended", "It is not", "The ticket was closed."]
        assert (await told.known(key))[1] == "closed"


@pytest.mark.sampled(2)
async def test_what_is_asked_while_the_system_is_away_arrives_in_order(told: Told) -> None:
    assert told.desk.faults is not None
    told.desk.faults.order(Rule(kind=Kind.DOWN, times=4))
    ticket, key = await reported(told)
    for number in range(4):
        await asked(told, "commentTicket", ticket, str(number))
    await asked(told, "closeTicket", ticket)
    day = 24 * 3_600_000
    await told.laid.run("MATCH (d:Delivery) SET d.since = d.since - $day, d.createdAt = d.createdAt - $day", day=day)
    async with told.lane():
        await until(told.settled)
        assert told.desk.keys() == [key]
        assert await notes(told, key) == ["0", "1", "2", "3", "The ticket was closed."]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
async def test_what_was_heard_by_a_system_whose_answer_is_lost_is_not_asked_twice(told: Told, method: str) -> None:
    """As when our process dies after the other system has acted: whoever comes next looks first."""
    assert told.desk.faults is not None
    told.desk.faults.order(Rule(kind=Kind.SILENT, times=3, method=method))
    ticket, key = await reported(told)
    await asked(told, "commentTicket", ticket, "Since noon")
    await asked(told, "closeTicket", ticket)
    async with told.lane():
        await until(told.settled)
        assert told.desk.keys() == [key]
        assert await notes(told, key) == ["Since noon", "The ticket was closed."]


@pytest.mark.sampled(2)
async def test_a_lane_that_is_cut_off_in_between_asks_nothing_twice(told: Told) -> None:
    ticket, key = await reported(told)
    for number in range(3):
        await asked(told, "commentTicket", ticket, str(number))
    for _ in range(4):
        async with told.lane():
            await asyncio.sleep(0.3)
    async with told.lane():
        await until(told.settled)
        assert told.desk.keys() == [key]
        assert await notes(told, key) == ["0", "1", "2"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("is_moved", [False, True])
async def test_what_cannot_be_done_any_more_is_told_to_the_customer(told: Told, is_moved: bool) -> None:  # noqa: FBT001
    async with told.lane():
        ticket, key = await reported(told)
        await until(told.settled)
    if is_moved:  # its id is another by now
        await told.laid.run("MATCH (t:Ticket) SET t.externalId = '999999'")
    await told.desk.set_status((await told.there(key)).id, told.desk.final[-1])
    await asked(told, "commentTicket", ticket, "Since noon")  # before we hear of it
    async with told.lane():
        await until(told.settled)
    assert "TicketChangeRefused" in [kind for _, _, kind, _ in await told.laid.events()]
    assert (await told.known(key))[1] == told.desk.final[-1]


@pytest.mark.sampled(2)
async def test_what_the_system_never_takes_of_a_customer_holds_up_nothing_of_an_alarm(told: Told) -> None:
    assert told.desk.faults is not None
    async with told.lane():
        alarm = await told.laid.raise_(report("trunk-1"))
        await until(told.settled)
    key = f"{alarm}:customer-a"
    [[ticket]] = await told.laid.rows("MATCH (t:Ticket {orderKey: $key}) RETURN t.id", key=key)
    told.desk.faults.order(*(Rule(kind=Kind.UNPROCESSABLE, times=3, method=each) for each in ("PATCH", "POST")))
    await asked(told, "commentTicket", str(ticket), "\N{PILE OF POO}")
    async with told.lane():
        await until(told.settled)
        await told.laid.raise_(report("trunk-1", cleared=True))
        await until(told.settled)
    assert (await told.there(key)).status == "resolved"
    assert await told.laid.rows("MATCH (d:Delivery {state: 'DEAD'}) RETURN d.id") == []
    assert [kind for _, _, kind, _ in await told.laid.events()].count("TicketChangeRefused") == 1


@pytest.mark.sampled(2)
async def test_a_close_that_the_system_never_takes_leaves_the_status_that_it_has_there(told: Told) -> None:
    assert told.desk.faults is not None
    async with told.lane():
        ticket, key = await reported(told)
        await until(told.settled)
    told.desk.faults.order(*(Rule(kind=Kind.UNPROCESSABLE, times=3, method=each) for each in ("PATCH", "PUT")))
    await asked(told, "closeTicket", ticket)
    async with told.lane():
        await until(told.settled)
    assert (await told.known(key))[1] == (await told.there(key)).status == "acknowledged"


async def test_a_ticket_that_is_gone_there_does_not_stay_open_here(told: Told) -> None:
    theirs = Reported(
        their_id="999999",
        key="CRM-7",
        status="inProgress",
        severity="major",
        changed_at=1,
        services=("service-a",),
        customer=None,
    )
    await report_tickets(told.laid.store, POLICY, [theirs], subject="desk", deadline=soon())
    [[ticket]] = await told.laid.rows("MATCH (t:Ticket {externalId: '999999'}) RETURN t.id")
    await asked(told, "commentTicket", str(ticket), "Since noon")
    async with told.lane():
        await until(told.settled)
    assert await told.laid.rows("MATCH (t:Ticket {id: $id}) RETURN t.status", id=ticket) == [["cancelled"]]
    assert "TicketChangeRefused" in [kind for _, _, kind, _ in await told.laid.events()]
