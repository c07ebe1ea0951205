from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import orjson
import pytest

from adapters.delivery.access import Access
from adapters.delivery.attending import Attention
from adapters.delivery.delivery import Lanes, Pace
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.ticketing.ticketing import TicketingSystem, serving
from adapters.ticketing import hearing as hearing_module
from adapters.ticketing.hearing import Hearing
from adapters.ticketing.outbound.tmf621 import Tmf621
from adapters.ticketing.telling import TicketTeller
from adapters.transport.transport import System, opened
from graph.changes.deliveries import replay_delivery
from graph.changes.policy import AlarmPolicy
from graph.changes.tickets.ticketing import Answered
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Again, Done
from graph.model.scope import Principal, Role
from graph.store.store import Store
from tests.adapters.conftest import JSON, asking, http, saying
from tests.graph.changes.network import AT, POLICY, Laid, lay, report, soon

OPERATOR = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
PACE = Pace(request_seconds=1.0, processing_seconds=1.5)
WAIT_SECONDS = 120.0
"""which only what fails waits for: on a busy machine some retries take long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The network, a ticketing system, and the processes that tell it."""

    laid: Laid
    system: TicketingSystem
    session: aiohttp.ClientSession
    outcomes: Counter[str] = field(default_factory=Counter)

    def note(self, system: str, outcome: str) -> None:
        assert system == POLICY.ticketing
        self.outcomes[outcome] += 1

    @asynccontextmanager
    async def teller(self) -> AsyncIterator[TicketTeller]:
        """Give what a process's lane tells by."""
        described = System(name=POLICY.ticketing, address=self.system.address, failures=50)
        attention = Attention(
            poll_seconds=0.3, request_seconds=PACE.request_seconds, processing_seconds=PACE.processing_seconds
        )
        async with opened(described) as transport:
            yield TicketTeller(store=self.laid.store, ticketing=Tmf621(transport), policy=POLICY, attention=attention)

    @asynccontextmanager
    async def process(self, owner: str = "one") -> AsyncIterator[asyncio.Task[None]]:
        """Run a process's lane while the block runs."""
        async with self.teller() as teller:
            task = asyncio.create_task(Lanes(self.laid.store, teller, PACE, owner=owner, note=self.note).run())
            try:
                yield task
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def order(self, *rules: Rule) -> None:
        self.system.faults.order(*rules)

    def tickets(self, key: str) -> list[dict[str, Any]]:
        return [each for each in self.system.tickets.all() if each["externalId"] == key]

    async def by_hand(self, key: str, **change: str) -> None:
        """Change a ticket as a person would."""
        [ticket] = self.tickets(key)
        url = f"{self.system.address}/troubleTicket/{ticket['id']}"
        async with self.session.patch(url, json=change) as response:
            assert response.status == 200

    async def known(self, key: str) -> list[Any]:
        text = "MATCH (t:Ticket {orderKey: $key}) RETURN t.externalId, t.status"
        [row] = await self.laid.rows(text, key=key)
        return row

    async def delivery(self, key: str, version: int) -> dict[str, Any]:
        text = (
            "MATCH (d:Delivery {orderKey: $key}) WHERE d.version = $version "
            "RETURN d.id, d.state, d.attempts, d.lastError"
        )
        [row] = await self.laid.rows(text, key=key, version=version)
        return dict(zip(("id", "state", "attempts", "error"), row, strict=True))


