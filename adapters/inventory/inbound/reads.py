"""TMF639 has one list of resources, the graph four kinds of them; a caller must see one list, in one order, of its own slice.

So the list is one kind after the other, each by id, and each question is a compiled read in the caller's scope. An offset is
walked, as for alarms. Filters are by published names; what the graph cannot tell is refused, and a kind that has not what
is filtered by has no hit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.endpoint.edge import Port
from adapters.endpoint.listing import Orders
from adapters.endpoint.reading import Reader, Rows, questions
from adapters.errors import Malformed
from adapters.inventory.inbound.codec import ADMINISTRATIVE, CHARACTERISTICS, OPERATIONAL
from adapters.inventory.tmf639_resource import CATEGORIES
from adapters.tmf.tmf630 import Filter
from graph.model.resource import KINDS
from graph.model.scope import Principal

MOST_VALUES: Final = 100
BY_ID: Final[Orders] = ({"field": "ID"},)
_LEADS_TO: Final = {
    "NetworkElement": "administrativeState site { id name }",
    "Card": "administrativeState networkElement { id name }",
    "Port": "administrativeState card { id name }",
    "Trunk": "terminations { end port { id name } }",
}
_FIELDS: Final = {
    kind: f"id name operationalState {' '.join(CHARACTERISTICS[kind])} {_LEADS_TO[kind]}" for kind in KINDS
}
_ROOTS: Final = {kind: f"{kind[0].lower()}{kind[1:]}s" for kind in KINDS}


LIST: Final = {kind: questions(_ROOTS[kind], kind, _FIELDS[kind]) for kind in KINDS}
ONE: Final = {
    kind: f"query One{kind}($id: ID!) {{ found: {kind[0].lower()}{kind[1:]}(id: $id) {{ {_FIELDS[kind]} }} }}"
    for kind in KINDS
}
_WORDS: Final = {"operationalState": OPERATIONAL, "administrativeState": ADMINISTRATIVE}
FILTERABLE: Final = ("id", "name", "category", *_WORDS)
PUBLISHED: Final = (
    *FILTERABLE,
    "href",
    "@type",
    "@baseType",
    "place",
    "resourceCharacteristic",
    "resourceRelationship",
    "relatedParty",
    "resourceStatus",
    "usageState",
)
"""The attributes that a resource of ours has, or may have by TMF639 v4.0.0."""

Wanted = Mapping[str, Mapping[str, Any]]
"""The filter of each kind that can have a hit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A part of the list: kinds and rows."""

    total: int
    rows: Sequence[tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceReads:
    """What one caller may read, until its deadline."""

    port: Port
    principal: Principal
    deadline: float

    async def one(self, resource_id: str) -> tuple[str, Mapping[str, Any]] | None:
        """Give a resource with its kind; None when there is none that the caller sees."""
        kind = next((each for each in KINDS if resource_id.startswith(f"{each.lower()}-")), None)
        row = None if kind is None else (await self._reader.ask(ONE[kind], {"id": resource_id}))["found"]
        return None if kind is None or row is None else (kind, row)

    async def page(self, wanted: Wanted, offset: int, limit: int) -> Found:
        """Give up to `limit` of the resources that match, from the `offset`th on."""
        total, rows = 0, list[tuple[str, Mapping[str, Any]]]()
        for kind, filter_ in wanted.items():
            part = await self._part(kind, filter_, max(offset - total, 0), limit - len(rows))
            rows += [(kind, row) for row in part.rows]
            total += part.total
        return Found(total=total, rows=rows)

    async def _part(self, kind: str, filter_: Mapping[str, Any], first: int, limit: int) -> Rows:
        """Give what the page holds of one kind, and how many there are; nothing is walked that the page begins behind."""
        if first or not limit:
            total = await self._reader.count(LIST[kind], filter_)
            if first >= total or not limit:
                return Rows(total=total, rows=())
        return await self._reader.page(LIST[kind], filter_, BY_ID, first, limit)

    @property
    def _reader(self) -> Reader:
        return Reader(port=self.port, principal=self.principal, deadline=self.deadline)


def is_told(each: Filter) -> bool:
    """Tell whether the graph can tell what a filter asks for."""
    return ".".join(each.path) in FILTERABLE


def wanted_of(filters: Iterable[Filter]) -> Wanted:
    """Make the filter of each kind that holds for exactly the resources that were asked for."""
    kinds, common = list(KINDS), dict[str, Any]()
    for each in filters:
        name = ".".join(each.path)
        if len(each.values) > MOST_VALUES:
            raise Malformed(f"has more than {MOST_VALUES} values", field=name)
        if name == "category":
            kinds = [kind for kind in kinds if CATEGORIES[kind] in each.values]
        elif name in ("id", "name"):
            common[name] = {"in": list(each.values)}
        elif name in _WORDS:
            common[name] = {"in": _words(name, each.values)}
        else:
            raise Malformed(f"cannot be filtered by; what can: {', '.join(FILTERABLE)}", field=name)
    return {kind: common for kind in kinds if kind != "Trunk" or "administrativeState" not in common}


def _words(name: str, values: Sequence[str]) -> list[str]:
    for value in values:
        if value not in _WORDS[name]:
            raise Malformed(f"is none of {', '.join(_WORDS[name])}", field=name)
    return list(dict.fromkeys(_WORDS[name][value] for value in values))
