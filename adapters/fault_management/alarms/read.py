"""An alarm of MTOSI becomes the record that TMF642 would have made of it, so that everything behind knows one record.

What both dialects say (`terms.CARRIED`) is a member of TMF642; what only MTOSI says is in the extension `x733`; and what
another of us has put into `vendorExtensions` (`trk:alarm`) is put over both. The element has passed our schema before.

MTOSI has one time, that of the event: of a first report it is when the alarm was raised, of a later one when it changed, and
only who knows the alarm can tell which. So `Told` says whether the report itself gives the time of the raise.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from lxml import etree

from adapters.errors import Malformed
from adapters.fault_management.alarms.causes import cause_text, default_cause
from adapters.fault_management.alarms.terms import TMF642, X733
from adapters.fault_management.alarms.words import PUBLISHED_TYPES, event_type
from adapters.fault_management.alarms.x733 import MEMBER, SUBCLASS
from adapters.soap.elements import name_of, tag
from adapters.soap.names import Name, spelled, type_of
from adapters.xml.parser import Element

LONGEST_KEY: Final = 255
"""characters; a longer key is its hash."""
_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one notification says."""

    body: Mapping[str, Any]
    """in the shape of TMF642; `sourceSystemId` is there only if the notification has our extension."""
    is_dated: bool
    """whether it says when the alarm was raised."""
    notification_id: str
    """empty when it has none."""
    line: int


def read_alarm(alarm: Element) -> Told:
    """Read one `alm:alarm`; raises Malformed with its line."""
    body, members = plain(alarm), {}
    extension = alarm.find(f"{tag('cei:vendorExtensions')}/{tag('trk:alarm')}")
    if extension is not None:
        members = _members(extension)
        without = {each.text or "" for each in extension.iterfind(tag("trk:without"))}
        body = {name: value for name, value in {**body, **members}.items() if name not in without}
    return Told(
        body=body,
        is_dated="alarmRaisedTime" in members,
        notification_id=_text(alarm, "cei:notificationId") or "",
        line=line_of(alarm),
    )


def plain(alarm: Element) -> dict[str, Any]:
    """Give what an alarm says without our extension."""
    extension = {**_extension(alarm), **_listed(alarm)}
    name, cause = read_name(alarm, "ei:objectName"), _cause(alarm, "alm:probableCause")
    why = cause_text(cause, native=extension.get("nativeProbableCause", ""))
    body: dict[str, Any] = {each.member: value for each in TMF642 if (value := _value(alarm, each)) is not None}
    body |= {
        "externalAlarmId": key_of(name, extension.get("layerRate"), cause),
        "alarmedObject": {"id": spelled(name)},
        "alarmType": _type(alarm, cause, body.get("alarmedObjectType", "")),
        "probableCause": why,
        "state": "cleared" if body["perceivedSeverity"] == "cleared" else "raised",
        **_times(alarm, cleared=body["perceivedSeverity"] == "cleared"),
        **_first(extension),
    }
    text = spelled(name)
    if name != ((type_of(text, body.get("alarmedObjectType", "")), text),):
        extension["objectName"] = _rdns(name)
    if cause != default_cause(why):
        extension["probableCause"] = cause
    for member in ("specificProblems", "proposedRepairActions"):
        if len(extension.get(member, [])) == 1:  # the member of TMF642 says it all
            del extension[member]
    return {**body, **SUBCLASS, MEMBER: extension} if extension else body


def read_name(parent: Element, element: str) -> Name:
    """Read a name; the schema has seen to it that the element is there."""
    return name_of(parent.find(tag(element)), parent)


