"""A fault management system that hears MTOSI's notifications: each change of an alarm is told as the alarm it is now.

A notification asks for nothing and cannot be looked up; but it says the whole alarm, so that hearing it twice does nothing
twice, and its id is that of the delivery, by which whoever heard it knows it again. What their people take note of they
tell us by a notification or a request of theirs.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from adapters.event_words import EventNotice
from adapters.fault_management import US, AlarmOrder, TheirAlarm
from adapters.fault_management.alarms.causes import default_cause
from adapters.fault_management.alarms.messages import notify
from adapters.fault_management.alarms.write import write_alarm
from adapters.fault_management.alarms.x733 import MEMBER, SUBCLASS, extension_of
from adapters.fault_management.outbound.mtosi_events import TOPICS, write_event
from adapters.soap.envelope import CONTENT_TYPE
from adapters.soap.faults import STATUS, content_of
from adapters.soap.names import spelled
from adapters.tmf.tmf630 import write_time
from adapters.transport.transport import Call, Transport
from adapters.xml.confinement import confined

_ACTIVITY: Final = "notify"


class Mtosi:
    """`adapters.fault_management.FaultManagement` over a transport whose address is where notifications are heard."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now."""
        return self._transport.breaker.retry_at

    @property
    def names_objects(self) -> bool:
        """Say where the object lies: MTOSI has no other way to name it."""
        return True

    async def find(self, order: AlarmOrder, *, deadline: float) -> TheirAlarm | None:  # noqa: ARG002 - nobody is asked
        """Take it to be there: what is told then is the same, whether it is or not."""
        return TheirAlarm(id=order.id, acknowledged=False)

    async def report(self, order: AlarmOrder, *, delivery_id: str, deadline: float) -> str | None:
        """Notify of it."""
        await self._send(_notification(order, delivery_id, _now()), deadline)
        return None

    async def notify(self, notice: EventNotice, *, repeats: bool, delivery_id: str, deadline: float) -> str | None:  # noqa: ARG002 - as above
        """Notify of an event; whoever heard it before knows it by its notificationId."""
        await self._send(_event(notice, delivery_id, _now()), deadline)
        return None

    async def _send(self, body: bytes, deadline: float) -> None:
        headers = {"Content-Type": CONTENT_TYPE, "Accept": "text/xml", "SOAPAction": f'"{_ACTIVITY}"'}
        call = Call(method="POST", path=(), body=body, headers=headers, reads=frozenset({STATUS}))
        answer = await self._transport.exchange(call, deadline=deadline)
        content_of(answer.body, answer.status, system=answer.system, activity=_ACTIVITY, start=answer.start)

    async def amend(self, their: TheirAlarm, order: AlarmOrder, *, delivery_id: str, deadline: float) -> str | None:  # noqa: ARG002 - as above
        """Notify of it as it is now."""
        return await self.report(order, delivery_id=delivery_id, deadline=deadline)

    async def acknowledged(self, *, deadline: float) -> Sequence[str]:  # noqa: ARG002 - as above
        """Give none: they tell us themselves."""
        return ()

    async def subscribe(self, callback: str, *, deadline: float) -> str:  # noqa: ARG002 - as above
        """Do nothing: where they tell us is theirs to know."""
        return ""

    async def unsubscribe(self, their_id: str, *, deadline: float) -> None:
        """Do nothing: there is no registration."""


@confined
def _notification(order: AlarmOrder, delivery_id: str, now: str) -> bytes:
    """Write the message that tells of an alarm; vendors' elements are copied into it."""
    alarm = write_alarm(_named(order, delivery_id))
    return notify([alarm], sender=US, correlation_id=delivery_id, timestamp=now)


@confined
def _event(notice: EventNotice, delivery_id: str, now: str) -> bytes:
    """Write the message that tells of an event."""
    event = write_event(notice, delivery_id, now)
    return notify([event], sender=US, correlation_id=delivery_id, timestamp=now, topic=TOPICS[notice.kind.about])


def _now() -> str:
    return write_time(time.time_ns() // 1_000_000)


def _named(order: AlarmOrder, delivery_id: str) -> dict[str, Any]:
    """Give the alarm by a name of its own: to MTOSI two of one object and cause are one, but for the cause's qualifier.

    Its time is the source's (CommonEventInformation.xsd, `sourceTime`); ours is that of the report (`osTime`).
    """
    extension = {**extension_of(order.body), "notificationIdentifier": delivery_id}
    body = dict(order.body)
    if "alarmChangedTime" in body:
        body.setdefault("alarmReportingTime", body.pop("alarmChangedTime"))
    if order.source_changed:
        body["alarmChangedTime"] = order.source_changed
    if order.object_name:
        extension["objectName"] = [{"type": kind, "value": value} for kind, value in order.object_name]
        body["alarmedObject"] = {**body["alarmedObject"], "id": spelled(order.object_name)}
    if not order.is_theirs:
        cause = extension.get("probableCause") or default_cause(str(order.body["probableCause"]))
        extension["probableCause"] = {**cause, "qualifier": order.id}
    return {**body, **SUBCLASS, MEMBER: extension}
