"""The page about inventory is run from top to bottom, as an inventory would."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from adapters.inventory.inbound import feeds as inventory_feeds
from adapters.inventory.inbound import resources
from gateway.settings.settings import Settings
from graph.inventory.reconcile import reconcile_next
from graph.store.store import Store
from tests.adapters.endpoint.composed import Port, edge, mounted
from tests.adapters.endpoint.test_docs import authorization, compare
from tests.gateway.conftest import Mint, serving
from tests.graph.inventory.network import POLICY, Inventoried

PAGE = (Path(__file__).parents[4] / "docs" / "inventory.md").read_text(encoding="utf-8")
PAIR = re.compile(r"```http\n((?:GET|PUT) .*?)```\s+```http\nHTTP/1.1 (\d+)\n(.*?)```", re.DOTALL)


def headers_and_body(text: str) -> tuple[dict[str, str], str]:
    head, _, body = f"\n{text}".partition("\n\n")
    return dict(line.split(": ", 1) for line in head.splitlines() if line), body


async def test_the_examples_are_true(empty_store: Store, settings: Settings, mint: Mint) -> None:
    gate = Port(empty_store, settings)
    routes = [
        *mounted(inventory_feeds.BASE, inventory_feeds.feed_routes(edge(gate)), settings).routes,
        *mounted(resources.BASE, resources.resource_routes(edge(gate)), settings).routes,
    ]
    known: dict[str, str] = {}
    pairs = PAIR.findall(PAGE)
    assert len(pairs) == len(re.findall("^HTTP/1.1", PAGE, re.MULTILINE)) >= 6
    async with serving(Starlette(routes=routes), settings) as client:
        for request, status, response in pairs:
            first, _, rest = request.partition("\n")
            method, path = first.split(" ")
            headers, body = headers_and_body(rest)
            sent = {**headers, **authorization(mint, headers["Authorization"])}
            answer = await client.request(method, path, content=body.encode() or None, headers=sent)
            assert answer.status_code == int(status), answer.text
            shown, told = headers_and_body(response)
            compare(shown, {name: answer.headers[name] for name in shown}, known)
            compare(_json(told), answer.json(), known)
            await reconcile_next(empty_store, POLICY, owner="one")
    assert [each[:3] for each in await Inventoried(store=empty_store).differences()] == [
        ("missingThere", "open", "KOL-1/3/2"),
        ("notTaken", "open", "KOL-1/ae0"),
        ("notTaken", "open", "RACK-1"),
        ("notTaken", "open", "T-2"),
        ("property", "open", "KOL-1"),
    ]


def _json(text: str) -> Any:
    return httpx.Response(200, content=text.encode()).json()
