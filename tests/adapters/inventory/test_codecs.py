"""One record, whichever way it is said."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.errors import Malformed
from adapters.inventory import ResourceOrder, mtosi_resource, tmf639_resource
from adapters.inventory.mtosi_resource import NAMESPACES, TAGS
from adapters.inventory.no_place import NoPlace
from adapters.inventory.outbound.mtosi import update
from adapters.soap.elements import tag
from adapters.soap.envelope import Header, envelope
from adapters.soap.resources import GONE
from adapters.xml.parser import Element, XmlFeed, read_xml
from graph.model.resource import Resource, as_record, entry_of, resource_of
from tests.adapters.inventory.resources import resources
from tests.adapters.schema import REFERENCE, published

MTOSI = "mtosi-2.1/main/DDPs"


def through_tmf639(resource: Resource) -> Resource:
    body = orjson.loads(orjson.dumps({**tmf639_resource.write(resource), "id": resource.name}))
    return tmf639_resource.read(body, removed=resource.removed)


def message(resource: Resource) -> bytes:
    header = Header(
        activity="updateInventory",
        message="updateInventoryRequest",
        kind="REQUEST",
        pattern="SimpleResponse",
        correlation_id="delivery-1",
        timestamp="2026-03-01T12:00:00Z",
    )
    return envelope(header, update(ResourceOrder(ours="card-1", resource=resource)))


def elements(body: bytes, size: int = 65_536) -> list[Resource]:
    """What a feed finds in a document."""
    feed = XmlFeed(TAGS)
    found = []
    for start in range(0, len(body), size):
        found += [mtosi_resource.read(each) for each in feed.feed(body[start : start + size])]
    found += [mtosi_resource.read(each) for each in feed.close()]
    return [each for each in found if each is not None]


@given(resource=resources())
def test_a_resource_is_the_same_whichever_way_it_is_said(resource: Resource) -> None:
    assert through_tmf639(resource) == resource
    assert elements(message(resource)) == [resource]
    assert resource_of(orjson.loads(orjson.dumps(as_record(resource)))) == resource


@given(resource=resources(removed=True))
def test_that_a_resource_is_gone_is_said_in_both(resource: Resource) -> None:
    event = {
        "eventType": "ResourceDeleteEvent",
        "event": {"resource": {**tmf639_resource.write(resource), "id": resource.name}},
    }
    assert tmf639_resource.read_told(event) == resource
    assert elements(message(resource)) == [resource]
    assert GONE in message(resource).decode()


# The published schemas ---------------------------------------------------------------------------------------------


@cache
def schema(path: str) -> etree.XMLSchema:
    folder = os.environ.get(REFERENCE)
    if not folder:
        pytest.skip(f"{REFERENCE} does not name a folder with the published schemas")
    return etree.XMLSchema(etree.parse(Path(folder) / MTOSI / path))


@given(resource=resources(), removed=st.booleans())
def test_what_is_written_is_as_the_published_schema_says(resource: Resource, removed: bool) -> None:  # noqa: FBT001
    if removed:
        resource = resource_of({**as_record(resource), "removed": True})
    root = etree.fromstring(message(resource))
    body = root.find(f".//{tag('riu:updateInventoryRequest')}")
    header = root.find(f".//{tag('hdr:header')}")
    assert body is not None
    assert header is not None
    updates = schema("ManageResourceInventory/IIS/xsd/ResourceInventoryUpdateMessages.xsd")
    assert updates.validate(body), updates.error_log
    headers = schema("Framework/IIS/xsd/HeaderDefinitions.xsd")
    assert headers.validate(header), headers.error_log


@given(resource=resources())
def test_a_tmf639_body_is_as_the_swagger_says(resource: Resource) -> None:
    body = orjson.loads(orjson.dumps({**tmf639_resource.write(resource), "id": "1", "href": "x"}))
    assert [each.message for each in published("Resource", 639).iter_errors(body)] == []


# What is refused ---------------------------------------------------------------------------------------------------

CARD: dict[str, Any] = {"id": "K1", "category": "card"}


@pytest.mark.parametrize(
    ("raw", "field", "reason"),
    [
        ([], "", "an object"),
        ({"category": "card"}, "id", "missing"),
        ({"category": "card", "id": 7}, "id", "no text"),
        ({"category": "card", "id": "x" * 501}, "id", "at most 500"),
        ({**CARD, "name": 7}, "name", "no text"),
        ({**CARD, "operationalState": "working"}, "operationalState", "none of enable"),
        ({**CARD, "resourceCharacteristic": {}}, "resourceCharacteristic", "no list"),
        ({**CARD, "resourceCharacteristic": [7]}, "resourceCharacteristic[0]", "no object"),
        ({**CARD, "resourceCharacteristic": [{"value": 1}]}, "resourceCharacteristic[0]", "no name"),
        ({**CARD, "resourceRelationship": [{}]}, "resourceRelationship[0]", "no relationshipType"),
        (
            {**CARD, "resourceRelationship": [{"relationshipType": "containedIn", "resource": {}}]},
            "resourceRelationship[0].resource.id",
            "missing",
        ),
    ],
)
def test_what_breaks_tmf639_is_refused_with_its_field(raw: object, field: str, reason: str) -> None:
    with pytest.raises(Malformed, match=reason) as caught:
        tmf639_resource.read(raw)
    assert caught.value.field == field
    assert not isinstance(caught.value, NoPlace)


def related(**ends: str) -> dict[str, Any]:
    return {"resourceRelationship": [{"relationshipType": end, "resource": {"id": port}} for end, port in ends.items()]}


@pytest.mark.parametrize(
    ("raw", "kind", "field", "reason"),
    [
        ({"id": "K1"}, "", "category", "one of"),
        ({"category": "rack", "id": "K1"}, "rack", "category", "one of networkElement, card"),
        ({"@type": "LogicalResource", "category": "lag", "id": "K1"}, "lag", "category", "one of"),
        ({"id": "K1", "category": "trunk", **related(aEnd="P")}, "trunk", "resourceRelationship", "1 at A and 0 at Z"),
        ({"id": "K1", "category": "trunk", **related(zEnd="P")}, "trunk", "resourceRelationship", "0 at A and 1 at Z"),
        ({**CARD, **related(aEnd="P", zEnd="P")}, "card", "", "no ends"),
        ({**CARD, "resourceCharacteristic": [{"name": "slot", "value": "x"}]}, "card", "resourceCharacteristic[0]",
         "slot has a value that is no whole number"),
        ({**CARD, "resourceCharacteristic": [{"name": "slot", "value": 2**40}]}, "card", "", "32 bits"),
        ({**CARD, "resourceCharacteristic": [{"name": "model", "value": []}]}, "card", "resourceCharacteristic[0]",
         "model has a value that is no text"),
        ({"id": "K1", "category": "trunk", **related(aEnd="P", zEnd="P")}, "trunk", "", "two different ports"),
        ({**CARD, "resourceCharacteristic": [{"name": "slot", "value": -1}]}, "card", "", "slot must be at least 0"),
        ({**CARD, "name": "  "}, "card", "", "name must not be empty"),
        ({**CARD, "name": "x" * 501}, "card", "", "at most 500"),
        ({**CARD, "name": "a\u0000b"}, "card", "", "cannot be read, as U\\+0000"),
    ],
)  # fmt: skip
def test_what_the_graph_has_no_place_for_is_kept_out_with_its_reason(
    raw: object, kind: str, field: str, reason: str
) -> None:
    with pytest.raises(NoPlace, match=reason) as caught:
        tmf639_resource.read(raw)
    assert caught.value.field == field
    assert (caught.value.thing.kind, caught.value.thing.name, caught.value.thing.removed) == (kind, "K1", False)
    assert entry_of(orjson.loads(orjson.dumps(as_record(caught.value.thing)))) == caught.value.thing


@pytest.mark.parametrize(
    ("beside", "read"),
    [
        ({"category": "CARD"}, {}),
        ({"category": None, "@type": "Card"}, {}),
        ({"name": ""}, {}),
        ({"operationalState": "ENABLE", "administrativeState": "Locked"},
         {"operationalState": "enabled", "administrativeState": "locked"}),
        ({"resourceCharacteristic": [{"name": "slot", "value": "3"}]}, {"slot": 3}),
        ({"resourceCharacteristic": [{"name": "slot", "value": 3.0}]}, {"slot": 3}),
        ({"resourceCharacteristic": [{"name": "slot", "value": ""}, {"name": "model", "value": None}]}, {}),
        ({"resourceCharacteristic": [], "resourceRelationship": [], "place": None}, {}),
    ],
)  # fmt: skip
def test_what_writers_spell_differently_is_read_as_what_it_says(beside: dict[str, Any], read: dict[str, Any]) -> None:
    assert tmf639_resource.read({**CARD, **beside}) == Resource(kind="Card", name="K1", properties=read)


@pytest.mark.parametrize(
    "beside",
    [
        {
            "externalIdentifier": [
                {"owner": "nms", "externalIdentifierType": "alias", "id": "KOL-9"},
                {"id": "nobody's"},
            ]
        },
        {"externalIdentifier": [{"externalIdentifierType": "nms", "id": "KOL-9"}]},
        {"resourceCharacteristic": [{"name": "externalIdentifier", "value": [{"owner": "nms", "id": "KOL-9"}]}]},
        {"resourceCharacteristic": [{"name": "externalIdentifier", "value": {"owner": "nms", "id": "KOL-9"}}]},
    ],
)
def test_what_other_systems_call_a_thing_is_read(beside: dict[str, Any]) -> None:
    found = tmf639_resource.read({**CARD, **beside})
    assert found == Resource(kind="Card", name="K1", aliases=(("nms", "KOL-9"),))
    assert resource_of(orjson.loads(orjson.dumps(as_record(found)))) == found


@pytest.mark.parametrize("word", ["networkElement", "NETWORK_ELEMENT", "Network Element", "network-element"])
@pytest.mark.parametrize(
    ("place", "site"),
    [
        ({"id": "S1", "name": "North"}, "S1"),
        ({"name": "North", "role": "site"}, "North"),
        ([{"name": "room 7", "role": "room"}, {"name": "North", "role": "Site"}], "North"),
        ([{"role": "site"}, {"name": "room 7", "role": "room"}], "room 7"),
        ({"role": "site"}, None),
        ([], None),
    ],
)
def test_an_element_lies_at_its_site_however_its_places_are_written(word: str, place: object, site: str | None) -> None:
    found = tmf639_resource.read({"id": "N1", "category": word, "place": place})
    assert found == Resource(kind="NetworkElement", name="N1", inside=site)


def event(event_type: object, resource: dict[str, Any] = CARD) -> dict[str, Any]:
    return {"eventType": event_type, "event": {"resource": resource}}


@pytest.mark.parametrize(
    ("event_type", "removed"),
    [
        ("ResourceCreateEvent", False),
        ("ResourceAttributeValueChangeEvent", False),
        ("ResourceStateChangeEvent", False),
        ("ResourceDeleteEvent", True),
        ("resourceDeleteEvent", True),
        ("ResourceCreationNotification", False),
        ("ResourceCreateNotification", False),
        ("ResourceAttributeValueChangeNotification", False),
        ("ResourceStateChangeNotification", False),
        ("ResourceRemoveNotification", True),
        ("ResourceDeleteNotification", True),
        ("ResourceDeletionNotification", True),
    ],
)
def test_an_event_says_whether_a_thing_is_there(event_type: str, *, removed: bool) -> None:
    assert tmf639_resource.read_told(event(event_type)) == Resource(kind="Card", name="K1", removed=removed)


@pytest.mark.parametrize(
    "event_type", ["ResourceDelete", "RESOURCEDELETEEVENT", "ResourceDeleteEvent ", "CardDeleteEvent", "", None, 5]
)
def test_an_event_that_nobody_knows_says_nothing_and_is_refused(event_type: object) -> None:
    with pytest.raises(Malformed, match="is none of ResourceCreateEvent") as caught:
        tmf639_resource.read_told(event(event_type))
    assert caught.value.field == "eventType"
    assert not isinstance(caught.value, NoPlace)


def test_that_a_thing_is_gone_can_be_told_without_its_kind() -> None:
    with pytest.raises(NoPlace) as caught:
        tmf639_resource.read_told(event("ResourceDeleteEvent", {"id": "K1"}))
    assert caught.value.thing.removed


def test_what_a_resource_holds_beside_is_let_pass() -> None:
    raw = {
        **CARD,
        "note": [{"text": "dusty"}],
        "usageState": "busy",
        "resourceCharacteristic": [{"name": "colour", "value": {"deep": [1]}}],
        "resourceRelationship": [{"relationshipType": "contains", "resource": {"id": "P1"}}],
    }
    assert tmf639_resource.read(raw) == Resource(kind="Card", name="K1")


def inventory(inner: str) -> bytes:
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    return f"<inv:mdList {spaces}>\n<inv:md>{inner}</inv:md>\n</inv:mdList>".encode()


def rdns(*parts: tuple[str, str]) -> str:
    return "".join(f"<nam:rdn><nam:type>{t}</nam:type><nam:value>{v}</nam:value></nam:rdn>" for t, v in parts)


NAME = f"<coi:name>{rdns(('MD', 'd'), ('ME', 'W'), ('EH', '/shelf=1/slot=3'), ('EQ', '1'))}</coi:name>"


def test_what_others_write_is_read_with_what_its_name_says() -> None:
    body = inventory(
        f"""<inv:meList><inv:meInv><inv:meAttrs><coi:name>{rdns(("MD", "d"), ("ME", "W"))}</coi:name>
        <coi:userLabel>West</coi:userLabel><me:manufacturer>Acme</me:manufacturer><me:softwareVersion>7</me:softwareVersion>
        </inv:meAttrs>
        <inv:ehList><inv:ehInv><inv:ehAttrs><coi:name>{rdns(("ME", "W"), ("EH", "/shelf=1"))}</coi:name></inv:ehAttrs>
        <inv:eqInv><inv:eqAttrs>{NAME}<cri:ituStateAndStatusList><itu:x721.OperationalState>ENABLED</itu:x721.OperationalState>
        </cri:ituStateAndStatusList><eq:expectedEquipmentObjectType>LC</eq:expectedEquipmentObjectType></inv:eqAttrs>
        </inv:eqInv></inv:ehInv></inv:ehList>
        <inv:ptpList><inv:ptpInv><inv:ptpAttrs><coi:name>{rdns(("ME", "W"), ("PTP", "/slot=3/port=7"))}</coi:name>
        </inv:ptpAttrs><inv:supportingEquipmentRefList><nam:name>{rdns(("ME", "W"), ("EQ", "1"))}</nam:name>
        </inv:supportingEquipmentRefList></inv:ptpInv></inv:ptpList><inv:ftpList><inv:ftpInv><inv:x/></inv:ftpInv></inv:ftpList></inv:meInv></inv:meList>
        <tl:tl><coi:name>{rdns(("TL", "t"))}</coi:name><tl:layerRate>LR_Ethernet</tl:layerRate>
        <tl:aEndTpRefList><nam:name>{rdns(("PTP", "a"))}</nam:name></tl:aEndTpRefList>
        <tl:zEndTpRefList><nam:name>{rdns(("PTP", "z"))}</nam:name></tl:zEndTpRefList></tl:tl>"""
    )
    element, card, port, trunk = elements(body, size=17)
    assert element == Resource(kind="NetworkElement", name="MD=d;ME=W", properties={"name": "West", "vendor": "Acme"})
    assert card == Resource(
        kind="Card",
        name="MD=d;ME=W;EH=/shelf=1/slot=3;EQ=1",
        inside="MD=d;ME=W",
        properties={"operationalState": "enabled", "model": "LC", "slot": 3},
    )
    assert port == Resource(kind="Port", name="ME=W;PTP=/slot=3/port=7", inside="ME=W;EQ=1", properties={"number": 7})
    assert trunk == Resource(kind="Trunk", name="t", ends=("a", "z"), properties={"layerRate": "LR_Ethernet"})


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        ("<inv:meAttrs/>", "Line 2: it has no name"),
        ("<inv:meAttrs><coi:name/></inv:meAttrs>", "Line 2: Element 'name'"),
        ("<inv:meAttrs><coi:name><nam:rdn><nam:type>ME</nam:type></nam:rdn></coi:name></inv:meAttrs>", "Line 2.*rdn"),
        ((f"<eq:eq>{NAME}\n<cri:ituStateAndStatusList><itu:x721.OperationalState>UP</itu:x721.OperationalState>"
         "</cri:ituStateAndStatusList></eq:eq>"), "Line 3.*'UP'"),
        (f"<eq:eq>{NAME}<coi:vendorExtensions><ext:resource><ext:odd/></ext:resource></coi:vendorExtensions></eq:eq>",
         "Line 2: Element 'odd'"),
        (f"<eq:eq>{NAME}<coi:userLabel>{'x' * 501}</coi:userLabel></eq:eq>", "Line 2: Element 'userLabel'"),
        (f"<eq:eq>{NAME}<coi:vendorExtensions><x><inner xmlns='urn:x'/></x></coi:vendorExtensions></eq:eq>", ""),
    ],
)  # fmt: skip
def test_an_element_that_is_wrong_is_refused_with_its_line(inner: str, reason: str) -> None:
    if not reason:  # what others extend is let pass
        assert len(elements(inventory(inner))) == 1
        return
    with pytest.raises(Malformed, match=reason):
        elements(inventory(inner))


@pytest.mark.parametrize(
    ("slot", "reason"),
    [("3a", "slot has a value that is no whole number"), ("-1", "no whole number"), (str(2**32), "32 bits")],
)
def test_a_card_whose_slot_is_no_number_is_kept_out_with_its_line(slot: str, reason: str) -> None:
    extension = f"<ext:resource><ext:property name='slot'>{slot}</ext:property></ext:resource>"
    inner = f"<eq:eq>{NAME}\n<coi:vendorExtensions>{extension}</coi:vendorExtensions></eq:eq>"
    with pytest.raises(NoPlace, match=f"Line 2: .*{reason}") as caught:
        elements(inventory(inner))
    assert caught.value.thing.name == "MD=d;ME=W;EH=/shelf=1/slot=3;EQ=1"
    assert (caught.value.thing.kind, caught.value.thing.removed) == ("card", False)
    assert reason in caught.value.thing.reason


def test_a_card_of_whose_slot_nothing_is_said_is_taken() -> None:
    extension = "<ext:resource><ext:property name='slot'> </ext:property></ext:resource>"
    inner = f"<eq:eq>{NAME}<coi:vendorExtensions>{extension}</coi:vendorExtensions></eq:eq>"
    [card] = elements(inventory(inner))
    assert card.properties == {}


END = f"<tl:{{0}}EndTpRefList><nam:name>{rdns(('PTP', 'p'))}</nam:name></tl:{{0}}EndTpRefList>"


@pytest.mark.parametrize(
    ("ends", "reason"), [("a", "1 at A and 0 at Z"), ("z", "0 at A and 1 at Z"), ("aaz", "2 at A")]
)
def test_a_trunk_without_one_port_at_either_end_is_kept_out_with_its_line(ends: str, reason: str) -> None:
    inner = f"<tl:tl><coi:name>{rdns(('MD', 'd'), ('TL', 't'))}</coi:name>{''.join(END.format(each) for each in ends)}</tl:tl>"
    with pytest.raises(NoPlace, match=f"Line 2: .*{reason}") as caught:
        elements(inventory(inner))
    assert (caught.value.thing.kind, caught.value.thing.name) == ("trunk", "MD=d;TL=t")


def test_our_schema_and_the_published_one_agree_on_what_we_write() -> None:
    resource = Resource(kind="Port", name="P", inside="K", properties={"number": 1, "operationalState": "disabled"})
    root: Element = read_xml(message(resource))
    [port] = root.iter(f"{{{NAMESPACES['inv']}}}ptpInv")
    assert mtosi_resource.read(port) == resource
