"""A system that does not let us in: nothing is parked, little is tried, and all goes on in order when it is good again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import aiohttp
import pytest
import structlog.testing
from pydantic import SecretStr

from adapters.delivery import access as access_module
from adapters.delivery.access import LONGEST_PAUSE, Access
from adapters.delivery.attending import Attention, Registering
from adapters.delivery.delivery import Lanes, Pace
from adapters.delivery.retrying import MOST_CONFLICTS, failed
from adapters.delivery.sending import said_once
from adapters.errors import Conflict, NotAdmitted, Rejected
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.journal import read_journal
from adapters.simulator.manners import Manners
from adapters.simulator.ticketing.ticketing import TicketingSystem, serving
from adapters.ticketing.outbound.tmf621 import Tmf621
from adapters.ticketing.telling import TicketTeller
from adapters.transport.credentials import Token, in_file
from adapters.transport.transport import System, opened
from graph.errors import StoreUnavailable
from graph.ledger.backlog import system_backlogs
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Again, Dead
from graph.ledger.registrations import registration
from graph.store.store import Store
from tests.adapters.delivery.test_delivery import until
from tests.graph.changes.network import POLICY, Laid, lay, report, soon

PACE = Pace(request_seconds=1.0, processing_seconds=0.2)


def denied(status: int = 401) -> NotAdmitted:
    return NotAdmitted(f"ticketing answered {status}", status=status)


class TestAccess:
    """The rule, without a clock."""

    def test_pauses_grow_up_to_a_minute_and_begin_anew(self) -> None:
        access, now, pauses = Access(), 0.0, []
        for number in range(9):
            assert access.denied(f"d{number}", denied(), now=now)
            assert access.retry_at is not None
            pauses.append(access.retry_at - now)
            now = access.retry_at
        assert pauses == [1, 2, 4, 8, 16, 32, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
        access.admitted(now=now)
        access.denied("d1", denied(), now=now + 5)
        assert access.retry_at == now + 6

    def test_it_is_said_once_when_it_begins_and_once_when_it_is_over(self) -> None:
        said: list[tuple[str, str]] = []
        with structlog.testing.capture_logs() as lines:
            access = Access(said_once("ticketing", lambda *each: said.append(each)))
            for now in (1.0, 1.5, 2.0, 4.0, 9.0):
                access.denied("d", denied(), now=now)
            for now in (10.0, 11.0):
                access.admitted(now=now)
        assert said == [("ticketing", "answered 401"), ("ticketing", "")]
        assert [each["log_level"] for each in lines] == ["warning", "info"]

    @pytest.mark.parametrize("status", [403, 404, 405, 302])
    def test_what_is_refused_between_others_that_are_let_in_is_refused_for_itself(self, status: int) -> None:
        access = Access()
        assert access.denied("bad", denied(status), now=1.0)
        assert access.denied("bad", denied(status), now=2.0), "nobody was let in: nobody knows"
        access.admitted(now=3.0)
        assert not access.denied("bad", denied(status), now=4.0)
        assert access.retry_at is None
        assert access.denied("other", denied(status), now=5.0)

    def test_a_401_is_never_about_a_delivery(self) -> None:
        access = Access()
        for now in (1.0, 3.0, 5.0):
            assert access.denied("d", denied(), now=now)
            access.admitted(now=now + 1)

    def test_what_is_remembered_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(access_module, "_MOST_REMEMBERED", 2)
        access = Access()
        for number, delivery in enumerate("abc"):
            access.denied(delivery, denied(403), now=float(number))
        access.admitted(now=9.0)
        assert access.denied("a", denied(403), now=10.0), "it was forgotten"
        assert not access.denied("c", denied(403), now=11.0)


def claim(attempts: int, suspended: int = 0) -> Claim:
    given = {"attempts": attempts, "epoch": 1, "age_ms": 0, "suspended": suspended}
    return Claim(id="d", order_key="k", version=1, payload={}, **given)


def test_a_conflict_is_told_again_for_longer_than_a_refusal() -> None:
    refused, conflict = Rejected("no", status=400), Conflict("meanwhile", status=409)
    assert isinstance(failed(claim(3), refused, processing_seconds=0.0), Dead)
    assert isinstance(failed(claim(MOST_CONFLICTS - 1), conflict, processing_seconds=0.0), Again)
    assert isinstance(failed(claim(MOST_CONFLICTS), conflict, processing_seconds=0.0), Dead)


def test_after_a_blackout_a_refusal_is_tried_as_often_as_any_other() -> None:
    refused, conflict = Rejected("no", status=400), Conflict("meanwhile", status=409)
    found = [failed(claim(50 + tries, 50), refused, processing_seconds=0.0) for tries in (1, 2, 3)]
    assert [type(each) for each in found] == [Again, Again, Dead]
    assert isinstance(failed(claim(50 + MOST_CONFLICTS - 1, 50), conflict, processing_seconds=0.0), Again)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The network, a ticketing system, and one process that tells it."""

    laid: Laid
    system: TicketingSystem
    session: aiohttp.ClientSession
    said: list[tuple[str, str]] = field(default_factory=list)

    @asynccontextmanager
    async def process(self, credential: Token | None = None, **attention: object) -> AsyncIterator[None]:
        described = System(name=POLICY.ticketing, address=self.system.address, credential=credential, failures=50)
        given = {"poll_seconds": 0.1, "request_seconds": 1.0, "processing_seconds": 0.2, **attention}
        async with opened(described) as transport:
            teller = TicketTeller(
                store=self.laid.store,
                ticketing=Tmf621(transport),
                policy=POLICY,
                attention=Attention(**given),  # type: ignore[arg-type]  # of several types
                access=Access(said_once(POLICY.ticketing, lambda *each: self.said.append(each))),
            )
            lanes = Lanes(self.laid.store, teller, PACE, owner="one", note=lambda *_: None)
            task = asyncio.create_task(lanes.run())
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def states(self) -> dict[str, int]:
        rows = await self.laid.rows("MATCH (d:Delivery) RETURN d.state, count(d)")
        return {str(state): int(count) for state, count in rows}

    async def is_settled(self) -> bool:
        return "READY" not in await self.states()

    async def paused(self) -> list[bool]:
        return [each.is_paused for each in await system_backlogs(self.laid.store, deadline=soon())]

    def tickets(self, key: str) -> list[dict[str, object]]:
        return [each for each in self.system.tickets.all() if each["externalId"] == key]


