"""An inventory sends a document over HTTP: it counts when it is whole, once, and for whoever may speak for it."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest

from adapters.inventory.inbound import feeds as inventory_feeds
from adapters.inventory.inbound.feeds import BASE, feed_routes
from gateway.settings.settings import Settings, System
from graph.changes.policy import AlarmPolicy
from graph.errors import StoreUnavailable
from graph.inventory.reconcile import reconcile_next
from graph.store.store import Store
from tests.adapters.endpoint.composed import Port, edge, mounted, settings_of
from tests.adapters.inventory.inbound.test_documents import FORMS, written
from tests.gateway.conftest import Mint, serving
from tests.graph.inventory.network import NETWORK, POLICY, Inventoried, but, element, soon

NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def feeding(mint: Mint) -> Settings:
    systems = {"inventory": System(sources=("inventory", "lab")), "other": System(sources=("other",))}
    return settings_of(mint).model_copy(update={"systems": systems})


@pytest.fixture
def gate(empty_store: Store, feeding: Settings) -> Port:
    return Port(empty_store, feeding)


@pytest.fixture
async def sender(gate: Port, feeding: Settings, mint: Mint) -> AsyncIterator[httpx.AsyncClient]:
    """The inventory, as a client."""
    async with feed_client(gate, feeding) as client:
        client.headers.update(mint.bearer("system:inventory"))
        yield client


@asynccontextmanager
async def feed_client(gate: Port, feeding: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(mounted(BASE, feed_routes(edge(gate)), feeding), feeding) as client:
        client.base_url = httpx.URL(f"{client.base_url}{BASE}")
        client.timeout = httpx.Timeout(60)
        yield client


def body(media: str, *several: Any) -> bytes:
    return b"".join(written(media, list(several)))


async def count(store: Store) -> int:
    [[found]] = await store.rows(
        "MATCH (n) WHERE n:NetworkElement OR n:Card OR n:Port OR n:Trunk RETURN count(n)", {}, deadline=soon()
    )
    assert isinstance(found, int)
    return found


@pytest.mark.sampled(2)
@pytest.mark.parametrize("media", FORMS)
async def test_a_feed_is_received_and_becomes_a_network(
    sender: httpx.AsyncClient, empty_store: Store, media: str
) -> None:
    sent = await sender.put("/n1?kind=incremental", content=body(media, *NETWORK), headers={"Content-Type": media})
    assert sent.status_code == 201, sent.text
    expected = {
        "id": "n1",
        "href": f"{BASE}/n1",
        "source": "inventory",
        "kind": "incremental",
        "state": "received",
        "resources": 9,
        "notTaken": 0,
        "changes": 0,
        "differences": 0,
    }
    assert sent.json() == expected
    assert sent.headers["location"] == f"{BASE}/n1"
    await reconcile_next(empty_store, POLICY, owner="one")
    assert (await sender.get("/n1")).json() == {**expected, "state": "compared", "changes": 9}
    assert await count(empty_store) == 9
    if media == "application/x-ndjson":
        again = await sender.put("/n2?kind=full", content=body(media, *NETWORK), headers={"Content-Type": media})
        await reconcile_next(empty_store, POLICY, owner="one")
        assert (await sender.get("/n2")).json()["differences"] == 0
        assert again.status_code == 201


BESIDE = b"""{"id": "RACK-1", "category": "rack", "name": "rack"}
{"id": "V100", "@type": "LogicalResource", "category": "vlan", "name": "100"}
{"id": "N1/ae0", "category": "lag", "resourceRelationship": [{"relationshipType": "aggregates", "resource": {"id": "N1/1/1"}}]}
{"id": "TRANSIT-7", "category": "trunk", "resourceRelationship": [{"relationshipType": "aEnd", "resource": {"id": "N1/1/1"}}]}
"""


async def test_what_the_graph_has_no_place_for_is_counted_and_listed_and_the_rest_is_taken(
    sender: httpx.AsyncClient, empty_store: Store
) -> None:
    document = body("application/x-ndjson", *NETWORK) + BESIDE
    sent = await sender.put("/n1?kind=incremental", content=document, headers=NDJSON)
    assert (sent.status_code, sent.json()["resources"], sent.json()["notTaken"]) == (201, 13, 4)
    await reconcile_next(empty_store, POLICY, owner="one")
    found = (await sender.get("/n1")).json()
    assert (found["state"], found["changes"], found["differences"], found["notTaken"]) == ("compared", 9, 4, 4)
    text = "MATCH (d:InventoryDifference) RETURN d.name, d.resourceType, d.reason ORDER BY d.name"
    rows = await empty_store.rows(text, {}, deadline=soon())
    assert [(name, kind) for name, kind, _ in rows] == [
        ("N1/ae0", "lag"), ("RACK-1", "rack"), ("TRANSIT-7", "trunk"), ("V100", "vlan")
    ]  # fmt: skip
    assert all(reason for *_, reason in rows)


async def test_the_same_again_is_one_and_another_document_under_the_id_is_refused(
    sender: httpx.AsyncClient, empty_store: Store
) -> None:
    document = body("application/x-ndjson", element("N1"))
    first = await sender.put("/n1?kind=full", content=document, headers=NDJSON)
    again = await sender.put("/n1?kind=full", content=document, headers=NDJSON)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    other = await sender.put("/n1?kind=full", content=document + b"\n", headers=NDJSON)
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert await empty_store.rows(
        "MATCH (e:Event {type: 'InventoryFeedReceived'}) RETURN count(e)", {}, deadline=soon()
    ) == [[1]]


async def test_a_document_that_is_cut_changes_nothing(
    sender: httpx.AsyncClient, empty_store: Store, mint: Mint
) -> None:
    reader, writer = await asyncio.open_connection(sender.base_url.host, sender.base_url.port)
    head = (
        f"PUT {BASE}/cut?kind=incremental HTTP/1.1\r\nHost: here\r\nContent-Type: application/x-ndjson\r\n"
        f"Authorization: {mint.bearer('system:inventory')['Authorization']}\r\nContent-Length: 1000000\r\n\r\n"
    )
    writer.write(head.encode() + body("application/x-ndjson", *NETWORK, *map(element, map(str, range(500)))))
    await writer.drain()
    await asyncio.sleep(0.5)
    writer.close()
    assert await reader.read() == b""
    await asyncio.sleep(0.2)
    assert (await sender.get("/cut")).json()["state"] == "receiving"
    assert await reconcile_next(empty_store, POLICY, owner="one") is None
    assert await count(empty_store) == 0
    sent = await sender.put("/cut?kind=incremental", content=body("application/x-ndjson", *NETWORK), headers=NDJSON)
    assert sent.status_code == 201
    await reconcile_next(empty_store, POLICY, owner="one")
    assert await count(empty_store) == 9


@pytest.mark.sampled(8)
@pytest.mark.parametrize(
    ("address", "headers", "content", "status", "told"),
    [
        ("/n1", NDJSON, b"", 400, "kind: is one of full and incremental"),
        ("/n1?kind=half", NDJSON, b"", 400, "kind"),
        ("/n%201?kind=full", NDJSON, b"", 400, "id: has 1 to 200"),
        ("/n1?kind=full", {"Content-Type": "text/csv"}, b"a;b", 415, "application/x-ndjson"),
        ("/n1?kind=full", {}, b"", 415, "application/x-ndjson"),
        ("/n1?kind=full", {**NDJSON, "Content-Encoding": "gzip"}, b"", 415, "Content-Encoding"),
        ("/n1?kind=full", NDJSON, b"{}\nx", 400, "Line 1: id"),
        (
            "/n1?kind=full",
            {"Content-Type": "application/json"},
            b"[{]",
            400,
            "Item 1 (line 1, column 3): this is not JSON",
        ),
        ("/n1?kind=full", {"Content-Type": "text/xml"}, b"<!DOCTYPE a><a/>", 400, "DOCTYPE"),
        ("/n1?kind=full", {"Content-Type": "text/xml"}, "<a/>".encode("utf-16"), 400, "UTF-8"),
        ("/n1?kind=full", {"Content-Type": "text/xml"}, b"<?xml version='1.0' encoding='UTF-16'?><a/>", 400, "UTF-8"),
        ("/n1?kind=full", {"Content-Type": "text/xml; charset=utf-16; x=utf-8"}, b"<a/>", 415, "UTF-8"),
        ("/n1?kind=full", NDJSON, b"\n", 400, "names nothing"),
        ("/n1?kind=full", {"Content-Type": "application/json"}, b"[]", 400, "names nothing"),
        ("/n1?kind=full", NDJSON, b'{"id": "R1", "category": "rack"}', 400, "The first is 'R1': "),
        (
            "/n1?kind=full",
            NDJSON,
            b'{"eventType": "ResourceDelete", "event": {"resource": {}}}',
            400,
            "Line 1: eventType",
        ),
        (
            "/n1?kind=full",
            {"Content-Type": "text/xml"},
            b'<mdList xmlns="http://www.tmforum.org/mtop/x"/>',
            400,
            "names",
        ),
        ("/n1?kind=incremental", {"Content-Type": "text/xml"}, b"<html><body>Log in</body></html>", 400, "of MTOSI"),
        ("/n1?kind=full&source=other", NDJSON, b"", 403, "does not speak for the source 'other'"),
        ("/n1/n2?kind=full", NDJSON, b"", 404, None),
    ],
)
async def test_what_is_wrong_is_refused_and_nothing_is_done(  # noqa: PLR0913, PLR0917
    sender: httpx.AsyncClient,
    empty_store: Store,
    address: str,
    headers: dict[str, str],
    content: bytes,
    status: int,
    told: str | None,
) -> None:
    answer = await sender.put(address, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    if told is not None:
        assert told in answer.json()["message"]
    assert await reconcile_next(empty_store, POLICY, owner="one") is None
    assert await empty_store.rows("MATCH (e:Event) RETURN e.id", {}, deadline=soon()) == []


@pytest.mark.parametrize(
    ("media", "content"),
    [
        ("application/json", b"[]"),
        ("application/x-ndjson", b""),
        ("text/xml", b'<mdList xmlns="http://www.tmforum.org/mtop/nrf/xsd/invdata/v1"/>'),
    ],
)
async def test_that_nothing_has_changed_may_be_said(sender: httpx.AsyncClient, media: str, content: bytes) -> None:
    answer = await sender.put("/n1?kind=incremental", content=content, headers={"Content-Type": media})
    assert (answer.status_code, answer.json()["resources"]) == (201, 0), answer.text


async def test_who_may_send(sender: httpx.AsyncClient, mint: Mint, gate: Port) -> None:
    document = body("application/x-ndjson", element("N1"))

    async def status(address: str, who: dict[str, str]) -> int:
        return (await sender.put(address, content=document, headers={**NDJSON, **who})).status_code

    assert await status("/a?kind=full", mint.bearer("analyst")) == 403
    assert await status("/a?kind=full", mint.customer("customer-a")) == 403
    assert await status("/a?kind=full", mint.bearer("operator")) == 400  # for which inventory?
    assert await status("/a?kind=full&source=any", mint.bearer("operator")) == 201
    assert await status("/a?kind=full&source=lab", mint.bearer("system:inventory")) == 201
    assert await status("/a?kind=full", mint.bearer("system:other")) == 403  # it is no inventory
    gate.policy = AlarmPolicy(inventories=("inventory", "other"))
    assert await status("/a?kind=full", mint.bearer("system:other")) == 201
    unknown = await sender.get("/b")
    others = await sender.get("/a", headers=mint.bearer("system:inventory"))
    assert (unknown.status_code, others.status_code) == (404, 404)
    assert unknown.json() == others.json()


async def test_a_database_that_is_away_is_said(sender: httpx.AsyncClient, gate: Port) -> None:
    gate.open = StoreUnavailable("The database cannot be reached")
    answer = await sender.put("/n1?kind=full", content=b"", headers=NDJSON)
    assert (answer.status_code, answer.json()["code"]) == (503, "STORE_UNAVAILABLE")


def head_of(name: str, mint: Mint) -> bytes:
    return (
        f"PUT {BASE}/{name}?kind=full HTTP/1.1\r\nHost: here\r\nContent-Type: application/x-ndjson\r\n"
        f"Authorization: {mint.bearer('system:inventory')['Authorization']}\r\nContent-Length: 1000000\r\n\r\n"
    ).encode()


async def test_a_sender_that_stops_is_told_so(
    sender: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, empty_store: Store, mint: Mint
) -> None:
    monkeypatch.setattr(inventory_feeds, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(inventory_feeds, "_PATIENCE_SECONDS", 0.2)

    reader, writer = await asyncio.open_connection(sender.base_url.host, sender.base_url.port)
    writer.write(head_of("n1", mint) + body("application/x-ndjson", element("N1")))
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"REQUEST_TIMEOUT" in answer
    assert await reconcile_next(empty_store, POLICY, owner="one") is None


async def test_one_that_stops_while_it_sends_a_known_feed_again_is_told_so(
    sender: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, mint: Mint
) -> None:
    document = body("application/x-ndjson", element("N1"))
    assert (await sender.put("/n1?kind=full", content=document, headers=NDJSON)).status_code == 201
    monkeypatch.setattr(inventory_feeds, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(inventory_feeds, "_PATIENCE_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection(sender.base_url.host, sender.base_url.port)
    writer.write(head_of("n1", mint) + document)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"REQUEST_TIMEOUT" in answer


async def test_a_sender_that_drips_is_told_so(
    sender: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, empty_store: Store, mint: Mint
) -> None:
    monkeypatch.setattr(inventory_feeds, "GRACE_SECONDS", 0.3)
    monkeypatch.setattr(inventory_feeds, "_PATIENCE_SECONDS", 0.1)
    reader, writer = await asyncio.open_connection(sender.base_url.host, sender.base_url.port)
    writer.write(head_of("drip", mint))

    async def drip() -> None:
        while True:  # far within the time that it may be idle, and never at the least rate
            writer.write(b"\n")
            await asyncio.sleep(0.03)

    dripping = asyncio.create_task(drip())
    answer = await asyncio.wait_for(reader.read(), 20)
    dripping.cancel()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408")
    assert (await sender.get("/drip")).json()["state"] == "receiving"
    assert await reconcile_next(empty_store, POLICY, owner="one") is None


async def test_a_sender_that_keeps_the_rate_may_take_its_time(
    sender: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory_feeds, "GRACE_SECONDS", 0.2)
    line = body("application/x-ndjson", element("N1"))

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield line * 4
            await asyncio.sleep(0.05)

    answer = await sender.put("/n1?kind=full", content=slowly(), headers=NDJSON)
    assert (answer.status_code, answer.json()["resources"]) == (201, 40)


def generated(megabytes: int) -> Iterator[bytes]:
    """Lines of elements until there are so many megabytes, made as they are sent."""
    size = number = 0
    note = "n" * 1_500
    while size < megabytes * 2**20:
        lines = []
        for _ in range(20):
            number += 1
            raw = {"id": f"N{number}", "category": "networkElement", "name": f"N{number}", "description": note}
            lines.append(orjson.dumps(raw))
        part = b"\n".join(lines) + b"\n"
        size += len(part)
        yield part


async def test_a_long_feed_is_received_in_flat_memory(sender: httpx.AsyncClient) -> None:
    async def sent(megabytes: int) -> AsyncIterator[bytes]:
        for each in generated(megabytes):
            yield each

    async def peak(name: str, megabytes: int) -> int:
        tracemalloc.start()
        answer = await sender.put(f"/{name}?kind=full", content=sent(megabytes), headers=NDJSON)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert answer.status_code == 201, answer.text
        assert answer.json()["resources"] >= megabytes * 2**20 // 1_700
        return most

    await peak("warm", 1)
    short = await peak("short", 3)
    long = await peak("long", 24)
    # Buffers of a fixed size are fuller where the reader falls behind the sender; what is kept of a document would be all of it.
    assert long < short + (24 - 3) * 2**20 / 4


async def test_an_operator_sees_what_a_full_feed_differs_in(sender: httpx.AsyncClient, empty_store: Store) -> None:
    inventoried = Inventoried(store=empty_store)
    await inventoried.feed("first", *NETWORK)
    said = [but("N1", vendor="Bolt"), *(each for each in NETWORK if each.name != "N1")]
    await sender.put("/full?kind=full", content=body("application/xml", *said), headers={"Content-Type": "text/xml"})
    await reconcile_next(empty_store, POLICY, owner="one")
    assert await inventoried.differences() == [("property", "open", "N1", "vendor", "Bolt", "Acme")]
