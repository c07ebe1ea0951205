"""A record as a document of IPDR 3.5 or 3.5.1: one record of our service definition, between a head and an end that counts it.

The same delivery makes the same bytes, whenever it is made: nothing in it is of now. So a document that is put a second time
is the same document, and has the same docId; the end of an outage is another document than its begin. The service definition
is `service_definition.xsd`, or `service_definition_3.5.1.xsd`.

>>> name_of("usage-7")
'usage-7.xml'
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, assert_never
from uuid import NAMESPACE_URL, uuid5

from lxml import etree

from adapters.billing import CustomerRef, DowntimeRecord, Record, UsageRecord
from adapters.billing.ipdr_names import INTERVAL, NAMESPACES, OURS, OUTAGE, XSI, Version
from adapters.tmf.tmf630 import write_time
from adapters.xml.parser import legal

RECORDER: Final = "trunkline"
_PUBLISHED: Final = {version: f"http://www.ipdr.org/public/IPDRDoc{version}.xsd" for version in NAMESPACES}


def name_of(record_id: str) -> str:
    """Give the name of a record's document: stable, since an id is."""
    return f"{record_id}.xml"


def doc_id_of(delivery_id: str) -> str:
    """Give the id of a delivery's document, a UUID: another document has another, and the same told again has the same."""
    return str(uuid5(NAMESPACE_URL, f"{OURS}:{delivery_id}"))


def document_of(record: Record, delivery_id: str, version: Version) -> bytes:
    """Make the document of a record."""
    ipdr, told_at = NAMESPACES[version], write_time(_told_at(record))
    head = {
        f"{{{XSI}}}schemaLocation": f"{ipdr} {_PUBLISHED[version]}",
        "docId": doc_id_of(delivery_id),
        "version": version,
        "creationTime": told_at,
        "IPDRRecorderInfo": RECORDER,
    }
    root = etree.Element(f"{{{ipdr}}}IPDRDoc", head, nsmap={"ipdr": ipdr, None: OURS, "xsi": XSI})
    made = etree.SubElement(root, f"{{{ipdr}}}IPDR", {f"{{{XSI}}}type": _type(record)})
    etree.SubElement(made, f"{{{ipdr}}}IPDRCreationTime").text = told_at
    etree.SubElement(made, f"{{{ipdr}}}seqNum").text = "1"
    for name, value in _fields(record):
        etree.SubElement(made, f"{{{OURS}}}{name}").text = legal(value)
    etree.SubElement(root, f"{{{ipdr}}}IPDRDoc.End", {"count": "1", "endTime": told_at})
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _told_at(record: Record) -> int:
    """Give when what a record says became known, as near as its own times tell."""
    return record.start if record.end is None else record.end


def _type(record: Record) -> str:
    match record:
        case UsageRecord():
            return INTERVAL
        case DowntimeRecord():
            return OUTAGE
        case never:
            assert_never(never)


def _fields(record: Record) -> Iterator[tuple[str, str]]:
    """Give the elements of a record, in the order of the service definition."""
    match record:
        case UsageRecord():
            yield "usageId", record.id
            yield "source", record.source
            yield "service", record.service.id
            yield from _payer(record.customer)
            yield from (("startTime", write_time(record.start)), ("endTime", write_time(record.end)))
            if record.octets is not None:
                yield "octets", str(record.octets)
            yield from (("mbps", str(record.mbps)), ("kind", record.kind), ("state", record.state))
        case DowntimeRecord():
            yield "outageId", record.id
            yield "service", record.service.id
            yield from _payer(record.customer)
            yield from (("effect", record.effect), ("startTime", write_time(record.start)))
            if record.end is not None:
                yield "endTime", write_time(record.end)
            if record.target is not None:
                yield "availabilityPercent", f"{record.target:f}"
            yield from (("alarm", each) for each in record.alarms)
        case never:
            assert_never(never)


def _payer(customer: CustomerRef | None) -> Iterator[tuple[str, str]]:
    if customer:
        yield "customer", customer.id
        if customer.account:
            yield "account", customer.account