@pytest.fixture
async def scene(empty_store: Store) -> AsyncIterator[Scene]:
    await lay(empty_store)
    async with serving() as system, aiohttp.ClientSession() as session:
        yield Scene(laid=Laid(store=empty_store), system=system, session=session)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", [Kind.UNAUTHORIZED, Kind.FORBIDDEN, Kind.NOT_FOUND])
async def test_a_system_that_does_not_let_us_in_parks_nothing_and_is_told_in_order_when_it_does(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    monkeypatch.setattr(access_module, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(access_module, "LONGEST_PAUSE", 0.1)
    scene.system.faults.order(Rule(kind=kind, method="POST"), Rule(kind=kind, method="PATCH"))
    alarm = await scene.laid.raise_(report("trunk-1"))
    await scene.laid.raise_(report("trunk-2", 2))
    await scene.laid.raise_(report("trunk-1", cleared=True))
    async with scene.process():

        async def is_tried() -> bool:
            rows = await scene.laid.rows("MATCH (d:Delivery) WHERE d.attempts > 3 RETURN count(d)")
            return bool(rows[0][0])

        await until(is_tried)
        states = await scene.states()
        assert set(states) == {"READY"}, "nothing is parked"
        assert [reason.split(":")[0] for _, reason in scene.said] == [f"answered {STATUS[kind]}"]
        [[error]] = await scene.laid.rows("MATCH (d:Delivery) WHERE d.attempts > 3 RETURN d.lastError LIMIT 1")
        assert str(STATUS[kind]) in error
        assert await scene.paused() == [True], "every process learns of it, whoever has tried"
        scene.system.faults.behave()
        await until(scene.is_settled)
        assert set(await scene.states()) == {"DONE"}
        [ticket] = scene.tickets(f"{alarm}:customer-a")
        assert ticket["status"] == "resolved"

        async def goes_on() -> bool:
            return await scene.paused() == [False]

        await until(goes_on)
    assert scene.said[-1] == (POLICY.ticketing, "")


STATUS = {Kind.UNAUTHORIZED: 401, Kind.FORBIDDEN: 403, Kind.NOT_FOUND: 404}


async def test_a_token_that_is_renewed_in_its_file_is_brought_at_once(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_module, "FIRST_PAUSE", 0.05)
    file = tmp_path / "token"
    file.write_text("old")
    credential = Token(secret=in_file(file))
    async with serving(bearer=SecretStr("new")) as system:
        strict = Scene(laid=scene.laid, system=system, session=scene.session)
        async with strict.process(credential):
            await scene.laid.raise_(report("trunk-1"))
            await until(lambda: bool(strict.said))
            file.write_text("new")
            await until(strict.is_settled)
        assert set(await strict.states()) == {"DONE"}


async def test_only_one_delivery_at_a_time_finds_out(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_module, "FIRST_PAUSE", 0.2)
    monkeypatch.setattr(access_module, "LONGEST_PAUSE", 0.2)
    scene.system.faults.order(Rule(kind=Kind.UNAUTHORIZED, method="POST"))
    for number in range(6):
        await scene.laid.raise_(report("trunk-1", external_alarm_id=f"x{number}"))
    count = "MATCH (d:Delivery) RETURN sum(d.attempts)"
    async with scene.process():
        await until(lambda: bool(scene.said))
        [[before]], began = await scene.laid.rows(count), time.monotonic()
        await asyncio.sleep(0.7)
        [[after]] = await scene.laid.rows(count)
    assert after - before <= (time.monotonic() - began) / 0.2 + 12, "all that was on its way, and one for each pause"


async def test_a_conflict_with_an_open_ticket_is_told_again(scene: Scene) -> None:
    async with scene.process():
        alarm = await scene.laid.raise_(report("trunk-1"))
        await until(scene.is_settled)
        scene.system.faults.order(Rule(kind=Kind.CONFLICT, method="PATCH", times=2))
        await scene.laid.raise_(report("trunk-1", cleared=True))
        await until(scene.is_settled)
        for customer in "ab":
            [ticket] = scene.tickets(f"{alarm}:customer-{customer}")
            assert ticket["status"] == "resolved"
    assert set(await scene.states()) == {"DONE"}


async def test_what_is_answered_without_a_body_is_done(scene: Scene) -> None:
    scene.system.faults.order(Rule(kind=Kind.EMPTY, method="POST"), Rule(kind=Kind.EMPTY, method="PATCH"))
    async with scene.process():
        alarm = await scene.laid.raise_(report("trunk-1"))
        await scene.laid.raise_(report("trunk-1", cleared=True))
        await until(scene.is_settled)
        rows = await scene.laid.rows("MATCH (d:Delivery) RETURN d.state, max(d.attempts)")
        assert rows == [["DONE", 1]]
        rows = await scene.laid.rows("MATCH (t:Ticket) RETURN t.status, t.externalId IS NOT NULL")
        assert rows == [["resolved", True], ["resolved", True]]
        assert len(scene.tickets(f"{alarm}:customer-a")) == 1


@pytest.mark.parametrize("hub", ["one", "many", "none"])
async def test_it_registers_once_and_looks_whether_or_not_it_is_taken(scene: Scene, tmp_path: Path, hub: str) -> None:
    state = tmp_path / "state"
    async with serving(state=state, manners=Manners.model_validate({"hub": hub})) as system:
        other = Scene(laid=scene.laid, system=system, session=scene.session)
        callback = {"callback": "http://127.0.0.1:9/there", "address": system.address, "poll_seconds": 0.05}
        for _ in range(2):
            with structlog.testing.capture_logs() as lines:
                async with other.process(None, **callback):
                    alarm = await scene.laid.raise_(report("trunk-1"))
                    await until(other.is_settled)
                    [ticket] = other.tickets(f"{alarm}:customer-a")
                    status = "held" if ticket["status"] == "acknowledged" else "inProgress"
                    url = f"{system.address}/troubleTicket/{ticket['id']}"
                    async with scene.session.patch(url, json={"status": status}) as response:
                        assert response.status == 200
                    await until(partial(_is, scene, f"{alarm}:customer-a", status))
            refused = [each for each in lines if "registration was not taken" in each["event"]]
            assert len(refused) == (1 if hub == "none" else 0), "it is said once, however often it is asked"
        kept = await scene.laid.rows("MATCH (r:Registration) RETURN r.id, r.callback, r.theirId <> ''")
        registered = len([each for each in read_journal(state) if "subscription" in each])
        if hub == "none":
            assert (kept, registered) == ([], 0)
        else:
            assert (kept, registered) == ([[POLICY.ticketing, callback["callback"], True]], 1)


@pytest.mark.parametrize("kind", [Kind.UNAUTHORIZED, Kind.FORBIDDEN])
async def test_a_hub_that_does_not_let_us_in_is_told_once_and_the_system_is_looked_at(scene: Scene, kind: Kind) -> None:
    async with scene.process():
        alarm = await scene.laid.raise_(report("trunk-1"))
        await until(scene.is_settled)
    key, refusals = f"{alarm}:customer-a", Rule(kind=kind, method="POST", times=1_000)
    [ticket] = scene.tickets(key)
    scene.system.faults.order(refusals)
    callback = {"callback": "http://127.0.0.1:9/there", "address": scene.system.address, "poll_seconds": 0.05}

    async def asked_thrice() -> bool:
        return refusals.times is not None and refusals.times <= 997

    with structlog.testing.capture_logs() as lines:
        async with scene.process(None, **callback):
            await until(asked_thrice)
            url = f"{scene.system.address}/troubleTicket/{ticket['id']}"
            async with scene.session.patch(url, json={"status": "held"}) as response:
                assert response.status == 200
            await until(partial(_is, scene, key, "held"))
    assert ["registration was not taken" in each["event"] for each in lines].count(True) == 1
    assert await scene.laid.rows("MATCH (r:Registration) RETURN r.id") == []


async def _is(scene: Scene, key: str, status: str) -> bool:
    return await scene.laid.rows("MATCH (t:Ticket {orderKey: $key}) RETURN t.status", key=key) == [[status]]


async def test_a_ticket_that_is_gone_is_not_resolved_any_more_and_parks_nothing(scene: Scene) -> None:
    async with scene.process():
        alarm = await scene.laid.raise_(report("trunk-1"))
        await until(scene.is_settled)
        [gone] = scene.tickets(f"{alarm}:customer-a")
        del scene.system.tickets._tickets[str(gone["id"])]
        await scene.laid.raise_(report("trunk-1", cleared=True))
        await until(scene.is_settled)
        [other] = scene.tickets(f"{alarm}:customer-b")
        assert (scene.tickets(f"{alarm}:customer-a"), other["status"]) == ([], "resolved")
    assert set(await scene.states()) == {"DONE"}
    notes = await scene.laid.rows("MATCH (d:Delivery) WHERE d.lastError IS NOT NULL RETURN d.lastError")
    assert notes == [["the ticket is gone there"]]


async def test_a_ticket_that_got_another_id_is_found_by_our_key(scene: Scene) -> None:
    async with scene.process():
        alarm = await scene.laid.raise_(report("trunk-1"))
        await until(scene.is_settled)
        [ticket] = scene.tickets(f"{alarm}:customer-a")
        held = scene.system.tickets._tickets
        held["moved"] = {**held.pop(str(ticket["id"])), "id": "moved"}
        await scene.laid.raise_(report("trunk-1", cleared=True))
        await until(scene.is_settled)
        [moved] = scene.tickets(f"{alarm}:customer-a")
        assert (moved["id"], moved["status"]) == ("moved", "resolved")


@dataclass(slots=True)
class Counting:
    """A system that makes another registration of each request."""

    made: int = 0

    async def subscribe(self, callback: str, *, deadline: float) -> str:
        assert (callback, deadline > 0) == ("http://us", True)
        self.made += 1
        return f"h-{self.made}"

    async def unsubscribe(self, their_id: str, *, deadline: float) -> None:
        raise AssertionError(f"{their_id} is the only one, until {deadline}")


async def test_a_registration_that_the_database_does_not_take_is_not_made_again(
    empty_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, real = Counting(), empty_store.write
    registering = Registering(
        store=empty_store, system="desk", address="http://desk", callback="http://us", subscribed=system, seconds=5.0, pause=0.0
    )  # fmt: skip

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("The database cannot be reached")

    monkeypatch.setattr(type(empty_store), "write", away)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await registering.once()
    monkeypatch.setattr(type(empty_store), "write", lambda _, *given, **named: real(*given, **named))
    for _ in range(2):
        await registering.once()
    found = await registration(empty_store, "desk", deadline=time.monotonic() + 5)
    assert (system.made, found and found.their_id) == (1, "h-1")
