"""MTOSI has more places for some things than the graph, and none for others. Here it is said which one is for what.

`me` is a network element, `eq` a card, `ptp` a port, `tl` a trunk; a holder (`eh`) is no part of the graph. An element's
`location` is its site. A port lies in the equipment that supports it; a card in the element that its name begins with.
What MTOSI has no place for is in `vendorExtensions`, in a namespace of ours: where that is, nothing is guessed from names.
The published schema spells one state UNABLED: it is written so, and ENABLED is believed too.

Elements are read in either form: `me`, `eq`, `ptp`, `tl`, or as inventory layouts have them (`meAttrs`, `eqInv`,
`ptpInv`, `tlAttrs`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from types import MappingProxyType
from typing import Final

from lxml import etree

from adapters.errors import Malformed
from adapters.inventory.no_place import NoPlace, trunk_reason
from adapters.soap.elements import name_in, name_of, spaces, tag
from adapters.soap.names import TYPES, Name, parts_of, spelled, up_to
from adapters.soap.resources import GONE, PLACES, PREFIXES, STATES, write_attributes
from adapters.xml.parser import Element, check, read_schema
from graph.model.model import Kind
from graph.model.resource import PROPERTIES, NotTaken, Resource, Value

NAMESPACES: Final[Mapping[str, str]] = MappingProxyType(
    spaces("nam", "coi", "cri", "itu", "me", "eh", "eq", "ptp", "tl", "inv", "ext")
)
"""What an element of ours declares."""
_GONE: Final = (GONE, "RETIRING_RECOVERED", "RETIRING_STORED")
_SLOT: Final = re.compile(r"(?:slot|sub_slot)=([0-9]{1,9})(?![0-9])")
_PORT: Final = re.compile(r"port=([0-9]{1,9})(?![0-9])")


_KINDS: Final = {
    tag(name): kind
    for kind, names in {
        "NetworkElement": ("me:me", "inv:meAttrs"),
        "Card": ("eq:eq", "inv:eqInv"),
        "Port": ("ptp:ptp", "inv:ptpInv"),
        "Trunk": ("tl:tl", "inv:tlAttrs"),
        "": ("eh:eh", "inv:ehAttrs"),
    }.items()
    for name in names
}
_LISTS: Final = (tag("coi:vendorExtensions"), tag("cri:ituStateAndStatusList"))
"""Attributes that are lists, of which some items are others'."""
_PASSED_OVER: Final = frozenset(
    tag(f"inv:{each}") for each in ("ctpInv", "ftpInv", "gtpInv", "pgInv", "epgInv", "mfdInv", "fdInv", "sncInv")
)
"""What an inventory has beside, and may have much of."""
TAGS: Final = frozenset(_KINDS) | _PASSED_OVER
"""The elements that a feed is read by."""
SCHEMA: Final = read_schema(Path(__file__).parent / "xsd" / "invdata.xsd")
"""Our own, of the subset that is taken."""


# Reading -----------------------------------------------------------------------------------------------------------


def read(element: Element) -> Resource | None:
    """Read one of `TAGS`; None for what is no part of the graph. Raises Malformed with the line.

    What the schema allows and the graph has no place for is `NoPlace`: one end of a trunk, a value that is no number.
    """
    if element.tag in _PASSED_OVER:
        return None
    check(element, SCHEMA)
    kind = _KINDS[str(element.tag)]
    if not kind:
        return None
    inner = element.find(tag(f"inv:{PREFIXES[kind]}Attrs"))
    told = element if inner is None else inner
    parts = name_of(told.find(tag("coi:name")), told)
    extension = told.find(f"{tag('coi:vendorExtensions')}/{tag('ext:resource')}")
    removed = _text(told, "cri:resourceState") in _GONE
    try:
        return Resource(
            kind=kind,
            name=spelled(parts),
            inside=_inside(kind, element, told, parts, extension),
            ends=_ends(told, removed=removed) if kind == "Trunk" else None,
            properties=dict(_properties(kind, told, parts, extension)),
            removed=removed,
        )
    except ValueError as error:
        raise _no_place(kind, told, str(error), removed=removed) from None


def _no_place(kind: str, told: Element, reason: str, *, removed: bool) -> Malformed:
    """Say that the graph has no place for a thing; Malformed where it has none for its name either."""
    name = spelled(name_of(told.find(tag("coi:name")), told))
    try:
        thing = NotTaken(kind=kind[0].lower() + kind[1:], name=name, reason=reason, removed=removed)
    except ValueError as error:
        return Malformed(f"Line {told.sourceline}: {error}", field="")
    return NoPlace(thing, line=told.sourceline)


