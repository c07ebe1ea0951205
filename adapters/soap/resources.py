"""Equipment and trunks, as MTOSI writes their attributes: in inventories and in the events that tell of them alike.

`me` is a network element, `eq` a card, `ptp` a port, `tl` a trunk. What MTOSI has no place for is in `vendorExtensions`, in a
namespace of ours. The published schema spells one state UNABLED: it is written so.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lxml import etree

from adapters.soap.elements import name_in, tag, text_in
from adapters.soap.names import TYPES, parts_of
from adapters.xml.parser import Element
from graph.model.resource import Resource

GONE: Final = "RETIRING_DEINSTALLED"
PREFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {"NetworkElement": "me", "Card": "eq", "Port": "ptp", "Trunk": "tl"}
)
PLACES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "NetworkElement": {"vendor": "manufacturer", "model": "productName"},
        "Card": {"model": "installedEquipmentObjectType"},
        "Port": {},
        "Trunk": {"layerRate": "layerRate"},
    }
)
"""The properties that MTOSI has a place for, in the order of the published schema."""
_OPERATIONAL: Final = {"UNABLED": "enabled", "ENABLED": "enabled", "DISABLED": "disabled"}
_ADMINISTRATIVE: Final = {"LOCKED": "locked", "UNLOCKED": "unlocked", "SHUTTING_DOWN": "shuttingDown"}
STATES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = MappingProxyType(
    {
        "operationalState": ("x721.OperationalState", _OPERATIONAL),
        "administrativeState": ("x721.AdministrativeState", _ADMINISTRATIVE),
    }
)
"""Where each state is, and what MTOSI's words for it mean."""
_EXTENDED: Final = "VENDOR_EXT"
_RATES: Final = frozenset(
    {"LR_Ethernet", "LR_Fast_Ethernet", "LR_Gigabit_Ethernet", "LR_DSR_Gigabit_Ethernet", "LR_DSR_10Gigabit_Ethernet"}
)
"""Layer rates that are written without an extension."""


def write_attributes(told: Element, resource: Resource, ours: str = "") -> None:
    """Put what is known of a resource into its element, in the order of the published schema; `ours` is our id."""
    name_in(told, "coi:name", parts_of(resource.name, TYPES[resource.kind]))
    if label := resource.properties.get("name"):
        text_in(told, "coi:userLabel", str(label))
    _write_extension(told, resource, ours)
    if resource.removed:
        text_in(told, "cri:resourceState", GONE)
    _write_states(told, resource)
    _write_places(told, resource)
    etree.SubElement(told, tag(f"{PREFIXES[resource.kind]}:ituArcStateAndStatusList"))


def _write_extension(told: Element, resource: Resource, ours: str) -> None:
    extension = etree.SubElement(etree.SubElement(told, tag("coi:vendorExtensions")), tag("ext:resource"))
    if ours:
        text_in(extension, "ext:ours", ours)
    if resource.kind == "Card" and resource.inside is not None:
        name_in(extension, "ext:inside", parts_of(resource.inside, TYPES["NetworkElement"]))
    for name, value in resource.properties.items():
        if name not in ("name", *STATES, *PLACES[resource.kind]):
            text_in(extension, "ext:property", str(value)).set("name", name)


def _write_states(told: Element, resource: Resource) -> None:
    states = etree.SubElement(told, tag("cri:ituStateAndStatusList"))
    for name, (state, words) in STATES.items():
        if name in resource.properties:
            text_in(
                states, f"itu:{state}", next(word for word, ours in words.items() if ours == resource.properties[name])
            )


def _write_places(told: Element, resource: Resource) -> None:
    if resource.kind == "NetworkElement" and resource.inside is not None:
        text_in(told, "me:location", resource.inside)
    for name, place in PLACES[resource.kind].items():
        if name in resource.properties:
            _write_place(told, f"{PREFIXES[resource.kind]}:{place}", str(resource.properties[name]))
    for end, name in zip("az", resource.ends or (), strict=False):
        name_in(etree.SubElement(told, tag(f"tl:{end}EndTpRefList")), "nam:name", parts_of(name, TYPES["Port"]))


def _write_place(told: Element, element: str, value: str) -> None:
    if element != "tl:layerRate" or value in _RATES:
        text_in(told, element, value)
    else:
        text_in(told, element, _EXTENDED).set("extension", value)
