"""From a change of the graph to what the other system knows, through lanes of a real database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.delivery.attending import Attention
from adapters.delivery.delivery import Lanes, Pace
from adapters.fault_management import Notified
from adapters.fault_management.outbound.tmf642 import Tmf642
from adapters.fault_management.telling import AlarmTeller
from adapters.simulator.fault_management import alarm_management
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.manners import Manners
from adapters.soap.elements import name_of, tag
from adapters.tmf.tmf630 import read_time, write_time
from adapters.transport.transport import System, opened
from adapters.xml.parser import Element
from graph.changes.alarms.acknowledge import acknowledge_alarm, unacknowledge_alarm
from graph.changes.alarms.alarms import AlarmPolicy, clear_alarm
from graph.changes.deliveries import replay_delivery
from graph.changes.policy import Hearing
from graph.ledger import retry
from graph.model.scope import Principal, Role
from graph.store.store import Store
from tests.adapters.delivery.test_delivery import until
from tests.adapters.fault_management.sides import SIDES, OfTmf642, Side, of_alerta, of_mtosi
from tests.adapters.fault_management.test_events import serving
from tests.graph.changes.network import AT, Laid, lay, report, soon

OPERATOR = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
POLICY = AlarmPolicy(fault_management=Hearing(name="umbrella", sources=frozenset({"umbrella"})))
PACE = Pace(request_seconds=1.0, processing_seconds=1.0)

BY_ADDRESS = {"alarmedObject": {"href": "https://nms.example/port/7"}}


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await lay(empty_store)
    return Laid(store=empty_store)


@pytest.fixture(params=list(SIDES))
async def side(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Side]:
    async with SIDES[request.param](tmp_path / "journal") as found:
        yield found


@asynccontextmanager
async def process(laid: Laid, side: Side, notified: Notified | None = None) -> AsyncIterator[None]:
    attention = Attention(poll_seconds=0.2, request_seconds=1.0, processing_seconds=1.0)
    teller = AlarmTeller(
        store=laid.store, fault_management=side.system, policy=POLICY, attention=attention, notified=notified
    )
    task = asyncio.create_task(Lanes(laid.store, teller, PACE, owner="one", note=lambda *_: None).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def is_told(laid: Laid) -> bool:
    return await laid.rows("MATCH (d:Delivery) WHERE d.state = 'READY' RETURN count(d)") == [[0]]


async def told(laid: Laid) -> None:
    async def asked() -> bool:
        return await is_told(laid)

    await until(asked)
    assert await laid.rows("MATCH (d:Delivery) WHERE d.state = 'DEAD' RETURN d.lastError") == []


@pytest.mark.sampled(2)
async def test_the_story_of_an_alarm_is_known_there(laid: Laid, side: Side) -> None:
    async with process(laid, side):
        alarm = await laid.raise_(report("trunk-1"), policy=POLICY)
        await told(laid)
        [first] = side.known()[alarm]
        assert (first.severity, first.cleared, first.acknowledged, first.affected) == ("critical", False, False, 2)
        await acknowledge_alarm(laid.store, OPERATOR, POLICY, alarm_id=alarm, idempotency_key="a", deadline=soon())
        await laid.raise_(report("trunk-1", perceived_severity="major", changed_at=AT + 1), policy=POLICY)
        await told(laid)
        [second] = side.known()[alarm]
        assert (second.severity, second.acknowledged, second.affected) == ("major", True, 2)
        await clear_alarm(laid.store, OPERATOR, POLICY, alarm_id=alarm, idempotency_key="c", deadline=soon())
        await told(laid)
        [third] = side.known()[alarm]
        assert (third.cleared, third.affected) == (True, 0)


NAMES = """
MATCH (p:Port {id: $port})<-[:HAS_PORT]-(:Card)<-[:HOLDS]-(e:NetworkElement)
CREATE (:ExternalName {id: 'externalname-p', key: 'kp', system: 'inventory', name: 'PTP=/slot=3/port=7'})-[:NAMES]->(p)
CREATE (:ExternalName {id: 'externalname-e', key: 'ke', system: 'inventory', name: 'MD=north;ME=W9'})-[:NAMES]->(e)
"""


async def test_an_alarm_told_by_mtosi_names_its_object_within_the_element_for_all_of_its_life(
    laid: Laid, tmp_path: Path
) -> None:
    [[port], *_] = await laid.rows("MATCH (p:Port)<-[:HAS_PORT]-(:Card)<-[:HOLDS]-(:NetworkElement) RETURN p.id")
    await laid.run(NAMES, port=port)
    async with of_mtosi(tmp_path / "journal") as side, process(laid, side):
        alarm = await laid.raise_(report(str(port)), policy=POLICY)
        await told(laid)
        await laid.run("MATCH (x:ExternalName {id: 'externalname-e'}) SET x.name = 'MD=south;ME=W1'")
        await clear_alarm(laid.store, OPERATOR, POLICY, alarm_id=alarm, idempotency_key="k", deadline=soon())
        await told(laid)
        said = [names_in(each) for each in side.served.messages]
    assert said == [[("MD", "north"), ("ME", "W9"), ("PTP", "/slot=3/port=7")]] * 2


async def test_the_time_of_an_alarm_told_by_mtosi_is_its_sources(laid: Laid, tmp_path: Path) -> None:
    async with of_mtosi(tmp_path / "journal") as side, process(laid, side):
        await laid.raise_(report("trunk-1"), policy=POLICY)
        await told(laid)
        [message] = side.served.messages
    [alarm] = message.iter(tag("alm:alarm"))
    source_time, os_time = (read_time(alarm.findtext(tag(each)), each) for each in ("cei:sourceTime", "ei:osTime"))
    assert source_time == AT < os_time


async def test_alarms_on_what_their_source_has_not_named_are_told_by_mtosi(laid: Laid, tmp_path: Path) -> None:
    async with of_mtosi(tmp_path / "journal") as side, process(laid, side):
        unnamed = await laid.raise_(report("", 1), policy=POLICY)
        addressed = await laid.raise_(report("https://nms.example/port/7", 2, record=BY_ADDRESS), policy=POLICY)
        await told(laid)
        await clear_alarm(laid.store, OPERATOR, POLICY, alarm_id=unnamed, idempotency_key="k", deadline=soon())
        await told(laid)
        assert [len(side.known()[each]) for each in (unnamed, addressed)] == [1, 1]
        assert side.known()[unnamed][0].cleared
        said = sorted(text for each in side.served.messages for _, text in names_in(each))
    assert said == ["https://nms.example/port/7", "unnamed", "unnamed"]
    assert await laid.rows("MATCH (a:Alarm {id: $id}) RETURN a._toldName", id=unnamed) == [[None]]


def names_in(message: Element) -> list[tuple[str, str]]:
    [named] = message.iter(tag("ei:objectName"))
    return list(name_of(named, message))


async def test_what_another_alarm_does_is_known_of_both(laid: Laid, side: Side) -> None:
    first = await laid.raise_(report("trunk-1", 1), policy=POLICY)
    second = await laid.raise_(report("trunk-2", 2), policy=POLICY)
    async with process(laid, side):
        await told(laid)
    assert {first, second} == side.known().keys()
    assert [each.affected for found in side.known().values() for each in found] == [2, 2]


@pytest.mark.sampled(5)
@pytest.mark.parametrize("kind", [Kind.SILENT, Kind.TRUNCATED, Kind.DOWN, Kind.ERROR, Kind.HTML, Kind.UNAVAILABLE])
async def test_an_answer_that_was_lost_makes_no_second_alarm(laid: Laid, side: Side, kind: Kind) -> None:
    side.faults.order(Rule(kind=kind, times=1, method="POST"))
    alarm = await laid.raise_(report("trunk-1"), policy=POLICY)
    async with process(laid, side):
        await told(laid)
    assert [len(found) for found in side.known().values()] == [1]
    assert alarm in side.known()


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(Rule(kind=Kind.GATEWAY_TIMEOUT, times=2, method="POST"), id="it has not taken them"),
        pytest.param(Rule(kind=Kind.LATE, times=2, method="POST"), id="it has taken them"),
        pytest.param(Rule(kind=Kind.LATE, times=2, method="POST", seconds=0.5), id="it takes them after its answer"),
    ],
)
async def test_a_raise_that_was_answered_504_is_known_before_its_clear(laid: Laid, side: Side, rule: Rule) -> None:
    side.faults.order(rule)
    alarm = await laid.raise_(report("trunk-1"), policy=POLICY)
    seen: list[bool] = []

    async def noted() -> None:
        while not (seen and seen[-1]):
            seen.extend(each.cleared for each in side.known().get(alarm, ()))
            await asyncio.sleep(0.005)

    await laid.raise_(report("trunk-1", cleared=True), policy=POLICY)
    async with process(laid, side):
        watching = asyncio.create_task(noted())
        await told(laid)
        await watching
    assert seen[0] is False, "that it is over was told first"
    assert [each.cleared for each in side.known()[alarm]] == [True]
    assert await laid.rows("MATCH (d:Delivery) WHERE d.lastError IS NOT NULL RETURN d.lastError") == []


@pytest.mark.sampled(4)
@pytest.mark.parametrize("kind", [None, Kind.GATEWAY_TIMEOUT, Kind.LATE])
async def test_an_alarm_that_is_over_at_its_first_report_is_known_there_whatever_was_lost(
    laid: Laid, side: Side, kind: Kind | None
) -> None:
    side.faults.order(*([Rule(kind=kind, times=1, method="POST")] if kind else []))
    alarm = await laid.raise_(report("trunk-1", cleared=True), policy=POLICY)
    async with process(laid, side):
        await told(laid)
    assert [each.cleared for each in side.known()[alarm]] == [True]


@pytest.mark.sampled(2)
async def test_a_refusal_is_parked_holds_up_its_alarm_only_and_is_told_when_replayed(laid: Laid, side: Side) -> None:
    side.faults.order(Rule(kind=Kind.HTML, times=3, method="POST"))
    alarm = await laid.raise_(report("trunk-1", 1), policy=POLICY)
    async with process(laid, side):
        parked = "MATCH (d:Delivery) WHERE d.state = 'DEAD' RETURN d.id, d.lastError"

        async def is_parked() -> bool:
            return len(await laid.rows(parked)) == 1

        await until(is_parked)
        other = await laid.raise_(report("card-4", 2), policy=POLICY)
        await until(lambda: other in side.known())
        [[delivery, reason]] = await laid.rows(parked)
        assert "answered" in reason
        assert alarm not in side.known()
        await replay_delivery(laid.store, OPERATOR, delivery_id=delivery, idempotency_key="r", deadline=soon())
        await told(laid)
    assert len(side.known()[alarm]) == 1


async def test_what_their_people_note_is_noted_here(laid: Laid, side: Side, request: pytest.FixtureRequest) -> None:
    if "mtosi" in request.node.name:
        return  # they tell us: tests/adapters/fault_management/inbound/test_notifications.py
    async with process(laid, side):
        alarm = await laid.raise_(report("trunk-1"), policy=POLICY)
        await told(laid)
        await side.acknowledge(alarm)

        async def is_noted() -> bool:
            return bool((await laid.alarm(alarm))["ack"] == "acknowledged")

        await until(is_noted)
        assert await laid.rows("MATCH (d:Delivery) RETURN count(d)") == [[1]], "nobody is told back"
        await unacknowledge_alarm(laid.store, OPERATOR, POLICY, alarm_id=alarm, idempotency_key="u", deadline=soon())
        await told(laid)
        assert [each.acknowledged for each in side.known()[alarm]] == [False]
        await asyncio.sleep(0.5)
        assert (await laid.alarm(alarm))["ack"] == "unacknowledged", "what was told last holds"


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", ["tmf688", "mtosi", "alerta"])
async def test_what_happens_to_services_and_tickets_is_known_there_too_in_order(
    laid: Laid, tmp_path: Path, name: str
) -> None:
    events = frozenset({"AlarmRaised", "ServiceStateChanged", "TicketOpened", "TicketStatusChanged"})
    policy = replace(POLICY, ticketing="desk", fault_management=Hearing(name="umbrella", events=events))
    alarm = await laid.raise_(report("card-2"), policy=policy)
    await laid.clear(alarm, policy=policy)
    async with SIDES["tmf642"](tmp_path / "alarms") as side, serving(name, tmp_path / "journal") as heard:
        heard.faults.order(Rule(kind=Kind.SILENT, times=2, method="POST"))
        async with process(laid, side, heard.system):
            await umbrella_told(laid)
        assert list(side.known()) == [alarm], "alarms are told as before"
        said = heard.said()
    assert [state for about, state in said if about == "service-b"] == ["down", "working"]
    tickets = {about for about, _ in said if about.startswith("ticket")}
    assert len(tickets) == 2
    for ticket in tickets:
        assert [state for about, state in said if about == ticket] == ["acknowledged", "resolved"]


async def test_what_was_written_under_other_settings_does_not_hold_up_alarms(laid: Laid, tmp_path: Path) -> None:
    events = frozenset({"AlarmRaised", "ServiceStateChanged"})
    policy = replace(POLICY, fault_management=Hearing(name="umbrella", events=events))
    alarm = await laid.raise_(report("card-2"), policy=policy)
    async with SIDES["tmf642"](tmp_path / "alarms") as side, process(laid, side):
        await told(laid)
        assert list(side.known()) == [alarm]
    notes = await laid.rows("MATCH (d:Delivery) RETURN DISTINCT d.lastError ORDER BY d.lastError")
    assert ["it is told of alarms only now"] in notes


async def umbrella_told(laid: Laid) -> None:
    waiting = "MATCH (d:Delivery {system: 'umbrella'}) WHERE d.state <> 'DONE' RETURN count(d)"

    async def is_over() -> bool:
        return await laid.rows(waiting) == [[0]]

    await until(is_over)


async def test_an_alarm_of_theirs_that_they_do_not_have_is_not_told(
    laid: Laid, side: Side, request: pytest.FixtureRequest
) -> None:
    system = Principal(subject="9:issuer-a:umbrella", role=Role.SYSTEM, system="umbrella", sources=("umbrella",))
    await laid.raise_(report("trunk-1", source_system_id="umbrella"), system, POLICY)
    async with process(laid, side):
        await told(laid)
    if "mtosi" not in request.node.name:
        assert side.known() == {}
        assert await laid.rows("MATCH (d:Delivery) RETURN d.lastError") == [["they have no such alarm"]]


async def test_a_payload_that_makes_no_sense_is_parked(laid: Laid, side: Side) -> None:
    await laid.raise_(report("trunk-1"), policy=POLICY)
    await laid.run("MATCH (d:Delivery) SET d.payload = '{}', d.attempts = 2")
    async with process(laid, side):

        async def is_parked() -> bool:
            found: list[list[Any]] = await laid.rows("MATCH (d:Delivery) RETURN d.state, d.lastError")
            return found == [["DEAD", "A fault of ours: KeyError"]]

        await until(is_parked)


@pytest.mark.parametrize("method", [pytest.param("PUT", id="it ends"), pytest.param("DELETE", id="it is deleted")])
async def test_what_a_blackout_of_alerta_swallows_is_told_when_it_is_over(
    laid: Laid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(retry, "BASE_MS", 50)
    async with of_alerta(tmp_path / "journal") as side, httpx.AsyncClient(base_url=side.served.address) as person:
        alarm = await laid.raise_(report("trunk-1"), policy=POLICY)
        async with process(laid, side):
            await told(laid)
            hushed = (await person.post("/blackout", json={"environment": "Production"})).json()["id"]
            await laid.raise_(report("trunk-1", cleared=True), policy=POLICY)
            other = await laid.raise_(report("card-4", 2), policy=POLICY)

            async def is_tried() -> bool:
                rows = await laid.rows("MATCH (d:Delivery) WHERE d.state = 'READY' RETURN min(d.attempts), count(d)")
                return bool(rows[0][1] == 2 and rows[0][0] > 3)

            async def is_tried_anew() -> bool:
                rows = await laid.rows("MATCH (d:Delivery) WHERE d.state = 'READY' RETURN min(d.since), count(d)")
                return bool(rows[0][1] == 2 and rows[0][0] > 1)

            await until(is_tried)
            await laid.run("MATCH (d:Delivery) WHERE d.state = 'READY' SET d.since = 1")  # for weeks
            await until(is_tried_anew)
            assert (side.known()[alarm][0].cleared, other in side.known()) == (False, False)
            now = {"endTime": write_time(time.time_ns() // 1_000_000)}
            (await person.request(method, f"/blackout/{hushed}", json=now)).raise_for_status()
            await told(laid)
        assert (side.known()[alarm][0].cleared, len(side.known()[other])) == (True, 1)


class TestTmf642AsRealOnesAre:
    """It refuses what no schema has, takes one media type, answers nothing, has no hub."""

    @pytest.mark.sampled(4)
    @pytest.mark.parametrize(
        "manners",
        [
            pytest.param({}, id="as published"),
            pytest.param({"extensions": False}, id="no members of ours"),
            pytest.param({"extensions": False, "nulls": False}, id="nothing but what is published"),
            pytest.param({"nulls": False}, id="no nulls"),
            pytest.param({"patches": ("application/merge-patch+json",)}, id="merge patches only"),
            pytest.param({"shows_changes": False, "tags": False}, id="204"),
            pytest.param({"most": 1, "links": False}, id="one to a page, and nothing said of more"),
        ],
    )
    async def test_the_story_of_alarms_is_known_there(self, laid: Laid, manners: dict[str, Any]) -> None:
        async with (
            alarm_management.serving(manners=Manners(**manners)) as served,
            opened(System(name="umbrella", address=served.address, failures=1_000)) as transport,
        ):
            side = OfTmf642(Tmf642(transport), served.faults, served)
            async with process(laid, side):
                alarms = [await laid.raise_(report("trunk-1", n), policy=POLICY) for n in range(3)]
                await told(laid)
                for each in alarms:
                    await side.acknowledge(each)

                async def is_noted(which: str) -> bool:
                    return bool((await laid.alarm(which))["ack"] == "acknowledged")

                for each in alarms:
                    await until(partial(is_noted, each))
                await laid.raise_(report("trunk-1", 0, perceived_severity="minor", changed_at=AT + 1), policy=POLICY)
                await laid.raise_(report("trunk-1", 1, cleared=True), policy=POLICY)
                await told(laid)
                known = side.known()
                assert [len(known[each]) for each in alarms] == [1, 1, 1]
                assert (known[alarms[0]][0].severity, known[alarms[1]][0].cleared) == ("minor", True)
                await laid.raise_(report("trunk-1", 1, changed_at=AT + 2), policy=POLICY)
                await told(laid)
                assert not side.known()[alarms[1]][0].cleared, "it is back"
