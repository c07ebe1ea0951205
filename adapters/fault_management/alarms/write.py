"""The record of an alarm becomes an alarm of MTOSI, from which the same record can be made again.

First it is said by MTOSI's own elements, for readers that know nothing of us; and then what such a reader would not have
understood (or would have understood differently) is put beside it, in `vendorExtensions`, as `trk:alarm`. So nothing is
lost whatever the record holds, and the extension is empty for an alarm that MTOSI says wholly.

In: a TMF642 alarm that has passed its shape. Out: an `alm:alarm` that is valid by the published schema.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from lxml import etree

from adapters.fault_management.alarms.causes import cause_text, default_cause, is_published
from adapters.fault_management.alarms.read import plain
from adapters.fault_management.alarms.record import object_of
from adapters.fault_management.alarms.terms import ALARM, LAYERS, NAMESPACES, TMF642, X733, tag, time_text
from adapters.fault_management.alarms.words import ALARM_TYPES, EVENT_TYPES
from adapters.fault_management.alarms.x733 import extension_of
from adapters.soap.alarm_names import Name, name_of, name_text
from adapters.xml.parser import Element, legal, read_xml

_UNNAMED: Final = "unnamed"
"""MTOSI has no alarm without an objectName."""
_MTOSI: Final = "{http://www.tmforum.org/mtop/"
_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_NSMAP: Final = {
    prefix: NAMESPACES[prefix] for prefix in ("alm", "cei", "ei", "nam", "prc", "com", "gen", "cornot", "trk")
}


def write_alarm(body: Mapping[str, Any]) -> Element:
    """Write an alarm."""
    alarm = _alarm(body, ())
    understood = plain(alarm)
    members = {
        name: value for name, value in body.items() if name not in understood or not _same(understood[name], value)
    }
    without = [name for name in understood if name not in body]
    return _alarm(body, [_extension(members, without)]) if members or without else alarm


def text_in(parent: Element, element: str, text: str) -> Element:
    """Put an element with a text into another; what XML cannot say is a mark in its place."""
    made = etree.SubElement(parent, tag(element))
    made.text = legal(text)
    return made


def name_in(parent: Element, element: str, name: Name) -> Element:
    """Put a name into another element."""
    made = etree.SubElement(parent, tag(element))
    for kind, value in name:
        rdn = etree.SubElement(made, tag("nam:rdn"))
        text_in(rdn, "nam:type", kind)
        text_in(rdn, "nam:value", value)
    return made


def _alarm(body: Mapping[str, Any], ours: Iterable[Element]) -> Element:
    """Write what MTOSI has elements for, in their order, and extensions of ours."""
    extension = extension_of(body)
    alarm = etree.Element(tag("alm:alarm"), nsmap=_NSMAP)
    texts = _texts(body, extension)
    for element in ALARM:
        if element in texts:
            text_in(alarm, element, texts[element])
        elif element == "cei:vendorExtensions":
            _vendors(alarm, extension, ours)
        elif element in _WRITTEN:
            _WRITTEN[element](alarm, body, extension)
    return alarm


def _texts(body: Mapping[str, Any], extension: Mapping[str, Any]) -> dict[str, str]:
    """Give what is the text of one element."""
    told = {each.element: each.write(extension[each.member]) for each in X733 if each.member in extension}
    told |= {each.element: each.write(body[each.member]) for each in TMF642 if each.member in body}
    is_cleared = "cleared" in (body["state"], body["perceivedSeverity"])
    at = body.get("alarmClearedTime") if is_cleared else None
    told["cei:sourceTime"] = time_text(at or body.get("alarmChangedTime") or body["alarmRaisedTime"])
    told["alm:X733_EventType"] = EVENT_TYPES[ALARM_TYPES[body["alarmType"]]]
    if is_cleared:
        told["alm:perceivedSeverity"] = "CLEARED"
    optional = {"ei:osTime", "cei:sourceTime"}
    return {element: text for element, text in told.items() if text or element not in optional}


def _object(alarm: Element, body: Mapping[str, Any], extension: Mapping[str, Any]) -> None:
    text, given = object_of(body["alarmedObject"]) or _UNNAMED, _name(extension.get("objectName", []))
    name_in(alarm, "ei:objectName", given if given and name_text(given) == text else name_of(text))


def _layer(alarm: Element, _: Mapping[str, Any], extension: Mapping[str, Any]) -> None:
    layer = extension.get("layerRate")
    if layer is None:
        return
    known = layer["value"] in LAYERS
    made = text_in(alarm, "alm:layerRate", layer["value"] if known else "VENDOR_EXT")
    beside = layer.get("extension", None if known else layer["value"])
    if beside is not None:
        made.set("extension", legal(beside))


def _cause(alarm: Element, body: Mapping[str, Any], extension: Mapping[str, Any]) -> None:
    text, given = str(body["probableCause"]), extension.get("probableCause") or {}
    fits = (
        bool(given)
        and is_published(given["word"])
        and cause_text(given, native=extension.get("nativeProbableCause", "")) == text
    )
    cause = given if fits else default_cause(text)
    made = etree.SubElement(alarm, tag("alm:probableCause"))
    for name in ("extension", "qualifier"):
        if name in cause:
            made.set(name, legal(cause[name]))
    for flag in ("ru", "contra"):
        if flag in cause:
            text_in(made, f"prc:{flag}", "true" if cause[flag] else "false")
    text_in(made, "prc:probableCause", cause["word"])


def _problems(alarm: Element, body: Mapping[str, Any], extension: Mapping[str, Any]) -> None:
    first, given = body.get("specificProblem"), extension.get("specificProblems", [])
    told = given if given and given[0] == first else [] if first is None else [first]
    _list(alarm, "alm:X733_SpecificProblems", "com:specificProblem", told)


def _repairs(alarm: Element, body: Mapping[str, Any], extension: Mapping[str, Any]) -> None:
    text, given = body.get("proposedRepairedActions"), extension.get("proposedRepairActions", [])
    told = given if given and "\n".join(given) == text else [] if text is None else [text]
    _list(alarm, "alm:X733_ProposedRepairActionList", "com:proposedRepairAction", told)


def _backup(alarm: Element, _: Mapping[str, Any], extension: Mapping[str, Any]) -> None:
    if "backUpObject" in extension:
        name_in(alarm, "alm:X733_BackUpObjectRef", _name(extension["backUpObject"]))


def _affected(alarm: Element, _: Mapping[str, Any], extension: Mapping[str, Any]) -> None:
    if found := extension.get("affectedObjects"):
        made = etree.SubElement(alarm, tag("alm:affectedPtpRefList"))
        for each in found:
            name_in(made, "nam:name", _name(each))


def _correlated(alarm: Element, _: Mapping[str, Any], extension: Mapping[str, Any]) -> None:
    if found := extension.get("correlatedNotifications"):
        made = etree.SubElement(alarm, tag("alm:X733_CorrelatedNotificationList"))
        for each in found:
            one = etree.SubElement(made, tag("cornot:correlatedNotifications"))
            name_in(one, "cornot:name", _name(each["name"]))
            ids = etree.SubElement(one, tag("cornot:notifIds"))
            for text in each["notificationIdentifiers"]:
                text_in(ids, "gen:notificationId", text)


def _aliases(alarm: Element, _: Mapping[str, Any], extension: Mapping[str, Any]) -> None:
    names = ("gen:alias", "gen:aliasName", "gen:aliasValue")
    _pairs(alarm, "alm:aliasNameList", names, extension.get("aliases"))


def _monitored(alarm: Element, _: Mapping[str, Any], extension: Mapping[str, Any]) -> None:
    names = ("gen:nvs", "gen:name", "gen:value")
    _pairs(alarm, "alm:X733_MonitoredAttributeList", names, extension.get("monitoredAttributes"))


def _information(alarm: Element, _: Mapping[str, Any], extension: Mapping[str, Any]) -> None:
    if found := extension.get("additionalInformation"):
        made = etree.SubElement(alarm, tag("alm:X733_AdditionalInformation"))
        for each in found:
            nv = etree.SubElement(made, tag("gen:nv"))
            text_in(nv, "gen:name", each["name"])
            nv.extend(_foreign([each["xml"]] if "xml" in each else []))


_WRITTEN: Final[Mapping[str, Callable[[Element, Mapping[str, Any], Mapping[str, Any]], None]]] = {
    "ei:objectName": _object,
    "alm:aliasNameList": _aliases,
    "alm:layerRate": _layer,
    "alm:probableCause": _cause,
    "alm:affectedPtpRefList": _affected,
    "alm:X733_SpecificProblems": _problems,
    "alm:X733_BackUpObjectRef": _backup,
    "alm:X733_CorrelatedNotificationList": _correlated,
    "alm:X733_MonitoredAttributeList": _monitored,
    "alm:X733_ProposedRepairActionList": _repairs,
    "alm:X733_AdditionalInformation": _information,
}


def _vendors(alarm: Element, extension: Mapping[str, Any], ours: Iterable[Element]) -> None:
    held = [*_foreign(extension.get("vendorExtensions", [])), *ours]
    if held:
        etree.SubElement(alarm, tag("cei:vendorExtensions")).extend(held)


def _foreign(texts: Iterable[str]) -> list[Element]:
    """Give what others have put there. What claims to be MTOSI's might not be valid, and travels as text."""
    found = [read_xml(each.encode()) for each in texts]
    return [each for each in found if not any(str(one.tag).startswith(_MTOSI) for one in each.iter())]


def _extension(members: Mapping[str, Any], without: Iterable[str]) -> Element:
    made = etree.Element(tag("trk:alarm"), nsmap={"trk": NAMESPACES["trk"]})
    # In ASCII: XML has no way to say some of the letters that JSON has.
    text_in(made, "trk:members", json.dumps(members, ensure_ascii=True, separators=(",", ":")))
    for name in without:
        text_in(made, "trk:without", name)
    return made


def _list(alarm: Element, element: str, item: str, texts: Iterable[str]) -> None:
    if told := list(texts):
        made = etree.SubElement(alarm, tag(element))
        for text in told:
            text_in(made, item, text)


def _pairs(alarm: Element, element: str, names: tuple[str, str, str], found: Any) -> None:
    item, name, value = names
    if found:
        made = etree.SubElement(alarm, tag(element))
        for each in found:
            one = etree.SubElement(made, tag(item))
            text_in(one, name, each["name"])
            held = text_in(one, value, each.get("value", ""))
            if "value" not in each:
                held.set(_NIL, "true")


def _name(rdns: Iterable[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((each["type"], each["value"]) for each in rdns)


def _same(one: object, other: object) -> bool:
    """Compare as JSON does, which tells true from 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
