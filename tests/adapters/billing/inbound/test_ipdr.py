from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType

import httpx
import pytest

from adapters.billing.inbound.ipdr_codec import decode
from adapters.billing.inbound.usage import IPDR_BASE, PLACE, ipdr_routes
from adapters.errors import Malformed
from gateway.settings.settings import Settings
from graph.changes.policy import AlarmPolicy
from graph.changes.usage.usage import MOST_TOGETHER
from graph.store.store import Store
from tests.adapters.billing.ipdr import complaints
from tests.adapters.endpoint.composed import Port, endpoint, routed
from tests.gateway.conftest import Mint
from tests.graph.changes.network import Laid, lay

METER = "system:nms"
XML = {"Content-Type": "application/xml"}
RECORD = """
<ipdr:IPDR xsi:type="BandwidthInterval"><ipdr:IPDRCreationTime>2026-01-31T13:00:01Z</ipdr:IPDRCreationTime>
  <ipdr:seqNum>{number}</ipdr:seqNum><usageId>U{number}</usageId><service>{service}</service>
  <startTime>2026-01-31T12:00:00Z</startTime><endTime>2026-01-31T13:00:00.500Z</endTime>
  <octets>9007199254740993</octets><mbps>100</mbps><kind>boost</kind><state>rated</state></ipdr:IPDR>
"""
DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<ipdr:IPDRDoc xmlns:ipdr="http://www.ipdr.org/namespaces/IPDR" xmlns="urn:trunkline:ipdr:1"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" docId="D1" version="3.5" creationTime="2026-01-31T13:00:02Z"
  IPDRRecorderInfo="nms-1">{records}<ipdr:IPDRDoc.End count="{count}" endTime="2026-01-31T13:00:02Z"/></ipdr:IPDRDoc>
