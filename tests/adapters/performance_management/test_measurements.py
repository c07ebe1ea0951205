"""What was measured is read from a performance monitoring system, and nothing is believed of it that was not asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final

import orjson
import pytest

from adapters.errors import AdapterError, Busy, Nonsense, NotAdmitted, TimedOut, Unreachable
from adapters.performance_management import Indicator, Measurement, MeasurementRequest
from adapters.performance_management.outbound.tmf628_measurement import FIELDS, measurement_of
from adapters.performance_management.outbound.tmf628_measurements import (
    MOST_POINTS,
    MOST_SERVICES,
    Tmf628Measurements,
    services_at_once,
)
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.manners import Manners
from adapters.simulator.performance.performance import PERIOD_MS, PerformanceSystem, serving
from adapters.simulator.performance.performance import Measurement as Measured
from adapters.transport.transport import System, opened
from tests.adapters.conftest import JSON as JSON_HEADER
from tests.adapters.conftest import http, saying, soon
from tests.adapters.schema import published

AT: Final = 1_772_362_800_000
HOUR: Final = 3_600_000
REQUEST: Final = MeasurementRequest(
    services=("service-1", "service-2"), indicator=Indicator.LOAD, start=AT, end=AT + HOUR, most=300
)


class Side:
    """The stand-in, and our client of it."""

    def __init__(self, system: PerformanceSystem, client: Tmf628Measurements) -> None:
        self.system, self.client = system, client

    async def values(self, request: MeasurementRequest = REQUEST) -> dict[str, list[float]]:
        found = await self.client.measured(request, deadline=soon())
        return {service: [each.value for each in of] for service, of in found.items()}


@pytest.fixture(params=["polite", "otherwise"])
async def side(request: pytest.FixtureRequest) -> AsyncIterator[Side]:
    manners = Manners() if request.param == "polite" else Manners(links=False, most=2, counts=False)
    async with (
        serving(manners=manners) as system,
        opened(System(name="performance", address=system.address, failures=1_000)) as transport,
    ):
        yield Side(system, Tmf628Measurements(transport, period_ms=PERIOD_MS))


async def test_each_service_has_what_was_measured_of_it_in_that_time(side: Side) -> None:
    for number in range(5):
        side.system.observe(Measured(service="service-1", value=100 + number, at=AT + number * PERIOD_MS))
        side.system.observe(Measured(service="service-2", value=7.25, at=AT - PERIOD_MS * number))
        side.system.observe(Measured(service="service-3", value=1, at=AT))
        side.system.observe(Measured(service="service-1", value=99.5, at=AT, indicator="availability"))
    side.system.observe(Measured(service="service-1", value=1, at=AT + HOUR))
    assert await side.values() == {"service-1": [100, 101, 102, 103, 104], "service-2": [7.25]}
    assert await side.values(replace(REQUEST, most=2)) == {"service-1": [100, 101], "service-2": [7.25]}
    assert await side.values(replace(REQUEST, indicator=Indicator.AVAILABILITY)) == {"service-1": [99.5] * 5}
    assert await side.values(replace(REQUEST, services=("service-9",))) == {}


async def test_many_services_are_asked_about_some_at_a_time(side: Side) -> None:
    services = tuple(f"service-{number}" for number in range(MOST_SERVICES + 5))
    for each in services:
        side.system.observe(Measured(service=each, value=1, at=AT))
    assert await side.values(replace(REQUEST, services=services)) == {each: [1.0] for each in services}


@pytest.mark.parametrize("days", [0.01, 1, 7, 31])
def test_a_call_brings_no_more_than_is_bounded(days: float) -> None:
    length = int(days * 24 * HOUR)
    at_once = services_at_once(length, PERIOD_MS)
    assert 1 <= at_once <= MOST_SERVICES
    assert at_once == 1 or at_once * length / PERIOD_MS <= MOST_POINTS


def test_the_members_are_those_of_published_resources() -> None:
    told = Measured(service="service-1", value=412.5, at=AT).shown(1)
    assert told.keys() <= {*FIELDS}
    for name, schema, number in (
        ("performanceIndicatorSpecification", "PerformanceIndicatorSpecificationRef", 628),
        ("collectionPeriod", "TimePeriod", 628),
        ("service", "ServiceRef", 640),
    ):
        assert [*published(schema, number).iter_errors(told[name])] == [], name
    assert measurement_of(told, "[0]") == Measurement(service="service-1", start=AT, end=AT + PERIOD_MS, value=412.5)


GOOD: Final[dict[str, Any]] = Measured(service="service-1", value=5, at=AT).shown(1)


async def answered(*items: object) -> dict[str, list[float]]:
    async with (
        saying(http("200 OK", orjson.dumps([*items]), JSON_HEADER)) as server,
        opened(System(name="performance", address=server.address, failures=1_000)) as transport,
    ):
        client = Tmf628Measurements(transport, period_ms=PERIOD_MS)
        found = await client.measured(REQUEST, deadline=soon())
        return {service: [each.value for each in of] for service, of in found.items()}


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param("text", id="no object"),
        pytest.param({**GOOD, "service": None}, id="of no service"),
        pytest.param({**GOOD, "observedValue": "much"}, id="no number"),
        pytest.param({**GOOD, "observedValue": "NaN"}, id="not a number"),
        pytest.param({**GOOD, "observedValue": True}, id="a truth"),
        pytest.param({**GOOD, "observedValue": "1" * 400}, id="too long"),
        pytest.param({**GOOD, "collectionPeriod": {"startDateTime": "12:00"}}, id="no time"),
        pytest.param(
            {**GOOD, "collectionPeriod": {"startDateTime": "2026-03-01T11:00:00Z", "endDateTime": "later"}}, id="no end"
        ),
        pytest.param({**GOOD, "performanceIndicatorSpecification": {"id": "delay"}}, id="another indicator"),
    ],
)
async def test_one_that_cannot_be_read_or_was_not_asked_for_costs_no_other(odd: object) -> None:
    assert await answered(odd, GOOD) == {"service-1": [5.0]}


async def test_one_of_a_service_that_was_not_asked_for_spoils_all() -> None:
    with pytest.raises(Nonsense, match="of nobody who was asked for"):
        await answered(GOOD, {**GOOD, "id": "M-2", "service": {"id": "service-3"}})


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (Kind.DOWN, Unreachable),
        (Kind.ERROR, Busy),
        (Kind.TRUNCATED, Unreachable),
        (Kind.UNAUTHORIZED, NotAdmitted),
        (Kind.NOT_FOUND, NotAdmitted),
        (Kind.HTML, Nonsense),
        (Kind.SLOW, TimedOut),
    ],
)
async def test_what_goes_wrong_there_is_one_of_our_errors(kind: Kind, error: type[AdapterError]) -> None:
    async with (
        serving() as system,
        opened(System(name="performance", address=system.address, failures=1_000)) as transport,
    ):
        system.faults.order(Rule(kind=kind, seconds=5.0))
        with pytest.raises(error):
            await Tmf628Measurements(transport, period_ms=PERIOD_MS).measured(REQUEST, deadline=soon(0.5))
