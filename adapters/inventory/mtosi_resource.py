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
from adapters.soap.resource_names import Parts, parts_of, spelled
from adapters.xml.parser import Element, check, read_schema
from graph.model.model import Kind
from graph.model.resource import PROPERTIES, Resource, Value

_MTOP: Final = "http://www.tmforum.org/mtop"
NAMESPACES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "nam": f"{_MTOP}/fmw/xsd/nam/v1",
        "coi": f"{_MTOP}/fmw/xsd/coi/v1",
        "cri": f"{_MTOP}/nrb/xsd/cri/v1",
        "itu": f"{_MTOP}/nrb/xsd/itu/v1",
        "me": f"{_MTOP}/nrf/xsd/me/v1",
        "eh": f"{_MTOP}/nrf/xsd/eh/v1",
        "eq": f"{_MTOP}/nrf/xsd/eq/v1",
        "ptp": f"{_MTOP}/nrf/xsd/ptp/v1",
        "tl": f"{_MTOP}/nrf/xsd/tl/v1",
        "inv": f"{_MTOP}/nrf/xsd/invdata/v1",
        "ext": "urn:trunkline:inventory:v1",
    }
)
GONE: Final = "RETIRING_DEINSTALLED"
_GONE: Final = (GONE, "RETIRING_RECOVERED", "RETIRING_STORED")
OWN: Final = MappingProxyType({"NetworkElement": "ME", "Card": "EQ", "Port": "PTP", "Trunk": "TL"})
"""The type of the last part of a name."""
_PREFIXES: Final = {"NetworkElement": "me", "Card": "eq", "Port": "ptp", "Trunk": "tl"}
_PLACES: Final[Mapping[str, Mapping[str, str]]] = {
    "NetworkElement": {"vendor": "manufacturer", "model": "productName"},
    "Card": {"model": "installedEquipmentObjectType"},
    "Port": {},
    "Trunk": {"layerRate": "layerRate"},
}
"""The properties that MTOSI has a place for, in the order of the published schema."""
_OPERATIONAL: Final = {"UNABLED": "enabled", "ENABLED": "enabled", "DISABLED": "disabled"}
_ADMINISTRATIVE: Final = {"LOCKED": "locked", "UNLOCKED": "unlocked", "SHUTTING_DOWN": "shuttingDown"}
_STATES: Final = {
    "operationalState": ("x721.OperationalState", _OPERATIONAL),
    "administrativeState": ("x721.AdministrativeState", _ADMINISTRATIVE),
}
_EXTENDED: Final = "VENDOR_EXT"
_RATES: Final = frozenset(
    {"LR_Ethernet", "LR_Fast_Ethernet", "LR_Gigabit_Ethernet", "LR_DSR_Gigabit_Ethernet", "LR_DSR_10Gigabit_Ethernet"}
)
"""Layer rates that are written without an extension."""
_SLOT: Final = re.compile(r"(?:slot|sub_slot)=([0-9]{1,9})(?![0-9])")
_PORT: Final = re.compile(r"port=([0-9]{1,9})(?![0-9])")