"""


def document(count: int = 2, service: str = "service-a", *, but: Mapping[str, str] = MappingProxyType({})) -> bytes:
    records = "".join(RECORD.format(number=number, service=service) for number in range(count))
    made = DOCUMENT.format(records=records, count=count)
    for before, after in but.items():
        made = made.replace(before, after)
    return made.encode()


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await lay(empty_store)
    return Laid(store=empty_store)


@pytest.fixture
async def client(laid: Laid, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    port = Port(laid.store, settings)
    port.policy = AlarmPolicy(billing="billing")
    async with routed(endpoint(IPDR_BASE, ipdr_routes, port, settings), settings, IPDR_BASE) as client:
        yield client


async def post(client: httpx.AsyncClient, mint: Mint, body: bytes, role: str = METER) -> httpx.Response:
    return await client.post("/document", content=body, headers={**mint.bearer(role), **XML})


def test_what_we_take_is_as_the_standard_says() -> None:
    assert complaints(document()) == []


async def test_every_record_of_a_document_is_taken_once(client: httpx.AsyncClient, mint: Mint, laid: Laid) -> None:
    for _ in range(2):
        answer = await post(client, mint, document())
        assert answer.status_code == 201
    told = answer.json()
    assert (told["docId"], told["count"], [each["usageId"] for each in told["usage"]]) == ("D1", 2, ["U0", "U1"])
    assert told["usage"][0]["href"] == f"{PLACE}/{told['usage'][0]['id']}"
    text = "MATCH (u:Usage)-[:USED_BY]->(s:Service) RETURN u.id, u.octets, u.mbps, u.kind, u.state, u.to, s.id ORDER BY u.externalId"
    rows = await laid.rows(text)
    assert [row[1:] for row in rows] == [[2**53 + 1, 100, "boost", "rated", 1769864400500, "service-a"]] * 2
    assert [row[0] for row in rows] == [each["id"] for each in told["usage"]]
    assert len(await laid.rows("MATCH (d:Delivery) RETURN d.id")) == 2


async def test_what_a_document_names_and_nobody_knows_waits(client: httpx.AsyncClient, mint: Mint, laid: Laid) -> None:
    assert (await post(client, mint, document(1, "circuit 9"))).status_code == 201
    assert await laid.rows("MATCH (u:Usage) WHERE u.awaits >= '' RETURN u.serviceRef") == [["circuit 9"]]


async def test_the_same_record_means_the_same_in_both_protocols(
    client: httpx.AsyncClient, mint: Mint, laid: Laid
) -> None:
    await post(client, mint, document(1))
    changed = await post(client, mint, document(1, but={"9007199254740993": "1"}))
    assert (changed.status_code, changed.json()["code"]) == (409, "CONFLICT")
    assert len(await laid.rows("MATCH (u:Usage) RETURN u.id")) == 1


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        pytest.param(document()[:-200], "Line ", id="a document that breaks off"),
        pytest.param(document(but={'count="2"': 'count="3"'}), "counts 3 records, there are 2", id="a count that is not"),
        pytest.param(document(but={"<octets>9007199254740993": "<octets>-1"}), "Line 8: Element 'octets'", id="less than nothing"),
        pytest.param(document(but={"9007199254740993": "9223372036854775808"}), "Line 8: Element 'octets'", id="more than 64 bits"),
        pytest.param(document(but={"13:00:00.500Z": "13:00:00.500+01:00"}), "Element 'endTime'", id="a time that is not UTC"),
        pytest.param(document(but={"2026-01-31T13:00:00.500Z": "2026-02-31T13:00:00Z"}), "does not exist", id="a day that is not"),
        pytest.param(document(but={"13:00:00.500Z": "12:00:00Z"}), "does not end after it begins", id="no interval"),
        pytest.param(document(but={"U1": "U0"}), "a second record with the id 'U0'", id="two of one id"),
        pytest.param(document(but={"BandwidthInterval": "ServiceOutage"}), "Line ", id="another kind of record"),
        pytest.param(document(but={' xsi:type="BandwidthInterval"': ""}), "Line ", id="a record of no kind"),
        pytest.param(document(1).replace(b"<?xml", b"<!DOCTYPE a><?xml"), "DOCTYPE", id="a document type before all else"),
        pytest.param(document(1).decode().encode("utf-16"), "not in UTF-8", id="another encoding"),
        pytest.param(b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + document(1)[39:], "DOCTYPE", id="a document type"),
        pytest.param(b"", "no root element", id="nothing"),
        pytest.param(b"<a/>", "Line 1", id="something else"),
        pytest.param(document(1, but={'IPDRRecorderInfo="nms-1"': ""}), "which source has recorded it", id="one of several sources"),
    ],
)  # fmt: skip
async def test_of_what_is_not_right_nothing_is_taken(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, body: bytes, fault: str
) -> None:
    answer = await post(client, mint, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_USER_INPUT")
    assert fault in answer.json()["message"]
    assert await laid.rows("MATCH (u:Usage) RETURN u.id") == []


async def test_a_document_has_an_end(client: httpx.AsyncClient, mint: Mint) -> None:
    assert (await post(client, mint, document(1_000))).status_code == 413
    small = b"<x/>" * 60_000
    assert (await post(client, mint, small)).status_code == 413


def test_only_so_many_records_are_taken_together() -> None:
    with pytest.raises(Malformed, match="There are 501 records; at most 500"):
        decode(document(MOST_TOGETHER + 1), (), most_bytes=1_000_000)
    assert len(decode(document(MOST_TOGETHER), (), most_bytes=1_000_000)[1]) == MOST_TOGETHER


async def test_only_xml_and_only_by_who_may(client: httpx.AsyncClient, mint: Mint) -> None:
    assert (
        await client.post(
            "/document", content=b"{}", headers={**mint.bearer(METER), "Content-Type": "application/json"}
        )
    ).status_code == 415
    for role in ("system:other", "analyst"):
        assert (await post(client, mint, document(), role)).status_code == 403
    assert (await client.get("/document", headers=mint.bearer(METER))).status_code == 405
