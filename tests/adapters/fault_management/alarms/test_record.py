from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from jsonschema import Draft7Validator
from lxml import etree

import adapters.fault_management.alarms
from adapters.errors import Malformed
from adapters.fault_management.alarms.messages import (
    Acknowledgement,
    EventLoss,
    Notification,
    acknowledged,
    notify,
    read_message,
)
from adapters.fault_management.alarms.read import plain
from adapters.fault_management.alarms.record import over
from adapters.fault_management.alarms.terms import ALARM, CARRIED
from adapters.fault_management.alarms.words import CAUSES
from adapters.fault_management.alarms.write import write_alarm
from adapters.fault_management.alarms.x733 import MEMBER, SUBCLASS, extension_of
from adapters.fault_management.inbound.codec import decode
from adapters.fault_management.inbound.shape import FIELDS
from adapters.soap.elements import tag
from adapters.soap.envelope import read_envelope
from adapters.soap.faults import fault, fault_in
from adapters.tmf.tmf630 import read_time
from tests.adapters.endpoint.bodies import FULL, LEAST
from tests.adapters.fault_management.alarms.made import bodies
from tests.adapters.fault_management.alarms.published import faults
from tests.selection import examples

SCHEMAS = Path(adapters.fault_management.alarms.__file__).parent / "schemas"
NOW = "2026-03-01T12:00:00Z"
VENDORS = """
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">
<soap:Header><hdr:header xmlns:hdr="http://www.tmforum.org/mtop/fmw/xsd/hdr/v1"><hdr:activityName>notify</hdr:activityName>
<hdr:msgName>notify</hdr:msgName><hdr:msgType>NOTIFICATION</hdr:msgType><hdr:senderURI>ems-1</hdr:senderURI>
<hdr:communicationPattern>Notification</hdr:communicationPattern><hdr:timestamp>2026-03-01T12:00:01Z</hdr:timestamp>
</hdr:header></soap:Header><soap:Body>
<n:notify xmlns:n="http://www.tmforum.org/mtop/fmw/xsd/notmsg/v1" xmlns:a="http://www.tmforum.org/mtop/nra/xsd/alm/v1"
 xmlns:c="http://www.tmforum.org/mtop/fmw/xsd/cei/v1" xmlns:e="http://www.tmforum.org/mtop/fmw/xsd/ei/v1"
 xmlns:m="http://www.tmforum.org/mtop/fmw/xsd/nam/v1" xmlns:g="http://www.tmforum.org/mtop/fmw/xsd/gen/v1"
 xmlns:p="http://www.tmforum.org/mtop/nra/xsd/prc/v1" xmlns:o="http://www.tmforum.org/mtop/nra/xsd/com/v1"
 xmlns:r="http://www.tmforum.org/mtop/fmw/xsd/cornot/v1">
<n:topic>Fault</n:topic><n:message><a:alarm>
<c:notificationId>4711</c:notificationId><c:sourceTime>2026-03-01T13:00:00.5+01:00</c:sourceTime>
<c:vendorExtensions><v:shelf xmlns:v="urn:vendor" row="3">A</v:shelf></c:vendorExtensions>
<e:objectType>EQUIPMENT</e:objectType>
<e:objectName><m:rdn><m:type>MD</m:type><m:value>north</m:value></m:rdn><m:rdn><m:type>ME</m:type><m:value>W1/2</m:value></m:rdn></e:objectName>
<e:osTime>2026-03-01T12:00:01Z</e:osTime><a:isEdgePointRelated>false</a:isEdgePointRelated><a:isClearable>1</a:isClearable>
<a:aliasNameList><g:alias><g:aliasName>nativeEMSName</g:aliasName><g:aliasValue>shelf 1</g:aliasValue></g:alias></a:aliasNameList>
<a:layerRate>LR_Optical_Channel</a:layerRate>
<a:probableCause qualifier="port 3"><p:ru>true</p:ru><p:probableCause>LOS</p:probableCause></a:probableCause>
<a:nativeProbableCause>no light</a:nativeProbableCause><a:additionalText>Größe &lt;3&gt;</a:additionalText>
<a:perceivedSeverity>MAJOR</a:perceivedSeverity>
<a:affectedPtpRefList><m:name><m:rdn><m:type>PTP</m:type><m:value>3</m:value></m:rdn></m:name></a:affectedPtpRefList>
<a:serviceAffecting>UNKNOWN</a:serviceAffecting><a:rootCauseAlarmIndication>true</a:rootCauseAlarmIndication>
<a:acknowledgeIndication>UNACKNOWLEDGED</a:acknowledgeIndication><a:X733_EventType>qualityofServiceAlarm</a:X733_EventType>
<a:X733_SpecificProblems><o:specificProblem>one</o:specificProblem><o:specificProblem>two</o:specificProblem></a:X733_SpecificProblems>
<a:X733_BackedUpStatus>BACKED_UP</a:X733_BackedUpStatus>
<a:X733_BackUpObjectRef><m:rdn><m:type>EQ</m:type><m:value>8</m:value></m:rdn></a:X733_BackUpObjectRef>
<a:X733_TrendIndication>MORE_SEVERE</a:X733_TrendIndication>
<a:X733_CorrelatedNotificationList><r:correlatedNotifications><r:name><m:rdn><m:type>ME</m:type><m:value>W2</m:value></m:rdn></r:name>
<r:notifIds><g:notificationId>4710</g:notificationId></r:notifIds></r:correlatedNotifications></a:X733_CorrelatedNotificationList>
<a:X733_MonitoredAttributeList><g:nvs><g:name>power</g:name><g:value>-31 dBm</g:value></g:nvs></a:X733_MonitoredAttributeList>
<a:X733_ProposedRepairActionList><o:proposedRepairAction>clean</o:proposedRepairAction>
<o:proposedRepairAction>replace</o:proposedRepairAction></a:X733_ProposedRepairActionList>
<a:X733_AdditionalInformation><g:nv><g:name>raw</g:name><v:raw xmlns:v="urn:vendor">7</v:raw></g:nv></a:X733_AdditionalInformation>
</a:alarm></n:message></n:notify></soap:Body></soap:Envelope>
""".strip()