def key_of(name: Name, layer: Mapping[str, Any] | None, cause: Mapping[str, Any]) -> str:
    """Give the external id of the alarm that has this AlarmId: what it is on, in which layer, and why."""
    where = (layer.get("extension") or layer["value"]) if layer else ""
    why = cause.get("extension") or cause["word"]
    text = "|".join([spelled(name), where, why, cause.get("qualifier", "")]).rstrip("|")
    return text if len(text) <= LONGEST_KEY else f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An alarm that somebody names as MTOSI does, by an AlarmId."""

    key: str
    """its external id."""
    qualifier: str
    """of the cause: what tells two alarms of one object, layer and cause apart."""
    element: Element
    """as it came."""


def read_id(alarm_id: Element) -> Named:
    """Read an `alarmid:AlarmIdType`; its parent is what goes back."""
    cause = _cause(alarm_id, "alarmid:probableCause")
    qualifier = _text(alarm_id, "alarmid:probableCauseQualifier")
    cause |= {} if qualifier is None else {"qualifier": qualifier}
    layer = alarm_id.find(tag("alarmid:layerRate"))
    key = key_of(read_name(alarm_id, "alarmid:objectName"), None if layer is None else _layer(layer), cause)
    whole = alarm_id.getparent()
    return Named(key=key, qualifier=cause.get("qualifier", ""), element=alarm_id if whole is None else whole)


def line_of(element: Element) -> int:
    """Give the line on which an element begins."""
    return int(element.sourceline or 1)


def fragment(element: Element) -> str:
    """Give an element as a text of its own: canonical, with the prefixes that its values may refer to."""
    text = etree.tostring(element, encoding="unicode", with_tail=False)
    named = sorted(prefix for prefix in element.nsmap if prefix and f"{prefix}:" in text)
    alone = copy.copy(element)
    alone.tail = None
    try:
        return etree.tostring(alone, method="c14n", exclusive=True, inclusive_ns_prefixes=named).decode()
    except etree.C14NError:  # it has a namespace that is no whole address, and so no canonical form
        return text


def _members(extension: Element) -> dict[str, Any]:
    line = line_of(extension)
    try:
        found = orjson.loads(extension.findtext(tag("trk:members")) or "")
    except orjson.JSONDecodeError:
        raise Malformed(f"Line {line}: members of the extension alarm holds what is not JSON", field="") from None
    if not isinstance(found, dict):
        raise Malformed(f"Line {line}: members of the extension alarm holds no JSON object", field="")
    return found


def _type(alarm: Element, cause: Mapping[str, Any], object_type: str) -> str:
    kind = event_type(_text(alarm, "alm:X733_EventType"), str(cause["word"]), object_type)
    if kind is None:
        raise Malformed(f"Line {line_of(alarm)}: X733_EventType is none of X.733's and X.736's alarm types", field="")
    return PUBLISHED_TYPES[kind]


def _times(alarm: Element, *, cleared: bool) -> dict[str, str]:
    at = _text(alarm, "cei:sourceTime") or _text(alarm, "ei:osTime")
    if at is None:
        raise Malformed(f"Line {line_of(alarm)}: the alarm has neither sourceTime nor osTime", field="")
    at = at.strip()
    return {"alarmRaisedTime": at, **({"alarmClearedTime": at} if cleared else {})}


def _first(extension: Mapping[str, Any]) -> dict[str, str]:
    told = {}
    if extension.get("specificProblems"):
        told["specificProblem"] = extension["specificProblems"][0]
    if extension.get("proposedRepairActions"):
        told["proposedRepairedActions"] = "\n".join(extension["proposedRepairActions"])
    return told


def _extension(alarm: Element) -> dict[str, Any]:
    """Give what has one element, or a few, and no member of TMF642."""
    found: dict[str, Any] = {each.member: value for each in X733 if (value := _value(alarm, each)) is not None}
    if (layer := alarm.find(tag("alm:layerRate"))) is not None:
        found["layerRate"] = _layer(layer)
    if alarm.find(tag("alm:X733_BackUpObjectRef")) is not None:
        found["backUpObject"] = _rdns(read_name(alarm, "alm:X733_BackUpObjectRef"))
    return found


def _listed(alarm: Element) -> dict[str, Any]:
    """Give what is a list in MTOSI; an empty one is one too."""
    lists = {
        "aliases": [_pair(each, "gen:aliasName", "gen:aliasValue") for each in _in(alarm, "alm:aliasNameList")],
        "affectedObjects": [_rdns(name_of(each, alarm)) for each in _in(alarm, "alm:affectedPtpRefList")],
        "specificProblems": [each.text or "" for each in _in(alarm, "alm:X733_SpecificProblems")],
        "proposedRepairActions": [each.text or "" for each in _in(alarm, "alm:X733_ProposedRepairActionList")],
        "correlatedNotifications": [_correlated(each) for each in _in(alarm, "alm:X733_CorrelatedNotificationList")],
        "monitoredAttributes": [
            _pair(each, "gen:name", "gen:value") for each in _in(alarm, "alm:X733_MonitoredAttributeList")
        ],
        "additionalInformation": [_information(each) for each in _in(alarm, "alm:X733_AdditionalInformation")],
        "vendorExtensions": [
            fragment(each) for each in _in(alarm, "cei:vendorExtensions") if each.tag != tag("trk:alarm")
        ],
    }
    return {member: found for member, found in lists.items() if found}


def _in(parent: Element, element: str) -> Iterator[Element]:
    found = parent.find(tag(element))
    return iter(()) if found is None else iter(found)


def _value(alarm: Element, field: Any) -> Any:
    text = _text(alarm, field.element)
    return None if text is None else field.read(text)


def _text(parent: Element, element: str) -> str | None:
    found = parent.find(tag(element))
    return None if found is None else (found.text or "")


def _rdns(name: Name) -> list[dict[str, str]]:
    return [{"type": kind, "value": value} for kind, value in name]


def _layer(found: Element) -> dict[str, str]:
    extension = found.get("extension")
    return {"value": found.text or "", **({} if extension is None else {"extension": extension})}


def _cause(parent: Element, element: str) -> dict[str, Any]:
    found = parent.find(tag(element))
    assert found is not None, "the schema says so"
    cause: dict[str, Any] = {"word": _text(found, "prc:probableCause")}
    for flag in ("ru", "contra"):
        if (text := _text(found, f"prc:{flag}")) is not None:
            cause[flag] = text.strip() in ("true", "1")
    return cause | {name: value for name in ("extension", "qualifier") if (value := found.get(name)) is not None}


def _pair(parent: Element, name: str, value: str) -> dict[str, str]:
    held = parent.find(tag(value))
    is_nil = held is None or held.get(_NIL, "").strip() in ("true", "1")
    return {"name": _text(parent, name) or "", **({} if is_nil or held is None else {"value": held.text or ""})}


def _information(nv: Element) -> dict[str, str]:
    name, *held = nv
    return {"name": name.text or "", **({"xml": fragment(held[0])} if held else {})}


def _correlated(each: Element) -> dict[str, Any]:
    ids = each.find(tag("cornot:notifIds"))
    return {
        "name": _rdns(read_name(each, "cornot:name")),
        "notificationIdentifiers": [] if ids is None else [one.text or "" for one in ids],
    }
