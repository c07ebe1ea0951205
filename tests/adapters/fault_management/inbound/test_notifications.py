from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from lxml import etree
from structlog.testing import capture_logs

from adapters.fault_management.inbound.alarms import BASE
from adapters.soap.elements import tag
from adapters.xml.parser import read_xml
from gateway.settings.settings import Settings
from graph.changes.policy import Hearing
from graph.errors import StoreUnavailable
from graph.store.store import Store
from tests.adapters.endpoint.composed import Port, application, calling, notifying
from tests.adapters.fault_management.alarms.published import faults
from tests.adapters.fault_management.alarms.test_record import LOSS, OLDER, OWN, TCA, VENDORS
from tests.gateway.conftest import Mint
from tests.graph.changes.network import NAME, POLICY, Laid, lay

XML = {"Content-Type": "text/xml; charset=utf-8"}
ALARM = VENDORS[VENDORS.index("<a:alarm>") : VENDORS.index("</a:alarm>") + len("</a:alarm>")]
KEY = "trunk-1||LOS"
HEARD = replace(POLICY, fault_management=Hearing(name="noc"))


def alarm(
    target: str = "trunk-1",
    severity: str = "MAJOR",
    minute: int = 0,
    *,
    number: str = "",
    more: str = "",
    late: str = "",
) -> str:
    told = f"<c:notificationId>{number}</c:notificationId>" if number else ""
    return (
        f"<a:alarm>{told}<c:sourceTime>2026-03-01T12:{minute:02}:00Z</c:sourceTime>{more}"
        f"<e:objectName><m:rdn><m:type>TL</m:type><m:value>{target}</m:value></m:rdn></e:objectName>"
        "<a:probableCause><p:probableCause>LOS</p:probableCause></a:probableCause>"
        f"<a:perceivedSeverity>{severity}</a:perceivedSeverity>{late}</a:alarm>"
    )


def message(*alarms: str, sender: str = "ems") -> bytes:
    return VENDORS.replace(ALARM, "".join(alarms)).replace(">ems-1<", f">{sender}<").encode()


def acknowledgement(*targets: str, verb: str = "acknowledge", note: str = "") -> bytes:
    ids = "".join(
        f"<t:alarmOrTcaId><t:alarmId><i:objectName><m:rdn><m:type>TL</m:type><m:value>{each}</m:value></m:rdn></i:objectName>"
        "<i:probableCause><p:probableCause>LOS</p:probableCause></i:probableCause></t:alarmId></t:alarmOrTcaId>"
        for each in targets
    )
    mtop = "http://www.tmforum.org/mtop"
    return (
        VENDORS[: VENDORS.index("<n:notify")]
        + f'<h:{verb}AlarmsRequest xmlns:h="{mtop}/rtm/xsd/ah/v1" xmlns:i="{mtop}/nra/xsd/alarmid/v1" '
        f'xmlns:t="{mtop}/nra/xsd/atcaid/v1" xmlns:m="{mtop}/fmw/xsd/nam/v1" xmlns:p="{mtop}/nra/xsd/prc/v1">'
        f"<h:{verb}IdList>{ids}</h:{verb}IdList><h:username>ann</h:username>"
        f"{f'<h:notepad>{note}</h:notepad>' if note else ''}</h:{verb}AlarmsRequest></soap:Body></soap:Envelope>"
    ).encode()


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await lay(empty_store)
    return Laid(store=empty_store)


@pytest.fixture
async def port(laid: Laid, settings: Settings) -> Port:
    port = Port(laid.store, settings)
    port.policy = POLICY
    return port


