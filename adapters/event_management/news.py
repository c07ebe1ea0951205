"""What the hub of TMF688 tells: all that the hubs of other APIs tell, and what happens to services and equipment.

Of alarms and tickets it gives what their own hubs give, as they are when they are told. Services and equipment are shown as their event
says: what is gone has its event too. All of it is in one order, that of the positions of events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from adapters.endpoint.edge import Port
from adapters.endpoint.hub import Topic
from adapters.endpoint.hub_telling import News
from adapters.errors import Malformed
from adapters.event_words import MEMBERS, RATES, EventNotice
from adapters.tmf.events import event_body, event_of
from adapters.tmf.tmf630 import Filter, matches
from graph.ledger import hubs
from graph.ledger.hubs import Happened, Span
from graph.model.event_kinds import KINDS
from graph.model.model import label_of
from graph.model.scope import Principal, Role

FILTERS: Final = ("domain", "source.id")
_OWN: Final = tuple(each for each in KINDS.values() if each.about in ("service", "resource"))


def _check(filters: Iterable[Filter]) -> None:
    """Raise Malformed for a filter that would hold for nothing."""
    for each in filters:
        name = ".".join(each.path)
        if name not in FILTERS:
            known = ", ".join((*FILTERS, "eventType", "kind"))
            raise Malformed(f"cannot be filtered by; what can: {known}", field=name)
        if name == "domain" and (unknown := set(each.values) - set(MEMBERS.values())):
            raise Malformed(f"{min(unknown)} is none of {', '.join(MEMBERS.values())}", field=name)


EVENTS: Final = Topic(
    name=hubs.EVENT,
    tellers=frozenset({Role.OPERATOR}),
    kinds=tuple(KINDS.values()),
    check=_check,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventNews:
    """`adapters.endpoint.hub_telling.News` of all that happens."""

    parts: Sequence[News]
    """of alarms, and of tickets."""
    topic: Topic = EVENTS
    member: str = "event"
    wrapped: str = "EventCreateEvent"

    async def within(self, port: Port, principal: Principal, span: Span, *, deadline: float) -> list[Happened]:
        """Give the events of all of them, in order."""
        own = await hubs.events_after(port.store, span, _OWN, whole=True, deadline=deadline)
        found = [*_turns(own)]
        for part in self.parts:
            found += await part.within(port, principal, span, deadline=deadline)
        found.sort(key=lambda each: each.position)
        following = [each.position for each in found[1:]]
        return [
            replace(each, is_last=each.position != behind)
            for each, behind in zip(found, [*following, None], strict=True)
        ]

    async def shown(
        self, port: Port, principal: Principal, event: Happened, wanted: Sequence[Filter], *, deadline: float
    ) -> Mapping[str, Any] | None:
        """Give the TMF688 event of an event, where the filters hold."""
        notice, is_own = _notice(event), event.kind in _OWN
        body = {"id": event.id, **(event_body(notice) if is_own else event_of(notice, {}))}
        if not matches(body, wanted):
            return None
        if is_own:
            return body
        part = next(each for each in self.parts if event.kind in each.topic.kinds)
        thing = await part.shown(port, principal, event, (), deadline=deadline)
        return None if thing is None else {**body, "event": {notice.member: thing}}


def _turns(events: Sequence[Happened]) -> Iterable[Happened]:
    """Leave out the end of an effect that another takes the place of: that is one change of a service's state."""
    return (each for each in events if each.type != "DowntimeEnded" or each.payload.get("becomes") is None)


def _notice(event: Happened) -> EventNotice:
    """Give what an event says of a service or of equipment; of an alarm or a ticket it is asked elsewhere."""
    values = _service(event) if event.kind.about == "service" else _resource(event) if event.kind in _OWN else {}
    return EventNotice(id=event.id, kind=event.kind, at=event.at, about=event.about, values=values)


def _service(event: Happened) -> dict[str, Any]:
    payload = event.payload
    customer = payload.get("customer")
    said: dict[str, Any] = {"customer": {"id": customer} if customer else None}
    if event.kind.name == "ServiceRateChanged":
        return {**said, **{each: payload[each] for each in RATES}}
    return {**said, "effect": payload["effect"] if event.type == "DowntimeBegan" else None}


def _resource(event: Happened) -> dict[str, Any]:
    payload, label = event.payload, label_of(event.about)
    changed = payload.get("changed", {})
    whole = payload.get("added") or (payload["was"] if event.kind.name == "ResourceRemoved" else {})
    properties = {**whole, **changed}
    name = {"name": properties["name"]} if properties.get("name") else {}
    sort = label.name if label else "Resource"
    place = payload.get("moved") or payload.get("place") or ()
    return {"resource": sort, "properties": properties, "changed": sorted(changed), "place": place, **name}
