"""What a fault manager says by MTOSI: that there are alarms, or that somebody takes note of some, or takes that back.

`read_message` reads all of a message before anybody acts on any of it, so that a message is never half taken. An alarm of
it is named as MTOSI does (AlarmId), which is its external id here (`read.key_of`).

A notification may hold any event of MTOSI. What is no alarm asks nothing of us and is passed over, in whatever shape it is:
an alarm beside it must not be lost. Only an event that says that others were lost (`eventLossOccured`) is told to whoever
asks, and what is called an alarm in another namespace than MTOSI 2.1's is refused, since it is one that would be lost.

Source: MTOSI 2.1, NotificationMessages.xsd (`notify`), EventLossOccured.xsd.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from lxml import etree

from adapters.errors import Malformed
from adapters.fault_management.alarms.read import Named, Told, line_of, read_alarm, read_id
from adapters.soap.elements import NAMESPACES, spaces, tag
from adapters.soap.envelope import Envelope, Header, envelope, read_envelope, shown
from adapters.xml.confinement import confined
from adapters.xml.parser import MOST_BYTES, Element, check, read_schema

TOPIC: Final = "Fault"
_SCHEMA: Final = Path(__file__).parent / "schemas" / "soap.xsd"
_ASKED: Final = {"ah:acknowledgeAlarmsRequest": False, "ah:unacknowledgeAlarmsRequest": True}
_TAKEN: Final = ("notmsg:notify", *_ASKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLoss:
    """The sender says that events were lost on the way to us, and will not come."""

    since: str
    """when the first of them was sent, as the sender writes it; may be empty."""
    first: str
    """its notification id; may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """There are alarms; none, when there was only something else to say."""

    alarms: tuple[Told, ...]
    sender: str
    """what its header calls whoever has sent it, or let it be sent; may be empty."""
    losses: tuple[EventLoss, ...] = ()
    passed: int = 0
    """how many events were no alarms."""


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
    content = found.content
    if content.tag == tag("notmsg:notify"):
        return _notification(found)
    for name, is_undone in _ASKED.items():
        if content.tag == tag(name):
            _check(content)
            return _acknowledgement(content, found.correlation_id, is_undone=is_undone)
    taken = ", ".join(f"{name.partition(':')[2]} of {NAMESPACES[name.partition(':')[0]]!r}" for name in _TAKEN)
    raise Malformed(
        f"Line {line_of(content)}: {shown(content)} is no message that is taken here; what is: {taken}", field=""
    )


def notify(events: Iterable[Element], *, sender: str, correlation_id: str, timestamp: str, topic: str = TOPIC) -> bytes:
    """Write the message that tells of alarms, or of other events."""
    made = etree.Element(tag("notmsg:notify"), nsmap=spaces("notmsg"))
    etree.SubElement(made, tag("notmsg:topic")).text = topic
    etree.SubElement(made, tag("notmsg:message")).extend(events)
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
    made = etree.Element(tag(f"ah:{verb}AlarmsResponse"), nsmap=spaces("ah"))
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


def _notification(found: Envelope) -> Notification:
    events = list(found.content.iterfind(f"{tag('notmsg:message')}/*"))
    others = [each for each in events if not _is_alarm(each)]
    losses = tuple(_loss(each) for each in others if each.tag == tag("elo:eventLossOccured"))
    for each in others:  # they may be of any shape: the schema knows alarms only
        each.getparent().remove(each)  # type: ignore[union-attr]  # it was found in a parent
    _check(found.content)
    alarms = tuple(read_alarm(each) for each in events if each.tag == tag("alm:alarm"))
    return Notification(
        alarms=alarms, sender=found.originator or found.sender, losses=losses, passed=len(others) - len(losses)
    )


def _check(content: Element) -> None:
    """Check a whole message, its envelope too; raises Malformed."""
    check(content.getroottree().getroot(), _schema())


@functools.cache
def _schema() -> etree.XMLSchema:
    return read_schema(_SCHEMA)


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
    """Tell whether an event is an alarm; raises Malformed for one that is, but in words that nobody reads here."""
    if event.tag == tag("alm:alarm"):
        return True
    if etree.QName(event).localname.lower() == "alarm":
        raise Malformed(
            f"Line {line_of(event)}: {shown(event)} is not taken here; alarm of {NAMESPACES['alm']!r} is", field=""
        )
    return False


def _loss(event: Element) -> EventLoss:
    return EventLoss(
        since=(event.findtext(tag("elo:startTime")) or "").strip(),
        first=(event.findtext(tag("elo:firstEventLostNotificationId")) or "").strip(),
    )
