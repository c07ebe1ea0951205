"""A record as a document of IPDR 3.5: one record of our service definition, between a head and an end that counts it.

The same record makes the same bytes, whenever it is made: nothing in it is of now. So a document that is put a second time
is the same document. The service definition is `service_definition.xsd`, which lies beside this.

>>> name_of("usage-7")
'usage-7.xml'
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, assert_never

from lxml import etree

from adapters.billing import CustomerRef, DowntimeRecord, Record, UsageRecord
from adapters.tmf.tmf630 import write_time
from adapters.xml.parser import legal

IPDR: Final = "http://www.ipdr.org/namespaces/IPDR"
OURS: Final = "urn:trunkline:ipdr:1"
RECORDER: Final = "trunkline"
VERSION: Final = "3.5"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_NAMESPACES: Final = {"ipdr": IPDR, None: OURS, "xsi": _XSI}


def name_of(record_id: str) -> str:
    """Give the name of a record's document: stable, since an id is."""
    return f"{record_id}.xml"


def document_of(record: Record) -> bytes:
    """Make the document of a record."""
    told_at = write_time(_told_at(record))
    head = {"docId": record.id, "version": VERSION, "creationTime": told_at, "IPDRRecorderInfo": RECORDER}
    root = etree.Element(f"{{{IPDR}}}IPDRDoc", head, nsmap=_NAMESPACES)
    made = etree.SubElement(root, f"{{{IPDR}}}IPDR", {f"{{{_XSI}}}type": _type(record)})
    etree.SubElement(made, f"{{{IPDR}}}IPDRCreationTime").text = told_at
    etree.SubElement(made, f"{{{IPDR}}}seqNum").text = "1"
    for name, value in _fields(record):
        etree.SubElement(made, f"{{{OURS}}}{name}").text = legal(value)
    etree.SubElement(root, f"{{{IPDR}}}IPDRDoc.End", {"count": "1", "endTime": told_at})
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _told_at(record: Record) -> int:
    """Give when what a record says became known, as near as its own times tell."""
    return record.start if record.end is None else record.end


def _type(record: Record) -> str:
    match record:
        case UsageRecord():
            return "BandwidthInterval"
        case DowntimeRecord():
            return "ServiceOutage"
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
            yield from (("octets", str(record.octets)), ("mbps", str(record.mbps)))
            yield from (("kind", record.kind), ("state", record.state))
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
