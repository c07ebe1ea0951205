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
from adapters.inventory.mtosi_resource import GONE, NAMESPACES, TAGS
from adapters.inventory.outbound.mtosi import HEADER, UPDATE, envelope, update
from adapters.soap.resource_names import parts_of, spelled
from adapters.xml.parser import Element, XmlFeed, read_xml
from graph.model.resource import Resource, as_record, resource_of
from tests.adapters.inventory.resources import TEXTS, resources
from tests.adapters.schema import REFERENCE, published

MTOSI = "mtosi-2.1/main/DDPs"


def through_tmf639(resource: Resource) -> Resource:
    body = orjson.loads(orjson.dumps({**tmf639_resource.write(resource), "id": resource.name}))
    return tmf639_resource.read(body, removed=resource.removed)


def message(resource: Resource) -> bytes:
    return envelope("updateInventory", update(ResourceOrder(ours="card-1", resource=resource)), "delivery-1")


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


@given(text=TEXTS, own=st.sampled_from(("ME", "EQ", "a")))
def test_every_text_is_a_list_of_parts_and_back(text: str, own: str) -> None:
    assert spelled(parts_of(text, own), own) == text


@given(parts=st.lists(st.tuples(st.sampled_from(("ME", "EQ", "a=;\\")), st.text("ME=;\\1")), min_size=1, max_size=3))
def test_every_list_of_parts_is_a_text_and_back(parts: list[tuple[str, str]]) -> None:
    assert parts_of(spelled(tuple(parts), "ME"), "ME") == tuple(parts)


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
    body = root.find(f".//{{{UPDATE}}}updateInventoryRequest")
    header = root.find(f".//{{{HEADER}}}header")
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
        ({"id": "K1"}, "category", "one of"),
        ({"category": "lorry", "id": "K1"}, "category", "one of"),
        ({"category": "card"}, "id", "missing"),
        ({"category": "card", "id": 7}, "id", "no text"),
        ({**CARD, "name": ""}, "name", "empty"),
        ({**CARD, "operationalState": "working"}, "operationalState", "none of enable"),
        ({**CARD, "resourceCharacteristic": {}}, "resourceCharacteristic", "no list"),
        ({**CARD, "resourceCharacteristic": [7]}, "resourceCharacteristic[0]", "no object"),
        ({**CARD, "resourceCharacteristic": [{"value": 1}]}, "resourceCharacteristic[0]", "no name"),
        ({**CARD, "resourceCharacteristic": [{"name": "slot", "value": "x"}]}, "resourceCharacteristic[0]", "whole"),
        ({**CARD, "resourceCharacteristic": [{"name": "slot", "value": 2**40}]}, "", "32 bits"),
        ({**CARD, "resourceCharacteristic": [{"name": "model", "value": []}]}, "resourceCharacteristic[0]", "no text"),
        ({**CARD, "resourceRelationship": [{}]}, "resourceRelationship[0]", "no relationshipType"),
        (
            {**CARD, "resourceRelationship": [{"relationshipType": "containedIn", "resource": {}}]},
            "resourceRelationship[0].resource.id",
            "missing",
        ),
        (
            {
                "id": "T",
                "category": "trunk",
                "resourceRelationship": [{"relationshipType": "aEnd", "resource": {"id": "P"}}],
            },
            "resourceRelationship",
            "both",
        ),
        (
            {
                **CARD,
                "resourceRelationship": [
                    {"relationshipType": end, "resource": {"id": "P"}} for end in ("aEnd", "zEnd")
                ],
            },
            "",
            "no ends",
        ),
        ({**CARD, "name": "x" * 501}, "", "more than 500"),
        ({**CARD, "name": "a\u0000b"}, "", "none to be read"),
    ],
)
def test_a_tmf639_resource_that_is_wrong_is_refused_with_its_field(raw: object, field: str, reason: str) -> None:
    with pytest.raises(Malformed, match=reason) as caught:
        tmf639_resource.read(raw)
    assert caught.value.field == field


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
        ((f"<tl:tl><coi:name>{rdns(('TL', 't'))}</coi:name><tl:aEndTpRefList><nam:name>{rdns(('PTP', 'a'))}</nam:name>"
         "</tl:aEndTpRefList></tl:tl>"), "Line 2: a trunk has one port at either end"),
        ((f"<eq:eq>{NAME}<coi:vendorExtensions><ext:resource><ext:property name='slot'>x</ext:property></ext:resource>"
         "</coi:vendorExtensions></eq:eq>"), "Line 2: slot is no whole number"),
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


def test_our_schema_and_the_published_one_agree_on_what_we_write() -> None:
    resource = Resource(kind="Port", name="P", inside="K", properties={"number": 1, "operationalState": "disabled"})
    root: Element = read_xml(message(resource))
    [port] = root.iter(f"{{{NAMESPACES['inv']}}}ptpInv")
    assert mtosi_resource.read(port) == resource
