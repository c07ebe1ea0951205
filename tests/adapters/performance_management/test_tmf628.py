"""What TMF628 does, against a performance monitoring system that keeps what it is told and refuses what is not as published."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from adapters.errors import AdapterError, Busy, Nonsense, NotAdmitted, Rejected
from adapters.performance_management import MeasurementOrder, PerformanceManagement, ServiceRef
from adapters.performance_management.outbound.tmf628 import RESOURCE, Tmf628
from adapters.performance_management.outbound.tmf628_resource import Measuring, job_body, job_patch
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.journal import read_journal
from adapters.simulator.manners import Manners
from adapters.simulator.performance.performance import PerformanceSystem, serving
from adapters.transport.transport import System, opened
from tests.adapters.conftest import JSON as JSON_HEADER
from tests.adapters.conftest import asking, http, saying, soon
from tests.adapters.schema import published

ORDER = MeasurementOrder(
    service=ServiceRef(id="service-1", name="Ada's line"),
    mbps=100,
    committed_mbps=100,
    load_mbps=80,
    availability_percent=99.95,
)
BOOSTED = replace(ORDER, mbps=500, load_mbps=400)
AT = 1_772_362_800_000


class Side:
    """The stand-in, and our client of it."""

    def __init__(self, system: PerformanceSystem, performance: PerformanceManagement) -> None:
        self.system, self.performance = system, performance

    async def measure(self, order: MeasurementOrder, delivery: str = "event-1:performance:service-1") -> str | None:
        return await self.performance.measure(order, delivery_id=delivery, deadline=soon())

    @property
    def jobs(self) -> list[dict[str, Any]]:
        return self.system.jobs.all()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture(params=["polite", "otherwise"])
async def side(request: pytest.FixtureRequest, journal: Path) -> AsyncIterator[Side]:
    otherwise = Manners(
        links=False, most=1, patches=("application/merge-patch+json",), shows_changes=False, tags=False, counts=True
    )
    manners = Manners() if request.param == "polite" else otherwise
    async with (
        serving(journal=journal, manners=manners) as system,
        opened(System(name="performance", address=system.address, failures=1_000)) as transport,
    ):
        yield Side(system, Tmf628(transport, Measuring()))


def of(job: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give a job's rates and targets, by name."""
    rates = {each["name"]: each["value"] for each in job["characteristic"]}
    return rates, {each["name"]: each["conformanceTarget"] for each in job["serviceLevelObjective"]}


@pytest.mark.parametrize("order", [ORDER, BOOSTED, replace(ORDER, availability_percent=None)])
@pytest.mark.parametrize("files", ["", "sftp://files.example.com/performance"])
def test_a_job_is_as_published_and_so_are_its_objectives(order: MeasurementOrder, files: str) -> None:
    body = job_body(order, Measuring(files=files))
    assert [*published("MeasurementCollectionJob_Create", 628).iter_errors(body)] == []
    for each in body["serviceLevelObjective"]:
        assert [*published("ServiceLevelObjective_Create", 657).iter_errors(each)] == []
    for each in body["characteristic"]:
        assert [*published("Characteristic", 628).iter_errors(each)] == []


def test_a_change_is_as_published_and_says_only_what_is_other() -> None:
    there = {**job_body(ORDER, Measuring()), "id": "PM-1", "jobPriority": 3}
    assert job_patch(there, ORDER, Measuring()) == {}
    patch = job_patch(there, BOOSTED, Measuring())
    assert patch.keys() == {"characteristic", "serviceLevelObjective", "fileTransferData"}
    assert [*published("MeasurementCollectionJob_Update", 628).iter_errors(patch)] == []


def test_where_the_system_puts_its_files_is_left_to_it_unless_an_operator_says_so() -> None:
    chosen = [{"fileFormat": "JSON", "transportProtocol": "HTTPS", "fileLocation": "https://theirs.example.com/f"}]
    there = {**job_body(ORDER, Measuring()), "fileTransferData": chosen}
    assert job_patch(there, ORDER, Measuring()) == {}
    assert job_patch(there, BOOSTED, Measuring())["fileTransferData"] == chosen
    ours = Measuring(files="sftp://files.example.com/p")
    [told] = job_patch(there, ORDER, ours)["fileTransferData"]
    assert (told["fileLocation"], told["transportProtocol"]) == ("sftp://files.example.com/p", "SFTP")


@pytest.mark.parametrize("spelling", ["granularity", "granulatiry"])
async def test_the_granularity_is_believed_in_either_spelling(side: Side, spelling: str) -> None:
    body = {**job_body(ORDER, Measuring()), spelling: "g_5mn"}
    if spelling != "granularity":
        del body["granularity"]
    assert job_patch(body, ORDER, Measuring()) == {}
    assert job_patch({**body, spelling: "g_1h"}, ORDER, Measuring())["granularity"] == "g_5mn"
    async with httpx.AsyncClient() as person:
        made = await person.post(f"{side.system.address}/{RESOURCE}", json=body)
        assert (made.status_code, made.json()["granularity"]) == (201, "g_5mn"), made.text


