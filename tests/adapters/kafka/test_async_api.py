"""The document that is committed is the one that would be made now, and what it refers to is in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from adapters.kafka.event_types import EVENT_TYPES
from gateway.commands.asyncapi import EXAMPLE, written
from gateway.kafka import topics_of
from gateway.settings.kafka import Kafka

COMMITTED = Path(__file__).parents[3] / "docs" / "asyncapi.json"


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for name, each in part.items():
            if name == "$ref":
                yield each
            yield from _references(each)
    elif isinstance(part, list):
        for each in part:
            yield from _references(each)


def test_the_document_that_is_committed_is_the_one_that_is_printed() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == written(topics_of(EXAMPLE)) + "\n", "run: make docs"


def test_what_it_refers_to_is_in_it() -> None:
    document = orjson.loads(written(topics_of(EXAMPLE)))
    own = [each for each in _references(document) if each.startswith("#/")]
    assert own
    for each in own:
        part = document
        for name in each.removeprefix("#/").split("/"):
            part = part[name]


def test_it_is_about_what_the_settings_name() -> None:
    chosen = Kafka(servers=("b:1",), topic_prefix="noc.", events=("AlarmRaised", "DowntimeBegan"))
    document = orjson.loads(written(topics_of(chosen)))
    addresses = {name: each["address"] for name, each in document["channels"].items()}
    assert addresses == {"AlarmRaised": "noc.AlarmRaised", "DowntimeBegan": "noc.DowntimeBegan"}
    assert set(document["operations"]) == {"publishAlarmRaised", "publishDowntimeBegan"}
    whole = orjson.loads(written(topics_of(EXAMPLE)))
    assert set(whole["channels"]) == {*EVENT_TYPES, "alarms", "deadLetters"}
