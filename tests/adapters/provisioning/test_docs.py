"""What the page about provisioning shows is what is sent, and its settings are settings."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.provisioning import NewService, RateRequest, ResourceRef, ServiceRef
from adapters.provisioning.outbound.tmf640 import Tmf640
from adapters.provisioning.tmf640_resource import Layout, new_service
from adapters.simulator.serving import listening
from adapters.transport.transport import System, opened
from gateway.settings.provisioning import Device, Netconf, Provisioning
from tests.adapters.conftest import soon

PAGE = (Path(__file__).parents[3] / "docs" / "provisioning.md").read_text(encoding="utf-8")
HTTP = re.findall(r"```http\n(.*?)```", PAGE, re.DOTALL)


def body(text: str) -> Any:
    return orjson.loads(text.partition("\n\n")[2])


async def test_what_the_page_shows_is_what_is_asked_and_sent() -> None:
    looked, answered, changed, _ = HTTP
    service = body(answered)
    asked: list[tuple[str, Any]] = []

    async def answer(request: Request) -> Response:
        told = await request.body()
        asked.append((f"{request.method} {request.url.path}", orjson.loads(told) if told else None))
        if told:
            service.update(orjson.loads(told))
        return JSONResponse(service)

    async with (
        listening(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "PATCH"])])) as address,
        opened(System(name="p", address=f"{address}/tmf-api/ServiceActivationAndConfiguration/v4")) as transport,
    ):
        request = RateRequest(service=ServiceRef(id="service-7", name=""), mbps=500)
        dialect = Tmf640(transport, Layout(), confirm_seconds=1)
        assert (await dialect.set_rate(request, again=False, delivery_id="d", deadline=soon())).mbps == 500
    look, change, look_again = asked
    assert look == look_again == (looked.strip(), None)
    assert change == (changed.partition("\n")[0], body(changed))


def test_what_the_page_shows_of_a_new_service_is_asked_for() -> None:
    ports = (("port-1", "PE-1/1/1", "A"), ("port-9", "PE-9/2/4", "Z"))
    trunks = (("trunk-1", "T1", "WORKING"), ("trunk-2", "T2", "WORKING"), ("trunk-3", "T3", "PROTECTING"))
    new = NewService(
        service=ServiceRef(id="service-8", name="E-Line PO-7/1"),
        specification="E-Line",
        mbps=500,
        ends=tuple(ResourceRef(id=id_, name=name, role=role) for id_, name, role in ports),
        ways=tuple(ResourceRef(id=id_, name=name, role=role) for id_, name, role in trunks),
    )
    assert new_service(new, Layout()) == body(HTTP[3])


def test_the_settings_of_the_page_are_settings() -> None:
    sections = [tomllib.loads(each)["provisioning"] for each in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)]
    assert [Provisioning(**each).dialect for each in sections] == ["tmf640", "netconf"]


def test_every_setting_is_on_the_page() -> None:
    elsewhere = {"bearer", "bearer_file", "basic", "oauth", "tls"}
    names = Provisioning.model_fields.keys() | Netconf.model_fields.keys() | Device.model_fields.keys()
    assert {name for name in names - elsewhere if f"`{name}`" not in PAGE} - {"dialect", "netconf"} == set()
