"""A TMF688 topic to try things with, version 4: events are created in it, listed and looked at.

As published, an event has the members of `Event_Create` and no others, and its payload is an object. Two POSTs are two events,
whatever their `eventId`. Every event gets its line in the journal before it is answered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Unpack

from adapters.errors import Malformed
from adapters.simulator.api import Api, Changed, Entries, Life, Living, Resource, Unchangeable, serving_api
from adapters.simulator.faults import Faults
from adapters.simulator.journal import Journal
from adapters.tmf.tmf630 import read_time

CREATE: Final = frozenset(
    {
        *("correlationId", "description", "domain", "eventId", "eventTime", "eventType", "priority", "timeOccurred"),
        *("title", "analyticCharacteristic", "event", "relatedParty", "reportingSystem", "source"),
        *("@baseType", "@schemaLocation", "@type"),
    }
)
"""The members of Event_Create."""
_TIMES: Final = ("eventTime", "timeOccurred")
_OBJECTS: Final = ("event", "reportingSystem", "source")
_REFERENCES: Final = ("reportingSystem", "source")
API: Final = Api(
    base="/tmf-api/event/v4/topic/faults",
    resource="event",
    update=frozenset(),
    journal=("id", "eventId", "eventType", "title"),
    created="EventCreateEvent",
    changed=lambda _: "",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventManagement:
    """A topic that is being served."""

    address: str
    """of the topic."""
    events: Mapping[str, dict[str, Any]]
    """by id, in the order in which they were told."""
    faults: Faults


class Events:
    """All events, by id, in the order in which they were told."""

    def __init__(self, kept: Journal) -> None:
        self._kept = kept
        self.held: dict[str, Resource] = {}

    def restore(self, entries: Entries) -> None:
        """Take over what an earlier life has kept."""
        for entry in entries:
            if isinstance(event := entry.get("event"), dict):
                self.held[str(event["id"])] = event

    def all(self) -> list[Resource]:
        """Give them all."""
        return list(self.held.values())

    def get(self, known_as: str) -> Resource | None:
        """Give one, or None."""
        return self.held.get(known_as)

    def create(self, body: object) -> Resource:
        """Take an event in, or raise Malformed."""
        told = _checked(body)
        known_as = f"EV-{len(self.held) + 1:08d}"
        event = {**told, "id": known_as, "href": f"{API.path}/{known_as}"}
        self.held[known_as] = event
        self._kept.write({"event": event})
        return event

    def change(self, known_as: str, patch: object) -> Changed:  # noqa: ARG002 - what has happened has happened
        """Refuse: an event is never changed."""
        raise Unchangeable


@asynccontextmanager
async def serving(**life: Unpack[Living]) -> AsyncIterator[EventManagement]:
    """Serve one in the running loop while the block runs; with `state`, what an earlier life with that file has kept."""
    async with serving_api(API, Events, Life(**life)) as served:
        yield EventManagement(address=served.address, events=served.shelf.held, faults=served.faults)


def _checked(event: object) -> Resource:
    if not isinstance(event, dict):
        raise Malformed("The body is no JSON object", field="")
    for name, value in event.items():
        if name not in CREATE:
            raise Malformed(f"{name} is none of what an event has", field=name)
        if name in _TIMES:
            read_time(str(value), name)
        elif name in _OBJECTS:
            _check_object(name, value)
        elif name not in ("analyticCharacteristic", "relatedParty") and not isinstance(value, str):
            raise Malformed(f"{name} is no string", field=name)
    return event


def _check_object(name: str, value: object) -> None:
    if not isinstance(value, dict):
        raise Malformed(f"{name} is no object", field=name)
    if name in _REFERENCES and not isinstance(value.get("id"), str):
        raise Malformed("A reference has an id", field=f"{name}.id")