def ours_of(element: Element) -> str | None:
    """Give the id of ours that a resource bears."""
    return element.findtext(f".//{tag('ext:resource')}/{tag('ext:ours')}")


def _inside(kind: str, element: Element, told: Element, parts: Name, extension: Element | None) -> str | None:
    match kind:
        case "NetworkElement":
            return _text(told, "me:location")
        case "Card":
            if extension is not None:
                name = extension.find(tag("ext:inside"))
                return None if name is None else spelled(name_of(name, told))
            outer = up_to(parts[:-1], "ME")
            return spelled(outer) if outer else None
        case "Port":
            name = element.find(f"{tag('inv:supportingEquipmentRefList')}/{tag('nam:name')}")
            return None if name is None else spelled(name_of(name, told))
        case _:
            return None


def _ends(told: Element, *, removed: bool) -> tuple[str, str] | None:
    a, z = (told.findall(f"{tag(f'tl:{end}EndTpRefList')}/{tag('nam:name')}") for end in "az")
    if not a and not z:
        return None
    if len(a) != 1 or len(z) != 1:
        raise _no_place("Trunk", told, trunk_reason(len(a), len(z)), removed=removed)
    return spelled(name_of(a[0], told)), spelled(name_of(z[0], told))


def _properties(kind: str, told: Element, parts: Name, extension: Element | None) -> Iterator[tuple[str, Value]]:
    if label := _text(told, "coi:userLabel"):
        yield "name", label
    for name, (state, words) in STATES.items():
        if name in PROPERTIES[kind] and (word := _text(told, f"cri:ituStateAndStatusList/itu:{state}")):
            yield name, words[word]
    for name, place in PLACES[kind].items():
        if value := _placed(told, kind, place):
            yield name, value
    if extension is not None:
        yield from _extended(kind, extension)
    else:
        yield from _guessed(kind, parts)


def _placed(told: Element, kind: str, place: str) -> str | None:
    if place == "layerRate":
        rate = told.find(tag("tl:layerRate"))
        return None if rate is None else rate.get("extension") or rate.text
    prefix = PREFIXES[kind]
    found = _text(told, f"{prefix}:{place}")
    return found or (_text(told, "eq:expectedEquipmentObjectType") if kind == "Card" else None)


def _extended(kind: str, extension: Element) -> Iterator[tuple[str, Value]]:
    for each in extension.findall(tag("ext:property")):
        name, text = each.get("name") or "", each.text or ""
        declared = PROPERTIES[kind].get(name)
        if declared is None or (declared.kind is Kind.INTEGER and not text.strip()):
            continue  # nothing is said
        yield name, _number(text.strip(), name) if declared.kind is Kind.INTEGER else text


def _guessed(kind: str, parts: Name) -> Iterator[tuple[str, Value]]:
    pattern, name = {"Card": (_SLOT, "slot"), "Port": (_PORT, "number")}.get(kind, (None, ""))
    if pattern is not None:
        found = [match for _, value in parts for match in pattern.findall(value)]
        if found:
            yield name, int(found[-1])


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise ValueError(f"{name} has a value that is no whole number")
    return int(text)


def _text(told: Element, path: str) -> str | None:
    return told.findtext("/".join(tag(each) for each in path.split("/"))) or None


# Writing -----------------------------------------------------------------------------------------------------------


def write(resource: Resource, ours: str = "") -> Element:
    """Write a resource as a part of an inventory layout: `meInv`, `eqInv`, `ptpInv` or `tlInv`."""
    prefix = PREFIXES[resource.kind]
    inv = etree.Element(tag(f"inv:{prefix}Inv"), nsmap=dict(NAMESPACES))
    told = etree.SubElement(inv, tag(f"inv:{prefix}Attrs"))
    write_attributes(told, resource, ours)
    if resource.kind == "Port" and resource.inside is not None:
        supporting = etree.SubElement(inv, tag("inv:supportingEquipmentRefList"))
        name_in(supporting, "nam:name", parts_of(resource.inside, TYPES["Card"]))
    return inv


def keep_others(inv: Element, there: Element) -> None:
    """Put into the lists of what is written what others have in those of what is there."""
    for path in _LISTS:
        ours, theirs = inv.find(f"*/{path}"), next(there.iter(path), None)
        if ours is not None and theirs is not None:
            mine = {each.tag for each in ours}
            ours.extend(deepcopy(each) for each in theirs if each.tag not in mine)
