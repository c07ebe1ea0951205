"""A system that takes TMF688 events, version 4: each is created in a topic of its, once in effect.

TMF642 knows alarms only, so whoever is told of alarms by it is told of the rest by TMF688, at an address of its own. POST does not
notice that it was heard before: where that may be, the topic is asked for the event's `eventId` first. A topic that cannot be
asked is told again: by that same id whoever reads it knows an event again.
"""

from __future__ import annotations

from typing import Final

from adapters.errors import Nonsense, Rejected
from adapters.event_words import EventNotice
from adapters.tmf.events import event_body
from adapters.tmf.tmf630 import quote_value
from adapters.tmf_client.client import TmfClient
from adapters.transport.transport import Transport

RESOURCE: Final = "event"
CHUNK: Final = 100


class Tmf688:
    """`adapters.fault_management.Notified` over a transport whose address ends in `/tmf-api/event/v4/topic/TOPIC`."""

    def __init__(self, transport: Transport) -> None:
        self._client = TmfClient(transport)
        self._name = transport.name

    async def notify(self, notice: EventNotice, *, repeats: bool, delivery_id: str, deadline: float) -> str | None:
        """POST it, where it is not there yet."""
        if repeats and await self._is_there(notice.id, deadline):
            return "it was heard before"
        made = await self._client.created((RESOURCE,), event_body(notice), key=delivery_id, deadline=deadline)
        if isinstance(made, dict) and made.get("eventId", notice.id) != notice.id:
            raise Nonsense(
                f"An event that {self._name} answered has another id than the one told",
                hint="Look whether its address leads to the right system",
                where="eventId",
            )
        return None

    async def _is_there(self, event_id: str, deadline: float) -> bool:
        query = (("eventId", quote_value(event_id)), ("fields", "eventId"))
        try:
            found = await self._client.listed((RESOURCE,), query, size=CHUNK, deadline=deadline)
        except Rejected:
            return False
        return any(isinstance(each, dict) and each.get("eventId") == event_id for _, each in found)
