"""Alerta, version 9, by its REST API: an alarm of ours is an alert, told of again whenever it has changed.

Alerta takes two reports of one resource, event and environment for the same alert. Two alarms of ours may have these in
common, so the event ends in our id: then a report that is heard twice is one alert, and no two alarms are. It is found again
by that. An alert whose severity rises is open again, so who has taken note is told after the report.

Not every report is kept that is answered with 2xx. In a blackout Alerta answers 202, throws it away, and knows nothing of it later:
it is told again until the blackout is over, however long that is. It takes `createTime` for the time by which that is decided, and
keeps blackouts that have ended: an alert that said when its alarm was raised would be thrown away for ever. So a report says no
`createTime`, and Alerta takes the time at which it comes; when the alarm was raised is the attribute `raisedAt`.

Alerta answers 202 as well to what came round in a circle (a ForwardingLoop) and to heartbeats; these are not told again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from adapters.errors import Nonsense, Rejected, Suspended
from adapters.event_words import EventNotice
from adapters.fault_management import US, AlarmOrder, TheirAlarm
from adapters.fault_management.alarms.record import object_of
from adapters.passed_over import PassedOver
from adapters.tmf.tmf630 import read_time, write_time
from adapters.transport.paging import Asked, Page, all_pages
from adapters.transport.transport import Answer, Call, Transport

ENVIRONMENT: Final = "Production"
INFORMATIONAL: Final = "informational"
"""The severity of an event that is none of an alarm's."""
CHUNK: Final = 100
NO_SERVICE: Final = "network"
"""Alerta refuses an alert without any service."""
UNNAMED: Final = "unnamed"
"""Nor one without a resource."""
_MOST_NAMED: Final = 100
"""services, and customers, that an alert names."""
_GONE: Final = 404
_NOT_KEPT: Final = 202
_BLACKOUT: Final = ("blackout", "suppress")
_HEARTBEAT: Final = "heartbeat"


