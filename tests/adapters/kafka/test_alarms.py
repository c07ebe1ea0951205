"""A record of an alarm is the alarm that a POST would be, once, and what cannot be taken says why."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from adapters.kafka.alarms import AlarmIntake, key_of, speaker
from adapters.kafka.consuming import Place, Received
from graph.store.store import Store
from tests.adapters.endpoint.bodies import LEAST
from tests.graph.changes.network import POLICY, SOURCE, Laid, lay

BODY: dict[str, Any] = {**LEAST, "sourceSystemId": SOURCE, "alarmedObject": {"id": "trunk-1"}}


def received(value: bytes | None, offset: int = 0, **headers: str) -> Received:
    return Received(
        place=Place(topic="alarms", partition=0),
        offset=offset,
        at_ms=1_700_000_000_000,
        key=None,
        value=value,
        headers=tuple((name.replace("_", "-"), text.encode()) for name, text in headers.items()),
    )


def alarm(**more: Any) -> bytes:
    return orjson.dumps({**BODY, **more})


def intake(store: Store, *sources: str, most: int = 100_000) -> AlarmIntake:
    return AlarmIntake(
        store=store,
        policy=POLICY,
        principal=speaker("kafka", sources or (SOURCE,), "trunkline"),
        most_bytes=most,
    )


async def test_an_alarm_is_taken_once_however_often_its_record_is_read(empty_store: Store) -> None:
    await lay(empty_store)
    takes = intake(empty_store)
    for _ in range(3):
        assert await takes.take(received(alarm(), 5)) == ""
    assert [each[2] for each in await Laid(store=empty_store).events("Alarm")] == ["AlarmRaised"]
    assert (await Laid(store=empty_store).effects())["service-b"][0] == "down"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(None, "not JSON", id="nothing"),
        pytest.param(b"{", "not JSON", id="half an object"),
        pytest.param(b"\xff", "not JSON", id="no UTF-8"),
        pytest.param(b"[]", "object", id="a list"),
        pytest.param(alarm(perceivedSeverity="bad"), "perceivedSeverity", id="a word that is none"),
        pytest.param(alarm(sourceSystemId="other"), "sourceSystemId", id="another's source"),
        pytest.param(b" " * 200_000, "200000", id="too large"),
    ],
)
async def test_what_cannot_be_taken_says_why(empty_store: Store, value: bytes | None, reason: str) -> None:
    said = await intake(empty_store).take(received(value))
    assert reason in said or "100000 bytes" in said


async def test_a_key_of_the_senders_own_is_kept_over_records(empty_store: Store) -> None:
    takes = intake(empty_store)
    assert await takes.take(received(alarm(), 1, idempotency_key="mine")) == ""
    assert await takes.take(received(alarm(), 2, idempotency_key="mine")) == ""
    said = await takes.take(received(alarm(perceivedSeverity="minor"), 3, idempotency_key="mine"))
    assert "key" in said
    assert len(await Laid(store=empty_store).events("Alarm")) == 1


def test_each_record_has_a_key_of_its_own() -> None:
    one = key_of(received(alarm(), 1))
    assert one == key_of(received(alarm(), 1))
    assert len({one, key_of(received(alarm(), 2)), key_of(received(b"{}", 1))}) == 3
