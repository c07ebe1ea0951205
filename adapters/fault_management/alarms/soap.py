"""MTOSI's messages are put into SOAP envelopes, and what is wrong with one comes back in one as a fault.

SOAP 1.1 over HTTP. An envelope has MTOSI's header and one thing in its body; what comes in is checked against the schema
of ours before anybody looks at it. A fault says in a sentence what is wrong, and in its detail our code, the line and the
reason (`trk:fault`); `Client` means that the same message will be refused again, `Server` that it may be sent again.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from lxml import etree

from adapters.errors import Malformed
from adapters.fault_management.alarms.terms import NAMESPACES, tag
from adapters.fault_management.alarms.write import text_in
from adapters.xml.parser import Element, check, read_schema, read_xml

MEDIA: Final = ("text/xml", "application/xml", "application/soap+xml")
CONTENT_TYPE: Final = "text/xml; charset=utf-8"
_SCHEMA: Final = Path(__file__).parent / "schemas" / "soap.xsd"
_PREFIXES: Final = {prefix: NAMESPACES[prefix] for prefix in ("soap", "hdr")}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SoapFault:
    """What somebody says is wrong."""

    is_ours: bool
    """whether the message was wrong (`Client`), and not who received it."""
    text: str


def envelope(header: Header, content: Element) -> bytes:
    """Write a message."""
    made, body = _envelope()
    head = etree.SubElement(etree.SubElement(made, tag("soap:Header")), tag("hdr:header"))
    made[:] = [made[1], made[0]]
    for name, text in _told(header):
        text_in(head, name, text)
    body.append(content)
    etree.cleanup_namespaces(made, keep_ns_prefixes=["soap"])
    return _bytes(made)


def fault(code: str, text: str, *, is_ours: bool, line: int | None = None) -> bytes:
    """Write a fault: our code, a sentence, and the line that it is about; `is_ours` when the fault is the server's."""
    made, body = _envelope()
    told = etree.SubElement(body, tag("soap:Fault"))
    etree.SubElement(told, "faultcode").text = "soap:Server" if is_ours else "soap:Client"
    etree.SubElement(told, "faultstring").text = text
    detail = etree.SubElement(etree.SubElement(told, "detail"), tag("trk:fault"), nsmap={"trk": NAMESPACES["trk"]})
    text_in(detail, "trk:code", code)
    if line is not None:
        text_in(detail, "trk:line", str(line))
    text_in(detail, "trk:reason", text)
    return _bytes(made)


def read_envelope(body: bytes, *, most_bytes: int) -> Envelope:
    """Read a message; raises Malformed with the line."""
    root = read_xml(body, most_bytes=most_bytes)
    if root.tag != tag("soap:Envelope"):
        raise Malformed(f"Line {root.sourceline}: The message is no SOAP 1.1 envelope", field="")
    check(root, _schema())
    [content] = root.iterfind(f"{tag('soap:Body')}/*")
    header = f"{tag('soap:Header')}/{tag('hdr:header')}/"
    return Envelope(
        content=content,
        sender=(root.findtext(header + tag("hdr:senderURI")) or "").strip(),
        originator=(root.findtext(header + tag("hdr:originatorURI")) or "").strip(),
        correlation_id=root.findtext(header + tag("hdr:correlationId")) or "",
    )


def fault_in(content: Element) -> SoapFault | None:
    """Read a fault; None for anything else."""
    if content.tag != tag("soap:Fault"):
        return None
    code = (content.findtext("faultcode") or "").rpartition(":")[2].strip()
    return SoapFault(is_ours=not code.startswith("Server"), text=(content.findtext("faultstring") or "").strip())


@functools.cache
def _schema() -> etree.XMLSchema:
    return read_schema(_SCHEMA)


def _envelope() -> tuple[Element, Element]:
    made = etree.Element(tag("soap:Envelope"), nsmap=_PREFIXES)
    return made, etree.SubElement(made, tag("soap:Body"))


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


def _bytes(root: Element) -> bytes:
    text: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return text
