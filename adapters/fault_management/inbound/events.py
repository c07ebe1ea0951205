"""The fault management system that we tell of alarms tells us what its people do with them, as TMF642 has it: by events.

`POST listener/<event>` below the address of alarms, by that system itself (`system:<name>`, the name that the settings give
it) or by an operator. What is learnt is who has taken note, of an alarm that is known there by our id; of any other nothing is
kept, and the answer is the same.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from adapters.endpoint.body import JSON
from adapters.endpoint.edge import Call
from adapters.endpoint.errors import MalformedBody, Refusal
from adapters.endpoint.listening import take_once
from adapters.fault_management.alarms.words import ACK_STATES
from adapters.tmf.shape import Text, Thing, Word, faults
from graph.changes.alarms.acknowledge import hear_acknowledged
from graph.model.scope import Role

EVENTS: Final = ("alarmCreateEvent", "alarmAttributeValueChangeEvent", "alarmStateChangeEvent", "alarmDeleteEvent")
TASKS: Final = ("ackAlarms", "unAckAlarms", "clearAlarms", "commentAlarms", "groupAlarms", "unGroupAlarms")
TASK_EVENTS: Final = tuple(f"{task}{what}" for task in TASKS for what in ("CreateEvent", "StateChangeEvent"))
"""The other listeners of TMF642 v4.0.0: what a task did to an alarm is told by that alarm's own event, too."""
_ALARM: Final = Thing(fields={"externalAlarmId": Text(), "ackState": Word(words=ACK_STATES)})
_EVENT: Final = Thing(fields={"event": Thing(fields={"alarm": _ALARM}, required=("alarm",))}, required=("event",))


async def listen(call: Call) -> Response:
    """Take what an event says of an alarm of ours."""
    principal, policy = call.principal, call.port.policy
    name = policy.fault_management.name if policy.fault_management else ""
    if principal.effective is Role.SYSTEM and principal.system != name:
        raise Refusal("FORBIDDEN", "Only the fault management system tells what its people do.")
    event = call.request.path_params["event"]
    if event not in (*EVENTS, *TASK_EVENTS):
        raise Refusal("NOT_FOUND")
    document = await call.body(JSON)
    if event in TASK_EVENTS:
        return Response(status_code=204)
    if found := faults(_EVENT, document):
        raise MalformedBody(found)
    assert isinstance(document, dict), "its shape says so"
    alarm = document["event"]["alarm"]
    if name and "ackState" in alarm and alarm.get("externalAlarmId"):

        async def take() -> None:
            ours = [alarm["externalAlarmId"]]
            await hear_acknowledged(call.port.store, policy, ours, state=alarm["ackState"], deadline=call.deadline)

        await take_once(call, document, take)
    return Response(status_code=204)
