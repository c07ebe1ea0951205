"""A fault management system that speaks TMF642, version 4: an alarm there is a resource, found by our id as externalAlarmId.

Its POST does not notice that it was heard before, so `find` asks first. A PATCH is a merge patch: what the order says takes
the place of what is there, and what their people have added stays. Of an alarm that is theirs only the services that it
affects and who has taken note are patched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from adapters.errors import Nonsense, Rejected
from adapters.fault_management import US, AlarmOrder, TheirAlarm
from adapters.passed_over import PassedOver
from adapters.tmf.tmf630 import quote_value
from adapters.transport.transport import Call, Transport

RESOURCE: Final = "alarm"
CHUNK: Final = 100
_FIELDS: Final = "id,externalAlarmId,ackState,state"
_MOST_PAGES: Final = 100
_GONE, _CONFLICT = 404, 409
_ADDED: Final = ("affectedService", "ackState", "serviceAffecting")
"""What we add to an alarm of theirs."""


class Tmf642:
    """`adapters.fault_management.FaultManagement` over a transport whose address ends in `/tmf-api/alarmManagement/v4`."""

    def __init__(self, transport: Transport, passed_over: PassedOver | None = None) -> None:
        self._transport = transport
        self._passed_over = passed_over or PassedOver(transport.name)

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now."""
        return self._transport.breaker.retry_at

    async def find(self, order: AlarmOrder, *, deadline: float) -> TheirAlarm | None:
        """Ask by our id; for an alarm of theirs by the id that they gave with it, or by its name there."""
        if not order.is_theirs:
            return await self._named({"externalAlarmId": order.id}, deadline)
        if order.their_id not in ("", ".", ".."):
            return await self._one(order.their_id, deadline)
        if "externalAlarmId" not in order.body:
            return None
        return await self._named({name: order.body[name] for name in ("externalAlarmId", "sourceSystemId")}, deadline)

    async def report(self, order: AlarmOrder, *, delivery_id: str, deadline: float) -> None:
        """POST it."""
        call = Call(method="POST", path=(RESOURCE,), body=dict(order.body), headers=_key(delivery_id))
        alarm = (await self._transport.exchange(call, deadline=deadline)).json()
        if _text(self._object(alarm), "externalAlarmId") != order.id:
            raise self._nonsense("has another external id than the one told", "externalAlarmId")

    async def amend(self, their: TheirAlarm, order: AlarmOrder, *, delivery_id: str, deadline: float) -> None:
        """PATCH it."""
        body = dict(order.body)
        if order.is_theirs:
            body = {name: body[name] for name in _ADDED if name in body}
        elif not order.is_cleared:
            body["alarmClearedTime"] = None  # one that is back is not over any more
        headers = {**_key(delivery_id), "Content-Type": "application/merge-patch+json"}
        call = Call(method="PATCH", path=(RESOURCE, their.id), body=body, headers=headers)
        alarm = self._object((await self._transport.exchange(call, deadline=deadline)).json())
        if _text(alarm, "id") != their.id:
            raise self._nonsense("is another one than the one that was changed", "id")

    async def acknowledged(self, *, deadline: float) -> Sequence[str]:
        """GET those that we have reported and that are acknowledged, page by page."""
        wanted = {"ackState": "acknowledged", "reportingSystemId": US}
        found = await self._listed(wanted, deadline)
        keys = (_text(each, "externalAlarmId") for each in found if each.get("state") != "cleared")
        return [key for key in keys if key]

    async def subscribe(self, callback: str, *, deadline: float) -> None:
        """POST the hub; that it knows us already is said by 409."""
        call = Call(method="POST", path=("hub",), body={"callback": callback})
        try:
            await self._transport.exchange(call, deadline=deadline)
        except Rejected as rejected:
            if rejected.status != _CONFLICT:
                raise

    async def _one(self, their_id: str, deadline: float) -> TheirAlarm | None:
        call = Call(method="GET", path=(RESOURCE, their_id))
        try:
            alarm = self._object((await self._transport.exchange(call, deadline=deadline)).json())
        except Rejected as rejected:
            if rejected.status != _GONE:
                raise
            return None
        if _text(alarm, "id") != their_id:
            raise self._nonsense("is another one than the one asked for", "id")
        return self._their(alarm)

    async def _named(self, names: Mapping[str, Any], deadline: float) -> TheirAlarm | None:
        found = await self._listed(names, deadline)
        if any(_text(each, "externalAlarmId") != names["externalAlarmId"] for each in found):
            raise self._nonsense("was not asked for", "externalAlarmId")
        return self._their(found[0]) if found else None

    async def _listed(self, wanted: Mapping[str, Any], deadline: float) -> list[Mapping[str, Any]]:
        query = (*((name, quote_value(str(value))) for name, value in wanted.items()), ("fields", _FIELDS))
        found: list[object] = []
        for _ in range(_MOST_PAGES):
            paging = (("offset", str(len(found))), ("limit", str(CHUNK)))
            call = Call(method="GET", path=(RESOURCE,), query=(*query, *paging))
            answer = await self._transport.exchange(call, deadline=deadline)
            items = answer.json()
            if not isinstance(items, list):
                raise self._nonsense("is no list", "body")
            found += items
            total = answer.headers.get("x-total-count", "")
            if not items or not total.isdigit() or len(found) >= int(total):
                return self._objects(found)
        raise self._nonsense("is in a list without an end", "X-Total-Count")

    def _their(self, alarm: Mapping[str, Any]) -> TheirAlarm:
        their_id = _text(alarm, "id")
        if their_id in ("", ".", ".."):
            raise self._nonsense("has no id", "id")
        return TheirAlarm(id=their_id, acknowledged=alarm.get("ackState") == "acknowledged")

    def _objects(self, items: Sequence[object]) -> list[Mapping[str, Any]]:
        """Give what are alarms, at least by their form; another item costs these nothing."""
        for place, each in enumerate(items):
            if not isinstance(each, dict):
                self._passed_over.note(f"[{place}]", f"An alarm that {self._transport.name} answered is no object")
        return [each for each in items if isinstance(each, dict)]

    def _object(self, value: object) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._nonsense("is no object", "body")
        return value

    def _nonsense(self, what: str, where: str) -> Nonsense:
        return Nonsense(
            f"An alarm that {self._transport.name} answered {what}",
            hint="Look whether its address leads to the right system",
            where=where,
        )


def _key(delivery_id: str) -> dict[str, str]:
    return {"Idempotency-Key": delivery_id}


def _text(alarm: Mapping[str, Any], name: str) -> str:
    value = alarm.get(name)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