def _tag(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


_KINDS: Final = {
    _tag(name): kind
    for kind, names in {
        "NetworkElement": ("me:me", "inv:meAttrs"),
        "Card": ("eq:eq", "inv:eqInv"),
        "Port": ("ptp:ptp", "inv:ptpInv"),
        "Trunk": ("tl:tl", "inv:tlAttrs"),
        "": ("eh:eh", "inv:ehAttrs"),
    }.items()
    for name in names
}
_LISTS: Final = (_tag("coi:vendorExtensions"), _tag("cri:ituStateAndStatusList"))
"""Attributes that are lists, of which some items are others'."""
_PASSED_OVER: Final = frozenset(
    _tag(f"inv:{each}") for each in ("ctpInv", "ftpInv", "gtpInv", "pgInv", "epgInv", "mfdInv", "fdInv", "sncInv")
)
"""What an inventory has beside, and may have much of."""
TAGS: Final = frozenset(_KINDS) | _PASSED_OVER
"""The elements that a feed is read by."""
SCHEMA: Final = read_schema(Path(__file__).parent / "xsd" / "invdata.xsd")
"""Our own, of the subset that is taken."""


# Reading -----------------------------------------------------------------------------------------------------------


def read(element: Element) -> Resource | None:
    """Read one of `TAGS`; None for what is no part of the graph. Raises Malformed with the line."""
    if element.tag in _PASSED_OVER:
        return None
    check(element, SCHEMA)
    kind = _KINDS[str(element.tag)]
    if not kind:
        return None
    inner = element.find(_tag(f"inv:{_PREFIXES[kind]}Attrs"))
    told = element if inner is None else inner
    parts = _parts(told.find(_tag("coi:name")), told)
    extension = told.find(f"{_tag('coi:vendorExtensions')}/{_tag('ext:resource')}")
    try:
        return Resource(
            kind=kind,
            name=spelled(parts, OWN[kind]),
            inside=_inside(kind, element, told, parts, extension),
            ends=_ends(told) if kind == "Trunk" else None,
            properties=dict(_properties(kind, told, parts, extension)),
            removed=_text(told, "cri:resourceState") in _GONE,
        )
    except ValueError as error:
        raise Malformed(f"Line {told.sourceline}: {error}", field="") from None


def ours_of(element: Element) -> str | None:
    """Give the id of ours that a resource bears."""
    return element.findtext(f".//{_tag('ext:resource')}/{_tag('ext:ours')}")


def _parts(name: Element | None, where: Element) -> Parts:
    found = () if name is None else tuple((each[0].text or "", each[1].text or "") for each in name)
    if not found:
        raise Malformed(f"Line {where.sourceline}: it has no name", field="")
    return found


def _inside(kind: str, element: Element, told: Element, parts: Parts, extension: Element | None) -> str | None:
    match kind:
        case "NetworkElement":
            return _text(told, "me:location")
        case "Card":
            if extension is not None:
                name = extension.find(_tag("ext:inside"))
                return None if name is None else spelled(_parts(name, told), OWN["NetworkElement"])
            outer = next((number for number, part in enumerate(parts[:-1], 1) if part[0] == "ME"), 0)
            return spelled(parts[:outer], OWN["NetworkElement"]) if outer else None
        case "Port":
            name = element.find(f"{_tag('inv:supportingEquipmentRefList')}/{_tag('nam:name')}")
            return None if name is None else spelled(_parts(name, told), OWN["Card"])
        case _:
            return None


def _ends(told: Element) -> tuple[str, str] | None:
    a, z = (told.findall(f"{_tag(f'tl:{end}EndTpRefList')}/{_tag('nam:name')}") for end in "az")
    if not a and not z:
        return None
    if len(a) != 1 or len(z) != 1:
        raise Malformed(f"Line {told.sourceline}: a trunk has one port at either end", field="")
    return spelled(_parts(a[0], told), OWN["Port"]), spelled(_parts(z[0], told), OWN["Port"])


def _properties(kind: str, told: Element, parts: Parts, extension: Element | None) -> Iterator[tuple[str, Value]]:
    if label := _text(told, "coi:userLabel"):
        yield "name", label
    for name, (tag, words) in _STATES.items():
        if name in PROPERTIES[kind] and (word := _text(told, f"cri:ituStateAndStatusList/itu:{tag}")):
            yield name, words[word]
    for name, place in _PLACES[kind].items():
        if value := _placed(told, kind, place):
            yield name, value
    if extension is not None:
        yield from _extended(kind, extension)
    else:
        yield from _guessed(kind, parts)


def _placed(told: Element, kind: str, place: str) -> str | None:
    if place == "layerRate":
        rate = told.find(_tag("tl:layerRate"))
        return None if rate is None else rate.get("extension") or rate.text
    prefix = _PREFIXES[kind]
    found = _text(told, f"{prefix}:{place}")
    return found or (_text(told, "eq:expectedEquipmentObjectType") if kind == "Card" else None)


def _extended(kind: str, extension: Element) -> Iterator[tuple[str, Value]]:
    for each in extension.findall(_tag("ext:property")):
        name, text = each.get("name") or "", each.text or ""
        declared = PROPERTIES[kind].get(name)
        if declared is not None:
            yield name, _number(text, name) if declared.kind is Kind.INTEGER else text


def _guessed(kind: str, parts: Parts) -> Iterator[tuple[str, Value]]:
    pattern, name = {"Card": (_SLOT, "slot"), "Port": (_PORT, "number")}.get(kind, (None, ""))
    if pattern is not None:
        found = [match for _, value in parts for match in pattern.findall(value)]
        if found:
            yield name, int(found[-1])


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise ValueError(f"{name} is no whole number")
    return int(text)


def _text(told: Element, path: str) -> str | None:
    return told.findtext("/".join(_tag(each) for each in path.split("/"))) or None


# Writing -----------------------------------------------------------------------------------------------------------


def write(resource: Resource, ours: str = "") -> Element:
    """Write a resource as a part of an inventory layout: `meInv`, `eqInv`, `ptpInv` or `tlInv`."""
    prefix = _PREFIXES[resource.kind]
    inv = etree.Element(_tag(f"inv:{prefix}Inv"), nsmap=dict(NAMESPACES))
    told = etree.SubElement(inv, _tag(f"inv:{prefix}Attrs"))
    write_name(told, "coi:name", parts_of(resource.name, OWN[resource.kind]))
    if label := resource.properties.get("name"):
        _put(told, "coi:userLabel", str(label))
    _write_extension(told, resource, ours)
    if resource.removed:
        _put(told, "cri:resourceState", GONE)
    _write_states(told, resource)
    _write_places(told, resource)
    etree.SubElement(told, _tag(f"{prefix}:ituArcStateAndStatusList"))
    if resource.kind == "Port" and resource.inside is not None:
        supporting = etree.SubElement(inv, _tag("inv:supportingEquipmentRefList"))
        write_name(supporting, "nam:name", parts_of(resource.inside, OWN["Card"]))
    return inv


def keep_others(inv: Element, there: Element) -> None:
    """Put into the lists of what is written what others have in those of what is there."""
    for path in _LISTS:
        ours, theirs = inv.find(f"*/{path}"), next(there.iter(path), None)
        if ours is not None and theirs is not None:
            mine = {each.tag for each in ours}
            ours.extend(deepcopy(each) for each in theirs if each.tag not in mine)


def write_name(parent: Element, tag: str, parts: Parts) -> None:
    """Write a name under a tag, with its prefix here or its namespace."""
    name = etree.SubElement(parent, tag if tag.startswith("{") else _tag(tag))
    for kind, value in parts:
        rdn = etree.SubElement(name, _tag("nam:rdn"))
        _put(rdn, "nam:type", kind)
        _put(rdn, "nam:value", value)


def _write_extension(told: Element, resource: Resource, ours: str) -> None:
    extension = etree.SubElement(etree.SubElement(told, _tag("coi:vendorExtensions")), _tag("ext:resource"))
    if ours:
        _put(extension, "ext:ours", ours)
    if resource.kind == "Card" and resource.inside is not None:
        write_name(extension, "ext:inside", parts_of(resource.inside, OWN["NetworkElement"]))
    for name, value in resource.properties.items():
        if name not in ("name", *_STATES, *_PLACES[resource.kind]):
            _put(extension, "ext:property", str(value)).set("name", name)


def _write_states(told: Element, resource: Resource) -> None:
    states = etree.SubElement(told, _tag("cri:ituStateAndStatusList"))
    for name, (tag, words) in _STATES.items():
        if name in resource.properties:
            _put(states, f"itu:{tag}", next(word for word, ours in words.items() if ours == resource.properties[name]))


def _write_places(told: Element, resource: Resource) -> None:
    if resource.kind == "NetworkElement" and resource.inside is not None:
        _put(told, "me:location", resource.inside)
    for name, place in _PLACES[resource.kind].items():
        if name in resource.properties:
            _write_place(told, f"{_PREFIXES[resource.kind]}:{place}", str(resource.properties[name]))
    for end, name in zip("az", resource.ends or (), strict=False):
        write_name(etree.SubElement(told, _tag(f"tl:{end}EndTpRefList")), "nam:name", parts_of(name, OWN["Port"]))


def _write_place(told: Element, tag: str, value: str) -> None:
    if tag != "tl:layerRate" or value in _RATES:
        _put(told, tag, value)
    else:
        _put(told, tag, _EXTENDED).set("extension", value)


def _put(parent: Element, tag: str, text: str) -> Element:
    made = etree.SubElement(parent, _tag(tag))
    made.text = text
    return made
