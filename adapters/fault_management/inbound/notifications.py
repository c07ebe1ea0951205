"""Fault managers that speak MTOSI tell us of alarms in SOAP messages, and mean the same as those that speak TMF642.

`POST /mtosi/v2/alarms`: `notify` with alarms (raised, changed, cleared, acknowledged), and the requests that acknowledge alarms
or take that back, whose notepad is a comment. Each becomes the same call of `graph.changes` as over TMF642, so that record,
effects and tickets follow alike.

Events that are no alarms are passed over; one that says that others were lost (`eventLossOccured`) is logged, and counted by its
code in the metric of requests.

Rules. 1. A message is read, and every alarm of it checked, before anything is written. 2. The same notification again (by its
id, from the same source, with the same content) is not taken twice, so a message that was not answered is sent again as a
whole. 3. What is wrong is a SOAP fault: `Client` when the message is, `Server` when it may be sent again.
"""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from dataclasses import replace
from typing import Final, assert_never

import structlog
from starlette.responses import Response
from starlette.routing import Route

from adapters.endpoint.body import read_body
from adapters.endpoint.edge import WRITERS, Action, Call, Edge, Noted, routes
from adapters.endpoint.errors import MalformedBody, Refusal
from adapters.errors import Malformed
from adapters.fault_management.alarms.messages import Acknowledgement, Notification, acknowledged, read_message
from adapters.fault_management.alarms.read import Told
from adapters.fault_management.inbound.codec import decode
from adapters.fault_management.inbound.query import AlarmFilter
from adapters.fault_management.inbound.reads import AlarmReads
from adapters.soap.envelope import CONTENT_TYPE, MEDIA
from adapters.soap.faults import fault
from adapters.tmf.tmf630 import write_time
from adapters.xml.parser import MOST_BYTES, Element
from graph.changes.alarms.acknowledge import hear_acknowledged
from graph.changes.alarms.alarms import acknowledge_alarm, comment_alarm, raise_alarm, unacknowledge_alarm
from graph.changes.alarms.comments import Comment
from graph.changes.alarms.occurrence import record_text
from graph.changes.sources import sources_of
from graph.model.alarm import Alarm
from graph.model.scope import Principal, Role

BASE: Final = "/mtosi/v2"
EVENTS_LOST: Final = "EVENTS_LOST"
"""The code of a request whose sender says that it lost events: alarms that were to come will not."""
MOST_ALARMS: Final = 200
"""of one message: each is a transaction, and all must be done before the deadline."""
log = structlog.get_logger(__name__)

_LINE: Final = re.compile(r"Line ([0-9]+): ")
_OF_HTTP: Final = frozenset({405, 408, 413, 415, 429, 503, 504})
"""Statuses that are about the exchange; any other fault has 500, as SOAP 1.1 wants it."""
_HEADERS: Final = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store", "Vary": "Authorization"}


def notification_routes(edge: Edge) -> list[Route]:
    """Make the routes, relative to `BASE`."""
    return routes(
        edge, {"/alarms": {"POST": Action(name="notifyAlarms", roles=WRITERS, run=_heard, is_work=True)}}, refused
    )


def refused(refusal: Refusal) -> Response:
    """Say no as SOAP does."""
    text = refusal.message or refusal.reason
    line = _LINE.match(text)
    body = fault(refusal.code, text, is_ours=refusal.status >= 500, line=int(line[1]) if line else None)
    status = refusal.status if refusal.status in _OF_HTTP else 500
    return Response(body, status, {**_HEADERS, **refusal.headers})