def through(body: dict[str, Any]) -> Any:
    """The record of an alarm after it was written, sent and read."""
    text = notify([write_alarm(body)], sender="trunkline", correlation_id="1", timestamp=NOW)
    message = read_message(text)
    assert isinstance(message, Notification)
    [told] = message.alarms
    return told.body


@given(bodies)
@settings(max_examples=examples(300))
def test_whatever_an_alarm_says_it_says_after_it_went_through_mtosi(body: dict[str, Any]) -> None:
    assert orjson.dumps(through(body), option=orjson.OPT_SORT_KEYS) == orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


@given(bodies)
@settings(max_examples=examples(300))
def test_what_we_write_is_valid_as_published(body: dict[str, Any]) -> None:
    assert faults(write_alarm(body)) == []


def test_what_is_not_valid_as_published_would_be_seen() -> None:
    alarm = write_alarm(FULL)
    alarm.append(alarm[0])
    assert faults(alarm) != []


@given(bodies)
def test_what_both_dialects_carry_needs_no_extension(body: dict[str, Any]) -> None:
    alarm = write_alarm(body)
    for extension in alarm.findall(tag("cei:vendorExtensions")):
        alarm.remove(extension)
    understood = plain(alarm)
    cleared = "cleared" in (body["state"], body["perceivedSeverity"])
    for name in CARRIED.keys() & body.keys():
        if is_said_by_mtosi(name, body, cleared=cleared):
            assert _moment(name, understood[name]) == _moment(name, body[name]), name


def is_said_by_mtosi(name: str, body: dict[str, Any], *, cleared: bool) -> bool:
    """Whether MTOSI has a way to say this value: not so for half a word, a second time, or letters that XML has not."""
    match name:
        case "alarmType":
            return str(body[name]) != "mechanismViolation"
        case "perceivedSeverity":
            return not cleared
        case "state":
            return str(body[name]) == ("cleared" if cleared else "raised")
        case "alarmRaisedTime":
            return not cleared and "alarmChangedTime" not in body
        case "alarmClearedTime":
            return cleared
        case "alarmedObject":
            return set(body[name]) == {"id"} and _legal(body[name]["id"])
        case "probableCause":
            return _legal(str(body[name])) and body[name] not in CAUSES
        case _:
            return not isinstance(body[name], str) or _legal(body[name])


def _legal(text: str) -> bool:
    return all(letter in "\t\n\r" or (letter >= " " and letter not in "\ufffe\uffff") for letter in text)


def _moment(name: str, value: Any) -> Any:
    return read_time(value, name) if name.endswith("Time") else value


@pytest.mark.parametrize("body", [LEAST, FULL], ids=["the least", "all that one can"])
def test_alarms_of_fault_managers_come_back_whole(body: dict[str, Any]) -> None:
    assert through(body) == body


