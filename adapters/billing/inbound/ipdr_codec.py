"""A meter tells of many intervals in one document (IPDR 3.5 or 3.5.1), and a document that was cut must not pass for a whole one.

The envelope and records of our service definition are checked by a schema of ours, `ipdr.xsd`. Records of another service
definition are read by the names of their elements: what we need of them under our names, or under those that the settings give
for their sender (`systems.NAME.ipdr`); all else of them is kept with the record. `decode` makes a Usage of each record, or
refuses the document as a whole, with the line. The source is who recorded the document (`IPDRRecorderInfo`); for a caller that
speaks for one source it need not be said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, cast

from lxml import etree

from adapters.billing.ipdr_names import INTERVAL, NAMESPACES, OURS, XSI
from adapters.errors import Malformed
from adapters.tmf.shape import Fault, Text, Thing, Time, Whole, faults
from adapters.tmf.tmf630 import read_time
from adapters.xml.confinement import confined
from adapters.xml.parser import Element, check, read_schema, read_xml
from graph.changes.usage.usage import MOST_TOGETHER
from graph.model.usage import KIND, Usage

SCHEMA: Final = Path(__file__).with_name("ipdr.xsd")
IPDR: Final = NAMESPACES["3.5"]
"""What a document is brought to before it is looked at."""
FIELDS: Final = ("usageId", "service", "startTime", "endTime", "octets", "mbps")
"""What we need of a record, by our names; without a usageId its place in the document is its id."""
_SPAN: Final = ("startTime", "endTime")
_TYPE: Final = f"{{{XSI}}}type"
_INSIDE: Final = {"t": OURS}
_NEEDED: Final = Thing(
    fields={
        "usageId": Text(least=1, most=255),
        "service": Text(least=1, most=1_024),
        "startTime": Time(),
        "endTime": Time(),
        "octets": Whole(),
        "mbps": Whole(most=2**31 - 1),
    },
    required=("usageId", "service"),
)
"""Of a record of another service definition, what was measured may be missing: it is kept, and may be completed later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """What a document says of all its records."""

    doc_id: str
    source: str
    names: Mapping[str, str]
    """of elements of another service definition, by ours."""


@confined
def decode(
    body: bytes, sources: Sequence[str], *, names: Mapping[str, str], most_bytes: int
) -> tuple[str, tuple[Usage, ...]]:
    """Give the id of a document and the usage in it; raises Malformed. `names` are of elements, by those in `FIELDS`."""
    root = _in_one_namespace(read_xml(body, most_bytes=most_bytes))
    records = root.findall(f"{{{IPDR}}}IPDR")
    foreign = [each for each in records if _is_of_others(each)]
    for each in foreign:  # a schema of ours knows nothing of them
        root.remove(each)
    check(root, _schema())
    _check_count(root, len(records))
    head = _Head(doc_id=str(root.get("docId")), source=_source(root, sources), names=names)
    return head.doc_id, tuple(_usages(records, frozenset(foreign), head))


@cache
def _schema() -> etree.XMLSchema:
    return read_schema(SCHEMA)


def _in_one_namespace(root: Element) -> Element:
    """Bring a document of 3.5.1 to the namespace of 3.5, which our schema is written in; refuse one that mixes them."""
    name = etree.QName(root)
    known = {namespace: version for version, namespace in NAMESPACES.items()}
    if name.localname != "IPDRDoc" or name.namespace not in known:
        taken = " or ".join(f"{namespace} ({version})" for namespace, version in known.items())
        held = f"{name.localname} of the namespace {name.namespace or 'without a name'}"
        raise _malformed(root, f"The document is {held}; what is taken is IPDRDoc of {taken}", "IPDRDoc")
    for each in root.iter(etree.Element):
        tag = etree.QName(each)
        if tag.namespace in known and tag.namespace != name.namespace:
            held = f"{tag.localname} is of the namespace {tag.namespace}"
            raise _malformed(each, f"{held}, and the document is of {name.namespace}", tag.localname)
    for each in root.iter(f"{{{name.namespace}}}*"):
        each.tag = f"{{{IPDR}}}{etree.QName(each).localname}"
    return root


def _is_of_others(record: Element) -> bool:
    """Tell whether a record is of another service definition: by its type, or without one by what is in it."""
    if kind := _type(record):
        return not kind.startswith(f"{{{OURS}}}")
    return len(record) > 0 and record.find(f"{{{OURS}}}*") is None


def _source(root: Element, sources: Sequence[str]) -> str:
    source = root.get("IPDRRecorderInfo") or (sources[0] if len(sources) == 1 else "")
    if not source:
        raise Malformed("The document does not say which source has recorded it", field="IPDRRecorderInfo")
    if len(source) > 255:
        raise Malformed("has more than 255 characters", field="IPDRRecorderInfo")
    return source


