from __future__ import annotations

import tracemalloc
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.errors import Malformed
from adapters.xml.parser import DEEPEST, XmlFeed, check, read_schema, read_xml

BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "xx"><!ENTITY y "&x;&x;&x;&x;">]><a b="&y;">&y;</a>"""
EXTERNAL = b"""<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>"""

SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="port"><xs:complexType><xs:sequence><xs:element name="rate" type="xs:int"/></xs:sequence></xs:complexType></xs:element>
</xs:schema>"""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (BOMB, "DOCTYPE"),
        (EXTERNAL, "DOCTYPE"),
        (BOMB.decode().encode("utf-16"), "DOCTYPE"),
        (b"<!-- first -->\n<!DOCTYPE a><a/>", "Line 2: A document type"),
        (b"<a>&undeclared;</a>", "undeclared"),
        (b"", "no root element"),
        (b"  \n <!-- nothing else -->", "no root element"),
        (b"<a><b></a>", "Line 1"),
        (b"<a>", "Line 1"),
        (b"\n\n<a>\n<b>", "Line 4"),
        (b"<a/><b/>", "Line 1"),
        (b"not xml", "Line 1"),
        (b"<a>\x00</a>", "Line 1"),
        (b"<?xml version='1.0' encoding='utf-7'?><a/>", "encoding"),
        (b"<a>" * (DEEPEST + 1) + b"</a>" * (DEEPEST + 1), "levels"),
        (b"<a>" + b"x" * 2_000_000 + b"</a>", "more than 1048576 bytes"),
    ],
)
def test_what_is_refused_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        read_xml(body)


def test_a_message_is_checked_against_a_schema_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "port.xsd"
    path.write_text(SCHEMA, encoding="utf-8")
    schema = read_schema(path)
    assert read_xml(b"<port><rate>10</rate></port>", schema=schema).findtext("rate") == "10"
    with pytest.raises(Malformed, match="Line 3: Element 'rate': 'fast' is not a valid value"):
        read_xml(b"<port>\n\n<rate>fast</rate></port>", schema=schema)
    with pytest.raises(Malformed, match="Line 1"):
        check(etree.fromstring("<trunk/>"), schema)


def chunks(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


@given(size=st.integers(1, 40))
def test_a_feed_gives_the_same_however_it_is_cut(size: int) -> None:
    body = b"<all xmlns='urn:x'><head/><me><name>a</name><me><name>inner</name></me></me>text<w><me><name>b</name></me></w></all>"
    feed = XmlFeed({"{urn:x}me"})
    found = [each.findtext("{urn:x}name") for chunk in chunks(body, size) for each in feed.feed(chunk)]
    feed.close()
    assert found == ["a", "b"]


def read_in(parts: list[bytes]) -> None:
    feed = XmlFeed({"me"}, most_bytes_each=1_000)
    for part in parts:
        for _ in feed.feed(part):
            pass
    feed.close()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (BOMB, "DOCTYPE"),
        (b"<all><me/>", "breaks off"),
        (b"<all><me></all>", "Line 1"),
        (b"", "no root element"),
        (b"<all>" + b"<x/>" * 3_000 + b"</all>", "more than 1000 bytes"),
        (b"<all><me>" + b"x" * 9_000 + b"</me></all>", "more than 1000 bytes"),
        (b"<all><me a='" + b"x" * 9_000 + b"'/></all>", "more than 1000 bytes"),
        (b"<all>" + b"<d>" * DEEPEST + b"</d>" * DEEPEST + b"</all>", "levels"),
        (b"<all><me>&other;</me></all>", "names an entity|Line 1"),
        (b"<all/><all/>", "Line 1"),
    ],
)
@pytest.mark.parametrize("size", [7, 100_000])
def test_what_is_refused_in_a_feed_says_why(body: bytes, reason: str, size: int) -> None:
    with pytest.raises(Malformed, match=reason):
        read_in(chunks(body, size))


def test_a_long_feed_takes_no_more_memory_than_a_short_one() -> None:
    def most(elements: int) -> int:
        feed, count = XmlFeed({"me"}, most_bytes_each=10_000), 0
        element = b"<w><me><name>" + b"n" * 400 + b"</name></me></w>\n"
        tracemalloc.start()
        body = (element * 100 for _ in range(elements // 100))
        for chunk in chain([b"<all>"], body, [b"</all>"]):
            count += sum(1 for _ in feed.feed(chunk))
        feed.close()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == elements
        return peak

    most(100)
    assert most(50_000) < 2 * most(5_000) + 100_000