def test_a_vendors_alarm_is_read_to_the_last_word() -> None:
    message = read_message(VENDORS.encode())
    assert isinstance(message, Notification)
    [told] = message.alarms
    assert message.sender == "ems-1"
    assert (told.notification_id, told.is_dated, told.line) == ("4711", False, 11)
    assert told.body == {
        "externalAlarmId": "MD=north;ME=W1/2|LR_Optical_Channel|LOS|port 3",
        "alarmedObject": {"id": "MD=north;ME=W1/2"},
        "alarmedObjectType": "EQUIPMENT",
        "alarmType": "qualityOfServiceAlarm",
        "perceivedSeverity": "major",
        "probableCause": "lossOfSignal",
        "specificProblem": "one",
        "state": "raised",
        "ackState": "unacknowledged",
        "alarmRaisedTime": "2026-03-01T13:00:00.5+01:00",
        "alarmReportingTime": "2026-03-01T12:00:01Z",
        "alarmDetails": "Größe <3>",
        "isRootCause": True,
        "proposedRepairedActions": "clean\nreplace",
        **SUBCLASS,
        MEMBER: {
            "notificationIdentifier": "4711",
            "objectName": [{"type": "MD", "value": "north"}, {"type": "ME", "value": "W1/2"}],
            "isEdgePointRelated": False,
            "isClearable": True,
            "aliases": [{"name": "nativeEMSName", "value": "shelf 1"}],
            "layerRate": {"value": "LR_Optical_Channel"},
            "probableCause": {"word": "LOS", "ru": True, "qualifier": "port 3"},
            "nativeProbableCause": "no light",
            "affectedObjects": [[{"type": "PTP", "value": "3"}]],
            "serviceAffecting": "UNKNOWN",
            "specificProblems": ["one", "two"],
            "backedUpStatus": "backedUp",
            "backUpObject": [{"type": "EQ", "value": "8"}],
            "trendIndication": "moreSevere",
            "correlatedNotifications": [{"name": [{"type": "ME", "value": "W2"}], "notificationIdentifiers": ["4710"]}],
            "monitoredAttributes": [{"name": "power", "value": "-31 dBm"}],
            "proposedRepairActions": ["clean", "replace"],
            "additionalInformation": [{"name": "raw", "xml": '<v:raw xmlns:v="urn:vendor">7</v:raw>'}],
            "vendorExtensions": ['<v:shelf xmlns:v="urn:vendor" row="3">A</v:shelf>'],
        },
    }
    assert decode({**told.body, "sourceSystemId": "ems-1"}).record == {**told.body, "sourceSystemId": "ems-1"}
    schema = orjson.loads((SCHEMAS / "x733-alarm.json").read_bytes())
    assert [*Draft7Validator(schema).iter_errors(told.body)] == []


def test_a_vendors_alarm_goes_out_as_it_came_without_any_extension_of_ours() -> None:
    envelope = read_envelope(VENDORS.encode(), most_bytes=100_000)
    assert faults(envelope.content) == []
    [alarm] = envelope.content.iter(tag("alm:alarm"))
    again = write_alarm(plain(alarm))
    assert again.findall(f".//{tag('trk:alarm')}") == []
    assert said(again) == {**said(alarm), tag("alm:isClearable"): ["true"]}


