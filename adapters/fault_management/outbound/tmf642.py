"""A fault management system that speaks TMF642, version 4: an alarm there is a resource, found by our id as externalAlarmId.

Its POST does not notice that it was heard before, so `find` asks first. A PATCH is a merge patch: what the order says takes
the place of what is there, and what their people have added stays. It has what `Alarm_Update` has (TMF642 v4.0.0) and nothing else:
what was set when the alarm was told first is not told again. Of an alarm that is theirs only the services that it affects and
who has taken note are patched.

What a service suffers, and whose it is, are members of ours in `affectedService`, under a type of ours, as TMF630 allows. A
system that refuses such members is told which services there are, and no more. Nor are all let a null take a member away, since no
swagger has one: such a system keeps the time at which an alarm was over that is back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import structlog

from adapters.errors import Nonsense, Rejected
from adapters.fault_management import US, AlarmOrder, TheirAlarm
from adapters.passed_over import PassedOver
from adapters.tmf.tmf630 import quote_value
from adapters.tmf_client.client import TmfClient
from adapters.transport.transport import Transport

RESOURCE: Final = "alarm"
CHUNK: Final = 100
_FIELDS: Final = "id,externalAlarmId,ackState,state"
_GONE: Final = 404
_UNFIT: Final = (400, 422)
_OPEN: Final = "raised,updated"
"""The states of an alarm that is not over."""
UPDATED: Final = frozenset(
    {
        *("ackState", "ackSystemId", "ackUserId", "affectedService", "alarmChangedTime", "alarmClearedTime"),
        *("alarmDetails", "alarmEscalation", "alarmReportingTime", "alarmType", "alarmedObject", "alarmedObjectType"),
        *("clearSystemId", "clearUserId", "comment", "correlatedAlarm", "crossedThresholdInformation"),
        *("externalAlarmId", "isRootCause", "parentAlarm", "perceivedSeverity", "place", "plannedOutageIndicator"),
        *("probableCause", "proposedRepairedActions", "reportingSystemId", "serviceAffecting", "specificProblem"),
        "state",
    }
)
"""The members of Alarm_Update. Its `@type` and `@schemaLocation` are not told: they say which of our members come with it."""
_PUBLISHED: Final = frozenset({"id", "href"})
"""The members of AffectedService, without those that name a type of ours."""
_ADDED: Final = ("affectedService", "ackState", "serviceAffecting")
"""What we add to an alarm of theirs."""

log = structlog.get_logger(__name__)


class Tmf642:
    """`adapters.fault_management.FaultManagement` over a transport whose address ends in `/tmf-api/alarmManagement/v4`."""

    def __init__(self, transport: Transport, passed_over: PassedOver | None = None) -> None:
        self._client = TmfClient(transport)
        self._name = transport.name
        self._form = 0
        """which of `_FORMS` it takes, as far as is known."""
        self._passed_over = passed_over or PassedOver(transport.name)

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now."""
        return self._client.retry_at

    @property
    def names_objects(self) -> bool:
        """Say the object as its source does."""
        return False

    async def find(self, order: AlarmOrder, *, deadline: float) -> TheirAlarm | None:
        """Ask by our id; for an alarm of theirs by the id that they gave with it, or by its name there."""
        if not order.is_theirs:
            return await self._named({"externalAlarmId": order.id}, deadline)
        if order.their_id not in ("", ".", ".."):
            return await self._one(order.their_id, deadline)
        if "externalAlarmId" not in order.body:
            return None
        return await self._named({name: order.body[name] for name in ("externalAlarmId", "sourceSystemId")}, deadline)

    async def report(self, order: AlarmOrder, *, delivery_id: str, deadline: float) -> str | None:
        """POST it."""

        async def post(body: Mapping[str, Any]) -> object | None:
            return await self._client.created((RESOURCE,), body, key=delivery_id, deadline=deadline)

        alarm = await self._taken(order.body, post)
        if alarm is not None and _text(self._object(alarm), "externalAlarmId") != order.id:
            raise self._nonsense("has another external id than the one told", "externalAlarmId")
        return None

    async def amend(self, their: TheirAlarm, order: AlarmOrder, *, delivery_id: str, deadline: float) -> str | None:
        """PATCH it."""

        async def patch(body: Mapping[str, Any]) -> object | None:
            return await self._client.changed((RESOURCE, their.id), body, key=delivery_id, deadline=deadline)

        alarm = await self._taken(update(their, order), patch)
        if alarm is not None and _text(self._object(alarm), "id") != their.id:
            raise self._nonsense("is another one than the one that was changed", "id")
        return None

    async def acknowledged(self, *, deadline: float) -> Sequence[str]:
        """GET those that we have reported, that are acknowledged and not over, page by page."""
        wanted = {"ackState": "acknowledged", "reportingSystemId": US, "state": _OPEN}
        found = await self._listed(wanted, deadline)
        keys = (_text(each, "externalAlarmId") for each in found if each.get("state") != "cleared")
        return [key for key in keys if key]

    async def subscribe(self, callback: str, *, deadline: float) -> str:
        """POST the hub."""
        return await self._client.registered(callback, deadline=deadline)

    async def unsubscribe(self, their_id: str, *, deadline: float) -> None:
        """DELETE it there."""
        await self._client.removed(("hub", their_id), key="", deadline=deadline)

    async def _taken(
        self, body: Mapping[str, Any], send: Callable[[Mapping[str, Any]], Awaitable[object | None]]
    ) -> object | None:
        """Send it in the first form that is not refused, and remember which that was."""
        for form, told in self._told(body):
            try:
                answer = await send(told)
            except Rejected as rejected:
                if rejected.status not in _UNFIT:
                    raise
                refused = rejected
            else:
                self._remember(form)
                return answer
        raise refused

    def _told(self, body: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Give the forms of a body that may be taken, each with its place among `_FORMS`; none twice."""
        before: list[Mapping[str, Any]] = []
        for form in range(self._form, len(_FORMS)):
            told = _FORMS[form](body)
            if told not in before:
                yield form, told
            before.append(told)

    def _remember(self, form: int) -> None:
        if form > self._form:
            log.warning("some of what we say is refused there, and not told any more", system=self._name, form=form)
            self._form = form

    async def _one(self, their_id: str, deadline: float) -> TheirAlarm | None:
        try:
            alarm = self._object((await self._client.one((RESOURCE, their_id), deadline=deadline)).value)
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
        query = (*((name, _quoted(name, value)) for name, value in wanted.items()), ("fields", _FIELDS))
        found = await self._client.listed((RESOURCE,), query, size=CHUNK, deadline=deadline)
        return self._passed_over.objects(found, f"An alarm that {self._name} answered is no object")

    def _their(self, alarm: Mapping[str, Any]) -> TheirAlarm:
        their_id = _text(alarm, "id")
        if their_id in ("", ".", ".."):
            raise self._nonsense("has no id", "id")
        is_cleared = alarm.get("state") == "cleared"
        return TheirAlarm(id=their_id, acknowledged=alarm.get("ackState") == "acknowledged", is_cleared=is_cleared)

    def _object(self, value: object) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._nonsense("is no object", "body")
        return value

    def _nonsense(self, what: str, where: str) -> Nonsense:
        return Nonsense(
            f"An alarm that {self._name} answered {what}",
            hint="Look whether its address leads to the right system",
            where=where,
        )


def update(their: TheirAlarm, order: AlarmOrder) -> dict[str, Any]:
    """Make the merge patch that brings what they have to what the order says (Alarm_Update)."""
    names = _ADDED if order.is_theirs else UPDATED
    body = {name: value for name, value in order.body.items() if name in names}
    if their.is_cleared and not order.is_cleared and not order.is_theirs:
        body["alarmClearedTime"] = None  # RFC 7396 takes it away so: one that is back is not over any more
    return body


def plain(body: Mapping[str, Any]) -> dict[str, Any]:
    """Take out of a body what no swagger has.

    >>> plain({"state": "raised", "x733": {}, "affectedService": [{"id": "s", "@type": "AffectedServiceEffect", "effect": "down"}]})
    {'state': 'raised', 'affectedService': [{'id': 's'}]}
    """
    told = {name: value for name, value in body.items() if name in UPDATED or name in _SET_ONCE}
    if "affectedService" in told:
        told["affectedService"] = [
            {name: value for name, value in each.items() if name in _PUBLISHED} for each in told["affectedService"]
        ]
    return told


def kept(body: Mapping[str, Any]) -> dict[str, Any]:
    """Take out of a body what takes a member away, and leave what is ours.

    >>> kept({"state": "raised", "alarmClearedTime": None, "x733": {}})
    {'state': 'raised', 'x733': {}}
    """
    return {name: value for name, value in body.items() if value is not None}


def bare(body: Mapping[str, Any]) -> dict[str, Any]:
    """Take out of a body what no swagger has, and what takes a member away.

    >>> bare({"state": "raised", "alarmClearedTime": None, "x733": {}})
    {'state': 'raised'}
    """
    return kept(plain(body))


_FORMS: Final[tuple[Callable[[Mapping[str, Any]], Mapping[str, Any]], ...]] = (dict, kept, plain, bare)
"""How a body may be told: whole, and with less and less of what a strict system refuses.

Nulls and members of ours are refused each for itself. The null goes first: it is in few bodies, and what is ours in all.
"""
_SET_ONCE: Final = frozenset({"alarmRaisedTime", "sourceSystemId"})
"""The members that Alarm_Create has and Alarm_Update has not."""


def _quoted(name: str, value: object) -> str:
    """Write the value of a filter; several states are an or."""
    return str(value) if name == "state" else quote_value(str(value))


def _text(alarm: Mapping[str, Any], name: str) -> str:
    value = alarm.get(name)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
