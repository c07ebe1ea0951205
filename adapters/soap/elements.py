"""MTOSI's elements live in two dozen namespaces; here each has one prefix, and what both areas read and write is written once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lxml import etree

from adapters.errors import Malformed
from adapters.soap.names import Name
from adapters.xml.parser import Element, legal

_MTOP: Final = "http://www.tmforum.org/mtop"
_MODULES: Final = {
    "fmw": (
        "hdr",
        "notmsg",
        "cei",
        "ei",
        "nam",
        "gen",
        "cornot",
        "msg",
        "coi",
        "hbt",
        "elo",
        "elc",
        "oc",
        "avc",
        "sc",
        "vdn",
    ),
    "nra": ("alm", "com", "prc", "alarmid", "atcaid"),
    "nrb": ("lay", "cri", "itu", "rscoc", "rscodel", "rscsc", "rscavc"),
    "sb": ("ssc", "savc"),
    "nrf": ("me", "eh", "eq", "ptp", "tl"),
    "mri": ("riu", "rir"),
    "rtm": ("ah",),
}
NAMESPACES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "soap": "http://schemas.xmlsoap.org/soap/envelope/",
        "trk": "urn:trunkline:alarm:1",
        "tev": "urn:trunkline:event:1",
        "ext": "urn:trunkline:inventory:v1",
        "inv": f"{_MTOP}/nrf/xsd/invdata/v1",
        **{prefix: f"{_MTOP}/{area}/xsd/{prefix}/v1" for area, prefixes in _MODULES.items() for prefix in prefixes},
    }
)
"""By the prefix that is used here: MTOSI's own modules, and our three extensions."""


def tag(name: str) -> str:
    """Give the tag of an element, as lxml writes it.

    >>> tag("trk:alarm")
    '{urn:trunkline:alarm:1}alarm'
    """
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def spaces(*prefixes: str) -> dict[str, str]:
    """Give some namespaces by their prefixes, for the element that declares them."""
    return {prefix: NAMESPACES[prefix] for prefix in prefixes}


def text_in(parent: Element, element: str, text: str) -> Element:
    """Put an element with a text into another; what XML cannot say is a mark in its place."""
    made = etree.SubElement(parent, tag(element))
    made.text = legal(text)
    return made


def name_in(parent: Element, element: str, name: Name) -> Element:
    """Put a name into another element."""
    made = etree.SubElement(parent, tag(element))
    for kind, value in name:
        rdn = etree.SubElement(made, tag("nam:rdn"))
        text_in(rdn, "nam:type", kind)
        text_in(rdn, "nam:value", value)
    return made


def name_of(named: Element | None, where: Element) -> Name:
    """Read a name; raises Malformed, with the line of what should have it, where there is none."""
    parts = () if named is None else tuple(_part(each) for each in named)
    if not parts:
        raise Malformed(f"Line {where.sourceline}: it has no name", field="")
    return parts


def _part(rdn: Element) -> tuple[str, str]:
    return rdn.findtext(tag("nam:type")) or "", rdn.findtext(tag("nam:value")) or ""