def said(alarm: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in alarm.iter():
        attributes = [f"{name}={value}" for name, value in sorted(each.attrib.items())]
        found.setdefault(each.tag, []).extend(
            [(each.text or "").strip(), *attributes][0 if (each.text or "").strip() else 1 :]
        )
    return found


def test_the_order_of_the_elements_is_the_published_one() -> None:
    envelope = read_envelope(VENDORS.encode(), most_bytes=100_000)
    [alarm] = envelope.content.iter(tag("alm:alarm"))
    assert [each.tag for each in alarm] == [tag(each) for each in ALARM], "the vendor's alarm has every element"


def test_the_table_names_fields_and_elements_that_there_are() -> None:
    assert CARRIED.keys() <= FIELDS.keys()
    assert set(CARRIED.values()) <= set(ALARM)


@pytest.mark.parametrize(
    ("was", "becomes", "reason"),
    [
        pytest.param("MAJOR", "AWFUL", "Line 21: Element 'perceivedSeverity'", id="a word that there is not"),
        pytest.param("+01:00<", "<", "Line 12: Element 'sourceTime'", id="a time without a zone"),
        pytest.param("<m:value>north</m:value>", "", "Line 15: Element 'rdn'", id="half a name"),
        pytest.param("qualityofServiceAlarm", "bad mood", "Line 11: X733_EventType is none", id="a type of nobody"),
        pytest.param("<a:additionalText>", "<b>", "Line 20: ", id="a tag that nothing ends"),
        pytest.param(
            "n:notify",
            "a:other",
            "Line 6: other of the namespace 'http://www.tmforum.org/mtop/nra/xsd/alm/v1' is no message",
            id="another message",
        ),
        pytest.param(
            "alm/v1",
            "alm/v0",
            "Line 11: alarm of the namespace 'http://www.tmforum.org/mtop/nra/xsd/alm/v0' is not taken here",
            id="an alarm of another version",
        ),
        pytest.param("<soap:Envelope", "<!DOCTYPE x><soap:Envelope", "Line 1: A document type", id="a document type"),
        pytest.param("soap/envelope/", "soap/other/", "Line 1: The message is no SOAP 1.1 envelope", id="no envelope"),
        pytest.param("NOTIFICATION", "GOSSIP", "Line 3: Element 'msgType'", id="a header that is none"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(was: str, becomes: str, reason: str) -> None:
    assert was in VENDORS
    with pytest.raises(Malformed) as caught:
        read_message(VENDORS.replace(was, becomes).encode())
    assert reason in str(caught.value)


def test_members_of_the_extension_that_are_no_object_are_refused() -> None:
    text = VENDORS.replace(
        "<v:shelf", '<t:alarm xmlns:t="urn:trunkline:alarm:1"><t:members>[7]</t:members></t:alarm><v:shelf'
    )
    with pytest.raises(Malformed, match="Line 13: members of the extension alarm holds no JSON object"):
        read_message(text.encode())


def test_a_heartbeat_tells_of_no_alarm() -> None:
    beat = '<h:heartbeat xmlns:h="http://www.tmforum.org/mtop/fmw/xsd/hbt/v1"/>'
    text = VENDORS[: VENDORS.index("<a:alarm>")] + beat + VENDORS[VENDORS.index("</n:message>") :]
    message = read_message(text.encode())
    assert isinstance(message, Notification)
    assert message.alarms == ()


TCA = (
    '<t:thresholdCrossingAlert xmlns:t="http://www.tmforum.org/mtop/nra/xsd/tca/v1"><c:sourceTime>a time without a zone'
    "</c:sourceTime><e:objectName/><t:pmParameterName>PMP_ES</t:pmParameterName></t:thresholdCrossingAlert>"
)
LOSS = (
    '<l:eventLossOccured xmlns:l="http://www.tmforum.org/mtop/fmw/xsd/elo/v1"><c:sourceTime>2026-03-01T12:00:00Z'
    "</c:sourceTime><l:startTime>2026-03-01T11:59:00Z</l:startTime><l:firstEventLostNotificationId>4700"
    "</l:firstEventLostNotificationId></l:eventLossOccured>"
)
OWN = '<v:mood xmlns:v="urn:vendor">good</v:mood>'


@pytest.mark.parametrize("others", [TCA, OWN, TCA + OWN], ids=["a threshold", "a vendor's", "both"])
def test_an_event_that_is_no_alarm_is_passed_over_and_the_alarm_beside_it_is_taken(others: str) -> None:
    for text in (
        VENDORS.replace("<a:alarm>", f"{others}<a:alarm>"),
        VENDORS.replace("</a:alarm>", f"</a:alarm>{others}"),
    ):
        message = read_message(text.encode())
        assert isinstance(message, Notification)
        assert [each.notification_id for each in message.alarms] == ["4711"]
        assert message.passed == others.count("xmlns:")
        assert message.losses == ()


def test_that_events_were_lost_is_told() -> None:
    message = read_message(VENDORS.replace("<a:alarm>", f"{LOSS}<a:alarm>").encode())
    assert isinstance(message, Notification)
    assert len(message.alarms) == 1
    assert message.losses == (EventLoss(since="2026-03-01T11:59:00Z", first="4700"),)


OLDER = """<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="tmf854.v1">
<soapenv:Header><header><activityName>notify</activityName><timestamp>20260922091606.901+0300</timestamp></header></soapenv:Header>
<soapenv:Body><notify><topic>topic/Fault</topic><message><Alarm/></message></notify></soapenv:Body></soapenv:Envelope>"""


def test_a_message_of_mtosi_1_is_refused_by_its_namespace_and_line() -> None:
    with pytest.raises(Malformed) as caught:
        read_message(OLDER.encode())
    assert str(caught.value).startswith("Line 3: notify of the namespace 'tmf854.v1' is no message that is taken here")
    assert "notify of 'http://www.tmforum.org/mtop/fmw/xsd/notmsg/v1'" in str(caught.value)


def test_elements_of_a_later_version_are_let_through() -> None:
    text = VENDORS.replace("</a:alarm>", '<z:later xmlns:z="urn:later"><z:x/></z:later></a:alarm>')
    message = read_message(text.encode())
    assert isinstance(message, Notification)
    assert len(message.alarms) == 1


def test_an_acknowledgement_names_alarms_as_notifications_do() -> None:
    envelope = read_envelope(VENDORS.encode(), most_bytes=100_000)
    [alarm] = envelope.content.iter(tag("alm:alarm"))
    prefix = VENDORS[: VENDORS.index("<n:notify")]
    name = VENDORS[VENDORS.index("<m:rdn>") : VENDORS.index("</e:objectName>")]
    text = (
        f'{prefix}<h:acknowledgeAlarmsRequest xmlns:h="http://www.tmforum.org/mtop/rtm/xsd/ah/v1" '
        'xmlns:i="http://www.tmforum.org/mtop/nra/xsd/alarmid/v1" xmlns:t="http://www.tmforum.org/mtop/nra/xsd/atcaid/v1" '
        'xmlns:m="http://www.tmforum.org/mtop/fmw/xsd/nam/v1" xmlns:p="http://www.tmforum.org/mtop/nra/xsd/prc/v1">'
        f"<h:acknowledgeIdList><t:alarmOrTcaId><t:alarmId><i:objectName>{name}</i:objectName>"
        "<i:layerRate>LR_Optical_Channel</i:layerRate>"
        "<i:probableCause><p:probableCause>LOS</p:probableCause></i:probableCause>"
        "<i:probableCauseQualifier>port 3</i:probableCauseQualifier></t:alarmId></t:alarmOrTcaId></h:acknowledgeIdList>"
        "<h:username>ann</h:username><h:notepad>on my way</h:notepad></h:acknowledgeAlarmsRequest></soap:Body></soap:Envelope>"
    )
    message = read_message(text.encode())
    assert isinstance(message, Acknowledgement)
    [named] = message.alarms
    assert (named.key, named.qualifier) == (plain(alarm)["externalAlarmId"], "port 3")
    assert (message.user, message.note, message.is_undone) == ("ann", "on my way", False)
    assert faults(read_envelope(text.encode(), most_bytes=100_000).content) == []
    answer = read_envelope(acknowledged(message, [named.element], timestamp=NOW), most_bytes=100_000)
    assert faults(answer.content) == []
    assert etree.QName(answer.content).localname == "acknowledgeAlarmsResponse"


def test_header_and_message_are_valid_as_published() -> None:
    text = notify([write_alarm(FULL)], sender="trunkline", correlation_id="event-1", timestamp=NOW)
    root = etree.fromstring(text)
    [header] = root.iter(tag("hdr:header"))
    [content] = root.iter(tag("notmsg:notify"))
    assert faults(header) == []
    assert faults(content) == []


def test_a_fault_says_who_was_wrong_and_where() -> None:
    told = read_envelope(fault("BAD", "Line 3: no", is_ours=False, line=3), most_bytes=10_000)
    found = fault_in(told.content)
    assert found is not None
    assert (found.is_ours, found.text) == (True, "Line 3: no")
    assert [(etree.QName(each).localname, each.text) for each in told.content.iter("{urn:trunkline:alarm:1}*")][1:] == [
        ("code", "BAD"),
        ("line", "3"),
        ("reason", "Line 3: no"),
    ]


@given(bodies)
def test_an_extension_that_is_ours_is_of_its_published_shape(body: dict[str, Any]) -> None:
    schema = orjson.loads((SCHEMAS / "x733-alarm.json").read_bytes())
    if extension_of(body):
        assert [*Draft7Validator(schema["properties"][MEMBER]).iter_errors(body[MEMBER])] == []


def test_current_values_leave_a_spelling_alone_that_says_the_same() -> None:
    record = {"alarmRaisedTime": "2026-03-01T13:00:00+01:00", "state": "raised", "x": 1}
    values = {"alarmRaisedTime": "2026-03-01T12:00:00Z", "state": "cleared"}
    assert over(record, values) == {**record, "state": "cleared"}