async def test_a_service_has_one_job_with_its_promise_and_its_rate(side: Side) -> None:
    first = await side.measure(ORDER)
    assert await side.measure(ORDER) == first
    [job] = side.jobs
    assert job["jobId"] == "trunkline:service-1"
    assert of(job) == (
        {"rateMbps": 100, "committedMbps": 100},
        {"load": "80", "availability": "99.95"},
    )
    assert b"Ada" not in orjson.dumps(job), "what measures need not know whose the service is"


async def test_another_rate_moves_the_threshold_of_the_same_job(side: Side, journal: Path) -> None:
    await side.measure(ORDER)
    await side.measure(BOOSTED, "event-2:performance:service-1")
    await side.measure(BOOSTED, "event-2:performance:service-1")
    [job] = side.jobs
    assert of(job) == ({"rateMbps": 500, "committedMbps": 100}, {"load": "400", "availability": "99.95"})
    assert [(each["method"], each["idempotencyKey"]) for each in read_journal(journal)] == [
        ("POST", "event-1:performance:service-1"),
        ("PATCH", "event-2:performance:service-1"),
    ], "what is there already is not changed again"


async def test_jobs_of_others_and_of_other_services_are_left_alone(side: Side) -> None:
    theirs = side.system.jobs.create({"jobId": "theirs", "fileTransferData": []})
    other = replace(ORDER, service=ServiceRef(id="service-2", name="s"))
    names = {await side.measure(ORDER), await side.measure(other)}
    assert names == {each["id"] for each in side.jobs} - {theirs["id"]}
    assert side.system.jobs.get(str(theirs["id"])) == theirs


async def test_the_higher_load_is_a_crossing_at_the_committed_rate_and_none_at_the_boosted_one(side: Side) -> None:
    await side.measure(ORDER)
    [crossing] = side.system.measure("service-1", 300, at=AT)
    assert [*published("Alarm_Create", 642).iter_errors(crossing)] == []
    said = crossing["crossedThresholdInformation"]
    assert (said["observedValue"], said["threshold"]["name"]) == ("300", "80")
    await side.measure(BOOSTED)
    assert side.system.measure("service-1", 300, at=AT) == []
    assert side.system.measure("service-1", 401, at=AT), "the boosted rate has its threshold too"
    await side.measure(ORDER)
    assert side.system.measure("service-1", 300, at=AT)


@pytest.mark.parametrize("kind", [Kind.SILENT, Kind.TRUNCATED, Kind.DOWN, Kind.ERROR])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_an_answer_that_was_lost_makes_no_second_job(side: Side, kind: Kind, method: str) -> None:
    if method == "PATCH":
        await side.measure(ORDER)
    side.system.faults.order(Rule(kind=kind, times=1, method=method))
    with suppress(AdapterError, TimeoutError):  # half of an answer without a body is all of it
        await asyncio.wait_for(side.measure(BOOSTED), 1)
    await side.measure(BOOSTED)
    [job] = side.jobs
    assert of(job)[0]["rateMbps"] == 500


@pytest.mark.parametrize(
    ("kind", "error"), [(Kind.UNAUTHORIZED, NotAdmitted), (Kind.UNPROCESSABLE, Rejected), (Kind.UNAVAILABLE, Busy)]
)
async def test_what_is_refused_is_said_as_what_it_is(side: Side, kind: Kind, error: type[AdapterError]) -> None:
    side.system.faults.order(Rule(kind=kind, times=1))
    with pytest.raises(error):
        await side.measure(ORDER)


@pytest.mark.parametrize(
    "job",
    [
        pytest.param({"id": "PM-1", "jobId": "trunkline:service-2"}, id="another service's job"),
        pytest.param({"id": "PM-1"}, id="a job without a jobId"),
        pytest.param({"id": 7, "jobId": "trunkline:service-1"}, id="no id that is a string"),
        pytest.param(["PM-1"], id="no object"),
    ],
)
async def test_an_answer_about_something_else_is_never_believed(job: Any) -> None:
    said = http("201 Created", orjson.dumps(job), JSON_HEADER)
    async with saying(http("200 OK", b"[]", JSON_HEADER), said) as server, asking(server.address) as transport:
        with pytest.raises(Nonsense):
            await Tmf628(transport, Measuring()).measure(ORDER, delivery_id="d", deadline=soon())


async def test_the_stand_in_refuses_what_the_published_schema_refuses(side: Side) -> None:
    body = job_body(ORDER, Measuring())
    async with httpx.AsyncClient() as person:
        without = {name: value for name, value in body.items() if name != "fileTransferData"}
        for wrong in (without, {**body, "granularity": "g_2mn"}, {**body, "adminState": "on"}):
            answer = await person.post(f"{side.system.address}/{RESOURCE}", json=wrong)
            assert answer.status_code == 400, answer.text
            assert [*published("MeasurementCollectionJob_Create", 628).iter_errors(wrong)]


def test_a_threshold_above_the_rate_is_no_order() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        replace(ORDER, load_mbps=101)
