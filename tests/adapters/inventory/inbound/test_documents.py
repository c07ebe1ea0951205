"""Resources come out of a document however it is cut, and in no more memory for a long one than for a short one."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.errors import Malformed
from adapters.inventory import mtosi_resource, tmf639_resource
from adapters.inventory.inbound.documents import MOST_BYTES, READERS, Entry, JsonArray, JsonLines, MtosiDocument, Reader
from graph.model.resource import NotTaken, Resource
from tests.adapters.inventory.resources import resources
from tests.selection import is_full, sample

pytestmark = pytest.mark.long

INV = mtosi_resource.NAMESPACES["inv"]
FORMS = ("application/x-ndjson", "application/json", "application/xml")


def raw(resource: Resource) -> bytes:
    return orjson.dumps({**tmf639_resource.write(resource), "id": resource.name})


def written(media: str, several: list[Resource]) -> Iterator[bytes]:
    """A document as its sender makes it."""
    if media == "application/x-ndjson":
        yield from (raw(each) + b"\n" for each in several)
    elif media == "application/json":
        yield b" ["
        for number, each in enumerate(several):
            yield (b"\n, " if number else b"") + raw(each)
        yield b"]\n"
    else:
        yield f'<?xml version="1.0"?>\n<mdList xmlns="{INV}"><md>'.encode()
        yield from (etree.tostring(mtosi_resource.write(each)) for each in several)
        yield b"</md></mdList>"


def read(reader: Reader, body: bytes, size: int) -> list[Entry]:
    found: list[Entry] = []
    for start in range(0, len(body), size):
        found += list(reader.feed(body[start : start + size]))
    return [*found, *reader.close()]


@pytest.mark.parametrize("media", FORMS)
@given(several=st.lists(resources(), max_size=4), size=st.integers(1, 300))
def test_a_document_gives_the_same_however_it_is_cut(media: str, several: list[Resource], size: int) -> None:
    assert read(READERS[media](MOST_BYTES), b"".join(written(media, several)), size) == several


RACK = {"id": "R1", "category": "rack"}
TRANSIT = {
    "id": "T1",
    "category": "trunk",
    "resourceRelationship": [{"relationshipType": "aEnd", "resource": {"id": "P1"}}],
}
TRANSIT_XML = f"""<mdList xmlns="{INV}" xmlns:coi="{mtosi_resource.NAMESPACES["coi"]}"
 xmlns:nam="{mtosi_resource.NAMESPACES["nam"]}" xmlns:tl="{mtosi_resource.NAMESPACES["tl"]}"><md><tlList><tlInv><tlAttrs>
