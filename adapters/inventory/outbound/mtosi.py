"""An inventory that speaks MTOSI 2.1: SOAP over HTTP, an update that merges, and a question by name.

A name in MTOSI is given by whoever makes the thing. So what we make there is called by our id, and an update of what is
there already, as of what is not, is one and the same message: `updateInventory`, merged over what is there. That a thing
is there no more is said by the state of its life. What comes back is checked for being the answer to what was asked.

A fault comes with HTTP's 500, whoever is to blame: a `Client` fault will not go away by asking again, any other may. What it
says stays there, as with every system.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from lxml import etree

from adapters.errors import Busy, Malformed, Nonsense, Rejected
from adapters.inventory import ResourceOrder
from adapters.inventory.mtosi_resource import NAMESPACES, OWN, keep_others, ours_of, read, write, write_name
from adapters.soap.resource_names import parts_of
from adapters.tmf.tmf630 import write_time
from adapters.transport.transport import Answer, Call, Transport
from adapters.xml.confinement import confined
from adapters.xml.parser import Element, read_xml
from graph.model.resource import Resource

UPDATE_SERVICE: Final = "ResourceInventoryUpdate"
"""the service that is told."""
SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
HEADER: Final = "http://www.tmforum.org/mtop/fmw/xsd/hdr/v1"
UPDATE: Final = "http://www.tmforum.org/mtop/mri/xsd/riu/v1"
RETRIEVE: Final = "http://www.tmforum.org/mtop/mri/xsd/rir/v1"
_INV: Final = NAMESPACES["inv"]
_ANSWERED: Final = {
    "NetworkElement": f"{{{_INV}}}meAttrs",
    "Card": f"{{{_INV}}}eqInv",
    "Port": f"{{{_INV}}}ptpInv",
    "Trunk": f"{{{_INV}}}tlAttrs",
}
_FAULT: Final = 500
_LISTS: Final = {"Card": "eh", "Port": "ptp"}


class Mtosi:
    """`adapters.inventory.Inventory` over a transport whose address has the two services of MTOSI's inventory below it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now."""
        return self._transport.breaker.retry_at

    async def find(self, ours: str, *, kind: str, deadline: float) -> str | None:
        """Ask for what is called by our id."""
        there = await self._there(ours, kind, deadline)
        if there is None:
            return None
        if ours_of(there) != ours:
            raise Nonsense(f"{self._transport.name} answered with a thing that is not ours", where="vendorExtensions")
        return _read(there).name

    async def create(self, order: ResourceOrder, *, delivery_id: str, deadline: float) -> str:
        """Update the inventory with a thing that it does not know."""
        await self._update(order, delivery_id, deadline)
        return order.resource.name

    async def amend(self, order: ResourceOrder, *, delivery_id: str, deadline: float) -> None:
        """Look at it, and put over it what the order says: what is merged is merged attribute by attribute."""
        name, kind = order.resource.name, order.resource.kind
        there = await self._there(name, kind, deadline)
        if there is None:
            raise Rejected(f"{self._transport.name} has no {name}", status=404)
        known, new = _read(there), order.resource
        whole = replace(
            known,
            properties={**known.properties, **new.properties},
            inside=new.inside or known.inside,
            ends=new.ends or known.ends,
        )
        await self._update(replace(order, resource=whole), delivery_id, deadline, beside=there)

    async def remove(self, order: ResourceOrder, *, delivery_id: str, deadline: float) -> None:
        """Update the inventory with a thing that is there no more; look first whether it is there at all."""
        there = await self._there(order.resource.name, order.resource.kind, deadline)
        if there is not None:
            gone = replace(_read(there), removed=True)
            await self._update(replace(order, resource=gone), delivery_id, deadline, beside=there)

    async def _there(self, name: str, kind: str, deadline: float) -> Element | None:
        """Ask for what has this name; an answer about something else is Nonsense."""
        answer = await self._exchange(
            "ResourceInventoryRetrieval", "getInventory", _question(name, kind), name, deadline
        )
        found = list(answer.iter(_ANSWERED[kind]))
        for each in found:
            if _read(each).name == name:
                return each
        if found:
            raise Nonsense(f"{self._transport.name} answered with another thing", where="name")
        return None

    async def _update(
        self, order: ResourceOrder, delivery_id: str, deadline: float, *, beside: Element | None = None
    ) -> None:
        body = update(order, beside)
        await self._exchange(UPDATE_SERVICE, "updateInventory", body, delivery_id, deadline)

    async def _exchange(self, service: str, activity: str, body: Element, correlation: str, deadline: float) -> Element:
        """Send a message, and give the body of the answer to it."""
        headers = {"Content-Type": "text/xml; charset=utf-8", "Accept": "text/xml", "SOAPAction": f'"{activity}"'}
        message = envelope(activity, body, correlation)
        call = Call(method="POST", path=(service,), body=message, headers=headers, reads=frozenset({_FAULT}))
        answer = await self._transport.exchange(call, deadline=deadline)
        if answer.status == _FAULT:
            raise self._fault(answer, activity)
        found = self._body(answer)
        if not str(found.tag).endswith(f"}}{activity}Response"):
            raise Nonsense(f"{self._transport.name} answered something else to {activity}", where="body")
        return found

    def _fault(self, answer: Answer, activity: str) -> Busy | Rejected:
        """Give what a fault means; what is none with this status is a system that has failed."""
        try:
            found = self._body(answer)
        except Nonsense:
            found = None
        code = (found.findtext("faultcode") or "") if found is not None and found.tag == f"{{{SOAP}}}Fault" else ""
        if code.rpartition(":")[2].strip().startswith("Client"):
            said = f"{answer.system} answered a fault of ours to {activity}"
            return Rejected(said, hint="Look into its own log for the reason", status=400)
        return Busy(f"{answer.system} could not do {activity}", hint="It is asked again later", status=_FAULT)

    def _body(self, answer: Answer) -> Element:
        try:
            root = read_xml(answer.body)
        except Malformed as error:
            raise Nonsense(f"{answer.system} answered what is no XML: {error}", where="body") from None
        body = root.find(f"{{{SOAP}}}Body")
        if root.tag != f"{{{SOAP}}}Envelope" or body is None or not len(body):
            raise Nonsense(f"{answer.system} answered what is no SOAP message", where="body")
        return body[0]


