"""An inventory to try things with: TMF639 and TMF638 version 4, and MTOSI 2.1, as a server that keeps what it is told.

Every change that is acted upon gets its line in the journal (time, method, id, name, idempotencyKey) before it is answered;
the key is written down and not looked at. The two protocols are two books: what is told in one is not in the other.
`/feed.ndjson` and `/feed.xml` are all that it has, as a feed; MTOSI's two services lie below `/mtosi`.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from lxml import etree
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.errors import Malformed
from adapters.simulator.faults import Faults
from adapters.simulator.front import answer, authenticate, listed, malformed, read_bytes, read_json, refused, shown
from adapters.simulator.inventory.resources import INV, KINDS, Resource, Resources, name_of
from adapters.simulator.inventory.services import Services
from adapters.simulator.journal import Journal, read_journal
from adapters.simulator.manners import POLITE, Manners, tag_of
from adapters.simulator.serving import listening
from adapters.tmf.tmf630 import write_time
from adapters.xml.parser import Element, read_xml

BASE: Final = "/tmf-api/resourceInventoryManagement/v4"
RESOURCE: Final = f"{BASE}/resource"
SERVICES: Final = "/tmf-api/serviceInventory/v4"
SERVICE: Final = f"{SERVICES}/service"
MTOSI: Final = "/mtosi"
_SOAP: Final = "{http://schemas.xmlsoap.org/soap/envelope/}"
_UPDATE: Final = "{http://www.tmforum.org/mtop/mri/xsd/riu/v1}"
_RETRIEVE: Final = "{http://www.tmforum.org/mtop/mri/xsd/rir/v1}"
_OF_TYPE: Final = {"ME": "me", "EQ": "eq", "PTP": "ptp", "TL": "tl"}


@dataclass(frozen=True, slots=True, kw_only=True)
class InventorySystem:
    """An inventory that is being served."""

    address: str
    """of TMF639: what a client of it is given."""
    mtosi: str
    """what MTOSI's services are below."""
    service_address: str
    """of TMF638;"""
    resources: Resources
    services: Services
    faults: Faults


