"""What every dialect of fault management does, against a system that speaks it and keeps what it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.errors import AdapterError, Busy, Nonsense, NotAdmitted, Rejected, TimedOut, Unreachable
from adapters.fault_management import AlarmOrder, FaultManagement
from adapters.fault_management.outbound.alerta import Alerta
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.journal import read_journal
from tests.adapters.conftest import JSON, asking, http, saying, soon
from tests.adapters.fault_management.sides import DIALECTS, OURS, SIDES, Known, OfAlerta, Side, order, payload
from tests.adapters.fault_management.test_events import SERVICE, notice

RAISED = Known(severity="major", cleared=False, acknowledged=False, affected=1)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture(params=list(SIDES))
async def side(request: pytest.FixtureRequest, journal: Path) -> AsyncIterator[Side]:
    async with SIDES[request.param](journal) as found:
        yield found


async def report(side: Side, told: AlarmOrder, delivery: str = "event-1:umbrella:alarm") -> None:
    await side.system.report(told, delivery_id=delivery, deadline=soon())


async def amend(side: Side, told: AlarmOrder, delivery: str = "event-2:umbrella:alarm") -> None:
    their = await side.system.find(told, deadline=soon())
    assert their is not None
    await side.system.amend(their, told, delivery_id=delivery, deadline=soon())


def known(side: Side, ours: str = OURS) -> Known:
    [found] = side.known()[ours]
    return found


async def test_it_is_fault_management_as_everyone_else_sees_it(side: Side) -> None:
    seen: FaultManagement = side.system
    assert seen.retry_at is None


async def test_an_alarm_is_known_by_our_id_with_what_it_does(side: Side) -> None:
    await report(side, order(payload()))
    assert side.known() == {OURS: [RAISED]}
    assert await side.system.find(order(payload("AlarmUpdated")), deadline=soon()) is not None


async def test_it_changes_is_over_and_comes_back(side: Side) -> None:
    await report(side, order(payload()))
    worse = payload("AlarmUpdated", perceivedSeverity="critical", state="updated")
    await amend(side, order(worse))
    assert (known(side).severity, known(side).cleared) == ("critical", False)
    over = payload("AlarmCleared", perceivedSeverity="cleared", state="cleared", clearedAt=1_772_362_900_000)
    await amend(side, order({**over, "affected": [], "affectedCount": 0}), "event-3:u:a")
    assert (known(side).severity, known(side).cleared, known(side).affected) == ("cleared", True, 0)
    await amend(side, order(payload("AlarmReopened")), "event-4:u:a")
    assert (known(side).severity, known(side).cleared, known(side).affected) == ("major", False, 1)


async def test_told_again_it_is_still_one_alarm(side: Side) -> None:
    await report(side, order(payload()))
    for _ in range(2):
        await amend(side, order(payload()), "event-1:umbrella:alarm")
    assert side.known() == {OURS: [RAISED]}


async def test_two_alarms_that_say_the_same_are_two(side: Side) -> None:
    await report(side, order(payload()))
    await report(side, order(payload(ours="alarm-other")), "event-9:umbrella:alarm")
    assert side.known() == {OURS: [RAISED], "alarm-other": [RAISED]}


async def test_who_has_taken_note_is_told_and_can_be_taken_back(side: Side) -> None:
    await report(side, order(payload()))
    await amend(side, order(payload("AlarmAcknowledged", ackState="acknowledged")))
    assert known(side).acknowledged is True
    await amend(side, order(payload("AlarmUnacknowledged")), "event-3:u:a")
    assert known(side).acknowledged is False


async def test_what_their_people_have_noted_outlives_our_news_and_is_heard(
    side: Side, request: pytest.FixtureRequest
) -> None:
    await report(side, order(payload()))
    await report(side, order(payload(ours="alarm-other", probableCause="lossOfFrame")), "event-9:umbrella:alarm")
    if "mtosi" in request.node.name:
        assert await side.system.acknowledged(deadline=soon()) == ()
        await amend(side, order(payload("AlarmEffectChanged")))
        assert known(side).acknowledged is None, "it is not told that nobody has"
        return
    assert await side.system.acknowledged(deadline=soon()) == []
    await side.acknowledge(OURS)
    await amend(side, order(payload("AlarmEffectChanged")))
    assert known(side).acknowledged is True
    assert await side.system.acknowledged(deadline=soon()) == [OURS]
    over = payload("AlarmCleared", state="cleared", perceivedSeverity="cleared", clearedAt=1_772_362_900_000)
    await amend(side, order(over), "event-3:u:a")
    assert await side.system.acknowledged(deadline=soon()) == [], "it is over"


async def test_what_is_said_is_kept_whatever_is_in_it(side: Side) -> None:
    said = payload(probableCause='a,b "c" \u00e4&x=#2', alarmedObjectRef="MD=n/ME=1,2")
    await report(side, order(said))
    await amend(side, order({**said, "event": "AlarmUpdated"}))
    assert len(side.known()[OURS]) == 1


async def test_the_delivery_is_named_in_what_is_told(side: Side, journal: Path) -> None:
    await report(side, order(payload()))
    await amend(side, order(payload("AlarmUpdated")))
    lines = [str(each) for each in read_journal(journal)]
    assert "event-1:umbrella:alarm" in lines[0]
    assert any("event-2:umbrella:alarm" in each for each in lines[1:])


@pytest.mark.parametrize(
    ("kind", "error", "may_have_happened"),
    [
        (Kind.DOWN, Unreachable, True),
        (Kind.ERROR, Busy, True),
        (Kind.UNAVAILABLE, Busy, True),
        (Kind.TOO_MANY, Busy, False),
        (Kind.SILENT, Unreachable, True),
        (Kind.HTML, Nonsense, True),
        (Kind.FOREIGN, Nonsense, True),
    ],
)
async def test_misbehaviour_is_an_error_of_ours(
    side: Side, kind: Kind, error: type[AdapterError], *, may_have_happened: bool
) -> None:
    side.faults.order(Rule(kind=kind, method="POST", seconds=1.0))
    with pytest.raises(error) as caught:
        await report(side, order(payload()))
    assert type(caught.value) is error
    assert caught.value.may_have_happened is may_have_happened


async def test_a_system_that_is_slow_has_acted_all_the_same(side: Side) -> None:
    side.faults.order(Rule(kind=Kind.SLOW, times=1, seconds=0.4))
    with pytest.raises(TimedOut):
        await side.system.report(order(payload()), delivery_id="event-1:u:a", deadline=soon(0.1))


@pytest.mark.parametrize(
    ("status", "error"),
    [("400 Bad Request", Rejected), ("422 Unprocessable", Rejected), ("404 Not Found", NotAdmitted)],
)
@pytest.mark.parametrize("name", list(DIALECTS))
async def test_a_refusal_is_one(name: str, status: str, error: type[AdapterError]) -> None:
    async with saying(http(status, b"{}", JSON)) as server, asking(server.address) as transport:
        with pytest.raises(error):
            await DIALECTS[name](transport).report(order(payload()), delivery_id="event-1:u:a", deadline=soon())


@pytest.mark.parametrize(
    "body", [b"[]", b"7", b'"text"', b"{}", b"null", b'{"alert": 7}', b'[{"id": 1}]'], ids=lambda each: each.decode()
)
@pytest.mark.parametrize("name", list(DIALECTS))
async def test_an_answer_that_makes_no_sense_is_believed_by_nobody(name: str, body: bytes) -> None:
    async with saying(http("200 OK", body, JSON)) as server, asking(server.address) as transport:
        with pytest.raises(Nonsense):
            await DIALECTS[name](transport).report(order(payload()), delivery_id="event-1:u:a", deadline=soon())


@pytest.mark.parametrize("name", [each for each in SIDES if "alerta" in each])
async def test_an_alerta_has_one_informational_alert_of_a_thing_with_its_last_news(name: str, journal: Path) -> None:
    async with SIDES[name](journal) as side:
        assert isinstance(side, OfAlerta)
        assert isinstance(side.system, Alerta)
        for effect, number in (("down", 1), ("down", 1), (None, 2)):
            told = notice("ServiceStateChanged", "service-a", {**SERVICE, "effect": effect}, number)
            said = await side.system.notify(told, repeats=number == 1, delivery_id=told.id, deadline=soon())
            assert said is None
        [alert] = side.served.alerts.values()
        assert list(await side.system.acknowledged(deadline=soon())) == []
    assert (alert["event"], alert["severity"], alert["status"]) == ("ServiceState service-a", "informational", "open")
    assert (alert["value"], alert["attributes"]["eventId"]) == ("working", "event-2")
