"""Who writes a consumer, or a source of alarms, wants one document that says all: topics, keys, headers and schemas (AsyncAPI 3).

It is made of the same table that events are written by, so it cannot say something else; `trunkline asyncapi` prints it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from adapters.kafka.alarms import KEY
from adapters.kafka.cloud_events import CONTENT_TYPE, POSITION, TYPE_PREFIX, Naming
from adapters.kafka.consuming import ORIGIN, REASON, TIMESTAMP
from adapters.kafka.event_types import EVENT_TYPES, EventType

Document = dict[str, Any]

_VERSION: Final = "1.0.0"
"""of the document: it rises with what is published."""
_BINDING: Final = "0.5.0"
"""of AsyncAPI's binding to Kafka."""
_ALARM: Final = (
    "https://raw.githubusercontent.com/tmforum-apis/TMF642_AlarmManagement/master/TMF642-AlarmManagement-v4.0.0.swagger.json"
    "#/definitions/Alarm_Create"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """What the document is about."""

    naming: Naming
    types: tuple[str, ...]
    """of events, that are published."""
    alarms: str = ""
    """the topic that alarms are taken from; empty: none are."""
    dead_letter: str = ""


def document(topics: Topics) -> Document:
    """Make the document."""
    types = [EVENT_TYPES[each] for each in sorted(topics.types)]
    channels = {each.name: _channel(each, topics.naming) for each in types}
    operations = {f"publish{each.name}": _operation("send", each.name) for each in types}
    if topics.alarms:
        channels["alarms"] = _alarms(topics.alarms)
        operations["takeAlarms"] = _operation("receive", "alarms")
    if topics.dead_letter:
        channels["deadLetters"] = _dead_letters(topics.dead_letter)
        operations["putAside"] = _operation("send", "deadLetters")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Trunkline",
            "version": _VERSION,
            "description": (
                "Events of the knowledge base, in order for each topic and key, at least once: a repeat has the position "
                f"that it had, in the header `{POSITION}` and in the member `sequence`. They are of all customers."
            ),
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": {"schemas": {each.name: each.schema for each in types}},
    }


def envelope(event_type: str, schema: Any) -> Document:
    """Give the schema of a CloudEvent whose data has this schema."""
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "sequence", "partitionkey", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "description": "The id of the event; with `source` it is unique."},
            "source": {"type": "string", "format": "uri-reference"},
            "type": {"const": f"{TYPE_PREFIX}{event_type}"},
            "subject": {"type": "string", "description": "The id of what it happened to."},
            "time": {
                "type": "string",
                "format": "date-time",
                "description": "When it happened, by the database's clock.",
            },
            "datacontenttype": {"const": "application/json"},
            "dataschema": {"type": "string", "format": "uri-reference"},
            "sequence": {"type": "string", "pattern": "^[0-9]{20}$", "description": "The position over all events."},
            "partitionkey": {"type": "string"},
            "data": schema,
        },
    }


def _channel(kind: EventType, naming: Naming) -> Document:
    message = {
        "name": kind.name,
        "summary": kind.says,
        "contentType": CONTENT_TYPE,
        "headers": {
            "type": "object",
            "required": ["content-type", POSITION],
            "properties": {
                "content-type": {"const": CONTENT_TYPE},
                POSITION: {"type": "string", "pattern": "^[0-9]+$", "description": "The position, in decimal digits."},
            },
        },
        "payload": envelope(kind.name, {"$ref": f"#/components/schemas/{kind.name}"}),
        "bindings": {"kafka": {"key": _key(f"The id of the {kind.key}."), "bindingVersion": _BINDING}},
    }
    return {"address": naming.topic(kind.name), "description": kind.says, "messages": {"event": message}}


def _alarms(topic: str) -> Document:
    message = {
        "name": "Alarm",
        "summary": "An alarm, as POST /tmf-api/alarmManagement/v4/alarm takes it.",
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": {
                KEY: {"type": "string", "maxLength": 255, "description": "What the sender calls this change; optional."}
            },
        },
        "payload": {"$ref": _ALARM},
        "bindings": {
            "kafka": {"key": _key("Whatever keeps alarms of one thing in order."), "bindingVersion": _BINDING}
        },
    }
    return {"address": topic, "description": "Alarms that are taken in.", "messages": {"alarm": message}}


def _dead_letters(topic: str) -> Document:
    text = {"type": "string"}
    message = {
        "name": "DeadLetter",
        "summary": "A record of the topic of alarms that could not be taken, as it was.",
        "headers": {
            "type": "object",
            "required": [REASON, ORIGIN, TIMESTAMP],
            "properties": {
                REASON: {**text, "description": "Why."},
                ORIGIN: {**text, "description": "Where it was: topic/partition/offset."},
                TIMESTAMP: {**text, "description": "When it was written there, in epoch milliseconds."},
            },
        },
        "payload": {},
    }
    return {"address": topic, "description": "Records that could not be taken.", "messages": {"record": message}}


def _key(what: str) -> Document:
    return {"type": "string", "description": what}


def _operation(action: str, channel: str) -> Document:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}
