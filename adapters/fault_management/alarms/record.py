"""An alarm is kept as it came, and other people have changed it since: what is current is put over what was recorded.

The record has the shape of TMF642, by whatever dialect it came. A current value that says the same as the record (the same
moment in another zone, the other half of a split word) leaves the record's spelling alone, so that what nobody has changed
goes out as it came in.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from adapters.errors import Malformed
from adapters.fault_management.alarms.words import ALARM_TYPES
from adapters.tmf.tmf630 import read_time

Record: TypeAlias = Mapping[str, Any]

TIMES: Final = MappingProxyType(
    {"alarmRaisedTime": "raisedAt", "alarmChangedTime": "changedAt", "alarmClearedTime": "clearedAt"}
)
"""The published name of each time, and the graph's."""
SAME: Final = (
    "sourceSystemId",
    "externalAlarmId",
    "alarmType",
    "probableCause",
    "specificProblem",
    "perceivedSeverity",
    "state",
    "ackState",
)
"""What has one name there and here."""
_CURRENT: Final = frozenset({"alarmedObject", *SAME, *TIMES})


def over(record: Record, values: Mapping[str, Any]) -> dict[str, Any]:
    """Put current values over a record; what only they say and do not say now, is gone."""
    kept = {name: value for name, value in record.items() if name not in _CURRENT}
    for name, value in values.items():
        kept[name] = record[name] if _says_the_same(name, record.get(name), value) else value
    return kept


def object_of(reference: Mapping[str, Any]) -> str:
    """Give what an alarm is raised on, as its source calls it: by id, or where there is none by address; empty: unnamed.

    TMF642 v4.0.0 (AlarmedObject) requires neither.
    """
    return str(reference.get("id") or reference.get("href") or "")


def reference_to(named: str) -> dict[str, str]:
    """Give the AlarmedObject of what a source calls so; what it has not named has nothing in it."""
    return {"id": named} if named else {}


def _says_the_same(name: str, recorded: object, current: Any) -> bool:
    if recorded is None:
        return False
    match name:
        case "alarmType":
            return ALARM_TYPES.get(str(recorded)) == ALARM_TYPES[current]
        case "alarmedObject":
            return isinstance(recorded, dict) and object_of(recorded) == object_of(current)
        case _ if name in TIMES:
            return _read(recorded, name) == _read(current, name)
        case _:
            return bool(recorded == current)


def _read(value: object, name: str) -> int | None:
    try:
        return read_time(value, name)
    except Malformed:
        return None