def _check_count(root: Element, count: int) -> None:
    if not 0 < count <= MOST_TOGETHER:
        raise Malformed(f"There are {count} records; 1 to {MOST_TOGETHER} are taken in a document", field="IPDR")
    end = root.find(f"{{{IPDR}}}IPDRDoc.End")
    told = None if end is None else end.get("count")
    if end is not None and told is not None and int(told) != count:
        raise Malformed(f"Line {end.sourceline}: The end counts {told} records, there are {count}", field="IPDRDoc.End")


def _usages(records: Sequence[Element], foreign: frozenset[Element], head: _Head) -> Iterator[Usage]:
    seen: set[str] = set()
    for place, each in enumerate(records, start=1):
        usage = _of_others(each, head, place) if each in foreign else _of_ours(each, head.source)
        if usage.external_id in seen:
            raise _malformed(each, f"There is a second record with the id {usage.external_id!r}", "usageId")
        seen.add(usage.external_id)
        yield usage


def _of_ours(record: Element, source: str) -> Usage:
    if _type(record) != f"{{{OURS}}}{INTERVAL}":
        raise _malformed(record, f"The record is no {INTERVAL}", "IPDR")
    told = {name: record.findtext(f"t:{name}", "", _INSIDE) for name in (*FIELDS, "kind", "state")}
    return _usage(record, source, told, {})


def _of_others(record: Element, head: _Head, place: int) -> Usage:
    """Read a record of another service definition by the names of its elements."""
    held = _children(record)
    texts = {name: value for name, value in held.items() if isinstance(value, str)}
    sequence = record.findtext(f"{{{IPDR}}}seqNum") or str(place)
    told = {name: texts[theirs] for name in FIELDS if (theirs := head.names.get(name, name)) in texts}
    told.setdefault("usageId", f"{head.doc_id}/{sequence}")
    if found := faults(_NEEDED, told):
        raise _malformed(record, _wanting(record, found, head.names), "IPDR")
    alone = [name for name in _SPAN if name in told and not all(each in told for each in _SPAN)]
    named = {head.names.get(name, name) for name in FIELDS if name not in alone}
    others = [{"name": name, "value": value} for name, value in held.items() if name not in named]
    kind = etree.QName(_type(record) or record)
    specification = {"id": kind.text, "name": kind.localname}
    return _usage(record, head.source, told, {"usageSpecification": specification, "usageCharacteristic": others})


def _wanting(record: Element, found: Sequence[Fault], names: Mapping[str, str]) -> str:
    """Say what a record of another service definition lacks, by the names of its own elements."""
    kind = etree.QName(_type(record) or record).localname
    told = "; ".join(f"{names.get(each.path, each.path)} {each.problem}" for each in found)
    return f"The record is of another service definition ({kind}): {told}. The setting systems.NAME.ipdr says which of its elements are ours"


def _usage(record: Element, source: str, told: Mapping[str, str], kept: Mapping[str, object]) -> Usage:
    start, end = _interval(record, told)
    return Usage(
        source=source,
        external_id=told["usageId"],
        service=told["service"],
        start=start,
        end=end,
        octets=int(told["octets"]) if "octets" in told else None,
        mbps=int(told["mbps"]) if "mbps" in told else None,
        kind=told.get("kind") or KIND,
        state=told.get("state") or "received",
        record=kept,
    )


def _interval(record: Element, told: Mapping[str, str]) -> tuple[int, int] | tuple[None, None]:
    """Give both ends of the interval; a record with one of them has no interval."""
    if any(name not in told for name in _SPAN):
        return None, None
    start, end = (_time(record, told[name], name) for name in _SPAN)
    if end <= start:
        raise _malformed(record, "The interval does not end after it begins", "endTime")
    return start, end


def _children(record: Element) -> dict[str, object]:
    """Give the elements inside, by their names without namespaces: texts, objects, and lists of what is there repeatedly."""
    found: dict[str, list[object]] = {}
    for each in record.iterchildren(etree.Element):
        tag = etree.QName(each)
        if tag.namespace != IPDR:
            value = _children(each) if len(each) else (each.text or "").strip()
            found.setdefault(tag.localname, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _type(record: Element) -> str:
    """Give the type that a record says it is of, with its namespace spelled out; empty where it does not say."""
    text = (record.get(_TYPE) or "").strip()
    if not text:
        return ""
    prefix, colon, name = text.rpartition(":")
    return f"{{{record.nsmap.get(prefix if colon else None, '')}}}{name}"


def _time(record: Element, text: str, name: str) -> int:
    try:
        return read_time(text, name)
    except Malformed as error:
        raise _malformed(record, error.message, name) from None


def _malformed(record: Element, problem: str, field: str) -> Malformed:
    line = cast("int", record.sourceline)
    return Malformed(f"Line {line}: {problem}", field=field)