async def _heard(call: Call) -> Response:
    body = await read_body(call.request, MEDIA, MOST_BYTES, call.deadline)
    message = read_message(body)
    match message:
        case Notification():
            await _notified(call, message)
            return Noted(202, EVENTS_LOST if message.losses else "", {"Cache-Control": "no-store"})
        case Acknowledgement():
            failed = await _acknowledged(call, message, hashlib.sha256(body).hexdigest())
            now = write_time(time.time_ns() // 1_000_000)
            return Response(acknowledged(message, failed, timestamp=now), 200, _HEADERS)
        case never:
            assert_never(never)


async def _notified(call: Call, message: Notification) -> None:
    for each in message.losses:
        log.warning("a fault manager lost events", sender=message.sender, since=each.since, first=each.first)
    if len(message.alarms) > MOST_ALARMS:
        line = message.alarms[MOST_ALARMS].line
        raise Malformed(f"Line {line}: a message has at most {MOST_ALARMS} alarms; send the rest in another", field="")
    alarms = [_alarm(call.principal, each, message.sender) for each in message.alarms]
    for told, alarm in zip(message.alarms, alarms, strict=True):
        await raise_alarm(
            call.port.store,
            call.principal,
            call.port.policy,
            alarm,
            idempotency_key=_key(told, alarm),
            deadline=call.deadline,
        )


def _alarm(principal: Principal, told: Told, sender: str) -> Alarm:
    source = told.body.get("sourceSystemId") or _source(principal, sender, told.line)
    try:
        alarm = decode({**told.body, "sourceSystemId": source})
    except MalformedBody as error:
        raise Malformed(f"Line {told.line}: the alarm's {error}", field="") from None
    if not sources_of(principal).has(alarm.source_system_id):
        text = f"Line {told.line}: this caller does not speak for the source {alarm.source_system_id!r}."
        raise Refusal("FORBIDDEN", text)
    return replace(alarm, is_dated=told.is_dated)


def _source(principal: Principal, sender: str, line: int) -> str:
    """Tell whose alarm it is: MTOSI names no source but in the header, and whoever has only one need not."""
    known = principal.sources if principal.effective is Role.SYSTEM else (sender,)
    if sender in known and sender:
        return sender
    if len(known) == 1 and known[0]:
        return known[0]
    hint = f"one of {', '.join(known)}" if any(known) else "its name"
    raise Malformed(
        f"Line {line}: nobody says of which source the alarm is: originatorURI or senderURI of the header is {hint}",
        field="",
    )


def _key(told: Told, alarm: Alarm) -> str | None:
    """Give what is the same for the same notification. Ids are counted anew by some, so its content is part of it."""
    if not told.notification_id:
        return None
    parts = (alarm.source_system_id, told.notification_id, record_text(alarm.record))
    return hashlib.sha256("".join(f"{len(each)}:{each}" for each in parts).encode()).hexdigest()


async def _acknowledged(call: Call, message: Acknowledgement, key: str) -> list[Element]:
    """Do it to each alarm; give those that it was not done to."""
    hearing = call.port.policy.fault_management
    if hearing is not None and call.principal.system == hearing.name:
        ours = await _heard_of_ours(call, message)
    else:
        ours = frozenset()
    named = [each for each in message.alarms if each.qualifier not in ours]
    reads = AlarmReads(port=call.port, principal=call.principal, deadline=call.deadline, place="")
    keys = sorted({each.key for each in named})
    wanted: AlarmFilter = {"externalAlarmId": {"in": keys}, "state": {"in": ["RAISED", "UPDATED"]}}
    found: dict[str, list[str]] = {}
    for row in await reads.matching(wanted) if keys else ():
        found.setdefault(row["externalAlarmId"], []).append(row["id"])
    done = {each for ids in found.values() for each in ids if await _take(call, message, each, key)}
    return [each.element for each in named if not done & {*found.get(each.key, ())}]


async def _heard_of_ours(call: Call, message: Acknowledgement) -> frozenset[str]:
    """Take what the system that we tell of alarms says of them: there, our id is the qualifier of the cause."""
    state = "unacknowledged" if message.is_undone else "acknowledged"
    told = [each.qualifier for each in message.alarms if each.qualifier]
    return await hear_acknowledged(call.port.store, call.port.policy, told, state=state, deadline=call.deadline)


async def _take(call: Call, message: Acknowledgement, alarm_id: str, key: str) -> bool:
    change = unacknowledge_alarm if message.is_undone else acknowledge_alarm
    # What was acknowledged, taken back, and is acknowledged again in the same words is no repeat.
    once = uuid.uuid4().hex
    port = call.port
    outcome = await change(
        port.store, call.principal, port.policy, alarm_id=alarm_id, idempotency_key=once, deadline=call.deadline
    )
    if message.note and not outcome.user_errors:
        comment = Comment(alarm=alarm_id, text=message.note, user=message.user, system=call.principal.system)
        own = hashlib.sha256(f"comment {alarm_id} {key}".encode()).hexdigest()
        outcome = await comment_alarm(
            port.store, call.principal, port.policy, comment, idempotency_key=own, deadline=call.deadline
        )
    return not outcome.user_errors
