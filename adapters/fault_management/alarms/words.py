"""TMF642 and MTOSI spell the words of X.733 each in its own way, and one of them splits a word in two.

Our words are those of `graph.model.vocabulary`. `ALARM_TYPES` and `PUBLISHED_TYPES` go between them and TMF642, which makes two of
X.736's securityServiceOrMechanismViolation; `EVENT_TYPES` between them and MTOSI, which spells one of them differently.
The probable causes of MTOSI are abbreviations: those that X.733 or M.3100 has a word for are that word here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from graph.model.vocabulary import ALARM_TYPES as OUR_TYPES

STATES: Final = ("raised", "updated", "cleared")
ACK_STATES: Final = ("acknowledged", "unacknowledged")
_SPLIT: Final = "securityServiceOrMechanismViolation"
_HALVES: Final = ("securityService", "mechanismViolation")

ALARM_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {**{each: each for each in OUR_TYPES if each != _SPLIT}, **dict.fromkeys(_HALVES, _SPLIT)}
)
"""Our word for each that TMF642 publishes."""
PUBLISHED_TYPES: Final[Mapping[str, str]] = MappingProxyType({each: each for each in OUR_TYPES} | {_SPLIT: _HALVES[0]})
"""A word that TMF642 publishes for each of ours: what an alarm says that came in no published word."""
EVENT_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {each: each for each in OUR_TYPES} | {"qualityOfServiceAlarm": "qualityofServiceAlarm"}
)
"""MTOSI's X733_EventType for each of our words."""
_OURS: Final = {each.lower(): ours for ours, each in EVENT_TYPES.items()}

CAUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AIS": "aIS",
        "BER_SD": "degradedSignal",
        "BER_SF": "excessiveBER",
        "DEMODULATION_FAIL": "demodulationFailure",
        "EQPT": "equipmentMalfunction",
        "LOF": "lossOfFrame",
        "LOM": "lossOfMultiFrame",
        "LOP": "lossOfPointer",
        "LOS": "lossOfSignal",
        "MODULATION_FAIL": "modulationFailure",
        "PLM": "payloadTypeMismatch",
        "RX_FAIL": "receiverFailure",
        "TIM": "pathTraceMismatch",
        "TIMING_SYNCH": "timingProblem",
        "TX_FAIL": "transmitterFailure",
        "UAT": "unavailable",
    }
)
"""The word of X.733 or M.3100 for a probable cause of MTOSI; any other cause is its own word."""
PUBLISHED_CAUSES: Final[Mapping[str, str]] = MappingProxyType({word: cause for cause, word in CAUSES.items()})
PLAIN_CAUSES: Final = frozenset(
    [
        "AMS",
        "ATPC_FAIL",
        "AU-AIS",
        "BLOCKED_FE",
        "CFG_ABORT",
        "CFG_ABORT_FE",
        "DCC_FAILURE",
        "EMS",
        "EMS_ALM_LOSS",
        "EMS_LIFECYCLE_LOSS",
        "EMS_ALM_AND_LIFECYCLE_LOSS",
        "ENV",
        "FF",
        "FOP_APS",
        "INSUFF_LINKS",
        "INSUFF_LINKS_FE",
        "LCD",
        "LIF",
        "LOA",
        "LOC",
        "LODS",
        "LOPC",
        "LOTC",
        "MS-AIS",
        "OS",
        "OS_ALM_LOSS",
        "OS_LIFECYCLE_LOSS",
        "OS_ALM_AND_LIFECYCLE_LOSS",
        "OSC-AIS",
        "OSC_BER_SF",
        "OSC_FERF",
        "OSC_LOF",
        "OSC_LOS",
        "OSC_SD",
        "RAI",
        "RX_MIS_CONNECT",
        "RX_UNUSABLE_FE",
        "SECURITY_VIOLATION",
        "SQL",
        "SSF",
        "STARTUP_FE",
        "TCF",
        "TCFE",
        "TCFI",
        "TSD",
        "TSF",
        "TU-AIS",
        "TX_DEGRADE",
        "TX_MIS_CONNECT",
        "TX_UNUSABLE_FE",
        "UNEQ",
        "UNIDENTIFIED",
        "VC-AIS",
        "VC-RDI",
        "VP-AIS",
        "VP-RDI",
        "XPIC_FAIL",
    ]
)
"""Causes that MTOSI has and that stand for themselves; what is neither is written as a vendor's (`VENDOR`)."""
VENDOR: Final = "VENDOR_EXT"
"""A cause that is none of MTOSI's: which, is said beside it."""
_BY_CAUSE: Final = {
    "ENV": "environmentalAlarm",
    "EQPT": "equipmentAlarm",
    "SECURITY_VIOLATION": "securityServiceOrMechanismViolation",
}
_EQUIPMENT: Final = frozenset({"EQUIPMENT", "EQUIPMENT_HOLDER", "EQ", "EH", "ME", "MANAGED_ELEMENT"})


def event_type(told: str | None, cause: str, object_type: str) -> str | None:
    """Give our word for an X733_EventType; where MTOSI leaves it out, what cause and object make likely. None: it is none.

    >>> event_type("QualityOfServiceAlarm", "", ""), event_type(None, "LOS", "PTP"), event_type("odd", "LOS", "PTP")
    ('qualityOfServiceAlarm', 'communicationsAlarm', None)
    """
    if told:
        return _OURS.get(told.strip().lower())
    likely = "equipmentAlarm" if object_type.upper() in _EQUIPMENT else "communicationsAlarm"
    return _BY_CAUSE.get(cause, likely)