@confined
def update(order: ResourceOrder, beside: Element | None = None) -> Element:
    """Make the message that merges one thing over what is there; what others have in its lists is put beside ours."""
    root = etree.Element(f"{{{UPDATE}}}updateInventoryRequest", nsmap={"riu": UPDATE, **NAMESPACES})
    data = etree.SubElement(root, f"{{{UPDATE}}}inventoryUpdate")
    domain = etree.SubElement(etree.SubElement(data, f"{{{_INV}}}mdList"), f"{{{_INV}}}md")
    told = write(order.resource, order.ours)
    if beside is not None:
        keep_others(told, beside)
    if order.resource.kind == "Trunk":
        etree.SubElement(domain, f"{{{_INV}}}tlList").append(told)
    else:
        _put_into_element(etree.SubElement(domain, f"{{{_INV}}}meList"), told, order.resource.kind)
    etree.SubElement(root, f"{{{UPDATE}}}effortMode").text = "ATOMIC"
    etree.SubElement(root, f"{{{UPDATE}}}integrationMode").text = "MERGE_WITH_OVERWRITE"
    return root


@confined
def envelope(activity: str, body: Element, correlation: str) -> bytes:
    """Put a message into SOAP, with MTOSI's header."""
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP, "hdr": HEADER})
    header = etree.SubElement(etree.SubElement(root, f"{{{SOAP}}}Header"), f"{{{HEADER}}}header")
    said = {
        "activityName": activity,
        "msgName": f"{activity}Request",
        "msgType": "REQUEST",
        "correlationId": correlation,
        "communicationPattern": "SimpleResponse",
        "communicationStyle": "RPC",
        "timestamp": write_time(time.time_ns() // 1_000_000),
    }
    for name, value in said.items():
        etree.SubElement(header, f"{{{HEADER}}}{name}").text = value
    etree.SubElement(root, f"{{{SOAP}}}Body").append(body)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _question(name: str, kind: str) -> Element:
    body = etree.Element(f"{{{RETRIEVE}}}getInventoryRequest", nsmap={"rir": RETRIEVE, "nam": NAMESPACES["nam"]})
    asked = etree.SubElement(body, f"{{{RETRIEVE}}}filter")
    write_name(asked, f"{{{RETRIEVE}}}baseInstance", parts_of(name, OWN[kind]))
    included = etree.SubElement(asked, f"{{{RETRIEVE}}}includedObjectType")
    etree.SubElement(included, f"{{{RETRIEVE}}}objectType").text = OWN[kind]
    etree.SubElement(included, f"{{{RETRIEVE}}}granularity").text = "FULL"
    return body


def _read(there: Element) -> Resource:
    """Read what the inventory has; what is none is Nonsense."""
    try:
        found = read(there)
    except Malformed as error:
        raise Nonsense(f"The inventory answered what is no resource: {error}", where="body") from None
    assert found is not None, "holders are not asked for"
    return found


def _put_into_element(elements: Element, told: Element, kind: str) -> None:
    if kind == "NetworkElement":
        elements.append(told)
        return
    element = etree.SubElement(elements, f"{{{_INV}}}meInv")
    inner = etree.SubElement(element, f"{{{_INV}}}{_LISTS[kind]}List")
    if kind == "Card":
        inner = etree.SubElement(inner, f"{{{_INV}}}ehInv")
    inner.append(told)
