"""A meter tells of many intervals in one document (IPDR 3.5), and a document that was cut must not pass for a whole one.

What is taken is in a schema of ours, `ipdr.xsd`: records of our service definition, and an end that may say how many there
are. `decode` makes a Usage of each record, or refuses the document as a whole, with the line. The source is who recorded
the document (`IPDRRecorderInfo`); for a caller that speaks for one source it need not be said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from lxml import etree

from adapters.errors import Malformed
from adapters.tmf.tmf630 import read_time
from adapters.xml.confinement import confined
from adapters.xml.parser import Element, read_schema, read_xml
from graph.changes.usage.usage import MOST_TOGETHER
from graph.model.usage import KIND, Usage

SCHEMA: Final = Path(__file__).with_name("ipdr.xsd")
IPDR: Final = "http://www.ipdr.org/namespaces/IPDR"
OURS: Final = "urn:trunkline:ipdr:1"
RECORD: Final = "BandwidthInterval"
_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
_INSIDE: Final = {"t": OURS}


@confined
def decode(body: bytes, sources: Sequence[str], *, most_bytes: int) -> tuple[str, tuple[Usage, ...]]:
    """Give the id of a document and the usage in it; raises Malformed."""
    root = read_xml(body, most_bytes=most_bytes, schema=_schema())
    source = root.get("IPDRRecorderInfo") or (sources[0] if len(sources) == 1 else "")
    if not source:
        raise Malformed("The document does not say which source has recorded it", field="IPDRRecorderInfo")
    if len(source) > 255:
        raise Malformed("has more than 255 characters", field="IPDRRecorderInfo")
    records = root.findall(f"{{{IPDR}}}IPDR")
    _check_count(root, len(records))
    return str(root.get("docId")), tuple(_usages(records, source))


@cache
def _schema() -> etree.XMLSchema:
    return read_schema(SCHEMA)


def _check_count(root: Element, count: int) -> None:
    if count > MOST_TOGETHER:
        raise Malformed(f"There are {count} records; at most {MOST_TOGETHER} are taken in a document", field="IPDR")
    end = root.find(f"{{{IPDR}}}IPDRDoc.End")
    told = None if end is None else end.get("count")
    if end is not None and told is not None and int(told) != count:
        raise Malformed(f"Line {end.sourceline}: The end counts {told} records, there are {count}", field="IPDRDoc.End")


def _usages(records: Sequence[Element], source: str) -> Iterator[Usage]:
    seen: set[str] = set()
    for each in records:
        usage = _usage(each, source)
        if usage.external_id in seen:
            raise _malformed(each, f"There is a second record with the id {usage.external_id!r}", "usageId")
        seen.add(usage.external_id)
        yield usage


def _usage(record: Element, source: str) -> Usage:
    if _type(record) != f"{{{OURS}}}{RECORD}":
        raise _malformed(record, f"The record is no {RECORD}", "IPDR")
    start, end = (_time(record, name) for name in ("startTime", "endTime"))
    if end <= start:
        raise _malformed(record, "The interval does not end after it begins", "endTime")
    return Usage(
        source=source,
        external_id=_text(record, "usageId"),
        service=_text(record, "service"),
        start=start,
        end=end,
        octets=int(_text(record, "octets")),
        mbps=int(_text(record, "mbps")),
        kind=_text(record, "kind") or KIND,
        state=_text(record, "state") or "received",
    )


def _type(record: Element) -> str:
    """Give the type that a record says it is of, with its namespace spelled out."""
    prefix, colon, name = (record.get(_TYPE) or "").strip().rpartition(":")
    return f"{{{record.nsmap.get(prefix if colon else None, '')}}}{name}"


def _text(record: Element, name: str) -> str:
    return record.findtext(f"t:{name}", "", _INSIDE)


def _time(record: Element, name: str) -> int:
    try:
        return read_time(_text(record, name), name)
    except Malformed as error:
        raise _malformed(record, error.message, name) from None


def _malformed(record: Element, problem: str, field: str) -> Malformed:
    return Malformed(f"Line {record.sourceline}: {problem}", field=field)
