"""Order management at our endpoints, over real HTTP, with every answer compared with the published swagger."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import httpx
from jsonschema import Draft4Validator

from adapters.order_management.api import Api
from adapters.order_management.inbound import order_routes
from gateway.settings.settings import Settings
from graph.changes.policy import AlarmPolicy, Ordering
from graph.model.scope import CLAIMABLE
from graph.store.store import Store
from tests.adapters.endpoint.composed import Port, endpoint, routed
from tests.adapters.schema import REFERENCE, published
from tests.gateway.conftest import Mint
from tests.graph.changes.network import Laid, lay

POLICY: Final = AlarmPolicy(ordering=Ordering(systems=frozenset({"crm", "shop"}), most_items=20))
NUMBERS: Final = {"product": 622, "service": 641}
PARTY: Final = {
    "id": "4711",
    "name": "New Ltd",
    "@referredType": "Organization",
    "@type": "RelatedParty",
    "role": "customer",
}


async def laid_in(store: Store) -> Laid:
    """The small network, with all that a customer's reads need."""
    await lay(store)
    laid = Laid(store=store)
    await laid.run("MATCH (s:Service) SET s.kind = 'x', s.state = 'active'")
    await laid.run("MATCH (c:Customer) SET c.segment = 'x', c.status = 'active', c.accountRef = 'x'")
    return laid


def port_of(laid: Laid, settings: Settings, policy: AlarmPolicy = POLICY) -> Port:
    port = Port(laid.store, settings)
    port.policy = policy
    return port


@asynccontextmanager
async def calling(api: Api, port: Port, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of one of the two APIs of whom every answer is as published."""
    async with routed(endpoint(api.base, partial(order_routes, api), port, settings), settings, api.base) as client:
        client.event_hooks = {"response": [partial(check, api)]}
        yield client


async def check(api: Api, response: httpx.Response) -> None:
    await response.aread()
    if response.status_code == 204:
        assert response.content == b""
        return
    body = response.json()
    if response.status_code >= 400:
        assert body["status"] == str(response.status_code)
        return
    name = response.request.url.path.removeprefix(f"{api.base}/").partition("/")[0]
    kinds = {api.order: api.type, api.cancel: f"{api.cancel[0].upper()}{api.cancel[1:]}", "hub": "EventSubscription"}
    partial_ = "fields" in response.request.url.params
    for each in body if isinstance(body, list) else [body]:
        if not partial_:
            assert faults(kinds[name], each, api) == []
        if name != "hub":
            assert each["href"] == f"{api.base}/{name}/{each['id']}"


def faults(definition: str, value: Any, api: Api) -> list[str]:
    """Give what the published definition has against a value; nothing where that is not at hand."""
    if not os.environ.get(REFERENCE):
        return []
    validator: Draft4Validator = published(definition, NUMBERS[api.kind])
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def item(api: Api, number: str = "1", **more: Any) -> dict[str, Any]:
    return {"id": number, "action": "add", api.kind: {"name": f"Line {number}"}, **more}


def changing(api: Api, number: str, action: str, service: str) -> dict[str, Any]:
    return {"id": number, "action": action, api.kind: {"id": service}}


def body(api: Api, *items: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {api.item: [*items] or [item(api)], "relatedParty": [PARTY], **more}


def related(api: Api, to: str) -> dict[str, Any]:
    """Let an item rely on another."""
    other = {"id": to} if api.kind == "product" else {"orderItem": {"itemId": to, "id": to}}
    return {api.relationship: [{"relationshipType": "reliesOn", **other}]}


def crm(mint: Mint, name: str = "crm") -> dict[str, str]:
    return mint.bearer(f"system:{name}", sub=name)


def customer(mint: Mint, name: str, *, claims: bool = True) -> dict[str, str]:
    return mint.bearer("customer", sub=name, customers=[name], changes=list(CLAIMABLE) if claims else [])
