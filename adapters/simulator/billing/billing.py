"""A billing system to try things with: it takes usage (TMF635), problems (TMF656) and documents, and serves bills (TMF678) and prices (TMF620).

Whoever asks at the hub of usage is told of what it rates (`rate`).

What it has taken can be looked at in Python (`records`) and by HTTP, all with TM Forum's filters and pages. Documents are PUT
under a name at `/ipdr/{name}`; what is no XML is refused. Bills are made by whoever runs it, in Python or by POST
to `/simulator/bills` (`{"account": ..., "bill": {...}, "rates": [{...}]}`), outside of the paths of what it stands in for; product
offerings likewise, at `/simulator/offerings` (`{"id": ..., "offering": {...}, "prices": [{...}]}`).

    async with serving() as billing:
        billing.bill("acc-a", {"amountDue": {"unit": "EUR", "value": 19.99}})
        billing.address          # "http://127.0.0.1:40123", what /tmf-api is below
        billing.documents        # "http://127.0.0.1:40123/ipdr"
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.errors import Malformed
from adapters.simulator.billing.records import BILL, DOCUMENT, OFFERING, PRICE, PROBLEM, RATE, USAGE, Records, Resource
from adapters.simulator.faults import Faults
from adapters.simulator.front import (
    answer,
    authenticate,
    listed,
    malformed,
    read_bytes,
    read_json,
    read_object,
    refused,
    shown,
)
from adapters.simulator.hub import AlreadyThere, Hub, opened
from adapters.simulator.journal import Journal, read_journal
from adapters.simulator.manners import POLITE, Manners
from adapters.simulator.serving import listening
from adapters.tmf.tmf630 import write_time
from adapters.xml.parser import read_xml

PATHS: Final = {
    USAGE: f"/tmf-api/usageManagement/v4/{USAGE}",
    PROBLEM: f"/tmf-api/serviceProblemManagement/v4/{PROBLEM}",
    BILL: f"/tmf-api/customerBillManagement/v4/{BILL}",
    RATE: f"/tmf-api/customerBillManagement/v4/{RATE}",
    OFFERING: f"/tmf-api/productCatalogManagement/v4/{OFFERING}",
    PRICE: f"/tmf-api/productCatalogManagement/v4/{PRICE}",
}
HUB: Final = "/tmf-api/usageManagement/v4/hub"
DOCUMENTS: Final = "/ipdr"
BILLS: Final = "/simulator/bills"
OFFERINGS: Final = "/simulator/offerings"
_XML: Final = ("application/xml", "text/xml")


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingSystem:
    """A billing system that is being served."""

    address: str
    """what `/tmf-api` is below."""
    records: Records
    faults: Faults
    hub: Hub
    """who is told of usage."""

    def rate(self, usage_id: str, status: str, **more: Any) -> Resource:
        """Give a record of usage a status, as its people do, and tell who has asked."""
        rated = self.records.change(USAGE, usage_id, {"status": status, **more})
        self.hub.announce("UsageStateChangeEvent", USAGE, rated, write_time(time.time_ns() // 1_000_000))
        return rated

    @property
    def documents(self) -> str:
        """Give what documents are put below."""
        return f"{self.address}{DOCUMENTS}"

    def bill(self, account: str, bill: Mapping[str, Any], rates: Iterable[Mapping[str, Any]] = ()) -> Resource:
        """Make a bill of an account, and what it is made of."""
        return _bill(self.records, account, bill, rates)

    def offer(self, offering_id: str, prices: Iterable[Mapping[str, Any]], **more: Any) -> Resource:
        """Make a product offering with these prices, or give one others."""
        return _offering(self.records, offering_id, more, prices)


@asynccontextmanager
async def serving(  # noqa: PLR0913  # each by name
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    journal: Path | None = None,
    state: Path | None = None,
    bearer: SecretStr | None = None,
    manners: Manners = POLITE,
    callback_authorization: SecretStr | None = None,
) -> AsyncIterator[BillingSystem]:
    """Serve one in the running loop while the block runs.

    With `state`, what it keeps is that of an earlier life with the same file, but for who has asked at the hub. With `bearer`, callers
    must bring it.
    """
    with closing(Journal(journal)) as received, closing(Journal(state)) as kept:
        records = Records(kept, paths=PATHS)
        records.restore(read_journal(state) if state else [])
        async with opened(callback_authorization, many=manners.hub == "many") as hub:
            desk = _Desk(records=records, received=received, bearer=bearer, manners=manners, hub=hub)
            faults = Faults(desk.application())
            async with listening(faults, host=host, port=port) as address:
                yield BillingSystem(address=address, records=records, faults=faults, hub=hub)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """The endpoints."""

    records: Records
    received: Journal
    bearer: SecretStr | None
    manners: Manners
    hub: Hub

    def application(self) -> Starlette:
        routes = [
            Route(BILLS, self.billed, methods=["POST"]),
            Route(OFFERINGS, self.offered, methods=["POST"]),
        ]
        for kind, path in PATHS.items():
            routes.append(Route(path, _of(kind, self.listed), methods=["GET"], name=f"{kind}s"))
            routes.append(Route(f"{path}/{{id}}", _of(kind, self.one), methods=["GET"], name=kind))
        for kind in (USAGE, PROBLEM):
            routes.append(Route(PATHS[kind], _of(kind, self.created), methods=["POST"]))
            routes.append(Route(f"{PATHS[kind]}/{{id}}", _of(kind, self.changed), methods=["PATCH"]))
        if self.manners.hub != "none":
            routes.append(Route(HUB, self.subscribed, methods=["POST"]))
            routes.append(Route(f"{HUB}/{{id}}", self.unsubscribed, methods=["DELETE"]))
        routes.append(Route(f"{DOCUMENTS}/{{name}}", self.put, methods=["PUT"]))
        routes.append(Route(f"{DOCUMENTS}/{{name}}", self.document, methods=["GET"]))
        return Starlette(routes=routes, exception_handlers={HTTPException: refused, Malformed: malformed})

    async def created(self, kind: str, request: Request) -> Response:
        authenticate(request, self.bearer)
        record = self.records.create(kind, await read_json(request))
        self._receive(request, kind, record["id"])
        return answer(201, record, {"Location": record["href"]})

    async def changed(self, kind: str, request: Request) -> Response:
        authenticate(request, self.bearer)
        patch = await read_json(request, *self.manners.patches)
        try:
            record = self.records.change(kind, request.path_params["id"], patch)
        except KeyError:
            raise HTTPException(404) from None
        self._receive(request, kind, record["id"])
        return answer(200, record) if self.manners.shows_changes else Response(status_code=204)

    async def listed(self, kind: str, request: Request) -> Response:
        authenticate(request, self.bearer)
        return listed(request, PATHS[kind], self.records.all(kind), self.manners)

    async def one(self, kind: str, request: Request) -> Response:
        authenticate(request, self.bearer)
        record = self.records.get(kind, request.path_params["id"])
        if record is None:
            raise HTTPException(404)
        return shown(request, record)

    async def subscribed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        try:
            subscription = self.hub.subscribe(await read_json(request))
        except AlreadyThere:
            raise HTTPException(409) from None
        return answer(201, subscription.shown(), {"Location": f"{HUB}/{subscription.id}"})

    async def unsubscribed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        if self.hub.unsubscribe(request.path_params["id"]) is None:
            raise HTTPException(404)
        return Response(status_code=204)

    async def put(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        body, name = await read_bytes(request, *_XML), request.path_params["name"]
        read_xml(body)
        new = name not in self.records.documents
        self.records.put(name, body)
        self._receive(request, DOCUMENT, name)
        return Response(status_code=201 if new else 204)

    async def document(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        found = self.records.documents.get(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        return Response(found, media_type=_XML[0])

    async def billed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        told = await read_object(request)
        if not isinstance(told.get("account"), str):
            raise Malformed("account is missing", field="account")
        return answer(201, _bill(self.records, told["account"], told.get("bill") or {}, told.get("rates") or ()))

    async def offered(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        told = await read_object(request)
        if not isinstance(told.get("id"), str):
            raise Malformed("id is missing", field="id")
        made = _offering(self.records, told["id"], told.get("offering") or {}, told.get("prices") or ())
        return answer(201, made)

    def _receive(self, request: Request, kind: str, known_as: str) -> None:
        key = request.headers.get("idempotency-key")
        now = write_time(time.time_ns() // 1_000_000)
        self.received.write(
            {"time": now, "method": request.method, "kind": kind, "id": known_as, "idempotencyKey": key}
        )


def _of(kind: str, endpoint: Any) -> Any:
    async def answered(request: Request) -> Response:
        response: Response = await endpoint(kind, request)
        return response

    return answered


def _bill(records: Records, account: str, bill: Mapping[str, Any], rates: Iterable[Mapping[str, Any]]) -> Resource:
    payer = {"billingAccount": {"id": account}}
    made = records.add(BILL, {"state": "new", **bill, **payer})
    for each in rates:
        records.add(RATE, {**each, **payer, "isBilled": True, "bill": {"id": made["id"]}})
    return made


def _offering(
    records: Records, offering_id: str, offering: Mapping[str, Any], prices: Iterable[Mapping[str, Any]]
) -> Resource:
    made = [records.add(PRICE, each) for each in prices]
    named = [{"id": each["id"], "href": each["href"], "name": each.get("name")} for each in made]
    return records.put_as(offering_id, OFFERING, {"name": offering_id, **offering, PRICE: named})
