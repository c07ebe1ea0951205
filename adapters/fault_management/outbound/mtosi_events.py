"""An event that is none of an alarm's becomes the notification that MTOSI 2.1 has for it; what MTOSI does not know is a vendor's.

Equipment and trunks: `resourceObjectCreation`, `resourceObjectDeletion`, `resourceStateChange`, `resourceAttributeValueChange`,
whose object element says what changed, as an inventory layout does. Services: `ServiceStateChange` (the published schema spells it so)
and `serviceAttributeValueChange`, of an object of the type CFS, which is named by our id. Tickets: `vendorNotification`. What the published schemas have no element for
is in the namespace `urn:trunkline:event:1`.

Sources: MTOSI 2.1, EventObjectCreation.xsd, EventObjectDeletion.xsd, EventAttributeValueChange.xsd, EventStateChange.xsd and what extends
them in NetworkResourceBasic and ServiceBasic; EventVendorNotification.xsd.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from lxml import etree

from adapters.event_words import EventNotice
from adapters.soap.elements import name_in, spaces, tag, text_in
from adapters.soap.names import TYPES, Name, parts_of, spelled, within
from adapters.soap.resources import PREFIXES, write_attributes
from adapters.tmf.tmf630 import write_time
from adapters.xml.parser import Element
from graph.model.event_kinds import About
from graph.model.resource import PROPERTIES, Resource

TOPICS: Final[Mapping[About, str]] = MappingProxyType(
    {"alarm": "Fault", "service": "Inventory", "resource": "Inventory", "ticket": "Fault"}
)
"""The topic of a notification."""
SERVICE: Final = "CFS"
"""The type of the name of a customer-facing service."""
_ATTRIBUTES: Final[Mapping[str, str]] = MappingProxyType(
    {"ResourceStateChanged": "sc:attributeList", "ResourceChanged": "avc:attributeList", "ResourceMoved": ""}
)
"""Where the changed attributes are; what has moved has another name now, and is otherwise as it was."""
_NSMAP: Final = spaces("cei", "ei", "nam", "tev")


def write_event(notice: EventNotice, delivery_id: str, now: str) -> Element:
    """Write the event of a notification; it is valid by the published schemas."""
    made = etree.Element(tag(notice.words.mtosi), nsmap=_NSMAP)
    text_in(made, "cei:notificationId", delivery_id)
    text_in(made, "cei:sourceTime", write_time(notice.at))
    _WRITERS[notice.kind.about](made, notice, now)
    return made


def _resource(made: Element, notice: EventNotice, now: str) -> None:
    values = notice.values
    kind = str(values["resource"])
    name = _name(values, TYPES[kind])
    _object(made, TYPES[kind], name, now)
    if notice.kind.name == "ResourceAdded":
        _attributes(etree.SubElement(made, tag("oc:object")), kind, name, values["properties"])
    elif where := _ATTRIBUTES.get(notice.kind.name):
        changed = {each: values["properties"][each] for each in values["changed"]}
        _attributes(etree.SubElement(made, tag(where)), kind, name, changed)


def _name(values: Mapping[str, Any], own: str) -> Name:
    """Name a thing within its element."""
    name = parts_of(str(values["name"]), own)
    element = str(values["element"])
    return within(parts_of(element, TYPES["NetworkElement"]), name) if element else name


def _attributes(parent: Element, kind: str, name: Name, properties: Mapping[str, Any]) -> None:
    """Put the object's element into another, populated with these of its attributes."""
    said = {each: value for each, value in properties.items() if each in PROPERTIES[kind] and value is not None}
    told = etree.SubElement(
        parent, tag(f"{PREFIXES[kind]}:{PREFIXES[kind]}"), nsmap=spaces("coi", "cri", "itu", PREFIXES[kind], "ext")
    )
    write_attributes(told, Resource(kind=kind, name=spelled(name), properties=said))


def _service(made: Element, notice: EventNotice, now: str) -> None:
    _object(made, SERVICE, ((SERVICE, notice.about),), now)
    where = "avc:attributeList" if notice.rates else "sc:attributeList"
    service = etree.SubElement(etree.SubElement(made, tag(where)), tag("tev:service"))
    text_in(service, "tev:name", notice.name)
    for name, mbps in notice.rates.items():
        text_in(service, f"tev:{name}", str(mbps))
    if not notice.rates:
        _state(service, notice.values["effect"])
    if notice.values["customer"]:
        _party(service, "tev:customer", notice.values["customer"])


def _state(service: Element, effect: str | None) -> None:
    text_in(service, "tev:operationalState", "DISABLED" if effect == "down" else "ENABLED")
    if effect:
        text_in(service, "tev:effect", str(effect))


def _ticket(made: Element, notice: EventNotice, _: str) -> None:
    values = notice.values
    ticket = etree.SubElement(etree.SubElement(made, tag("cei:vendorExtensions")), tag("tev:troubleTicket"))
    text_in(ticket, "tev:id", notice.about)
    for each in ("status", "severity", "externalId"):
        if values.get(each):
            text_in(ticket, f"tev:{each}", str(values[each]))
    for each in values["customers"]:
        _party(ticket, "tev:customer", each)
    for each in values["services"]:
        _party(ticket, "tev:service", each)
    text_in(made, "vdn:type", notice.words.tmf)


_WRITERS: Final[Mapping[About, Callable[[Element, EventNotice, str], None]]] = MappingProxyType(
    {"resource": _resource, "service": _service, "ticket": _ticket}
)


def _object(made: Element, kind: str, name: Name, now: str) -> None:
    text_in(made, "ei:objectType", kind)
    name_in(made, "ei:objectName", name)
    text_in(made, "ei:osTime", now)


def _party(parent: Element, element: str, known: Mapping[str, Any]) -> None:
    """Put somebody or something that has an id and a name into an element."""
    text_in(parent, element, str(known["name"])).set("id", str(known["id"]))
