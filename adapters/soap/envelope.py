"""MTOSI's messages are put into SOAP envelopes: SOAP 1.1 over HTTP, with MTOSI's header and one thing in the body.

Sources: SOAP 1.1 section 4; MTOSI 2.1, HeaderDefinitions.xsd. A header may be left out, and so may each of its members.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from lxml import etree

from adapters.errors import Malformed
from adapters.soap.elements import NAMESPACES, spaces, tag, text_in
from adapters.xml.confinement import confined
from adapters.xml.parser import MOST_BYTES, Element, check, read_xml

MEDIA: Final = ("text/xml", "application/xml", "application/soap+xml")
CONTENT_TYPE: Final = "text/xml; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What is said of a message, beside it."""

    activity: str
    message: str
    kind: Literal["NOTIFICATION", "REQUEST", "RESPONSE"]
    pattern: Literal["Notification", "SimpleResponse"]
    sender: str = ""
    correlation_id: str = ""
    timestamp: str = ""
    """RFC 3339."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A message that has come in."""

    content: Element
    """what is in its body."""
    sender: str
    originator: str
    correlation_id: str


@confined
def envelope(header: Header, content: Element) -> bytes:
    """Write a message."""
    made = etree.Element(tag("soap:Envelope"), nsmap=spaces("soap", "hdr"))
    head = etree.SubElement(etree.SubElement(made, tag("soap:Header")), tag("hdr:header"))
    for name, text in _told(header):
        text_in(head, name, text)
    etree.SubElement(made, tag("soap:Body")).append(content)
    etree.cleanup_namespaces(made, keep_ns_prefixes=["soap"])
    return as_bytes(made)


def read_envelope(body: bytes, *, most_bytes: int = MOST_BYTES, schema: etree.XMLSchema | None = None) -> Envelope:
    """Read a message, and check it against a schema of ours where one is given; raises Malformed with the line."""
    root = read_xml(body, most_bytes=most_bytes)
    if root.tag != tag("soap:Envelope"):
        raise Malformed(f"Line {root.sourceline}: {_no_envelope(root)}", field="")
    if schema is not None:
        check(root, schema)
    content = root.find(f"{tag('soap:Body')}/*")
    if content is None:
        raise Malformed(f"Line {root.sourceline}: The envelope has no body, or nothing is in it", field="")
    header = f"{tag('soap:Header')}/{tag('hdr:header')}/"
    return Envelope(
        content=content,
        sender=(root.findtext(header + tag("hdr:senderURI")) or "").strip(),
        originator=(root.findtext(header + tag("hdr:originatorURI")) or "").strip(),
        correlation_id=root.findtext(header + tag("hdr:correlationId")) or "",
    )


def shown(element: Element) -> str:
    """Say which element it is, with its namespace: elements of one name in two namespaces are two.

    >>> shown(etree.Element("{tmf854.v1}notify")), shown(etree.Element("notify"))
    ("notify of the namespace 'tmf854.v1'", 'notify of no namespace')
    """
    name = etree.QName(element)
    return f"{name.localname} of {f'the namespace {name.namespace!r}' if name.namespace else 'no namespace'}"


def as_bytes(root: Element) -> bytes:
    """Write a document, in UTF-8."""
    text: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return text


def _no_envelope(root: Element) -> str:
    return f"The message is no SOAP 1.1 envelope of {NAMESPACES['soap']!r}: its root is {shown(root)}"


def _told(header: Header) -> list[tuple[str, str]]:
    told = [
        ("hdr:activityName", header.activity),
        ("hdr:msgName", header.message),
        ("hdr:msgType", header.kind),
        ("hdr:senderURI", header.sender),
        ("hdr:correlationId", header.correlation_id),
        ("hdr:communicationPattern", header.pattern),
        ("hdr:communicationStyle", "MSG" if header.kind == "NOTIFICATION" else "RPC"),
        ("hdr:timestamp", header.timestamp),
    ]
    return [(name, text) for name, text in told if text]
