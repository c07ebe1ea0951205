"""X.733 and MTOSI know more of an alarm than TMF642 has members for, and none of it may be lost on the way through.

It travels in one member of the TMF642 alarm, `x733`, and such an alarm says so by `@type` X733Alarm. `MEMBERS` is its
published shape, in the words of X.733; `schemas/x733-alarm.json` is the same as JSON Schema, which `@schemaLocation`
leads to. XML that nobody but its sender understands is kept as text.

What stands in `x733` and is not of this shape is no extension of ours: it is let through like any other, and not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from adapters.errors import Malformed
from adapters.xml.confinement import confined
from adapters.xml.parser import read_xml

MEMBER: Final = "x733"
TYPE: Final = "X733Alarm"
SCHEMA: Final = "/tmf-api/alarmManagement/v4/schema/x733-alarm.json"
SCHEMA_FILE: Final = Path(__file__).parent / "schemas" / "x733-alarm.json"
SUBCLASS: Final[Mapping[str, str]] = {"@type": TYPE, "@baseType": "Alarm", "@schemaLocation": SCHEMA}
"""What an alarm says that has the extension."""

BACKED_UP: Final = {"BACKED_UP": "backedUp", "NOT_BACKED_UP": "notBackedUp"}
TRENDS: Final = {"MORE_SEVERE": "moreSevere", "NO_CHANGE": "noChange", "LESS_SEVERE": "lessSevere"}

Kind: TypeAlias = type | tuple[str, ...] | list[Any] | dict[str, Any]
_RDN: Final[dict[str, Any]] = {"type": str, "value": str}
_PAIR: Final[dict[str, Any]] = {"name": str, "value?": str}
MEMBERS: Final[Mapping[str, Kind]] = {
    "notificationIdentifier": str,
    "objectName": [_RDN],
    "isEdgePointRelated": bool,
    "isClearable": bool,
    "aliases": [_PAIR],
    "layerRate": {"value": str, "extension?": str},
    "probableCause": {"word": str, "ru?": bool, "contra?": bool, "extension?": str, "qualifier?": str},
    "nativeProbableCause": str,
    "affectedObjects": [[_RDN]],
    "serviceAffecting": ("UNKNOWN",),
    "acknowledgeIndication": ("NOT_APPLICABLE",),
    "specificProblems": [str],
    "backedUpStatus": tuple(BACKED_UP.values()),
    "backUpObject": [_RDN],
    "trendIndication": tuple(TRENDS.values()),
    "correlatedNotifications": [{"name": [_RDN], "notificationIdentifiers": [str]}],
    "monitoredAttributes": [_PAIR],
    "proposedRepairActions": [str],
    "additionalInformation": [{"name": str, "xml?": str}],
    "vendorExtensions": [str],
}
"""Its members, none of which must be there. A list is of what stands in it; a `?` is behind what an object may leave out."""
_DEEPEST: Final = 40
"""levels of XML that nobody looks into: what stands round it has some too."""
_NAMES: Final = ("objectName", "backUpObject")
"""Names of MTOSI, which are never empty."""


def extension_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Give the extension of an alarm; empty where there is none, or what is there is not ours."""
    found = body.get(MEMBER)
    if not isinstance(found, dict) or not all(name in MEMBERS and _is(MEMBERS[name], v) for name, v in found.items()):
        return {}
    names = [*(found[each] for each in _NAMES if each in found), *found.get("affectedObjects", ())]
    names += [each["name"] for each in found.get("correlatedNotifications", ())]
    return found if all(names) and all(map(_is_xml, _texts(found))) else {}


def _is(kind: Kind, value: Any) -> bool:
    if isinstance(kind, type):
        return isinstance(value, kind)
    if isinstance(kind, tuple):
        return value in kind
    if isinstance(kind, list):
        return isinstance(value, list) and all(_is(kind[0], each) for each in value)
    known = {name.removesuffix("?"): each for name, each in kind.items()}
    needed = {name for name in kind if not name.endswith("?")}
    return (
        isinstance(value, dict)
        and needed <= value.keys() <= known.keys()
        and all(_is(known[name], each) for name, each in value.items())
    )


def _texts(extension: Mapping[str, Any]) -> Iterator[str]:
    yield from extension.get("vendorExtensions", ())
    yield from (each["xml"] for each in extension.get("additionalInformation", ()) if "xml" in each)


@confined
def _is_xml(text: str) -> bool:
    try:
        root = read_xml(text.encode())
    except (Malformed, ValueError):
        return False
    return all(sum(1 for _ in each.iterancestors()) < _DEEPEST for each in root.iter())
