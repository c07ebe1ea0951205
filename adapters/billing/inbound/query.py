"""A list of usage is filtered by the published names of its fields; what cannot be asked for is refused, not passed over.

`filter_of` makes the filter of the compiled read. `usageDate` is the end of an interval, and takes `.gt`, `.gte`, `.lt` and
`.lte` behind the name. `externalId` and `sourceSystemId` are characteristics, by which a source finds its own again.

>>> from adapters.tmf.tmf630 import read_query
>>> filter_of(read_query([("status", "rated,billed"), ("usageDate.gte", "2026-01-01T00:00:00Z")]).filters)
{'state': {'in': ['RATED', 'BILLED']}, 'to': {'range': {'gte': '2026-01-01T00:00:00.000Z'}}}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from adapters.errors import Malformed
from adapters.tmf.shape import Shape, Time, Word, faults
from adapters.tmf.tmf630 import COMPARED, Filter, read_time, write_time
from graph.model.mapping import enum_name
from graph.model.vocabulary import USAGE_STATES

UsageFilter = dict[str, Any]

MOST_VALUES: Final = 100
TEXTS: Final[Mapping[str, str]] = MappingProxyType(
    {"id": "id", "usageType": "kind", "externalId": "externalId", "sourceSystemId": "source"}
)
STATUS: Final = "status"
DATE: Final = "usageDate"
FILTERABLE: Final = (*TEXTS, STATUS, DATE, *(f"{DATE}.{each}" for each in COMPARED))


ORDERS: Final[Mapping[str, str]] = MappingProxyType({DATE: "TO", "usageType": "KIND", "id": "ID"})
"""What the graph sorts usage by."""


def is_told(each: Filter) -> bool:
    """Tell whether the graph can tell what a filter asks for."""
    return ".".join(each.path) in FILTERABLE


def filter_of(filters: Iterable[Filter]) -> UsageFilter:
    """Make the filter that holds for exactly the usage that was asked for."""
    found: UsageFilter = {}
    for each in filters:
        name = ".".join(each.path)
        if len(each.values) > MOST_VALUES:
            raise Malformed(f"has more than {MOST_VALUES} values", field=name)
        _put(found, name, each.values)
    return found


def _put(found: UsageFilter, name: str, values: Sequence[str]) -> None:
    if name in TEXTS:
        found[TEXTS[name]] = {"in": list(values)}
    elif name == STATUS:
        words = [_checked(Word(words=USAGE_STATES), value, name) for value in values]
        found["state"] = {"in": [enum_name(word) for word in dict.fromkeys(words)]}
    elif name == DATE:
        found["or"] = [{"to": {"eq": _time(value, name)}} for value in values]
    elif name in FILTERABLE:
        if len(values) != 1:
            raise Malformed("takes one time", field=name)
        found.setdefault("to", {"range": {}})["range"][name.partition(".")[2]] = _time(values[0], name)
    else:
        raise Malformed(f"cannot be filtered by; what can: {', '.join(FILTERABLE)}", field=name)


def _time(value: str, name: str) -> str:
    return write_time(read_time(_checked(Time(), value, name), name))


def _checked(shape: Shape, value: str, name: str) -> str:
    for fault in faults(shape, value):
        hint = " (in an address, + is written %2B)" if " " in value else ""
        raise Malformed(fault.problem + hint, field=name)
    return value
