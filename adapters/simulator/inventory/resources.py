"""What an inventory keeps: resources as TMF639 has them, and elements as MTOSI has them, each as it was told.

Two protocols, two ways to name things: a TMF639 resource gets its id here, an MTOSI element brings its name. So each is kept
in its own words, and nothing is translated. What MTOSI merges, it merges attribute by attribute; an element whose life is
over is taken out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any, Final, TypeAlias

from lxml import etree

from adapters.errors import Malformed
from adapters.simulator.journal import Journal
from adapters.simulator.published import RESOURCE, check
from adapters.tmf.tmf630 import merge_patch, write_time
from adapters.xml.parser import Element, read_xml

Resource: TypeAlias = dict[str, Any]
Name: TypeAlias = tuple[tuple[str, str], ...]

_MTOP: Final = "http://www.tmforum.org/mtop"
INV: Final = f"{{{_MTOP}/nrf/xsd/invdata/v1}}"
COI: Final = f"{{{_MTOP}/fmw/xsd/coi/v1}}"
CRI: Final = f"{{{_MTOP}/nrb/xsd/cri/v1}}"
KINDS: Final = ("me", "eq", "ptp", "tl")
UPDATE: Final = frozenset(
    {
        *("activationFeature", "administrativeState", "attachment", "category", "description", "endOperatingDate"),
        *("name", "note", "operationalState", "place", "relatedParty", "resourceCharacteristic"),
        *("resourceRelationship", "resourceSpecification", "resourceStatus", "resourceVersion"),
        *("startOperatingDate", "usageState"),
    }
)
"""The members of Resource_Update that a client may set."""
_PREFIX: Final = "R-"
_ORDER: Final = [
    "name",
    "userLabel",
    "discoveredName",
    "namingOs",
    "owner",
    "aliasNameList",
    "vendorExtensions",
    "source",
    "networkAccessDomain",
    "meiAttributes",
    "resourceState",
    "ituStateAndStatusList",
    "location",
    "direction",
    "layerRate",
    "aEndTpRefList",
    "zEndTpRefList",
    "isReportingAlarms",
    "expectedEquipmentObjectType",
    "installedEquipmentObjectType",
    "manufacturer",
    "manufactureDate",
    "productName",
    "softwareVersion",
    "asapRef",
    "ituArcStateAndStatusList",
]
"""In which order the attributes of an element come."""


class Resources:
    """All resources and elements, in the order in which they came."""

    def __init__(self, *, path: str, clock: Callable[[], int], kept: Journal) -> None:
        self._path = path
        self._clock = clock
        self._kept = kept
        self._count = 0
        self._resources: dict[str, Resource] = {}
        self._elements: dict[tuple[str, Name], Element] = {}

    def restore(self, entries: Iterable[Mapping[str, object]]) -> None:
        """Take over what an earlier life has kept: each change once more, in its order."""
        for entry in entries:
            if isinstance(resource := entry.get("resource"), dict):
                self._resources[str(resource["id"])] = resource
                number = str(resource["id"]).removeprefix(_PREFIX)
                self._count = max(self._count, int(number) if number.isdecimal() else 0)
            if isinstance(gone := entry.get("gone"), str):
                self._resources.pop(gone, None)
            if isinstance(element := entry.get("element"), str):
                self._merge(read_xml(element.encode()))

    # TMF639

    def all(self) -> list[Resource]:
        """Give every resource."""
        return list(self._resources.values())

    def get(self, resource_id: str) -> Resource | None:
        """Give one, or None."""
        return self._resources.get(resource_id)

    def create(self, body: object) -> Resource:
        """Take a new resource in, or raise Malformed: two are two, whatever they say."""
        told = check(RESOURCE, body)
        self._count += 1
        made = f"{_PREFIX}{self._count:08d}"
        return self.put({**told, "id": made, "href": f"{self._path}/{made}"})

    def put(self, resource: Resource) -> Resource:
        """Keep a resource as it is, under its own id."""
        kept = {**resource, "lastUpdate": write_time(self._clock())}
        self._resources[str(resource["id"])] = kept
        self._kept.write({"resource": kept})
        return kept

    def change(self, resource_id: str, patch: object) -> Resource:
        """Apply a merge patch, or raise Malformed or KeyError."""
        before = self._resources[resource_id]
        for name in patch if isinstance(patch, dict) else ():
            if name not in UPDATE and not name.startswith("@"):
                raise Malformed(f"{name} is none of what a change may have", field=name)
        return self.put(check(RESOURCE, merge_patch(before, patch)))

    def remove(self, resource_id: str) -> None:
        """Forget one, or raise KeyError."""
        del self._resources[resource_id]
        self._kept.write({"gone": resource_id})

    # MTOSI

    def elements(self, kind: str) -> list[Element]:
        """Give every element of a kind, as a part of an inventory layout."""
        return [each for (of, _), each in self._elements.items() if of == kind]

    def named(self, kind: str, name: Name) -> Element | None:
        """Give one, or None."""
        return self._elements.get((kind, name))

    def merge(self, inv: Element) -> Name:
        """Merge an element over what is there, or take it out; give its name, or raise Malformed."""
        name = self._merge(inv)
        self._kept.write({"element": etree.tostring(inv, encoding="unicode")})
        return name

    def _merge(self, inv: Element) -> Name:
        kind = etree.QName(inv).localname.removesuffix("Inv")
        attributes = inv.find(f"{INV}{kind}Attrs")
        name = _name(attributes)
        there = self._elements.get((kind, name))
        if attributes is None:
            raise Malformed("An element has no attributes", field=kind)
        if (attributes.findtext(f"{CRI}resourceState") or "").startswith("RETIRING"):
            self._elements.pop((kind, name), None)
        elif there is None:
            self._elements[kind, name] = deepcopy(inv)
        else:
            _over(there.find(f"{INV}{kind}Attrs"), attributes)
            for each in inv:
                if each is not attributes:
                    _replace(there, each)
        return name


def _name(attributes: Element | None) -> Name:
    found = None if attributes is None else attributes.find(f"{COI}name")
    if found is None or not len(found):
        raise Malformed("An element has no name", field="name")
    return name_of(found)


def name_of(name: Element) -> Name:
    """Give the parts of a name."""
    return tuple((each[0].text or "", each[1].text or "") for each in name)


def _over(there: Element | None, told: Element) -> None:
    assert there is not None, "every element that is kept has its attributes"
    for each in told:
        _replace(there, each)
    there[:] = sorted(there, key=lambda each: _ORDER.index(etree.QName(each).localname))


def _replace(there: Element, told: Element) -> None:
    for each in there.findall(str(told.tag)):
        there.remove(each)
    there.append(deepcopy(told))