@pytest.fixture
async def client(port: Port, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with notifying(port, settings) as client:
        yield client


@pytest.fixture
def ems(mint: Mint) -> dict[str, str]:
    return {**XML, **mint.bearer("system:ems")}


async def alarms(laid: Laid) -> list[dict[str, Any]]:
    text = (
        "MATCH (a:Alarm) RETURN a.id, a.externalAlarmId, a.state, a.perceivedSeverity, a.ackState, a._version, "
        "a.sourceSystemId, a.record, HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(o) RETURN o.id }) ORDER BY a.id"
    )
    names = ("id", "external", "state", "severity", "ack", "version", "source", "record", "object")
    return [dict(zip(names, row, strict=True)) for row in await laid.rows(text)]


def refusal(answer: httpx.Response) -> tuple[int, str, str, str, int | None]:
    """The status, who is to blame, our code, the sentence and the line."""
    content = read_xml(answer.content).find(f"{tag('soap:Body')}/{tag('soap:Fault')}")
    assert content is not None
    detail = content.find(f"detail/{tag('trk:fault')}")
    assert detail is not None
    line = detail.findtext(tag("trk:line"))
    text = content.findtext("faultstring") or ""
    assert detail.findtext(tag("trk:reason")) == text
    code = (content.findtext("faultcode") or "").partition(":")[2]
    return answer.status_code, code, detail.findtext(tag("trk:code")) or "", text, int(line) if line else None


async def test_an_alarm_has_the_effects_and_tickets_of_any_other(
    client: httpx.AsyncClient, laid: Laid, ems: dict[str, str]
) -> None:
    answer = await client.post("/alarms", content=message(alarm()), headers=ems)
    assert (answer.status_code, answer.content) == (202, b"")
    [found] = await alarms(laid)
    assert (found["source"], found["external"], found["object"]) == ("ems", KEY, "trunk-1")
    assert (found["state"], found["severity"], found["ack"]) == ("raised", "major", "unacknowledged")
    assert (await laid.effects())["service-b"] == ("down", [["down", "major"]])
    assert {key.partition(":")[2] for key in await laid.tickets()} == {"customer-a", "customer-b"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-7", "cp037", "iso-8859-1"])
async def test_what_is_not_in_utf_8_is_refused(
    client: httpx.AsyncClient, laid: Laid, ems: dict[str, str], encoding: str
) -> None:
    declared = f"<?xml version='1.0' encoding='{encoding}'?>" + message(alarm()).decode().partition("?>")[2]
    for body in (declared.encode(encoding), declared.encode()):
        status, who, code, text, _ = refusal(await client.post("/alarms", content=body, headers=ems))
        assert (status, who, code) == (500, "Client", "BAD_USER_INPUT"), text
    answer = await client.post(
        "/alarms", content=message(alarm()), headers=ems | {"Content-Type": f"text/xml; charset={encoding}"}
    )
    assert answer.status_code == 415
    assert await alarms(laid) == []


async def test_the_example_of_the_page_is_true(client: httpx.AsyncClient, laid: Laid, mint: Mint) -> None:
    page = (Path(__file__).parents[4] / "docs" / "fault-management.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```xml\n(.*?)```", page, re.DOTALL)
    headers = {**XML, **mint.bearer("system:nms")}
    answer = await client.post("/alarms", content=example.encode(), headers=headers)
    assert (answer.status_code, answer.content) == (202, b"")
    assert [(each["source"], each["object"], each["severity"]) for each in await alarms(laid)] == [
        ("nms-1", "trunk-1", "major")
    ]


async def test_it_is_raised_changed_cleared_and_comes_back_as_one_alarm(
    client: httpx.AsyncClient, laid: Laid, ems: dict[str, str]
) -> None:
    story = [("MAJOR", 0), ("CRITICAL", 1), ("CLEARED", 2), ("MAJOR", 3)]
    for severity, minute in story:
        assert (
            await client.post("/alarms", content=message(alarm("trunk-1", severity, minute)), headers=ems)
        ).is_success
    [found] = await alarms(laid)
    assert (found["state"], found["severity"], found["version"]) == ("raised", "major", 4)
    kinds = [kind for _, _, kind, _ in await laid.events() if kind.startswith("Alarm")]
    assert kinds == ["AlarmRaised", "AlarmUpdated", "AlarmCleared", "AlarmReopened"]
    # What was long under way changes nothing.
    assert (await client.post("/alarms", content=message(alarm("trunk-1", "CLEARED", 1)), headers=ems)).is_success
    assert (await alarms(laid))[0]["version"] == 4


async def test_when_it_was_raised_is_kept_over_its_changes(
    client: httpx.AsyncClient, laid: Laid, ems: dict[str, str]
) -> None:
    for severity, minute in (("MAJOR", 0), ("CRITICAL", 1), ("CLEARED", 2)):
        await client.post("/alarms", content=message(alarm("trunk-1", severity, minute)), headers=ems)
    [[raised, cleared]] = await laid.rows("MATCH (a:Alarm) RETURN a.raisedAt, a.clearedAt")
    assert cleared - raised == 120_000


async def test_the_name_by_which_its_source_knows_a_thing_leads_to_it(
    client: httpx.AsyncClient, laid: Laid, ems: dict[str, str]
) -> None:
    await client.post("/alarms", content=message(alarm(NAME)), headers=ems)
    assert [each["object"] for each in await alarms(laid)] == ["card-1"]


async def test_the_same_notification_again_is_not_taken_twice(
    client: httpx.AsyncClient, laid: Laid, ems: dict[str, str]
) -> None:
    first = message(alarm(number="17"))
    for _ in range(3):
        assert (await client.post("/alarms", content=first, headers=ems)).status_code == 202
    await client.post("/alarms", content=message(alarm("trunk-1", "CLEARED", 1, number="18")), headers=ems)
    assert (await client.post("/alarms", content=first, headers=ems)).status_code == 202
    [found] = await alarms(laid)
    assert (found["state"], found["version"]) == ("cleared", 2)
    # Ids begin anew some day; what is said under them is another thing then.
    await client.post("/alarms", content=message(alarm("trunk-1", "MAJOR", 2, number="17")), headers=ems)
    assert [each["state"] for each in await alarms(laid)] == ["raised"]


async def test_an_alarm_is_taken_whatever_event_is_beside_it(
    client: httpx.AsyncClient, laid: Laid, ems: dict[str, str]
) -> None:
    for number, other in enumerate((TCA, OWN)):
        sent = await client.post("/alarms", content=message(other, alarm(f"trunk-{number + 1}"), other), headers=ems)
        assert sent.status_code == 202
    assert {each["object"] for each in await alarms(laid)} == {"trunk-1", "trunk-2"}


async def test_that_events_were_lost_is_logged_and_counted(
    client: httpx.AsyncClient, laid: Laid, ems: dict[str, str]
) -> None:
    with capture_logs() as logs:
        sent = await client.post("/alarms", content=message(LOSS, alarm()), headers=ems)
    assert sent.status_code == 202
    assert len(await alarms(laid)) == 1
    [lost] = [each for each in logs if each["event"] == "a fault manager lost events"]
    assert (lost["sender"], lost["since"], lost["first"]) == ("ems", "2026-03-01T11:59:00Z", "4700")
    assert "EVENTS_LOST" in [each.get("code") for each in logs if each["event"] == "request"]


async def test_many_at_once_make_one_alarm(client: httpx.AsyncClient, laid: Laid, ems: dict[str, str]) -> None:
    body = message(alarm(number="1"))
    answers = await asyncio.gather(*(client.post("/alarms", content=body, headers=ems) for _ in range(8)))
    assert {each.status_code for each in answers} <= {202}
    assert [each["version"] for each in await alarms(laid)] == [1]


async def test_several_alarms_of_one_message_are_taken_and_a_broken_one_keeps_all_out(
    client: httpx.AsyncClient, laid: Laid, ems: dict[str, str]
) -> None:
    broken = message(alarm("trunk-1"), "\n", alarm("x" * 1_100))
    status, who, code, text, line = refusal(await client.post("/alarms", content=broken, headers=ems))
    assert (status, who, code, line) == (500, "Client", "BAD_USER_INPUT", 12)
    assert "alarmedObject.id: has 1100 characters" in text
    assert await alarms(laid) == []
    await client.post("/alarms", content=message(alarm("trunk-1"), alarm("trunk-2")), headers=ems)
    assert {each["object"] for each in await alarms(laid)} == {"trunk-1", "trunk-2"}


async def test_who_takes_note_there_has_taken_note_here(
    client: httpx.AsyncClient, laid: Laid, ems: dict[str, str]
) -> None:
    await client.post("/alarms", content=message(alarm()), headers=ems)
    for verb, state in (("acknowledge", "acknowledged"), ("unacknowledge", "unacknowledged")) * 2:
        body = acknowledgement("trunk-1", "trunk-none", verb=verb)
        answer = await client.post("/alarms", content=body, headers=ems)
        assert answer.status_code == 200
        root = read_xml(answer.content)
        [content] = root.iterfind(f"{tag('soap:Body')}/*")
        assert etree.QName(content).localname == f"{verb}AlarmsResponse"
        assert [each.text for each in content.iter(tag("nam:value"))] == ["trunk-none"]
        assert (await alarms(laid))[0]["ack"] == state
        if state == "acknowledged":
            assert faults(content) == []


async def test_the_system_that_is_told_takes_note_of_alarms_of_others_by_our_id(
    client: httpx.AsyncClient, port: Port, laid: Laid, mint: Mint, ems: dict[str, str]
) -> None:
    await client.post("/alarms", content=message(alarm()), headers=ems)
    [found] = await alarms(laid)
    qualified = acknowledgement("trunk-1").replace(
        b"</p:probableCause></i:probableCause>",
        f"</p:probableCause></i:probableCause><i:probableCauseQualifier>{found['id']}</i:probableCauseQualifier>".encode(),
    )
    noc = {**XML, **mint.bearer("system:noc")}
    for policy, state in ((POLICY, "unacknowledged"), (HEARD, "acknowledged")):
        port.policy = policy
        answer = await client.post("/alarms", content=qualified, headers=noc)
        assert answer.status_code == 200
        assert (b"failedAcknowledgeIdList" in answer.content) is (state == "unacknowledged")
        assert (await alarms(laid))[0]["ack"] == state


async def test_an_alarm_that_says_it_is_acknowledged_is(
    client: httpx.AsyncClient, laid: Laid, ems: dict[str, str]
) -> None:
    said = "<a:acknowledgeIndication>ACKNOWLEDGED</a:acknowledgeIndication>"
    await client.post("/alarms", content=message(alarm()), headers=ems)
    await client.post("/alarms", content=message(alarm(minute=1, late=said)), headers=ems)
    assert [each["ack"] for each in await alarms(laid)] == ["acknowledged"]


async def test_what_is_on_the_notepad_is_a_comment_once(
    client: httpx.AsyncClient, laid: Laid, ems: dict[str, str]
) -> None:
    await client.post("/alarms", content=message(alarm()), headers=ems)
    for _ in range(2):
        await client.post("/alarms", content=acknowledgement("trunk-1", note="on my way"), headers=ems)
    [comment] = orjson.loads((await alarms(laid))[0]["record"])["comment"]
    assert (comment["comment"], comment["userId"], comment["systemId"]) == ("on my way", "ann", "ems")


async def test_the_record_is_read_over_tmf642_with_its_extension(
    client: httpx.AsyncClient, port: Port, settings: Settings, mint: Mint, ems: dict[str, str]
) -> None:
    await client.post("/alarms", content=VENDORS.encode(), headers=ems)
    async with calling(application(port, settings), settings) as reading:
        [found] = (await reading.get("/alarm", headers=mint.bearer("operator"))).json()
        assert (found["@type"], found["sourceSystemId"]) == ("X733Alarm", "ems")
        assert found["x733"]["trendIndication"] == "moreSevere"
        assert found["x733"]["vendorExtensions"] == ['<v:shelf xmlns:v="urn:vendor" row="3">A</v:shelf>']
        reading.event_hooks = {}
        schema = await reading.get(found["@schemaLocation"].removeprefix(BASE), headers=mint.bearer())
        assert schema.json()["title"] == found["@type"]


@pytest.mark.parametrize(
    ("headers", "role", "told"),
    [
        pytest.param(
            {"Content-Type": "application/json"}, "system:ems", (415, "Client", "UNSUPPORTED_MEDIA_TYPE"), id="json"
        ),
        pytest.param(XML, "analyst", (500, "Client", "FORBIDDEN"), id="a role that changes nothing"),
        pytest.param(XML, "system:nms", (500, "Client", "BAD_USER_INPUT"), id="two sources, and none is named"),
    ],
)
async def test_a_caller_is_told_no_in_soap(
    client: httpx.AsyncClient, mint: Mint, headers: dict[str, str], role: str, told: tuple[int, str, str]
) -> None:
    answer = await client.post("/alarms", content=message(alarm()), headers={**headers, **mint.bearer(role)})
    assert refusal(answer)[:3] == told


async def test_of_two_sources_the_header_says_which(client: httpx.AsyncClient, laid: Laid, mint: Mint) -> None:
    headers = {**XML, **mint.bearer("system:nms")}
    await client.post("/alarms", content=message(alarm(), sender="nms-3"), headers=headers)
    assert [each["source"] for each in await alarms(laid)] == ["nms-3"]


async def test_nobody_speaks_for_another(client: httpx.AsyncClient, laid: Laid, ems: dict[str, str]) -> None:
    extension = (
        '<c:vendorExtensions><t:alarm xmlns:t="urn:trunkline:alarm:1">'
        '<t:members>{"sourceSystemId":"nms-1"}</t:members></t:alarm></c:vendorExtensions>'
    )
    body = message(alarm("trunk-2"), alarm(more=extension))
    assert refusal(await client.post("/alarms", content=body, headers=ems))[:3] == (500, "Client", "FORBIDDEN")
    assert await alarms(laid) == []


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "no root element", id="nothing"),
        pytest.param(b"hello", "no root element", id="no XML"),
        pytest.param(message(alarm())[:-30], "Line", id="half of it"),
        pytest.param(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "DOCTYPE", id="a document type"),
        pytest.param(b"<a>" * 5_000, "64 levels", id="very deep"),
        pytest.param(message(alarm(severity="AWFUL")), "perceivedSeverity", id="a word that there is not"),
        pytest.param(message(alarm() * 201), "at most 200 alarms", id="too many alarms"),
        pytest.param(b"<a/>", "no SOAP 1.1 envelope", id="no envelope"),
        pytest.param(OLDER.encode(), "Line 3: notify of the namespace 'tmf854.v1' is no message", id="MTOSI 1"),
        pytest.param(b"\xff\xfe\x00\x00", "", id="bytes"),
    ],
)
async def test_what_cannot_be_read_is_refused_with_a_sentence(
    client: httpx.AsyncClient, laid: Laid, ems: dict[str, str], body: bytes, reason: str
) -> None:
    status, who, code, text, _ = refusal(await client.post("/alarms", content=body, headers=ems))
    assert (status, who, code) == (500, "Client", "BAD_USER_INPUT")
    assert reason in text
    assert await alarms(laid) == []


async def test_a_message_has_an_end(client: httpx.AsyncClient, ems: dict[str, str]) -> None:
    body = message(alarm(), "<!--" + "x" * 1_100_000 + "-->")
    assert refusal(await client.post("/alarms", content=body, headers=ems))[:3] == (413, "Client", "PAYLOAD_TOO_LARGE")


async def test_while_the_database_is_away_the_message_may_be_sent_again(
    client: httpx.AsyncClient, port: Port, ems: dict[str, str]
) -> None:
    port.open = StoreUnavailable("It is away")
    answer = await client.post("/alarms", content=message(alarm()), headers=ems)
    assert refusal(answer)[:3] == (503, "Server", "STORE_UNAVAILABLE")
    assert int(answer.headers["retry-after"]) >= 1


async def test_another_path_or_method_is_a_fault_too(client: httpx.AsyncClient, ems: dict[str, str]) -> None:
    assert refusal(await client.get("/alarms", headers=ems))[:3] == (405, "Client", "METHOD_NOT_ALLOWED")
    assert refusal(await client.post("/other", headers=ems))[:3] == (500, "Client", "NOT_FOUND")