class Alerta:
    """`adapters.fault_management.FaultManagement` over a transport whose address is that of Alerta's API."""

    def __init__(
        self, transport: Transport, passed_over: PassedOver | None = None, *, environment: str = ENVIRONMENT
    ) -> None:
        self._transport = transport
        self._passed_over = passed_over or PassedOver(transport.name)
        self._environment = environment

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now."""
        return self._transport.breaker.retry_at

    @property
    def names_objects(self) -> bool:
        """Say the object as its source does."""
        return False

    async def find(self, order: AlarmOrder, *, deadline: float) -> TheirAlarm | None:
        """Ask by the event, which ends in our id; for an alert of theirs by its own id."""
        if order.is_theirs:
            their_id = order.their_id or str(order.body.get("externalAlarmId", ""))
            return await self._one(their_id, deadline) if their_id not in ("", ".", "..") else None
        found = await self._listed({"event": _event(order), "environment": self._environment}, deadline)
        if any(_attribute(each, "alarmId") != order.id for each in found):
            raise self._nonsense("was not asked for", "attributes.alarmId")
        return self._their(found[0]) if found else None

    async def report(self, order: AlarmOrder, *, delivery_id: str, deadline: float) -> str | None:
        """POST the alert, and say who has taken note. While a blackout is on it is Suspended."""
        call = Call(method="POST", path=("alert",), body=self._alert(order, delivery_id))
        answer = await self._transport.exchange(call, deadline=deadline)
        if answer.status == _NOT_KEPT:
            return self._not_kept(answer)
        await self._take(self._their(self._told(answer, "alarmId", order.id)), order, deadline)
        return None

    async def amend(self, their: TheirAlarm, order: AlarmOrder, *, delivery_id: str, deadline: float) -> str | None:
        """POST it again as it is now; to an alert of theirs PUT what we add."""
        if not order.is_theirs:
            return await self.report(order, delivery_id=delivery_id, deadline=deadline)
        await self._ask("PUT", ("alert", their.id, "attributes"), {"attributes": _added(order)}, deadline)
        await self._take(their, order, deadline)
        return None

    async def notify(self, notice: EventNotice, *, repeats: bool, delivery_id: str, deadline: float) -> str | None:  # noqa: ARG002 - to hear it twice changes nothing
        """POST an informational alert: one of each service, piece of equipment or ticket, which says its last news."""
        call = Call(method="POST", path=("alert",), body=self._information(notice, delivery_id))
        answer = await self._transport.exchange(call, deadline=deadline)
        if answer.status == _NOT_KEPT:
            return self._not_kept(answer)
        self._told(answer, "about", notice.about)
        return None

    async def acknowledged(self, *, deadline: float) -> Sequence[str]:
        """GET ours that are acknowledged."""
        found = await self._listed({"status": "ack", "origin": US, "environment": self._environment}, deadline)
        keys = (_attribute(each, "alarmId") for each in found if each.get("status") == "ack")
        return [key for key in keys if key]

    async def subscribe(self, callback: str, *, deadline: float) -> str:  # noqa: ARG002 - there is nothing to ask
        """Do nothing: it is only looked at."""
        return ""

    async def unsubscribe(self, their_id: str, *, deadline: float) -> None:
        """Do nothing: there is no registration."""

    def _told(self, answer: Answer, attribute: str, ours: str) -> Mapping[str, Any]:
        """Give the alert as it is there, which bears our id as an attribute."""
        told = self._object(answer.json()).get("alert")
        if not isinstance(told, dict):
            raise self._nonsense("is none", "alert")
        if _attribute(told, attribute) != ours:
            raise self._nonsense("is another one than the one told", f"alert.attributes.{attribute}")
        return told

    def _not_kept(self, answer: Answer) -> str:
        """Say why it was not kept, or raise Suspended: an answer with an id is about an alert that was suppressed."""
        told = self._object(answer.json())
        message = str(told.get("message", "")).lower()
        if any(each in message for each in _BLACKOUT) or (told.get("id") and _HEARTBEAT not in message):
            said = f"{self._transport.name} keeps nothing of this alert now: a blackout"
            raise Suspended(said, hint="It is told again until the blackout is over", status=_NOT_KEPT)
        return "it was not kept there: it came from there itself"

    async def _take(self, their: TheirAlarm, order: AlarmOrder, deadline: float) -> None:
        if order.acknowledged is None or order.acknowledged == their.acknowledged or order.is_cleared:
            return
        status = {"status": "ack" if order.acknowledged else "open", "text": f"as {US} knows"}
        await self._ask("PUT", ("alert", their.id, "status"), status, deadline)

    def _alert(self, order: AlarmOrder, delivery_id: str) -> dict[str, Any]:
        body = order.body
        raised = write_time(read_time(body["alarmRaisedTime"], "alarmRaisedTime"))
        named = list(dict.fromkeys(each.name for each in order.affected))[:_MOST_NAMED]
        return {
            "resource": object_of(body["alarmedObject"]) or UNNAMED,
            "event": _event(order),
            "environment": self._environment,
            "severity": "cleared" if order.is_cleared else body["perceivedSeverity"],
            "service": named or [NO_SERVICE],
            "group": body["alarmType"],
            "value": _added(order)["effect"] or body["state"],
            "text": str(body.get("alarmDetails") or body.get("specificProblem") or body["probableCause"]),
            "tags": [f"source={body['sourceSystemId']}"],
            "attributes": {"alarmId": order.id, "deliveryId": delivery_id, "raisedAt": raised, **_added(order)},
            "origin": US,
            "type": "alarm",
            "timeout": 0,  # it is over when we say so
        }

    def _information(self, notice: EventNotice, delivery_id: str) -> dict[str, Any]:
        """Make the alert of an event. It has no timeout of ours: it goes when Alerta lets such alerts go."""
        values = notice.values
        parties = values.get("customers") or [each for each in (values.get("customer"),) if each]
        own = [notice.name] if notice.kind.about == "service" else [each["name"] for each in values.get("services", ())]
        return {
            "resource": notice.name,
            "event": f"{notice.words.alerta} {notice.about}",
            "environment": self._environment,
            "severity": INFORMATIONAL,
            "service": own[:_MOST_NAMED] or [NO_SERVICE],
            "group": notice.member,
            "value": notice.value,
            "text": notice.sentence,
            "tags": [f"kind={notice.kind.name}"],
            "attributes": {
                "about": notice.about,
                "eventId": notice.id,
                "deliveryId": delivery_id,
                "at": write_time(notice.at),
                "customer": ", ".join(each["name"] for each in parties[:_MOST_NAMED]),
                **{name: str(mbps) for name, mbps in notice.rates.items()},
            },
            "origin": US,
            "type": "event",
        }

    async def _one(self, their_id: str, deadline: float) -> TheirAlarm | None:
        try:
            answer = await self._ask("GET", ("alert", their_id), None, deadline)
        except Rejected as rejected:
            if rejected.status != _GONE:
                raise
            await self._page({}, 1, 1, deadline)  # raises where it is the address that is wrong
            return None
        alert = answer.get("alert")
        if not isinstance(alert, dict) or alert.get("id") != their_id:
            raise self._nonsense("is another one than the one asked for", "alert.id")
        return self._their(alert)

    async def _listed(self, wanted: Mapping[str, str], deadline: float) -> list[Mapping[str, Any]]:
        async def ask(asked: Asked) -> Page:
            return await self._page(wanted, asked.number, CHUNK, deadline)

        alerts = await all_pages(self._transport.name, ask, size=CHUNK)
        placed = ((f"alerts[{place}]", each) for place, each in enumerate(alerts))
        return self._passed_over.objects(placed, f"An alert that {self._transport.name} answered is no object")

    async def _page(self, wanted: Mapping[str, str], number: int, size: int, deadline: float) -> Page:
        query = (*wanted.items(), ("page", str(number)), ("page-size", str(size)))
        call = Call(method="GET", path=("alerts",), query=query)
        answer = self._object((await self._transport.exchange(call, deadline=deadline)).json())
        alerts, total = answer.get("alerts"), answer.get("total")
        if not isinstance(alerts, list):
            raise self._nonsense("is in no list", "alerts")
        return Page(items=alerts, total=total if isinstance(total, int) else None, where="alerts")

    async def _ask(self, method: str, path: tuple[str, ...], body: object, deadline: float) -> Mapping[str, Any]:
        call = Call(method=method, path=path, body=body, names_thing=True)
        return self._object((await self._transport.exchange(call, deadline=deadline)).json())

    def _their(self, alert: Mapping[str, Any]) -> TheirAlarm:
        their_id = alert.get("id")
        if not isinstance(their_id, str) or their_id in ("", ".", ".."):
            raise self._nonsense("has no id", "id")
        return TheirAlarm(id=their_id, acknowledged=alert.get("status") == "ack")

    def _object(self, value: object) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._nonsense("is no object", "body")
        return value

    def _nonsense(self, what: str, where: str) -> Nonsense:
        return Nonsense(
            f"An alert that {self._transport.name} answered {what}",
            hint="Look whether its address leads to the right system",
            where=where,
        )


def _event(order: AlarmOrder) -> str:
    return f"{order.body['probableCause']} {order.id}"


def _added(order: AlarmOrder) -> dict[str, str]:
    """Give what an alarm does, as attributes."""
    customers = list(dict.fromkeys(each.customer_name for each in order.affected))
    more = len(customers) - _MOST_NAMED
    effects = sorted({each.effect for each in order.affected}, key=("down", "degraded", "atRisk").index)
    severities = sorted({each.severity for each in order.affected if each.severity}, key=_RANK.index)
    return {
        "customer": ", ".join(customers[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else ""),
        "effect": effects[0] if effects else "",
        "customerSeverity": severities[0] if severities else "",
        "affectedServices": str(order.affected_count),
    }


_RANK: Final = ("critical", "major", "minor", "warning", "indeterminate", "cleared")


def _attribute(alert: Mapping[str, Any], name: str) -> str:
    attributes = alert.get("attributes")
    value = attributes.get(name) if isinstance(attributes, dict) else None
    return value if isinstance(value, str) else ""
