"""A rate is set once and read back, whatever a system that speaks TMF640 does meanwhile, and whoever forgets what he knew."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.delivery.retrying import Waits
from adapters.errors import AdapterError, Busy, Conflict, Nonsense, NotAdmitted, TimedOut, Unreachable
from adapters.provisioning import Provisioning, RateConfirmed, RateRefused, RateRequest, ServiceRef
from adapters.provisioning.outbound.tmf640 import Tmf640
from adapters.provisioning.tmf640_resource import Layout
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.manners import Manners
from adapters.simulator.provisioning.behaviour import Behaviour, Way
from adapters.simulator.provisioning.provisioning import ProvisioningSystem, serving
from adapters.simulator.provisioning.services import BASE
from adapters.simulator.serving import listening
from adapters.transport.transport import System, opened
from tests.adapters.conftest import soon
from tests.adapters.schema import published

SERVICE = ServiceRef(id="service-7", name="Leitung <7> & 2")
FAST = RateRequest(service=SERVICE, mbps=500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """A provisioning system, and the dialect that speaks to it."""

    system: ProvisioningSystem
    provisioning: Provisioning

    async def set_rate(self, request: RateRequest = FAST, *, again: bool = False) -> RateConfirmed:
        return await self.provisioning.set_rate(request, again=again, delivery_id="event-1:p:s", deadline=soon())

    async def until_over(self, request: RateRequest = FAST, *, again: bool = False) -> RateConfirmed:
        """Ask as the ledger does: again and again while it waits."""
        end = time.monotonic() + 5
        while time.monotonic() < end:
            try:
                return await self.set_rate(request, again=again)
            except Waits as waits:
                await asyncio.sleep(waits.at_least_ms / 1_000)
            again = True
        raise AssertionError("it is never over")

    def carried(self) -> list[tuple[str, int]]:
        return [(each.service, each.mbps) for each in self.system.services.carried]

    def order(self, *behaviours: Behaviour) -> None:
        self.system.order(*behaviours)


@asynccontextmanager
async def lab(
    layout: Layout | None = None, *, manners: Manners | None = None, confirm_seconds: float = 60.0, **given: Any
) -> AsyncIterator[Lab]:
    async with serving(manners=manners or Manners(), **given) as system:
        system.services.add(SERVICE.id, 100)
        system.services.add("service-8", 50)
        async with opened(System(name="provisioning", address=system.address, failures=100)) as transport:
            dialect = Tmf640(transport, layout or Layout(), confirm_seconds=confirm_seconds)
            yield Lab(system=system, provisioning=dialect)


@pytest.fixture
async def it() -> AsyncIterator[Lab]:
    async with lab() as found:
        yield found


async def test_it_is_provisioning_as_everyone_else_sees_it(it: Lab) -> None:
    seen: Provisioning = it.provisioning
    assert seen.retry_at is None


async def test_a_rate_is_set_and_read_back(it: Lab) -> None:
    assert await it.set_rate() == RateConfirmed(mbps=500, reference="service-7", at=None)
    assert it.carried() == [("service-7", 500)]
    there = it.system.services.get("service", "service-7")
    assert there
    assert there["serviceCharacteristic"][1] == {"name": "vlan", "value": 7}, "what else it has stays"
    assert [*published("Service", 640).iter_errors(there)] == []
    assert it.system.services.carried[0].key == "event-1:p:s"


@pytest.mark.parametrize("again", [False, True])
async def test_what_is_carried_already_is_left_alone(it: Lab, *, again: bool) -> None:
    found = await it.set_rate(replace(FAST, mbps=100), again=again)
    assert (found.mbps, found.is_old) == (100, True)
    assert it.carried() == []


@pytest.mark.parametrize("mbps", [0, 1, 100_000_000])
async def test_any_rate_can_be_set(it: Lab, mbps: int) -> None:
    assert (await it.set_rate(replace(FAST, mbps=mbps))).mbps == mbps


@pytest.mark.parametrize("mbps", [-1, 100_000_001])
def test_what_is_no_rate_is_none(mbps: int) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        RateRequest(service=SERVICE, mbps=mbps)


@pytest.mark.parametrize(
    "manners",
    [
        pytest.param(Manners(shows_changes=False), id="204, without a body"),
        pytest.param(Manners(tags=False), id="without an ETag"),
        pytest.param(Manners(patches=("application/merge-patch+json",)), id="the media type of RFC 7396"),
        pytest.param(Manners(words={"InProgress": "IN_PROGRESS", "Completed": "completed"}), id="other spelling"),
        pytest.param(Manners(hub="none", links=False, counts=True), id="without links"),
    ],
)
@pytest.mark.parametrize("way", [Way.DONE, Way.LATE])
async def test_every_manner_is_understood(manners: Manners, way: Way) -> None:
    async with lab(manners=manners) as it:
        it.order(Behaviour(way=way, seconds=0.1))
        assert (await it.until_over()).mbps == 500
        assert it.carried() == [("service-7", 500)]


async def test_a_change_that_is_not_over_waits_and_holds_nothing(it: Lab) -> None:
    it.order(Behaviour(way=Way.LATE, seconds=0.4))
    with pytest.raises(Waits) as caught:
        await it.set_rate()
    assert 0 < caught.value.at_least_ms == caught.value.at_most_ms
    with pytest.raises(Waits, match="MON-00000001 is in progress"):
        await it.set_rate(again=True)
    assert it.carried() == []
    found = await it.until_over(again=True)
    assert found == RateConfirmed(mbps=500, reference="MON-00000001", at=None)
    assert it.carried() == [("service-7", 500)]


@pytest.mark.parametrize("way", [Way.LATE, Way.TWICE])
async def test_whoever_takes_over_waits_for_what_is_under_way(way: Way) -> None:
    async with lab() as it:
        it.order(Behaviour(way=way, seconds=0.4))
        with pytest.raises(Waits):
            await it.set_rate()
        async with opened(System(name="provisioning", address=it.system.address)) as transport:
            other = replace(it, provisioning=Tmf640(transport, Layout(), confirm_seconds=60.0))
            with pytest.raises(Waits, match="MON-00000001"):
                await other.set_rate(again=True)
            assert (await other.until_over(again=True)).mbps == 500
        assert it.carried() == [("service-7", 500)]


async def test_one_that_wants_another_rate_by_now_waits_for_the_one_before(it: Lab) -> None:
    it.order(Behaviour(way=Way.LATE, seconds=0.3, times=1))
    with pytest.raises(Waits):
        await it.set_rate()
    assert (await it.until_over(replace(FAST, mbps=200), again=True)).mbps == 200
    assert it.carried() == [("service-7", 500), ("service-7", 200)]


async def test_back_to_what_is_carried_while_another_rate_is_under_way(it: Lab) -> None:
    it.order(Behaviour(way=Way.LATE, seconds=0.3, times=1))
    with pytest.raises(Waits):
        await it.set_rate()
    with pytest.raises(Waits):
        await it.set_rate(replace(FAST, mbps=100), again=True)
    assert (await it.until_over(replace(FAST, mbps=100), again=True)).mbps == 100
    assert it.carried() == [("service-7", 500), ("service-7", 100)]


async def test_a_new_delivery_waits_too(it: Lab) -> None:
    it.order(Behaviour(way=Way.LATE, seconds=0.3, times=1))
    with pytest.raises(Waits):
        await it.set_rate()
    async with opened(System(name="provisioning", address=it.system.address)) as transport:
        other = replace(it, provisioning=Tmf640(transport, Layout(), confirm_seconds=60.0))
        with pytest.raises(Waits):
            await other.set_rate(replace(FAST, mbps=100))
        assert (await other.until_over(replace(FAST, mbps=100))).mbps == 100
    assert it.carried() == [("service-7", 500), ("service-7", 100)]


async def test_a_change_without_a_monitor_is_over_when_the_service_shows_it(it: Lab) -> None:
    it.order(Behaviour(way=Way.SECRET, seconds=0.5))
    with pytest.raises(Waits):
        await it.set_rate()
    with pytest.raises(Waits, match="no monitor"):
        await it.set_rate(again=True)
    assert (await it.until_over(again=True)).mbps == 500
    assert it.carried() == [("service-7", 500)]


async def test_a_refusal_says_why_and_leaves_the_rate(it: Lab) -> None:
    it.order(Behaviour(way=Way.REFUSED))
    with pytest.raises(RateRefused) as caught:
        await it.set_rate()
    assert caught.value.reason == "provisioning answered 422 to 500 Mbit/s for the service service-7"
    assert "no room" in caught.value.answer
    assert not caught.value.may_have_happened
    assert it.carried() == []


async def test_a_monitor_in_error_is_a_refusal(it: Lab) -> None:
    it.order(Behaviour(way=Way.FAILS, seconds=0.1, times=1))
    with pytest.raises(RateRefused, match="MON-00000001 is in error") as caught:
        await it.until_over()
    assert "The card does not answer" in caught.value.answer
    assert it.carried() == []
    assert (await it.set_rate()).mbps == 500, "what comes then is not held up"


@pytest.mark.parametrize("way", [Way.ENDLESS, Way.SECRET])
async def test_what_does_not_end_is_given_up_and_holds_up_nothing(way: Way) -> None:
    async with lab(confirm_seconds=0.5) as it:
        it.order(Behaviour(way=way, seconds=60, times=1))
        with pytest.raises(RateRefused, match=r"did not say within 0\.5 s") as caught:
            await it.until_over()
        assert caught.value.may_have_happened
        assert it.carried() == []
        assert (await it.set_rate(replace(FAST, mbps=100))).is_old
        assert (await it.until_over(again=True)).mbps == 500


async def test_another_rate_than_asked_is_said_as_it_is(it: Lab) -> None:
    it.order(Behaviour(way=Way.OTHER_RATE))
    assert (await it.set_rate()).mbps == 250


@pytest.mark.parametrize("way", [Way.OTHER_SERVICE, Way.ECHOED])
async def test_one_that_says_it_and_does_not_do_it_is_not_believed(it: Lab, way: Way) -> None:
    it.order(Behaviour(way=way))
    assert (await it.set_rate()).mbps == 100


@pytest.mark.parametrize(
    ("kind", "error", "may_have_happened"),
    [
        pytest.param(Kind.DOWN, Unreachable, True, id="it hangs up at once"),
        pytest.param(Kind.ERROR, Busy, True, id="it fails inside"),
        pytest.param(Kind.UNAVAILABLE, Busy, True, id="it is unavailable"),
        pytest.param(Kind.TOO_MANY, Busy, False, id="it has too much to do"),
        pytest.param(Kind.SILENT, Unreachable, True, id="it acts and says nothing"),
        pytest.param(Kind.TRUNCATED, Unreachable, True, id="half an answer"),
        pytest.param(Kind.HTML, Nonsense, True, id="something in front of it wants a login"),
        pytest.param(Kind.FOREIGN, Nonsense, True, id="it answers about something else"),
        pytest.param(Kind.CONFLICT, Conflict, False, id="it is being changed"),
        pytest.param(Kind.UNAUTHORIZED, NotAdmitted, False, id="a token has ended"),
    ],
)
async def test_what_goes_wrong_is_said_and_mended_by_sending_it_again(
    it: Lab, kind: Kind, error: type[AdapterError], *, may_have_happened: bool
) -> None:
    it.system.faults.order(Rule(kind=kind, seconds=1.0, method="PATCH"))
    with pytest.raises(error) as caught:
        await it.set_rate()
    assert caught.value.may_have_happened is may_have_happened
    it.system.faults.behave()
    assert (await it.set_rate(again=True)).mbps == 500
    assert it.carried() == [("service-7", 500)]


async def test_an_answer_that_was_lost_is_looked_for(it: Lab) -> None:
    it.order(Behaviour(way=Way.LATE, seconds=0.3))
    it.system.faults.order(Rule(kind=Kind.SILENT, method="PATCH", times=1))
    with pytest.raises(Unreachable):
        await it.set_rate()
    with pytest.raises(Waits, match="MON-00000001"):
        await it.set_rate(again=True)
    assert (await it.until_over(again=True)).mbps == 500
    assert it.carried() == [("service-7", 500)]


@pytest.mark.parametrize("kind", [Kind.HTML, Kind.FOREIGN, Kind.CONFLICT])
async def test_an_answer_that_cannot_be_read_does_not_end_the_waiting(it: Lab, kind: Kind) -> None:
    it.order(Behaviour(way=Way.LATE, seconds=0.3))
    with pytest.raises(Waits):
        await it.set_rate()
    it.system.faults.order(Rule(kind=kind, method="GET", times=1))
    with pytest.raises(Waits):
        await it.set_rate(again=True)
    assert (await it.until_over(again=True)).mbps == 500


async def test_nothing_is_sent_without_time(it: Lab) -> None:
    with pytest.raises(TimedOut):
        await it.provisioning.set_rate(FAST, again=False, delivery_id="d", deadline=time.monotonic() - 1)
    assert it.carried() == []


async def test_a_service_that_nobody_knows_there_is_refused(it: Lab) -> None:
    unknown = replace(FAST, service=ServiceRef(id="service-9", name=""))
    with pytest.raises(RateRefused, match="shows no service service-9"):
        await it.set_rate(unknown)


async def test_a_token_that_is_not_taken_is_no_refusal_of_the_rate() -> None:
    async with lab(bearer=SecretStr("another")) as it:
        with pytest.raises(NotAdmitted):
            await it.set_rate()


@pytest.mark.parametrize(
    ("attribute", "more"),
    [
        pytest.param("name", {"name": "service-7"}, id="its name"),
        pytest.param("externalId", {"externalId": "service-7"}, id="an extension"),
        pytest.param("relatedEntity.id", {"relatedEntity": [{"id": "service-7", "role": "order"}]}, id="a reference"),
    ],
)
async def test_a_service_is_found_by_what_holds_our_id(attribute: str, more: dict[str, Any]) -> None:
    async with lab(Layout(service_attribute=attribute)) as it:
        it.system.services.add("net-4711", 100, **more)
        assert (await it.set_rate()).reference == "net-4711"
        assert it.carried() == [("net-4711", 500)]
        with pytest.raises(RateRefused, match="no service whose"):
            await it.set_rate(replace(FAST, service=ServiceRef(id="service-9", name="")))


async def test_a_system_that_gives_other_services_than_asked_for_is_not_believed(it: Lab) -> None:
    everything = [{"id": "x", "name": "another"}, {"id": "y", "name": "service-7"}]
    routes = [Route(f"{BASE}/service", lambda _: JSONResponse(everything))]
    async with (
        listening(Starlette(routes=routes)) as address,
        opened(System(name="provisioning", address=f"{address}{BASE}")) as transport,
    ):
        dialect = Tmf640(transport, Layout(service_attribute="name"), confirm_seconds=1)
        with pytest.raises(RateRefused, match="no service y"):
            await replace(it, provisioning=dialect).set_rate()


@dataclass(slots=True, kw_only=True)
class Plain:
    """A system that does as little as it may: no monitors to list, no ETag, no href."""

    service: dict[str, Any]
    status: int = 200
    location: str = ""

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route(f"{BASE}/service", lambda _: JSONResponse([])),
                Route(f"{BASE}/service/{{id}}", self.one, methods=["GET"]),
                Route(f"{BASE}/service/{{id}}", self.changed, methods=["PATCH"]),
            ]
        )

    async def one(self, _: Request) -> Response:
        return JSONResponse(self.service)

    async def changed(self, request: Request) -> Response:
        self.service = {**self.service, **await request.json()}
        headers = {"Location": self.location} if self.location else None
        return JSONResponse(self.service, self.status, headers)


@asynccontextmanager
async def plain(system: Plain, layout: Layout | None = None) -> AsyncIterator[Provisioning]:
    async with (
        listening(system.application()) as address,
        opened(System(name="provisioning", address=f"{address}{BASE}")) as transport,
    ):
        yield Tmf640(transport, layout or Layout(), confirm_seconds=5)


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        pytest.param(100, "Mbps", 500, id="a number"),
        pytest.param("100", "Mbps", "500", id="digits"),
        pytest.param("100 Mbit/s", "Gbps", "500 Mbit/s", id="digits with a unit of their own"),
        pytest.param(100_000, "kbps", 500_000, id="kbps"),
        pytest.param(100_000_000, "bps", 500_000_000, id="bps"),
        pytest.param(0.1, "Gbps", 0.5, id="Gbps"),
        pytest.param({"amount": 100, "units": "Mbps"}, "bps", {"amount": 500, "units": "Mbps"}, id="a quantity"),
        pytest.param({"value": "0.1", "unit": "Gbps"}, "bps", {"value": "0.5", "unit": "Gbps"}, id="in digits"),
        pytest.param({"amount": 100}, "Mbps", {"amount": 500}, id="a quantity without a unit"),
        pytest.param(1.544, "Mbps", 500, id="no whole number"),
        pytest.param("fast", "Mbps", "500", id="what is no rate"),
        pytest.param(None, "Mbps", 500, id="nothing"),
    ],
)
async def test_a_rate_is_written_as_it_is_found(value: Any, unit: Any, written: Any) -> None:
    characteristic = {"name": "Bandwidth", "valueType": "x", "value": value}
    system = Plain(service={"id": "service-7", "serviceCharacteristic": [{"name": "a", "value": 1}, characteristic]})
    async with plain(system, Layout(characteristic="Bandwidth", unit=unit)) as provisioning:
        for again in (False, True):
            found = await provisioning.set_rate(FAST, again=again, delivery_id="d", deadline=soon())
            assert (found.mbps, found.is_old) == (500, again)
    assert system.service["serviceCharacteristic"] == [{"name": "a", "value": 1}, {**characteristic, "value": written}]
    if isinstance(written, float):
        assert isinstance(system.service["serviceCharacteristic"][1]["value"], float)


@pytest.mark.parametrize("held", [None, [], [{"name": "rate", "value": 1}], "x"])
async def test_a_service_without_the_characteristic_is_said_by_the_setting(held: Any) -> None:
    system = Plain(service={"id": "service-7", "serviceCharacteristic": held})
    async with plain(system) as provisioning:
        with pytest.raises(Nonsense, match=r"provisioning\.characteristic"):
            await provisioning.set_rate(FAST, again=True, delivery_id="d", deadline=soon())


@pytest.mark.parametrize("location", ["", "/monitor/MON-9", "http://inside:8080/x/monitor/MON-9?a=b", "/service/7"])
async def test_a_system_that_has_no_monitors_is_read_by_its_services(location: str) -> None:
    held = [{"name": "bandwidth", "value": 100}]
    system = Plain(service={"id": "service-7", "serviceCharacteristic": held}, status=202, location=location)
    async with plain(system) as provisioning:
        with pytest.raises(Waits):
            await provisioning.set_rate(FAST, again=False, delivery_id="d", deadline=soon())
        found = await provisioning.set_rate(FAST, again=True, delivery_id="d", deadline=soon())
        assert found.mbps == 500


async def test_own_words_of_monitors_are_read_by_the_settings() -> None:
    words = {"InProgress": "läuft", "Completed": "fertig", "InError": "kaputt"}
    layout = Layout(monitor_states={"läuft": "InProgress", "fertig": "Completed", "kaputt": "InError"})
    async with lab(layout, manners=Manners(words=words)) as it:
        it.order(Behaviour(way=Way.LATE, seconds=0.1, times=1), Behaviour(way=Way.FAILS, seconds=0.1))
        assert (await it.until_over()).mbps == 500
        with pytest.raises(RateRefused):
            await it.until_over(replace(FAST, mbps=600))


async def test_a_word_that_nobody_knows_is_waited_for_and_then_given_up() -> None:
    async with lab(manners=Manners(words={"InProgress": "hm"}), confirm_seconds=0.5) as it:
        it.order(Behaviour(way=Way.ENDLESS))
        with pytest.raises(RateRefused, match=r"provisioning\.monitor_states"):
            await it.until_over()
