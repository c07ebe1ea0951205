"""A list of alarms is filtered by the published names of their fields; what the graph cannot tell must not look like none.

`filter_of` makes the filter of the compiled read of a list's query. An attribute that the graph does not hold, or that
the caller does not see, is refused with the names of those that can be asked for: to a filter that is silently left out,
every alarm is a hit. Words are checked like those of a body. Times take `.gt`, `.gte`, `.lt` and `.lte` behind the name.

>>> from adapters.tmf.tmf630 import read_query
>>> asked = read_query([("state", "raised,updated"), ("alarmRaisedTime.gte", "2026-01-01T00:00:00Z")])
>>> filter_of(asked.filters, customer=True)
{'state': {'in': ['RAISED', 'UPDATED']}, 'raisedAt': {'range': {'gte': '2026-01-01T00:00:00.000Z'}}}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from adapters.errors import Malformed
from adapters.fault_management.alarms.record import TIMES
from adapters.fault_management.alarms.words import ALARM_TYPES
from adapters.fault_management.inbound.shape import FIELDS
from adapters.tmf.shape import Word, faults
from adapters.tmf.tmf630 import COMPARED, Filter, read_time, write_time
from graph.model.mapping import enum_name

AlarmFilter = dict[str, Any]

MOST_VALUES: Final = 100
TEXTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "id": "id",
        "sourceSystemId": "sourceSystemId",
        "externalAlarmId": "externalAlarmId",
        "alarmedObject.id": "alarmedObjectRef",
        "probableCause": "probableCause",
        "specificProblem": "specificProblem",
    }
)
WORDS: Final = ("alarmType", "perceivedSeverity", "state", "ackState")
UNSEEN: Final = frozenset({"alarmedObject.id"})
"""What a customer does not see: the source's name for what it is raised on, which need not be in the slice."""


ORDERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "alarmRaisedTime": "RAISED_AT",
        "alarmChangedTime": "CHANGED_AT",
        "sourceSystemId": "SOURCE_SYSTEM_ID",
        "probableCause": "PROBABLE_CAUSE",
        "id": "ID",
    }
)
"""What the graph sorts alarms by."""


def is_told(each: Filter, *, customer: bool) -> bool:
    """Tell whether the graph can tell what a filter asks for."""
    return ".".join(each.path) in filterable(customer=customer)


def filter_of(filters: Iterable[Filter], *, customer: bool) -> AlarmFilter:
    """Make the filter that holds for exactly the alarms that were asked for."""
    found: AlarmFilter = {}
    for each in filters:
        if len(each.values) > MOST_VALUES:
            raise Malformed(f"has more than {MOST_VALUES} values", field=".".join(each.path))
        _put(found, each, customer=customer)
    return found


def _put(found: AlarmFilter, each: Filter, *, customer: bool) -> None:
    name = ".".join(each.path)
    if name in TEXTS and not (customer and name in UNSEEN):
        found[TEXTS[name]] = {"in": list(each.values)}
    elif name in WORDS:
        found[name] = {"in": _words(name, each.values)}
    elif name in TIMES:
        times = [_time(value, name) for value in each.values]
        found.setdefault("and", []).append({"or": [{TIMES[name]: {"eq": at}} for at in times]})
    elif each.path[0] in TIMES and each.path[1:] in {(op,) for op in COMPARED}:
        bound = found.setdefault(TIMES[each.path[0]], {"range": {}})
        bound["range"][each.path[1]] = _only(name, each.values)
    else:
        raise Malformed(f"cannot be filtered by; what can: {', '.join(filterable(customer=customer))}", field=name)


def _words(name: str, values: Sequence[str]) -> list[str]:
    shape = FIELDS[name]
    assert isinstance(shape, Word)
    for value in values:
        for fault in faults(shape, value):
            raise Malformed(fault.problem, field=name)
    return list(dict.fromkeys(enum_name(ALARM_TYPES[value] if name == "alarmType" else value) for value in values))


def _only(name: str, values: Sequence[str]) -> str:
    if len(values) != 1:
        raise Malformed("takes one time", field=name)
    return _time(values[0], name)


def _time(value: str, name: str) -> str:
    for fault in faults(FIELDS[name.partition(".")[0]], value):
        hint = " (in an address, + is written %2B)" if " " in value else ""
        raise Malformed(fault.problem + hint, field=name)
    return write_time(read_time(value, name))


def filterable(*, customer: bool) -> list[str]:
    """Give the names of the filters that the graph can tell."""
    seen = [each for each in TEXTS if not (customer and each in UNSEEN)]
    return [*seen, *WORDS, *TIMES, *(f"{name}.{op}" for name in TIMES for op in COMPARED)]
