from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.errors import AdapterError, Busy, Nonsense, NotAdmitted, TimedOut, Unreachable
from adapters.simulator.fault_management.fault_management import FaultManagement, alarm_body, reporting, words_of
from adapters.simulator.faults import Faults, Kind, Rule
from adapters.simulator.serving import listening
from adapters.tmf.tmf630 import merge_patch, read_time
from tests.adapters.conftest import soon
from tests.adapters.schema import published

RAISED_AT = 1_772_362_800_000


class AlarmManagement:
    """The part of a gateway that hears of alarms; it knows an alarm by what its source calls it."""

    def __init__(self) -> None:
        self.alarms: dict[str, dict[str, Any]] = {}
        self.heard = 0
        self.faults = Faults(
            Starlette(
                routes=[
                    Route("/v4/alarm", self.post, methods=["POST"]),
                    Route("/v4/alarm/{id}", self.patch, methods=["PATCH"]),
                ]
            )
        )

    async def post(self, request: Request) -> Response:
        if request.headers.get("authorization") != "Bearer token":
            return JSONResponse({}, 401)
        self.heard += 1
        body = orjson.loads(await request.body())
        alarm_id = f"alarm-{body['externalAlarmId']}"
        self.alarms[alarm_id] = body
        return JSONResponse({**body, "id": alarm_id}, 201)

    async def patch(self, request: Request) -> Response:
        alarm_id = request.path_params["id"]
        if alarm_id not in self.alarms:
            return JSONResponse({}, 404)
        self.heard += 1
        merged = merge_patch(self.alarms[alarm_id], orjson.loads(await request.body()))
        assert isinstance(merged, dict)
        self.alarms[alarm_id] = merged
        return JSONResponse({**merged, "id": alarm_id})


@pytest.fixture
async def gateway() -> AlarmManagement:
    return AlarmManagement()


@pytest.fixture
async def address(gateway: AlarmManagement) -> AsyncIterator[str]:
    async with listening(gateway.faults) as found:
        yield f"{found}/v4"


@pytest.fixture
async def source(address: str) -> AsyncIterator[FaultManagement]:
    async with reporting(address, SecretStr("token"), attempt_seconds=0.3) as found:
        yield found


async def test_an_alarm_is_raised_remembered_and_cleared(gateway: AlarmManagement, source: FaultManagement) -> None:
    raised = await source.raise_alarm("card-7", number=1, deadline=soon())
    assert gateway.alarms[raised.id] == raised.body
    assert source.raised == {"FM-00000001": raised}
    await source.clear_alarm("FM-00000001", deadline=soon())
    alarm = gateway.alarms[raised.id]
    assert (alarm["state"], alarm["perceivedSeverity"]) == ("cleared", "cleared")
    assert read_time(alarm["alarmClearedTime"], "at") >= read_time(alarm["alarmRaisedTime"], "at")
    assert source.raised == {}
    with pytest.raises(KeyError):
        await source.clear_alarm("FM-00000001", deadline=soon())


@pytest.mark.parametrize(
    ("kind", "heard"),
    [
        (Kind.DOWN, 1),
        (Kind.SLOW, 2),
        (Kind.ERROR, 1),
        (Kind.UNAVAILABLE, 1),
        (Kind.TOO_MANY, 1),
        (Kind.SILENT, 2),
        (Kind.TRUNCATED, 2),
    ],
)
async def test_it_tells_again_until_it_is_heard(
    gateway: AlarmManagement, source: FaultManagement, kind: Kind, heard: int
) -> None:
    gateway.faults.order(Rule(kind=kind, times=1, seconds=0.5 if kind is Kind.SLOW else 0))
    raised = await source.raise_alarm("trunk-1", number=2, deadline=soon())
    assert list(gateway.alarms) == [raised.id]
    assert source.repeated >= 1
    assert gateway.heard <= heard
    gateway.faults.order(Rule(kind=kind, times=1, seconds=0.5 if kind is Kind.SLOW else 0))
    await source.clear_alarm(raised.external_alarm_id, deadline=soon())
    assert gateway.alarms[raised.id]["state"] == "cleared"


async def test_a_gateway_that_stays_away_is_given_up_at_the_deadline(
    gateway: AlarmManagement, source: FaultManagement
) -> None:
    gateway.faults.order(Rule(kind=Kind.DOWN))
    with pytest.raises(Unreachable):
        await source.raise_alarm("card-7", number=1, deadline=soon(1))
    assert source.repeated >= 3
    assert source.raised == {}


@pytest.mark.parametrize(("kind", "error"), [(Kind.HTML, Nonsense), (Kind.ERROR, Busy), (Kind.SLOW, TimedOut)], ids=str)
async def test_it_says_what_was_wrong_in_the_end(
    gateway: AlarmManagement, source: FaultManagement, kind: Kind, error: type[AdapterError]
) -> None:
    gateway.faults.order(Rule(kind=kind, seconds=0.4))
    with pytest.raises(error):
        await source.raise_alarm("card-7", number=1, deadline=soon(0.5))


async def test_what_is_refused_is_not_told_again(address: str, gateway: AlarmManagement) -> None:
    async with reporting(address, SecretStr("another")) as stranger:
        with pytest.raises(NotAdmitted) as caught:
            await stranger.raise_alarm("card-7", number=1, deadline=soon())
        assert (caught.value.status, stranger.repeated, gateway.heard) == (401, 0, 0)


@pytest.mark.parametrize(
    ("object_id", "alarm_type", "severity"),
    [
        ("card-7", "equipmentAlarm", "critical"),
        ("networkelement-7", "equipmentAlarm", "critical"),
        ("port-7", "communicationsAlarm", "major"),
        ("trunk-7", "communicationsAlarm", "major"),
        ("W123", "qualityOfServiceAlarm", "minor"),
    ],
)
def test_what_is_wrong_follows_from_what_it_is(object_id: str, alarm_type: str, severity: str) -> None:
    body = alarm_body(object_id, number=3, raised_at=RAISED_AT)
    assert (body["alarmType"], body["perceivedSeverity"]) == (alarm_type, severity)
    assert body["alarmedObject"] == {"id": object_id}
    assert body == alarm_body(object_id, number=3, raised_at=RAISED_AT, words=words_of(object_id))


def test_an_alarm_is_one_by_the_published_schema() -> None:
    validator = published("Alarm_Create", 642)
    for object_id in ("card-7", "trunk-7", "W123"):
        assert [*validator.iter_errors(alarm_body(object_id, number=3, raised_at=RAISED_AT))] == []