async def until(true: Callable[[], Awaitable[bool] | bool]) -> None:
    """Wait until it is so."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        found = true()
        if found if isinstance(found, bool) else await found:
            return
        assert time.monotonic() < end, "it never came to be"
        await asyncio.sleep(0.02)


@pytest.fixture
async def desk(empty_store: Store) -> AsyncIterator[Desk]:
    await lay(empty_store)
    async with serving() as system, aiohttp.ClientSession() as session:
        yield Desk(laid=Laid(store=empty_store), system=system, session=session)


def settled(desk: Desk) -> Callable[[], Awaitable[bool]]:
    async def asked() -> bool:
        return await desk.laid.rows("MATCH (d:Delivery) WHERE d.state = 'READY' RETURN count(d)") == [[0]]

    return asked


async def test_a_look_at_open_tickets_writes_only_what_is_news(desk: Desk) -> None:
    async with desk.process():
        alarm = await desk.laid.raise_(report("trunk-1"))
        await until(settled(desk))
    commits: list[None] = []
    async with desk.teller() as teller:
        hearing = Hearing(store=desk.laid.store, policy=teller.policy, ticketing=teller.ticketing, seconds=5.0)
        with desk.laid.store.heard(lambda: commits.append(None)):
            await hearing.look()
            assert commits == []
            await desk.by_hand(f"{alarm}:customer-a", status="held")
            await hearing.look()
            assert len(commits) == 1
            await hearing.look()
            assert len(commits) == 1
    assert (await desk.known(f"{alarm}:customer-a"))[1] == "held"


def told_of(number: int, at: str) -> dict[str, Any]:
    service = {"id": "service-a", "role": "affected", "@referredType": "Service"}
    return {"id": f"TT-{number}", "status": "acknowledged", "lastUpdate": at, "relatedEntity": [service]}


@pytest.mark.parametrize("ahead", ["2099-01-01T00:00:00Z", "9999-12-31T23:59:59-05:00"])
async def test_a_ticket_of_a_clock_that_is_ahead_hides_no_ticket_of_others(empty_store: Store, ahead: str) -> None:
    await lay(empty_store)
    first = [told_of(1, "2026-03-01T12:00:00Z"), told_of(2, ahead)]
    answers = [http("200 OK", orjson.dumps(each), JSON, "X-Total-Count: 2") for each in (first, first, first)]
    async with saying(*answers) as server, asking(server.address) as transport:
        hearing = Hearing(
            store=empty_store, policy=AlarmPolicy(ticketing="desk"), ticketing=Tmf621(transport), seconds=5.0
        )
        for _ in range(2):
            await hearing.look()
    asked = [each.partition(b" HTTP/1.1")[0] for each in server.heard if b"lastUpdate.gte" in each]
    assert len(asked) == 1
    assert b"lastUpdate.gte=2026-03-01T12%3A00%3A00.000Z" in asked[0]


async def test_an_alarm_becomes_a_ticket_for_each_customer_and_its_clear_resolves_them(desk: Desk) -> None:
    async with desk.process():
        alarm = await desk.laid.raise_(report("trunk-1"))
        await until(settled(desk))
        for customer, severity, service in (("a", "major", "service-a"), ("b", "major", "service-b")):
            key = f"{alarm}:customer-{customer}"
            [ticket] = desk.tickets(key)
            assert (ticket["severity"], ticket["status"]) == (severity, "acknowledged")
            assert [each["id"] for each in ticket["relatedParty"]] == [f"customer-{customer}"]
            assert service in [each["id"] for each in ticket["relatedEntity"]]
            assert await desk.known(key) == [ticket["id"], "acknowledged"]
        await desk.laid.raise_(report("trunk-1", cleared=True))
        await until(settled(desk))
        for customer in "ab":
            key = f"{alarm}:customer-{customer}"
            [ticket] = desk.tickets(key)
            assert ticket["status"] == "resolved"
            assert await desk.known(key) == [ticket["id"], "resolved"]


async def test_a_ticket_follows_the_severity(desk: Desk) -> None:
    async with desk.process():
        alarm = await desk.laid.raise_(report("trunk-1", 1))
        await desk.laid.raise_(report("trunk-2", 2))
        await until(settled(desk))
        [ticket] = desk.tickets(f"{alarm}:customer-a")
        assert ticket["severity"] == "critical"


MISBEHAVIOUR = [
    pytest.param([Rule(kind=Kind.DOWN, times=3)], id="down"),
    pytest.param([Rule(kind=Kind.ERROR, times=3)], id="an error inside"),
    pytest.param([Rule(kind=Kind.TOO_MANY, times=2, seconds=1)], id="too many requests"),
    pytest.param([Rule(kind=Kind.SILENT, times=2, method="POST")], id="acted and answered nothing"),
    pytest.param([Rule(kind=Kind.TRUNCATED, times=2, method="POST")], id="half an answer"),
    pytest.param([Rule(kind=Kind.SLOW, times=2, method="POST", seconds=1.3)], id="acted too late to be waited for"),
    pytest.param([Rule(kind=Kind.HTML, times=2)], id="a page to log in"),
    pytest.param([Rule(kind=Kind.FOREIGN, times=1, method="POST")], id="the answer to somebody else"),
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("rules", MISBEHAVIOUR)
async def test_whatever_the_system_does_there_is_one_ticket(desk: Desk, rules: list[Rule]) -> None:
    desk.order(*(replace(each) for each in rules))
    async with desk.process():
        alarm = await desk.laid.raise_(report("trunk-1"))
        await until(settled(desk))
        assert len(desk.tickets(f"{alarm}:customer-a")) == 1
        assert len(desk.tickets(f"{alarm}:customer-b")) == 1
        assert (await desk.known(f"{alarm}:customer-a"))[0] == desk.tickets(f"{alarm}:customer-a")[0]["id"]


async def test_what_came_while_the_system_was_down_is_told_in_order(desk: Desk) -> None:
    desk.order(Rule(kind=Kind.DOWN))
    async with desk.process():
        alarm = await desk.laid.raise_(report("trunk-1", 1))
        await desk.laid.raise_(report("trunk-2", 2))
        await desk.laid.raise_(report("trunk-1", 1, cleared=True))
        await asyncio.sleep(0.5)
        desk.order()
        await until(settled(desk))
        [ticket] = desk.tickets(f"{alarm}:customer-a")
        assert [each["status"] for each in ticket["statusChange"]][-1] == "resolved"
        assert ticket["severity"] == "critical"


async def test_nonsense_is_parked_with_its_reason_holds_up_its_own_key_only_and_can_be_replayed(desk: Desk) -> None:
    desk.order(Rule(kind=Kind.HTML))
    async with desk.process():
        alarm = await desk.laid.raise_(report("trunk-1"))
        await until(settled(desk))
        desk.order()
        parked = await desk.delivery(f"{alarm}:customer-a", 1)
        assert (parked["state"], parked["attempts"]) == ("DEAD", 3)
        assert "HTML" in parked["error"]
        await desk.laid.raise_(report("trunk-1", cleared=True))
        other = await desk.laid.raise_(report("trunk-2", 2))
        await until(lambda: len(desk.tickets(f"{other}:customer-b")) == 1)
        assert (await desk.delivery(f"{alarm}:customer-a", 2))["state"] == "READY", "it waits for the parked one"
        for number, customer in enumerate("ab"):
            await replay_delivery(
                desk.laid.store,
                OPERATOR,
                delivery_id=(await desk.delivery(f"{alarm}:customer-{customer}", 1))["id"],
                idempotency_key=str(number),
                deadline=soon(),
            )
        await until(settled(desk))
        [ticket] = desk.tickets(f"{alarm}:customer-a")
        assert ticket["status"] == "resolved"


async def test_a_ticket_that_a_person_closed_is_followed_by_another_when_the_fault_returns(desk: Desk) -> None:
    async with desk.process():
        alarm = await desk.laid.raise_(report("trunk-1"))
        await until(settled(desk))
        await desk.by_hand(f"{alarm}:customer-a", status="closed")
        await desk.laid.raise_(report("trunk-1", cleared=True))
        await until(settled(desk))
        assert (await desk.known(f"{alarm}:customer-a"))[1] == "closed"
        await desk.laid.raise_(report("trunk-1", raised_at=AT + 1))
        await until(settled(desk))
        [first], [second] = desk.tickets(f"{alarm}:customer-a"), desk.tickets(f"{alarm}:customer-a#2")
        assert (first["status"], second["status"]) == ("closed", "acknowledged")
        [again] = desk.tickets(f"{alarm}:customer-b")
        assert again["status"] == "inProgress"


async def test_a_close_that_we_have_not_heard_of_yet_does_not_stop_a_fault_that_gets_worse(desk: Desk) -> None:
    alarm = await desk.laid.raise_(report("trunk-1", 1))
    async with desk.process():
        await until(settled(desk))
    await desk.by_hand(f"{alarm}:customer-a", status="closed")
    await desk.laid.raise_(report("trunk-2", 2))
    async with desk.process():
        await until(settled(desk))
        await until(lambda: len(desk.tickets(f"{alarm}:customer-a#2")) == 1)
        assert desk.tickets(f"{alarm}:customer-a#2")[0]["severity"] == "critical"


@pytest.mark.parametrize("at_once", [1, 50])
async def test_what_people_do_with_tickets_is_learnt_by_looking(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(hearing_module, "_AT_ONCE", at_once)
    async with desk.process():
        alarm = await desk.laid.raise_(report("trunk-1"))
        await until(settled(desk))
        for customer in "ab":
            await desk.by_hand(f"{alarm}:customer-{customer}", status="inProgress")

        async def heard() -> bool:
            known = [(await desk.known(f"{alarm}:customer-{customer}"))[1] for customer in "ab"]
            return known == ["inProgress", "inProgress"]

        await until(heard)
        changed = [each for each in await desk.laid.events() if each[2] == "TicketStatusChanged"]
        assert sorted(each[3] for each in changed) == [["customer-a"], ["customer-b"]]


async def test_a_delivery_that_nobody_can_read_is_parked_and_holds_up_no_other(desk: Desk) -> None:
    alarm = await desk.laid.raise_(report("trunk-1"))
    key = f"{alarm}:customer-a"
    await desk.laid.run("MATCH (d:Delivery {orderKey: $key}) SET d.payload = '{}'", key=key)
    async with desk.process():
        await until(settled(desk))
        parked = await desk.delivery(key, 1)
        assert (parked["state"], parked["error"]) == ("DEAD", "A fault of ours: KeyError")
        assert len(desk.tickets(f"{alarm}:customer-b")) == 1


async def test_a_process_that_ends_leaves_its_lane_to_another_at_once(desk: Desk) -> None:
    async with desk.process("one"):
        await desk.laid.raise_(report("trunk-1", 1))
        await until(settled(desk))
    async with desk.process("two"):
        began = time.monotonic()
        await desk.laid.raise_(report("trunk-2", 2))
        await until(settled(desk))
        assert time.monotonic() - began < 5


async def test_two_processes_tell_everything_once(desk: Desk) -> None:
    async with desk.process("one"), desk.process("two"):
        for number in range(6):
            await desk.laid.raise_(report(f"trunk-{1 + number % 2}", number))
        await until(settled(desk))
        keys = [each["externalId"] for each in desk.system.tickets.all()]
        assert len(keys) == len(set(keys)) == len(await desk.laid.tickets())


async def test_a_request_that_was_lost_is_waited_out_from_when_it_was_sent(desk: Desk) -> None:
    # The look for the ticket takes most of the time that there is, so that the order goes out late.
    desk.order(
        Rule(kind=Kind.SLOW, times=1, method="GET", seconds=0.7),
        Rule(kind=Kind.SLOW, times=1, method="POST", seconds=1.3),
    )
    alarm = await desk.laid.raise_(report("trunk-1"))
    [row] = await desk.laid.rows("MATCH (d:Delivery {orderKey: $key}) RETURN d.payload", key=f"{alarm}:customer-a")
    claimed = Claim(
        id="d", order_key=f"{alarm}:customer-a", version=1, attempts=2, epoch=1, age_ms=0, payload=orjson.loads(row[0])
    )
    async with desk.teller() as teller:
        answered = await teller.tell(claimed, deadline=time.monotonic() + PACE.request_seconds)
    assert isinstance(answered.outcome, Again)
    assert desk.tickets(f"{alarm}:customer-a") == []
    await until(lambda: len(desk.tickets(f"{alarm}:customer-a")) == 1)
    assert answered.outcome.pause_ms >= PACE.processing_seconds * 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Tells nobody anything, and keeps until when it might have."""

    system: str
    retry_at: float | None = None
    access: Access = field(default_factory=Access)
    deadlines: list[tuple[str, float]]

    async def tell(self, claimed: Claim, *, deadline: float) -> Answered:
        self.deadlines.append((claimed.id, time.time() + deadline - time.monotonic()))
        return Answered(outcome=Done(claim=claimed))

    async def settle(self, told: Sequence[Answered], *, deadline: float) -> None:
        pass

    async def attend(self) -> None:
        pass


