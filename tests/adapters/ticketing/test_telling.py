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
from adapters.ticketing import TicketState
from adapters.ticketing.telling import TicketTeller
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


async def test_what_people_do_with_a_ticket_is_learnt_by_looking(told: Told) -> None:
    async with told.lane():
        alarm = await told.laid.raise_(report("trunk-1"))
        await until(told.settled)
        key = f"{alarm}:customer-a"
        for status in ("inProgress", "pending"):
            await told.desk.set_status((await told.there(key)).id, status)
            await until(told.knows(key, status))


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
