"""An inventory that speaks MTOSI 2.1: SOAP over HTTP, an update that merges, and a question by name.

A name in MTOSI is given by whoever makes the thing. So what we make there is called by our id, and an update of what is
there already, as of what is not, is one and the same message: `updateInventory`, merged over what is there. That a thing
is there no more is said by the state of its life. What comes back is checked for being the answer to what was asked.

A fault is judged by the exception in its detail (adapters/soap/faults.py); what it says stays there, as with every system.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from lxml import etree

from adapters.errors import Malformed, Nonsense, Rejected
from adapters.inventory import ResourceOrder
from adapters.inventory.mtosi_resource import NAMESPACES, keep_others, ours_of, read, write
from adapters.soap.elements import name_in, spaces, tag, text_in
from adapters.soap.envelope import CONTENT_TYPE, Header, envelope
from adapters.soap.faults import STATUS, content_of
from adapters.soap.names import TYPES, Name, parts_of, spelled, up_to
from adapters.tmf.tmf630 import write_time
from adapters.transport.transport import Call, Transport
from adapters.xml.confinement import confined
from adapters.xml.parser import Element
from graph.model.resource import Resource

UPDATE_SERVICE: Final = "ResourceInventoryUpdate"
"""the service that is told."""
_ANSWERED: Final = {
    "NetworkElement": tag("inv:meAttrs"),
    "Card": tag("inv:eqInv"),
    "Port": tag("inv:ptpInv"),
    "Trunk": tag("inv:tlAttrs"),
}
_LISTS: Final = {"Card": "eh", "Port": "ptp"}


class Mtosi:
    """`adapters.inventory.Inventory` over a transport whose address has the two services of MTOSI's inventory below it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now."""
        return self._transport.breaker.retry_at

    async def find(self, order: ResourceOrder, *, deadline: float) -> str | None:
        """Ask for what is called as we would call it, or by our id alone, as earlier versions called it."""
        for name in dict.fromkeys((new_name(order), order.ours)):
            there = await self._there(name, order.resource.kind, deadline)
            if there is not None and ours_of(there) != order.ours:
                said = f"{self._transport.name} answered with a thing that is not ours"
                raise Nonsense(said, where="vendorExtensions")
            if there is not None:
                return _read(there).name
        return None

    async def create(self, order: ResourceOrder, *, delivery_id: str, deadline: float) -> str:
        """Update the inventory with a thing that it does not know."""
        name = new_name(order)
        await self._update(replace(order, resource=replace(order.resource, name=name)), delivery_id, deadline)
        return name

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
            "ResourceInventoryRetrieval", "getInventory", _question(parts_of(name, TYPES[kind]), kind), name, deadline
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
        headers = {"Content-Type": CONTENT_TYPE, "Accept": "text/xml", "SOAPAction": f'"{activity}"'}
        header = Header(
            activity=activity,
            message=f"{activity}Request",
            kind="REQUEST",
            pattern="SimpleResponse",
            correlation_id=correlation,
            timestamp=write_time(time.time_ns() // 1_000_000),
        )
        message = envelope(header, body)
        call = Call(method="POST", path=(service,), body=message, headers=headers, reads=frozenset({STATUS}))
        answer = await self._transport.exchange(call, deadline=deadline)
        found = content_of(answer.body, answer.status, system=answer.system, activity=activity, start=answer.start)
        if found is None or not str(found.tag).endswith(f"}}{activity}Response"):
            raise Nonsense(f"{self._transport.name} answered something else to {activity}", where="body")
        return found


def new_name(order: ResourceOrder) -> str:
    """Name a thing that we make there: by our id, within the element that it is in, or the domain that it begins in.

    A name in MTOSI begins with the management domain and the element (SD2-7, ObjectNaming): other systems find a thing by them.
    """
    kind, own = order.resource.kind, (TYPES[order.resource.kind], order.ours)
    match kind:
        case "Card" | "Port":
            holder = parts_of(order.resource.inside or "", TYPES["NetworkElement" if kind == "Card" else "Card"])
            return spelled((*up_to(holder, "ME"), own))
        case "Trunk" if order.resource.ends:
            return spelled((*up_to(parts_of(order.resource.ends[0], TYPES["Port"]), "MD"), own))
        case _:
            return spelled((own,))


@confined
def update(order: ResourceOrder, beside: Element | None = None) -> Element:
    """Make the message that merges one thing over what is there; what others have in its lists is put beside ours."""
    root = etree.Element(tag("riu:updateInventoryRequest"), nsmap={**spaces("riu"), **NAMESPACES})
    data = etree.SubElement(root, tag("riu:inventoryUpdate"))
    domain = etree.SubElement(etree.SubElement(data, tag("inv:mdList")), tag("inv:md"))
    name = parts_of(order.resource.name, TYPES[order.resource.kind])
    _say(domain, "inv:mdNm", name, "MD")
    told = write(order.resource, order.ours)
    if beside is not None:
        keep_others(told, beside)
    if order.resource.kind == "Trunk":
        etree.SubElement(domain, tag("inv:tlList")).append(told)
    else:
        _put_into_element(etree.SubElement(domain, tag("inv:meList")), told, order.resource.kind, name)
    text_in(root, "riu:effortMode", "ATOMIC")
    text_in(root, "riu:integrationMode", "MERGE_WITH_OVERWRITE")
    return root


def _question(name: Name, kind: str) -> Element:
    body = etree.Element(tag("rir:getInventoryRequest"), nsmap=spaces("rir", "nam"))
    asked = etree.SubElement(body, tag("rir:filter"))
    name_in(asked, "rir:baseInstance", name)
    included = etree.SubElement(asked, tag("rir:includedObjectType"))
    text_in(included, "rir:objectType", TYPES[kind])
    text_in(included, "rir:granularity", "FULL")
    return body


def _read(there: Element) -> Resource:
    """Read what the inventory has; what is none is Nonsense."""
    try:
        found = read(there)
    except Malformed as error:
        raise Nonsense(f"The inventory answered what is no resource: {error}", where="body") from None
    assert found is not None, "holders are not asked for"
    return found


def _put_into_element(elements: Element, told: Element, kind: str, name: Name) -> None:
    if kind == "NetworkElement":
        elements.append(told)
        return
    element = etree.SubElement(elements, tag("inv:meInv"))
    _say(element, "inv:meNm", name, "ME")
    inner = etree.SubElement(element, tag(f"inv:{_LISTS[kind]}List"))
    if kind == "Card":
        inner = etree.SubElement(inner, tag("inv:ehInv"))
        _say(inner, "inv:ehNm", name, "EH")
    inner.append(told)


def _say(around: Element, element: str, name: Name, kind: str) -> None:
    """Say what an element of a layout is called that stands for what a thing lies in, where the thing's name tells it."""
    found = up_to(name[:-1], kind)
    if found:
        text_in(around, element, found[-1][1])
