"""What the graph has of a thing becomes a TMF639 resource, in the same words in which inventories send theirs.

A row of a compiled read goes in, a resource comes out: its kind as `category`, containment and ends as relationships, an
element's site as its place, all else as characteristics. Whoever reads it may send it back as a feed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from adapters.inventory.tmf639_resource import A_END, CATEGORIES, CONTAINED, TYPES, Z_END, characteristic

OPERATIONAL: Final[Mapping[str, str]] = MappingProxyType({"enable": "ENABLED", "disable": "DISABLED"})
ADMINISTRATIVE: Final[Mapping[str, str]] = MappingProxyType(
    {"locked": "LOCKED", "unlocked": "UNLOCKED", "shutdown": "SHUTTING_DOWN"}
)
"""TMF639's words, and those of the API."""
CHARACTERISTICS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "NetworkElement": ("vendor", "model", "role"),
        "Card": ("model", "slot"),
        "Port": ("role", "number", "speedMbps"),
        "Trunk": ("layerRate", "capacityMbps"),
    }
)
HOLDERS: Final[Mapping[str, str]] = MappingProxyType({"Card": "networkElement", "Port": "card"})
"""The field that leads to what holds a thing."""
_STATES: Final = {"operationalState": OPERATIONAL, "administrativeState": ADMINISTRATIVE}


def encode(kind: str, row: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Make the resource; `place` is where resources are."""
    body: dict[str, Any] = {
        "id": row["id"],
        "href": f"{place}/{row['id']}",
        "@type": TYPES[kind],
        "@baseType": "Resource",
        "category": CATEGORIES[kind],
        "name": row["name"],
    }
    for state, words in _STATES.items():
        if row.get(state) is not None:
            body[state] = next(theirs for theirs, ours in words.items() if ours == row[state])
    names = CHARACTERISTICS[kind]
    body["resourceCharacteristic"] = [characteristic(name, row[name]) for name in names if row.get(name) is not None]
    body["resourceRelationship"] = list(_relationships(kind, row, place))
    if site := row.get("site"):
        body["place"] = {"id": site["id"], "name": site["name"], "role": "site", "@referredType": "Site"}
    return body


def _relationships(kind: str, row: Mapping[str, Any], place: str) -> Iterator[dict[str, Any]]:
    holder = row.get(HOLDERS.get(kind, ""))
    if holder:
        yield _relationship(CONTAINED, holder, place)
    for each in row.get("terminations") or ():
        yield _relationship(A_END if each["end"] == "A" else Z_END, each["port"], place)


def _relationship(kind: str, other: Mapping[str, Any], place: str) -> dict[str, Any]:
    reference = {
        "id": other["id"],
        "href": f"{place}/{other['id']}",
        "name": other["name"],
        "@referredType": "Resource",
    }
    return {"relationshipType": kind, "resource": reference}
