"""What a fault manager says by MTOSI: that there are alarms, or that somebody takes note of some, or takes that back.

`read_message` reads all of a message before anybody acts on any of it, so that a message is never half taken. An alarm of
it is named as MTOSI does (AlarmId), which is its external id here (`names.alarm_key`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from lxml import etree

from adapters.errors import Malformed
from adapters.fault_management.alarms.read import Named, Told, line_of, read_alarm, read_id
from adapters.fault_management.alarms.soap import Header, envelope, read_envelope
from adapters.fault_management.alarms.terms import NAMESPACES, tag
from adapters.xml.confinement import confined
from adapters.xml.parser import MOST_BYTES, Element

TOPIC: Final = "Fault"
_ASKED: Final = {"ah:acknowledgeAlarmsRequest": False, "ah:unacknowledgeAlarmsRequest": True}
_IGNORED: Final = frozenset({"{http://www.tmforum.org/mtop/fmw/xsd/hbt/v1}heartbeat"})
"""Events that ask for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """There are alarms; none, when it was only a heartbeat."""

    alarms: tuple[Told, ...]
    sender: str
    """what its header calls whoever has sent it, or let it be sent; may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Somebody takes note of alarms."""

    alarms: tuple[Named, ...]
    is_undone: bool
    """whether it is taken back instead."""
    user: str
    note: str
    correlation_id: str


Message: TypeAlias = Notification | Acknowledgement


@confined
def read_message(body: bytes, *, most_bytes: int = MOST_BYTES) -> Message:
    """Read a message; raises Malformed with the line and the reason."""
    found = read_envelope(body, most_bytes=most_bytes)
    if found.content.tag == tag("notmsg:notify"):
        events = found.content.iterfind(f"{tag('notmsg:message')}/*")
        alarms = tuple(read_alarm(each) for each in events if _is_alarm(each))
        return Notification(alarms=alarms, sender=found.originator or found.sender)
    for name, is_undone in _ASKED.items():
        if found.content.tag == tag(name):
            return _acknowledgement(found.content, found.correlation_id, is_undone=is_undone)
    raise Malformed(
        f"Line {line_of(found.content)}: {etree.QName(found.content).localname} is no message that is taken here; what is: "
        "notify, acknowledgeAlarmsRequest, unacknowledgeAlarmsRequest",
        field="",
    )


def notify(alarms: Iterable[Element], *, sender: str, correlation_id: str, timestamp: str) -> bytes:
    """Write the message that tells of alarms."""
    made = etree.Element(tag("notmsg:notify"), nsmap={"notmsg": NAMESPACES["notmsg"]})
    etree.SubElement(made, tag("notmsg:topic")).text = TOPIC
    etree.SubElement(made, tag("notmsg:message")).extend(alarms)
    header = Header(
        activity="notify",
        message="notify",
        kind="NOTIFICATION",
        pattern="Notification",
        sender=sender,
        correlation_id=correlation_id,
        timestamp=timestamp,
    )
    return envelope(header, made)


@confined
def acknowledged(asked: Acknowledgement, failed: Iterable[Element], *, timestamp: str) -> bytes:
    """Write the answer to an acknowledgement: which of the alarms it was not done to."""
    verb = "unacknowledge" if asked.is_undone else "acknowledge"
    made = etree.Element(tag(f"ah:{verb}AlarmsResponse"), nsmap={"ah": NAMESPACES["ah"]})
    if left := list(failed):
        etree.SubElement(made, tag(f"ah:failed{verb.capitalize()}IdList")).extend(left)
    header = Header(
        activity=f"{verb}Alarms",
        message=f"{verb}AlarmsResponse",
        kind="RESPONSE",
        pattern="SimpleResponse",
        correlation_id=asked.correlation_id,
        timestamp=timestamp,
    )
    return envelope(header, made)


def _acknowledgement(content: Element, correlation_id: str, *, is_undone: bool) -> Acknowledgement:
    verb = "unacknowledge" if is_undone else "acknowledge"
    named = content.iterfind(f"{tag(f'ah:{verb}IdList')}/{tag('atcaid:alarmOrTcaId')}")
    return Acknowledgement(
        alarms=tuple(read_id(each[0]) for each in named),
        is_undone=is_undone,
        user=content.findtext(tag("ah:username")) or "",
        note=content.findtext(tag("ah:notepad")) or "",
        correlation_id=correlation_id,
    )


def _is_alarm(event: Element) -> bool:
    if event.tag == tag("alm:alarm"):
        return True
    if event.tag in _IGNORED:
        return False
    name = etree.QName(event).localname
    raise Malformed(f"Line {line_of(event)}: an event {name} is not taken here; alarms and heartbeats are", field="")
