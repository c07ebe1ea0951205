"""The published shape of an alarm (TMF642 v4) is loose where it matters: no words for states, an integer for the id.

Here it is written as what we take: field by field as published, with the words that its descriptions name, an id that
is a string, and an end to every string and list. The published words of alarm types split one of X.736 in two; both
halves are taken for it (`adapters.fault_management.alarms.words`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adapters.fault_management.alarms.words import ACK_STATES, ALARM_TYPES, STATES
from adapters.tmf.shape import Flag, Identifier, Many, Shape, Text, Thing, Time, Word
from graph.model.kinds import LONGEST_EXTERNAL
from graph.model.vocabulary import SEVERITIES

_KEY: Final = Text(least=1, most=255)
_NAME: Final = Text(least=1, most=LONGEST_EXTERNAL)
_CAUSE: Final = Text(least=1, most=1_024)
_TEXT: Final = Text()
_SUBCLASS: Final = {"@type": _TEXT, "@baseType": _TEXT, "@schemaLocation": _TEXT}
_REFERENCE: Final = {**_SUBCLASS, "id": _TEXT, "href": _TEXT, "name": _TEXT, "@referredType": _TEXT}


def _thing(*required: str, **fields: Shape) -> Thing:
    return Thing(fields=MappingProxyType({**_SUBCLASS, **fields}), required=required)


def _reference(*required: str, **fields: Shape) -> Thing:
    return Thing(fields=MappingProxyType({**_REFERENCE, **fields}), required=required)


_THRESHOLD: Final = _thing(
    direction=_TEXT,
    granularity=_TEXT,
    indicatorName=_TEXT,
    indicatorUnit=_TEXT,
    observedValue=_TEXT,
    thresholdCrossingDescription=_TEXT,
    threshold=_reference("id"),
)

FIELDS: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        **_SUBCLASS,
        "id": Identifier(),
        "href": _TEXT,
        "ackState": Word(words=ACK_STATES),
        "ackSystemId": _TEXT,
        "ackUserId": _TEXT,
        "affectedService": Many(of=_thing(id=_TEXT, href=_TEXT), most=100_000),  # as many as we may have told
        "alarmChangedTime": Time(),
        "alarmClearedTime": Time(),
        "alarmDetails": _TEXT,
        "alarmEscalation": Flag(),
        "alarmRaisedTime": Time(),
        "alarmReportingTime": Time(),
        "alarmType": Word(words=tuple(ALARM_TYPES)),
        "alarmedObject": _thing(id=_NAME, href=_TEXT),
        "alarmedObjectType": _TEXT,
        "clearSystemId": _TEXT,
        "clearUserId": _TEXT,
        "comment": Many(of=_thing(comment=_TEXT, systemId=_TEXT, time=Time(), userId=_TEXT)),
        "correlatedAlarm": Many(of=_reference("id")),
        "crossedThresholdInformation": _THRESHOLD,
        "externalAlarmId": _KEY,
        "isRootCause": Flag(),
        "parentAlarm": Many(of=_reference("id")),
        "perceivedSeverity": Word(words=SEVERITIES),
        "place": Many(of=_reference("role", role=_TEXT)),
        "plannedOutageIndicator": _TEXT,
        "probableCause": _CAUSE,
        "proposedRepairedActions": _TEXT,
        "reportingSystemId": _TEXT,
        "serviceAffecting": Flag(),
        "sourceSystemId": _KEY,
        "specificProblem": Text(most=1_024),
        "state": Word(words=STATES),
    }
)
"""What each field of an alarm may hold."""

ALARM: Final = Thing(
    fields=FIELDS,
    required=(
        "alarmType",
        "perceivedSeverity",
        "probableCause",
        "alarmedObject",
        "sourceSystemId",
        "state",
        "alarmRaisedTime",
    ),
)

MOST_PATTERNS: Final = 100
MATCHED: Final = ("id", "externalAlarmId", "sourceSystemId")
"""What a task's patterns may name: who clears or acknowledges says which alarms, and not what kind of them."""
_PATTERNS: Final = Many(
    of=Thing(fields=MappingProxyType({**{name: FIELDS[name] for name in MATCHED}, "id": _KEY})),
    least=1,
    most=MOST_PATTERNS,
)


def _task(system: str, user: str, time: str, *required: str) -> Thing:
    fields: dict[str, Shape] = {
        **_SUBCLASS,
        system: _TEXT,
        user: _TEXT,
        time: Time(),
        "state": _TEXT,
        "alarmPattern": _PATTERNS,
    }
    return Thing(fields=MappingProxyType(fields), required=(system, user, *required, "alarmPattern"))


_COMMENT: Final = _thing("comment", comment=Text(least=1), systemId=_TEXT, time=Time(), userId=_TEXT)
COMMENT_ALARMS: Final = _thing("alarmPattern", "comment", alarmPattern=_PATTERNS, comment=_COMMENT, state=_TEXT)


ACK_ALARMS: Final = _task("ackSystemId", "ackUserId", "ackTime")
CLEAR_ALARMS: Final = _task("clearSystemId", "clearUserId", "alarmClearedTime", "alarmClearedTime")