async def test_nobody_else_may_claim_what_may_still_be_under_way(desk: Desk) -> None:
    watch = Watch(system=POLICY.ticketing, deadlines=[])
    await desk.laid.raise_(report("trunk-1"))
    lane = asyncio.create_task(Lanes(desk.laid.store, watch, PACE, owner="one", note=desk.note).run())
    await until(lambda: len(watch.deadlines) == 2)
    lane.cancel()
    await asyncio.gather(lane, return_exceptions=True)
    for delivery, told_by in watch.deadlines:
        [[held_until]] = await desk.laid.rows("MATCH (d:Delivery {id: $id}) RETURN d.nextAt", id=delivery)
        assert told_by + PACE.processing_seconds <= held_until / 1_000 + 0.001  # the database's clock has milliseconds


async def test_several_processes_share_the_telling(desk: Desk) -> None:
    async with desk.process("one"), desk.process("two"), desk.process("three"):
        await until(lambda: _shared(desk))
        alarms = [await desk.laid.raise_(report("trunk-1", external_alarm_id=f"x{number}")) for number in range(12)]
        await until(settled(desk))
    for alarm in alarms:
        assert len(desk.tickets(f"{alarm}:customer-a")) == 1
    assert desk.outcomes["done"] >= len(alarms)


async def _shared(desk: Desk) -> bool:
    rows = await desk.laid.rows("MATCH (l:Lane) WHERE l.until > timestamp() RETURN l.owner, count(l)")
    return sorted(count for _, count in rows) == [5, 5, 6]