@asynccontextmanager
async def serving(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    journal: Path | None = None,
    state: Path | None = None,
    bearer: SecretStr | None = None,
    manners: Manners = POLITE,
) -> AsyncIterator[InventorySystem]:
    """Serve one in the running loop while the block runs.

    With `state`, what it keeps is that of an earlier life with the same file. With `bearer`, callers must bring it.
    """
    with closing(Journal(journal)) as received, closing(Journal(state)) as kept:
        resources = Resources(path=RESOURCE, clock=_now, kept=kept)
        services = Services(path=SERVICE, kept=kept)
        entries = read_journal(state) if state else []
        resources.restore(entries)
        services.restore(entries)
        store = _Store(resources=resources, services=services, received=received, bearer=bearer, manners=manners)
        faults = Faults(store.application())
        async with listening(faults, host=host, port=port) as address:
            yield InventorySystem(
                address=f"{address}{BASE}",
                mtosi=f"{address}{MTOSI}",
                service_address=f"{address}{SERVICES}",
                resources=resources,
                services=services,
                faults=faults,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Store:
    """The endpoints."""

    resources: Resources
    services: Services
    received: Journal
    bearer: SecretStr | None
    manners: Manners

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route(RESOURCE, self.created, methods=["POST"]),
                Route(RESOURCE, self.listed, methods=["GET"]),
                Route(f"{RESOURCE}/{{id:path}}", self.one, methods=["GET"]),
                Route(f"{RESOURCE}/{{id:path}}", self.changed, methods=["PATCH"]),
                Route(f"{RESOURCE}/{{id:path}}", self.removed, methods=["DELETE"]),
                Route(SERVICE, self.service_created, methods=["POST"]),
                Route(SERVICE, self.services_listed, methods=["GET"]),
                Route(f"{SERVICE}/{{id}}", self.one_service, methods=["GET"]),
                Route(f"{SERVICE}/{{id}}", self.service_changed, methods=["PATCH"]),
                Route(f"{MTOSI}/ResourceInventoryUpdate", self.updated, methods=["POST"]),
                Route(f"{MTOSI}/ResourceInventoryRetrieval", self.retrieved, methods=["POST"]),
                Route("/feed.ndjson", self.fed, methods=["GET"]),
                Route("/feed.xml", self.fed_xml, methods=["GET"]),
            ],
            exception_handlers={HTTPException: refused, Malformed: malformed},
        )

    # TMF639

    async def created(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        resource = self.resources.create(await read_json(request))
        self._receive(request, str(resource["id"]), resource.get("name"))
        return answer(201, resource, {"Location": str(resource["href"])})

    async def listed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        return listed(request, RESOURCE, self.resources.all(), self.manners)

    async def one(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        found = self._there(request)
        return shown(request, found, {"ETag": tag_of(found)} if self.manners.tags else None)

    async def changed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        there = self._there(request)
        patch = await read_json(request, *self.manners.patches)
        if self.manners.tags and request.headers.get("if-match") not in (None, "*", tag_of(there)):
            raise HTTPException(412)
        resource = self.resources.change(request.path_params["id"], patch)
        self._receive(request, str(resource["id"]), resource.get("name"))
        return answer(200, resource) if self.manners.shows_changes else Response(status_code=204)

    async def removed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        resource = self._there(request)
        self.resources.remove(str(resource["id"]))
        self._receive(request, str(resource["id"]), resource.get("name"))
        return Response(status_code=204)

    async def fed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        body = b"".join(orjson.dumps(each) + b"\n" for each in self.resources.all())
        return Response(body, media_type="application/x-ndjson")

    # TMF638

    async def service_created(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        service = self.services.create(await read_json(request))
        self._receive(request, str(service["id"]), service.get("name"))
        return answer(201, service, {"Location": str(service["href"])})

    async def services_listed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        return listed(request, SERVICE, self.services.all(), self.manners)

    async def one_service(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        found = self._service(request)
        return shown(request, found, {"ETag": tag_of(found)} if self.manners.tags else None)

    async def service_changed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        there = self._service(request)
        patch = await read_json(request, *self.manners.patches)
        if self.manners.tags and request.headers.get("if-match") not in (None, "*", tag_of(there)):
            raise HTTPException(412)
        service = self.services.change(str(there["id"]), patch)
        self._receive(request, str(service["id"]), service.get("name"))
        return answer(200, service) if self.manners.shows_changes else Response(status_code=204)

    def _service(self, request: Request) -> dict[str, Any]:
        service = self.services.get(request.path_params["id"])
        if service is None:
            raise HTTPException(404)
        return service

    # MTOSI

    async def updated(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        body = self._body(await read_bytes(request, "text/xml"), f"{_UPDATE}updateInventoryRequest")
        told = [
            each
            for kind in KINDS
            for each in body.iter(f"{INV}{kind}Inv")
            if each.find(f"{INV}{kind}Attrs") is not None
        ]
        for each in told:
            name = self.resources.merge(each)
            self._receive(request, "/".join(value for _, value in name), None)
        return _soap(etree.Element(f"{_UPDATE}updateInventoryResponse"))

    async def retrieved(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        body = self._body(await read_bytes(request, "text/xml"), f"{_RETRIEVE}getInventoryRequest")
        bases = [name_of(each) for each in body.iter(f"{_RETRIEVE}baseInstance")]
        kinds = [_OF_TYPE[each.text or ""] for each in body.iter(f"{_RETRIEVE}objectType")]
        found = [each for kind in kinds for name in bases if (each := self.resources.named(kind, name)) is not None]
        return _soap(self._response(found))

    async def fed_xml(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        everything = [each for kind in KINDS for each in self.resources.elements(kind)]
        return Response(etree.tostring(self._response(everything)), media_type="application/xml")

    def _response(self, found: list[Element]) -> Element:
        response = etree.Element(f"{_RETRIEVE}getInventoryResponse")
        data = etree.SubElement(response, f"{_RETRIEVE}inventoryData")
        if found:
            domain = etree.SubElement(etree.SubElement(data, f"{INV}mdList"), f"{INV}md")
            _lay_out(domain, found)
        return response

    def _body(self, body: bytes, tag: str) -> Element:
        found = read_xml(body).find(f"{_SOAP}Body/{tag}")
        if found is None:
            raise Malformed("The message is another one", field=tag)
        return found

    # Both

    def _there(self, request: Request) -> Resource:
        resource = self.resources.get(request.path_params["id"])
        if resource is None:
            raise HTTPException(404)
        return resource

    def _receive(self, request: Request, known_as: str, name: object) -> None:
        key = request.headers.get("idempotency-key")
        entry = {"time": write_time(_now()), "method": request.method, "id": known_as, "name": name}
        self.received.write({**entry, "idempotencyKey": key})


def _lay_out(domain: Element, found: list[Element]) -> None:
    """Put elements where an inventory layout has them."""
    links = [each for each in found if each.tag == f"{INV}tlInv"]
    if len(links) < len(found):
        elements = etree.SubElement(domain, f"{INV}meList")
        for each in _in_elements(found):
            elements.append(each)
    if links:
        etree.SubElement(domain, f"{INV}tlList").extend(deepcopy(each) for each in links)


def _in_elements(found: list[Element]) -> Iterator[Element]:
    for each in found:
        match each.tag.removeprefix(INV) if isinstance(each.tag, str) else "":
            case "meInv":
                yield deepcopy(each)
            case "eqInv":
                element = etree.Element(f"{INV}meInv")
                holder = etree.SubElement(etree.SubElement(element, f"{INV}ehList"), f"{INV}ehInv")
                holder.append(deepcopy(each))
                yield element
            case "ptpInv":
                element = etree.Element(f"{INV}meInv")
                etree.SubElement(element, f"{INV}ptpList").append(deepcopy(each))
                yield element
            case _:
                pass


def _now() -> int:
    return time.time_ns() // 1_000_000


def _soap(body: Element) -> Response:
    root = etree.Element(f"{_SOAP}Envelope")
    etree.SubElement(root, f"{_SOAP}Body").append(body)
    return Response(etree.tostring(root), media_type="text/xml")
