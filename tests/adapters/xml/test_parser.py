from __future__ import annotations

import time
import tracemalloc
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.errors import Malformed
from adapters.xml.parser import DEEPEST, MOST_NAMES, XmlFeed, check, read_schema, read_xml
from tests.selection import is_full

BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "xx"><!ENTITY y "&x;&x;&x;&x;">]><a b="&y;">&y;</a>"""
EXTERNAL = b"""<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>"""

SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="port"><xs:complexType><xs:sequence><xs:element name="rate" type="xs:int"/></xs:sequence></xs:complexType></xs:element>
</xs:schema>"""


SPACED = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:a" elementFormDefault="qualified">
<xs:element name="port"><xs:complexType><xs:sequence><xs:element name="rate"><xs:simpleType><xs:restriction base="xs:string">
<xs:pattern value="[0-9]{2}(-[0-9]{1,3})?"/></xs:restriction></xs:simpleType></xs:element></xs:sequence></xs:complexType>
</xs:element></xs:schema>"""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            '<p:port xmlns:p="urn:a"><p:odd/></p:port>',
            "Element 'odd': This element is not expected. Expected is ( rate )",
        ),
        (
            '<p:port xmlns:p="urn:a"><rate/></p:port>',
            "Element 'rate': This element is not expected. Expected is ( {urn:a}rate )",
        ),
        (
            '<p:port xmlns:p="urn:a"><q:rate xmlns:q="urn:b"/></p:port>',
            "Element '{urn:b}rate': This element is not expected. Expected is ( {urn:a}rate )",
        ),
        ('<p:port xmlns:p="urn:b"/>', "Element '{urn:b}port': No matching global declaration"),
        ('<p:port xmlns:p="urn:a"><p:rate>7</p:rate></p:port>', "[0-9]{2}(-[0-9]{1,3})?"),
    ],
)
def test_a_reason_does_not_contradict_itself(tmp_path: Path, body: str, reason: str) -> None:
    (tmp_path / "a.xsd").write_text(SPACED)
    with pytest.raises(Malformed) as caught:
        read_xml(body.encode(), schema=read_schema(tmp_path / "a.xsd"))
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (BOMB, "DOCTYPE"),
        (EXTERNAL, "DOCTYPE"),
        (BOMB.decode().encode("utf-16"), "not in UTF-8"),
        (b"<!-- first -->\n<!DOCTYPE a><a/>", "Line 2: A document type"),
        (b"<a>&undeclared;</a>", "undefined entity"),
        (b"", "no root element"),
        (b"  \n <!-- nothing else -->", "no root element"),
        (b"<a><b></a>", "Line 1"),
        (b"<a>", "Line 1"),
        (b"\n\n<a>\n<b>", "Line 4"),
        (b"<a/><b/>", "Line 1"),
        (b"not xml", "Line 1"),
        (b"<a>\x00</a>", "Line 1"),
        (b"<?xml version='1.0' encoding='utf-7'?><a/>", "Line 1: The declared encoding utf-7 is not UTF-8"),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>", "encoding"),
        (b"<?xml version='1.0' encoding='UTF-16'?><a/>", "encoding"),
        ("<?xml version='1.0' encoding='utf-16'?><a/>".encode("utf-16"), "not in UTF-8"),
        ("<a/>".encode("utf-16-le"), "not in UTF-8"),
        ("<a/>".encode("utf-16-be"), "not in UTF-8"),
        ("<a/>".encode("utf-32"), "not in UTF-8"),
        ("<a>\xe4</a>".encode("latin-1"), "Line 1"),
        (b"<!--" + b"x" * 20_000 + b"--><a/>", "not begun after 16384 bytes"),
        (b"<a xmlns='not a uri'/>", "Line 1: A namespace is no URI"),
        (b"<a>\n<" + b"x" * 1_001 + b"/></a>", "Line 2: A name has more than 1000"),
        (b"<a>" + b"".join(b"<a%d/>" % each for each in range(MOST_NAMES)) + b"</a>", "different names"),
        (b"<a><a " + b" ".join(b"a%d=''" % each for each in range(MOST_NAMES)) + b"/></a>", "different names"),
        (b"<a><a " + b" ".join(b"xmlns:a%d='u:u'" % each for each in range(MOST_NAMES)) + b"/></a>", "different names"),
        (b"<a>" + b"".join(b"<a xmlns='u:%d'/>" % each for each in range(MOST_NAMES)) + b"</a>", "different names"),
        (b"<a>" + b"".join(b"<a xml:id='i%d'/>" % each for each in range(MOST_NAMES)) + b"</a>", "different names"),
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


@pytest.mark.parametrize(
    "body",
    [
        b"<a/>",
        b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n<!-- a --><a>\xc3\xa4</a>",
        b"<?xml version='1.0' encoding='US-ASCII'?><a>&#228;</a>",
        b"<a xmlns='u:u'><b xmlns=''><c/></b><b/></a>",
        b"<p:a xmlns:p='u:u'><p:b xmlns:p='u:v' p:x='1' x='2'/><p:b/></p:a>",
        b"<a xmlns='u:u' xmlns:p='u:v' xml:lang='de' p:x='1'>t<p:b/>u<!-- c --> v<?pi x?>w<![CDATA[<x>]]>z\r\n</a>",
        b"<a xmlns:xml='http://www.w3.org/XML/1998/namespace' b='&#10;&lt;\n&quot;'>&amp;&#x10ffff;]]&gt;</a>",
    ],
)
def test_what_is_read_is_what_another_parser_reads(body: bytes) -> None:
    other = etree.fromstring(body, etree.XMLParser(remove_comments=True, remove_pis=True))
    assert etree.tostring(read_xml(body)) == etree.tostring(other)


def test_an_element_of_a_feed_knows_the_prefixes_round_it() -> None:
    feed = XmlFeed({"{u:u}me"})
    feed.feed(
        b"<all xmlns:p='u:u' xmlns:q='u:q'>\n<w xmlns:q='u:inner'/><w xmlns:r='u:r'><p:me q:a='1' b='r:c'/></w></all>"
    )
    (found,) = feed.close()
    assert found.nsmap == {"p": "u:u", "q": "u:q", "r": "u:r"}
    assert (found.get("{u:q}a"), found.sourceline, feed.root) == ("1", 2, "all")


def test_a_document_type_is_refused_before_what_it_declares() -> None:
    """expat goes on with what it was given when a handler has raised; so it is given little before the root."""
    laughs = b"<!DOCTYPE a [<!ENTITY l0 'lol'>" + b"".join(
        b"<!ENTITY l%d '%s'>" % (each, b"&l%d;" % (each - 1) * 10) for each in range(1, 10)
    )
    begun = time.process_time()
    for _ in range(100):
        with pytest.raises(Malformed, match="DOCTYPE"):
            read_xml(laughs + b"]><a>&l9;</a>")
    assert time.process_time() - begun < 2


@given(size=st.integers(1, 40))
def test_a_feed_gives_the_same_however_it_is_cut(size: int) -> None:
    body = b"<all xmlns='urn:x'><head/><me><name>a</name><me><name>inner</name></me></me>text<w><me><name>b</name></me></w></all>"
    feed = XmlFeed({"{urn:x}me"})
    elements = [each for chunk in chunks(body, size) for each in feed.feed(chunk)] + feed.close()
    found = [each.findtext("{urn:x}name") for each in elements]
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
            count += len(feed.feed(chunk))
        count += len(feed.close())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == elements
        return peak

    most(100)
    short, long = (5_000, 50_000) if is_full() else (1_000, 10_000)
    assert most(long) < 2 * most(short) + 100_000


def test_a_reason_keeps_patterns_and_the_namespaces_that_differ(tmp_path: Path) -> None:
    (tmp_path / "s.xsd").write_text(
        """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:a" elementFormDefault="qualified">
        <xs:element name="a"><xs:complexType><xs:sequence><xs:element name="b"><xs:simpleType>
        <xs:restriction base="xs:string"><xs:pattern value="[0-9]{4}"/></xs:restriction></xs:simpleType></xs:element>
        </xs:sequence></xs:complexType></xs:element></xs:schema>"""
    )
    schema = read_schema(tmp_path / "s.xsd")
    for body, said in (
        (
            b"<a xmlns='urn:a'><b>7</b></a>",
            r"Element 'b': [facet 'pattern'] The value '7' is not accepted by the pattern '[0-9]{4}'",
        ),
        (
            b"<a xmlns='urn:a'><b xmlns='urn:b'>7</b></a>",
            "Element '{urn:b}b': This element is not expected. Expected is ( {urn:a}b )",
        ),
        (b"<a xmlns='urn:z'/>", "Element '{urn:z}a': No matching global declaration available for the validation root"),
    ):
        with pytest.raises(Malformed) as caught:
            read_xml(body, schema=schema)
        assert caught.value.message == f"Line 1: {said}"