<coi:name><nam:rdn><nam:type>TL</nam:type><nam:value>T1</nam:value></nam:rdn></coi:name>
<tl:aEndTpRefList><nam:name><nam:rdn><nam:type>PTP</nam:type><nam:value>P1</nam:value></nam:rdn></nam:name></tl:aEndTpRefList>
</tlAttrs></tlInv></tlList></md></mdList>"""


@pytest.mark.parametrize(
    ("media", "body", "names"),
    [
        ("application/x-ndjson", b"\n".join(map(orjson.dumps, (RACK, TRANSIT))), ["R1", "T1"]),
        ("application/json", orjson.dumps([RACK, TRANSIT]), ["R1", "T1"]),
        ("application/xml", TRANSIT_XML.encode(), ["T1"]),
    ],
)
@pytest.mark.parametrize("size", [7, 100_000])
def test_what_the_graph_has_no_place_for_comes_out_with_its_reason(
    media: str, body: bytes, names: list[str], size: int
) -> None:
    found = read(READERS[media](MOST_BYTES), body, size)
    assert [each.name for each in found if isinstance(each, NotTaken) and each.reason] == names


CARD = Resource(
    kind="Card",
    name="K" * 200,
    inside="N1",
    properties={"name": "a card " * 30, "model": "LC" * 100, "slot": 3, "operationalState": "enabled"},
)


@pytest.mark.parametrize("media", sample(list(FORMS), 1, about="long documents"))
def test_a_long_document_takes_no_more_memory_than_a_short_one(media: str) -> None:
    one = {
        "application/x-ndjson": raw(CARD) + b"\n",
        "application/json": raw(CARD) + b",",
        "application/xml": etree.tostring(mtosi_resource.write(CARD)),
    }[media]
    begin, end = {
        "application/x-ndjson": (b"", b""),
        "application/json": (b"[", b"]"),
        "application/xml": (f'<mdList xmlns="{INV}"><md>'.encode(), b"</md></mdList>"),
    }[media]

    def peak(megabytes: int) -> int:
        reader, size, count = READERS[media](MOST_BYTES), 0, 0
        tracemalloc.start()
        part = one * max(1, 65_536 // len(one))
        for chunk in (begin, *[part] * (megabytes * 2**20 // len(part))):
            size += len(chunk)
            count += sum(1 for _ in reader.feed(chunk))
        if media == "application/json":
            count += sum(1 for _ in reader.feed(raw(CARD)))
        count += sum(1 for each in (reader.feed(end), reader.close()) for _ in each)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert size > 0.9 * megabytes * 2**20
        assert count >= size // len(one)
        return most

    peak(1)
    short, long = (4, 32) if is_full() else (1, 4)
    most = peak(long)
    assert most < peak(short) + 200_000
    assert most < 3_000_000


@pytest.mark.parametrize(
    ("make", "body", "reason"),
    [
        (JsonLines, b'{"id": "a", "category": "card"}\n\nnot json\n', "Line 3, column 1: this is not JSON"),
        (JsonLines, b"[]\n", "Line 1: A resource is an object"),
        (JsonLines, b'{"id": "a", "category": "card"', "Line 1, column 31: this is not JSON"),
        (JsonLines, b"\n" + b"x" * 3_000 + b"\n", "Line 2 has more than 1000 bytes"),
        (JsonLines, b"\n" + b"x" * 3_000, "Line 2 has more than 1000 bytes"),
        (JsonLines, b'{"id": "\xff", "category": "card"}', "Line 1, column 1: this is not JSON"),
        (JsonLines, b"[" * 100_000, "Line 1 has more|Line 1, column"),
        (JsonLines, b'{"eventType": "ResourceDeleteEvent"}', "Line 1: event: has no resource"),
        (
            JsonLines,
            b'{"eventType": "ResourceDelete", "event": {}}',
            "Line 1: eventType: is none of ResourceCreateEvent",
        ),
        (JsonLines, b'\n{"category": "rack"}', "Line 2: id: is missing"),
        (JsonArray, b"", "ends in item 1"),
        (JsonArray, b"{}", "no JSON array"),
        (JsonArray, b"[7]", "Item 1 is no object"),
        (JsonArray, b'[{"id": "a", "category": "card"}', "ends in item 2"),
        (JsonArray, b'[{"id": "a", "category": "card"},', "ends in item 2"),
        (JsonArray, b'[{"id": "a", "category": "card"},]', "Item 2 is no object"),
        (JsonArray, b'[{"id": "a", "category": "card"} {}]', "neither a comma"),
        (JsonArray, b"[] []", "behind the end"),
        (JsonArray, b'[{"id": "' + b"x" * 3_000 + b'"}]', "Item 1"),
        (JsonArray, b'[{"a": NaN}]', r"Item 1 \(line 1, column 2\): this is not JSON: NaN is no number"),
        (
            JsonArray,
            b'[{"id": "a", "category": "card"},\n\n  {"id": "b",\n "x" 1}]',
            r"Item 2 \(line 4, column 6\): this is not",
        ),
        (JsonArray, b'[\n {"id": "a", "category": "card"}\n {}]', r"neither a comma nor a \] \(line 3, column 2\)"),
        (JsonArray, b'[\n {"id": "a"', r"ends in item 1, before its \] \(line 2, column 12\)"),
        (JsonArray, b'[{"a": "\xff"}]', r"Item 1 \(line 1, column 9\): this is not in UTF-8"),
        (JsonArray, b'[{"a": ' + b"[" * 900 + b"]" * 900 + b"}]", "Item 1"),
        (JsonArray, b'[{"a": ' + b"[" * 100_000, "Item 1"),
        (JsonArray, b'[{"a": ' + b"9" * 900 + b"}]", "Item 1: id"),
        (MtosiDocument, b"<a/>", "root element is none"),
        (MtosiDocument, f'<mdList xmlns="{INV}"/>'.encode(), ""),
        (MtosiDocument, b"<a>", "breaks off"),
        (MtosiDocument, b"", "no root element"),
        (MtosiDocument, b"<!DOCTYPE a><a/>", "DOCTYPE"),
        (MtosiDocument, f'<meAttrs xmlns="{INV}"/>'.encode(), "Line 1: it has no name"),
        (MtosiDocument, f'<a xmlns="{INV}"><meAttrs>'.encode() + b"x" * 9_000, "more than 1000 bytes"),
    ],
)
@pytest.mark.parametrize("size", [7, 100_000])
def test_a_document_that_is_wrong_says_where(
    make: Callable[[int], Reader], body: bytes, reason: str, size: int
) -> None:
    if not reason:
        assert read(make(1_000), body, size) == []
        return
    with pytest.raises(Malformed, match=reason):
        read(make(1_000), body, size)
