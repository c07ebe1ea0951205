from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from functools import partial
from types import MappingProxyType

import httpx
import orjson
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


async def test_a_document_of_the_other_namespace_is_the_same(client: httpx.AsyncClient, mint: Mint, laid: Laid) -> None:
    lower = document(but={"/namespaces/IPDR": "/namespaces/ipdr", 'version="3.5"': 'version="3.5.1"'})
    assert complaints(lower) == []
    ids = [[each["id"] for each in (await post(client, mint, body)).json()["usage"]] for body in (lower, document())]
    assert ids[0] == ids[1]
    assert len(await laid.rows("MATCH (u:Usage) RETURN u.id")) == 2


SAMIS = """<?xml version="1.0"?>
<IPDRDoc xmlns="http://www.ipdr.org/namespaces/ipdr" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xmlns:cm="urn:vendor:docsis" docId="cmts-1/77" IPDRRecorderInfo="nms-1">
<IPDR xsi:type="cm:SAMIS"><seqNum>4</seqNum><cm:CmMac>service-a</cm:CmMac><cm:From>2026-01-31T12:00:00Z</cm:From>
  <cm:To>2026-01-31T13:00:00Z</cm:To><cm:octetsPassed>7</cm:octetsPassed><cm:rate>50</cm:rate>
  <cm:className>gold</cm:className><cm:ip><cm:v4>192.0.2.1</cm:v4><cm:v4>192.0.2.2</cm:v4></cm:ip></IPDR>
</IPDRDoc>
"""
NAMES = {"service": "CmMac", "startTime": "From", "endTime": "To", "octets": "octetsPassed", "mbps": "rate"}


class TestOtherDefinitions:
    """Records of another service definition than ours."""

    @pytest.fixture
    async def explained(self, laid: Laid, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
        port = Port(laid.store, settings)
        routes = partial(ipdr_routes, names={"nms": NAMES})
        async with routed(endpoint(IPDR_BASE, routes, port, settings), settings, IPDR_BASE) as client:
            yield client

    async def test_what_the_settings_explain_is_usage_and_the_rest_is_kept(
        self, explained: httpx.AsyncClient, mint: Mint, laid: Laid
    ) -> None:
        answer = await post(explained, mint, SAMIS.encode())
        assert answer.status_code == 201, answer.text
        assert [each["usageId"] for each in answer.json()["usage"]] == ["cmts-1/77/4"]
        [[octets, mbps, service, record]] = await laid.rows(
            "MATCH (u:Usage)-[:USED_BY]->(s:Service) RETURN u.octets, u.mbps, s.id, u.record"
        )
        assert (octets, mbps, service) == (7, 50, "service-a")
        assert orjson.loads(record) == {
            "usageSpecification": {"id": "{urn:vendor:docsis}SAMIS", "name": "SAMIS"},
            "usageCharacteristic": [
                {"name": "className", "value": "gold"},
                {"name": "ip", "value": {"v4": ["192.0.2.1", "192.0.2.2"]}},
            ],
        }

    async def test_what_nobody_has_explained_is_refused_with_what_it_lacks(
        self, client: httpx.AsyncClient, mint: Mint, laid: Laid
    ) -> None:
        answer = await post(client, mint, SAMIS.encode())
        assert answer.status_code == 400
        message = answer.json()["message"]
        assert "Line 4: The record is of another service definition (SAMIS): service is missing" in message
        assert "systems.NAME.ipdr" in message
        assert await laid.rows("MATCH (u:Usage) RETURN u.id") == []

    async def test_what_has_no_measure_of_ours_is_kept_and_completed_by_a_later_record(
        self, explained: httpx.AsyncClient, mint: Mint, laid: Laid
    ) -> None:
        poorer = SAMIS
        for gone in (
            "<cm:To>2026-01-31T13:00:00Z</cm:To>",
            "<cm:octetsPassed>7</cm:octetsPassed>",
            "<cm:rate>50</cm:rate>",
        ):
            assert gone in poorer
            poorer = poorer.replace(gone, "")
        assert (await post(explained, mint, poorer.encode())).status_code == 201
        measured = (
            "MATCH (u:Usage)-[:USED_BY]->(s:Service) RETURN u.from = u.to, u.to - u.from, u.octets, u.mbps, u.record"
        )
        [[is_moment, _, octets, mbps, record]] = await laid.rows(measured)
        assert (is_moment, octets, mbps) == (True, None, None)
        assert {"name": "From", "value": "2026-01-31T12:00:00Z"} in orjson.loads(record)["usageCharacteristic"]
        assert (await post(explained, mint, SAMIS.encode())).status_code == 201
        [[_, span, octets, mbps, _]] = await laid.rows(measured)
        assert (span, octets, mbps) == (3_600_000, 7, 50)

    async def test_one_that_has_ours_and_more_needs_no_explanation(
        self, client: httpx.AsyncClient, mint: Mint, laid: Laid
    ) -> None:
        wider = document(
            1,
            but={
                'xsi:type="BandwidthInterval"': 'xsi:type="w:Wide" xmlns:w="urn:w"',
                "</ipdr:IPDR>": '<w:vlan xmlns:w="urn:w">7</w:vlan></ipdr:IPDR>',
            },
        )
        assert (await post(client, mint, wider)).status_code == 201
        [[octets, record]] = await laid.rows("MATCH (u:Usage) RETURN u.octets, u.record")
        assert octets == 9007199254740993
        assert {"name": "vlan", "value": "7"} in orjson.loads(record)["usageCharacteristic"]


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


@pytest.mark.sampled(6)
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
        pytest.param(b"<a/>", "Line 1: The document is a of the namespace without a name; what is taken is IPDRDoc of", id="something else"),
        pytest.param(document(but={"/namespaces/IPDR": "/namespaces/Ipdr"}), "Line 2: The document is IPDRDoc of the namespace http://www.ipdr.org/namespaces/Ipdr", id="a third namespace"),
        pytest.param(document(1, but={"<ipdr:IPDR ": '<low:IPDR xmlns:low="http://www.ipdr.org/namespaces/ipdr" ', "</ipdr:IPDR>": "</low:IPDR>"}), "Line 5: IPDR is of the namespace http://www.ipdr.org/namespaces/ipdr, and the document is of http://www.ipdr.org/namespaces/IPDR", id="two namespaces mixed"),
        pytest.param(document(0), "There are 0 records", id="no record"),
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
    with pytest.raises(Malformed, match="There are 501 records; 1 to 500"):
        decode(document(MOST_TOGETHER + 1), (), names={}, most_bytes=1_000_000)
    assert len(decode(document(MOST_TOGETHER), (), names={}, most_bytes=1_000_000)[1]) == MOST_TOGETHER


async def test_only_xml_and_only_by_who_may(client: httpx.AsyncClient, mint: Mint) -> None:
    assert (
        await client.post(
            "/document", content=b"{}", headers={**mint.bearer(METER), "Content-Type": "application/json"}
        )
    ).status_code == 415
    for role in ("system:other", "analyst"):
        assert (await post(client, mint, document(), role)).status_code == 403
    assert (await client.get("/document", headers=mint.bearer(METER))).status_code == 405
