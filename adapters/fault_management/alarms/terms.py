"""The order of an alarm's elements is part of MTOSI's schema, and not each has a member of TMF642: both are written down once, here.

`ALARM` is the order of an alarm's elements. `CARRIED` is the table of what TMF642 and MTOSI both say of an alarm: these
members are equal after they went through the other dialect. All else travels in an extension (`x733.py`, `trk:alarm`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from adapters.errors import Malformed
from adapters.fault_management.alarms.x733 import BACKED_UP, TRENDS
from adapters.tmf.tmf630 import read_time, write_time

ALARM: Final = (
    "cei:notificationId",
    "cei:sourceTime",
    "cei:vendorExtensions",
    "ei:objectType",
    "ei:objectName",
    "ei:osTime",
    "alm:isEdgePointRelated",
    "alm:isClearable",
    "alm:aliasNameList",
    "alm:layerRate",
    "alm:probableCause",
    "alm:nativeProbableCause",
    "alm:additionalText",
    "alm:perceivedSeverity",
    "alm:affectedPtpRefList",
    "alm:serviceAffecting",
    "alm:rootCauseAlarmIndication",
    "alm:acknowledgeIndication",
    "alm:X733_EventType",
    "alm:X733_SpecificProblems",
    "alm:X733_BackedUpStatus",
    "alm:X733_BackUpObjectRef",
    "alm:X733_TrendIndication",
    "alm:X733_CorrelatedNotificationList",
    "alm:X733_MonitoredAttributeList",
    "alm:X733_ProposedRepairActionList",
    "alm:X733_AdditionalInformation",
)

CARRIED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "alarmType": "alm:X733_EventType",
        "perceivedSeverity": "alm:perceivedSeverity",
        "state": "alm:perceivedSeverity",
        "probableCause": "alm:probableCause",
        "specificProblem": "alm:X733_SpecificProblems",
        "alarmedObject": "ei:objectName",
        "alarmedObjectType": "ei:objectType",
        "alarmRaisedTime": "cei:sourceTime",
        "alarmClearedTime": "cei:sourceTime",
        "alarmReportingTime": "ei:osTime",
        "alarmDetails": "alm:additionalText",
        "serviceAffecting": "alm:serviceAffecting",
        "isRootCause": "alm:rootCauseAlarmIndication",
        "ackState": "alm:acknowledgeIndication",
        "proposedRepairedActions": "alm:X733_ProposedRepairActionList",
    }
)
"""TMF642's member, and MTOSI's element: what both dialects carry."""

LAYERS: Final = frozenset(
    [
        "LR_Not_Applicable",
        "LR_DS0_64K",
        "LR_E1_2M",
        "LR_E3_34M",
        "LR_E4_140M",
        "LR_T1_and_DS1_1_5M",
        "LR_T3_and_DS3_45M",
        "LR_Ethernet",
        "LR_Fast_Ethernet",
        "LR_Gigabit_Ethernet",
        "LR_DSR_Fast_Ethernet",
        "LR_DSR_Gigabit_Ethernet",
        "LR_DSR_10Gigabit_Ethernet",
        "LR_DSR_OC3_STM1",
        "LR_DSR_OC12_STM4",
        "LR_DSR_OC48_and_STM16",
        "LR_DSR_OC192_and_STM64",
        "LR_DSR_OTU1",
        "LR_DSR_OTU2",
        "LR_DSR_OTU3",
        "LR_STS3c_and_AU4_VC4",
        "LR_Optical_Channel",
        "LR_Optical_Multiplex_Section",
        "LR_OPTICAL_SECTION",
        "LR_Optical_Transmission_Section",
        "LR_PHYSICAL_ELECTRICAL",
        "LR_PHYSICAL_OPTICAL",
    ]
)
"""Layers that are written as they are; MTOSI has more, and any other travels in the extension."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simple:
    """A member that is the text of one element."""

    member: str
    element: str
    read: Callable[[str], Any]
    """gives None for a text that this member has no value for."""
    write: Callable[[Any], str]


def _same(value: Any) -> Any:
    return value


def _flag(text: str) -> bool:
    return text.strip() in ("true", "1")


def _flag_text(value: bool) -> str:  # noqa: FBT001 - a value, not a switch
    return "true" if value else "false"


_XSD_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]+)?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])"
)


def time_text(value: str) -> str:
    """Write a time of TMF642 as MTOSI takes it: as it is where it can be, else the same moment; empty: it is none."""
    try:
        moment = read_time(value, "time")
    except Malformed:
        return ""
    return value if _XSD_TIME.fullmatch(value) else write_time(moment)


def _words(pairs: Mapping[Any, str]) -> tuple[Callable[[str], Any], Callable[[Any], str]]:
    there = {text: value for value, text in pairs.items()}
    return lambda text: there.get(text.strip()), lambda value: pairs.get(value, "")


def _simple(
    member: str, element: str, read: Callable[[str], Any] = _same, write: Callable[[Any], str] = _same
) -> Simple:
    return Simple(member=member, element=element, read=read, write=write)


_SEVERITIES: Final = {
    each: each.upper() for each in ("indeterminate", "critical", "major", "minor", "warning", "cleared")
}
TMF642: Final = (
    _simple("alarmedObjectType", "ei:objectType"),
    _simple("alarmReportingTime", "ei:osTime", str.strip, time_text),
    _simple("alarmDetails", "alm:additionalText"),
    _simple("perceivedSeverity", "alm:perceivedSeverity", *_words(_SEVERITIES)),
    _simple(
        "serviceAffecting",
        "alm:serviceAffecting",
        *_words({True: "SERVICE_AFFECTING", False: "NON_SERVICE_AFFECTING"}),
    ),
    _simple("isRootCause", "alm:rootCauseAlarmIndication", _flag, _flag_text),
    _simple(
        "ackState",
        "alm:acknowledgeIndication",
        *_words({each: each.upper() for each in ("acknowledged", "unacknowledged")}),
    ),
)
X733: Final = (
    _simple("notificationIdentifier", "cei:notificationId"),
    _simple("isEdgePointRelated", "alm:isEdgePointRelated", _flag, _flag_text),
    _simple("isClearable", "alm:isClearable", _flag, _flag_text),
    _simple("nativeProbableCause", "alm:nativeProbableCause"),
    _simple("serviceAffecting", "alm:serviceAffecting", *_words({"UNKNOWN": "UNKNOWN"})),
    _simple("acknowledgeIndication", "alm:acknowledgeIndication", *_words({"NOT_APPLICABLE": "NOT_APPLICABLE"})),
    _simple("backedUpStatus", "alm:X733_BackedUpStatus", *_words({word: text for text, word in BACKED_UP.items()})),
    _simple("trendIndication", "alm:X733_TrendIndication", *_words({word: text for text, word in TRENDS.items()})),
)
