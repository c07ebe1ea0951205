"""An event of the sequence becomes a record that any consumer of CloudEvents can read (CloudEvents 1.0, Kafka binding, structured mode).

The value is the whole CloudEvent as JSON, and the content type says so. The position is there twice: as the header
`trunkline-position`, so that a repeat is dropped without reading the value, and as the extension `sequence`, for those who keep
values only. The partition key is the aggregate.

An event that is larger than the broker takes would hold up all that come after it. So its largest members are left out, and
named in `data.omitted`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from adapters.kafka.event_types import EVENT_TYPES, OMITTED, Data, data_of
from adapters.tmf.tmf630 import write_time
from graph.ledger.sequence import Sequenced

CONTENT_TYPE: Final = "application/cloudevents+json; charset=UTF-8"
POSITION: Final = "trunkline-position"
"""The header that has an event's position, in decimal digits."""
TYPE_PREFIX: Final = "trunkline."
"""of a CloudEvent's type; a topic's prefix is a setting."""
SCHEMA_PLACE: Final = "asyncapi.json#/components/schemas/"
"""Where `dataschema` points to, relative to the operator's copy of the document."""
_DIGITS: Final = 20
"""of `sequence`: CloudEvents wants strings that sort as the numbers do."""
_BESIDE: Final = 1_000
"""bytes of a record beside its value, at most: key and headers."""

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a broker is given."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    at_ms: int
    """its timestamp: when the event happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What an operator calls things."""

    prefix: str
    """of topics."""
    source: str
    """CloudEvents' source."""

    def topic(self, event_type: str) -> str:
        """Give the topic of a type of event."""
        return f"{self.prefix}{event_type}"


def record_of(event: Sequenced, naming: Naming, *, most_bytes: int) -> Record:
    """Make the record of an event whose type is one of `EVENT_TYPES`."""
    data = data_of(EVENT_TYPES[event.type], event.payload, event.customers)
    value = _fitting(event, naming, data, most_bytes - _BESIDE)
    position = str(event.position).encode()
    return Record(
        topic=naming.topic(event.type),
        key=event.about.encode(),
        value=value,
        headers=(("content-type", CONTENT_TYPE.encode()), (POSITION, position)),
        at_ms=event.at,
    )


def _fitting(event: Sequenced, naming: Naming, data: Data, most: int) -> bytes:
    """Write a CloudEvent; where it is too large, without its largest members."""
    value = orjson.dumps(_cloud_event(event, naming, data))
    left, omitted = dict(data), list[str]()
    while len(value) > most and left:
        largest = max(left, key=lambda name: len(orjson.dumps(left[name])))
        del left[largest]
        omitted = sorted([*omitted, largest])
        value = orjson.dumps(_cloud_event(event, naming, {**left, OMITTED: omitted}))
    return value


def _cloud_event(event: Sequenced, naming: Naming, data: Data) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": naming.source,
        "type": f"{TYPE_PREFIX}{event.type}",
        "subject": event.about,
        "time": write_time(event.at),
        "datacontenttype": "application/json",
        "dataschema": f"{SCHEMA_PLACE}{event.type}",
        "sequence": f"{event.position:0{_DIGITS}d}",
        "partitionkey": event.about,
        "data": data,
    }
