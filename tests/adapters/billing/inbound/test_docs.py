"""The page about billing is run from top to bottom, as a meter and a customer would."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from adapters.billing.inbound.codec import CHARACTERISTICS
from adapters.billing.inbound.query import FILTERABLE
from adapters.billing.inbound.usage import BASE, IPDR_BASE, ipdr_routes, usage_routes
from adapters.billing.tmf635_resource import usage_body
from gateway.settings.billing import Billing
from gateway.settings.settings import Settings
from gateway.settings.system import Credited
from graph.store.store import Store
from tests.adapters.billing.dialects import usage
from tests.adapters.billing.ipdr import complaints
from tests.adapters.endpoint.composed import Port, endpoint, routed
from tests.adapters.endpoint.test_docs import NAMED, authorization, compare, parted
from tests.gateway.conftest import Mint
from tests.resolvers.tenants import tenants
from tests.resolvers.world import load

DOCS = Path(__file__).parents[4] / "docs"
PAGE = (DOCS / "billing.md").read_text(encoding="utf-8")
PAIR = re.compile(r"```http\n((?:GET|POST|PATCH) .*?)```\s+```http\nHTTP/1.1 (\d+)\n(.*?)```", re.DOTALL)


@pytest.fixture
async def client(empty_store: Store, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    await load(empty_store, tenants())
    port = Port(empty_store, settings)
    both = [endpoint(BASE, usage_routes, port, settings), endpoint(IPDR_BASE, ipdr_routes, port, settings)]
    app = Starlette(routes=[route for each in both for route in each.routes])
    async with routed(app, settings, "") as client:
        yield client


async def test_the_examples_are_true(client: httpx.AsyncClient, mint: Mint) -> None:
    known: dict[str, str] = {}
    pairs = PAIR.findall(PAGE)
    assert len(pairs) == len(re.findall("^HTTP/1.1", PAGE, re.MULTILINE)) == 5
    for request, status, response in pairs:
        first, _, rest = request.partition("\n")
        method, path = NAMED.sub(lambda match: known[match[1]], first).split(" ")
        head, _, body = rest.partition("\n\n")
        headers = dict(line.split(": ", 1) for line in head.splitlines())
        sent = {**headers, **authorization(mint, headers["Authorization"])}
        answer = await client.request(method, path, content=body.encode() or None, headers=sent)
        assert answer.status_code == int(status), answer.text
        shown, told = parted(response)
        compare(shown, {name: answer.headers[name] for name in shown}, known)
        compare(told, answer.json(), known)


def test_the_document_on_the_page_is_as_published() -> None:
    [document] = re.findall(r"(<ipdr:IPDRDoc .*?</ipdr:IPDRDoc>)", PAGE, re.DOTALL)
    assert complaints(document.encode()) == []


def test_every_characteristic_filter_and_setting_is_on_a_page() -> None:
    named = {name for name in CHARACTERISTICS.fields if f"`{name}`" not in PAGE}
    assert named | {name for name in FILTERABLE if "." not in name and f"`{name}`" not in PAGE} == set()
    told = orjson.dumps(usage_body(usage())).decode()
    assert all(f'"{name}"' in told for name in CHARACTERISTICS.fields)
    operations = (DOCS / "operations.md").read_text(encoding="utf-8")
    [row] = [line for line in operations.splitlines() if line.startswith("| `billing` |")]
    own = Billing.model_fields.keys() - Credited.model_fields.keys()  # who asks is written once, for all systems
    assert {name for name in own if f"`{name}`" not in row} == set()
