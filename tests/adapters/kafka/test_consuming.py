"""A record waits while the database is at fault, however long; one that is at fault itself is put aside."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

import pytest

from adapters.kafka.cloud_events import Record
from adapters.kafka.consuming import ORIGIN, REASON, TIMESTAMP, Consumer, Consuming, Outcome, Received
from adapters.kafka.publishing import Producer
from graph.errors import (
    ConstraintViolated,
    DeadlineExceeded,
    GraphError,
    SchemaOutdated,
    StatementFailed,
    StoreMisconfigured,
    StoreUnavailable,
    Throttled,
)
from tests.adapters.kafka.test_alarms import received


@dataclass
class Failing:
    """What fails for every record."""

    error: Exception

    async def take(self, record: Received) -> str:  # noqa: ARG002
        """Fail."""
        raise self.error


def consuming(error: Exception, counted: list[Outcome]) -> Consuming:
    def no_broker(*_: object) -> AbstractAsyncContextManager[Producer]:
        raise AssertionError("no broker is asked")

    consumers: Callable[..., AbstractAsyncContextManager[Consumer]] = no_broker  # type: ignore[assignment]
    return Consuming(
        consumers=consumers,
        producers=no_broker,
        dead_letter="",
        intake=Failing(error),
        pressure=lambda: 0.0,
        count=counted.append,
    )


@pytest.mark.parametrize(
    "error",
    [
        DeadlineExceeded("slow"),
        StoreMisconfigured("the password was changed"),
        SchemaOutdated("newer"),
        StoreUnavailable("away"),
        Throttled("too much", retry_after=1.0),
    ],
    ids=lambda each: type(each).__name__,
)
async def test_a_fault_of_the_database_puts_nothing_aside(error: GraphError) -> None:
    counted: list[Outcome] = []
    takes = consuming(error, counted)
    for _ in range(10):
        with pytest.raises(type(error)):
            await takes._taken(received(b"{}"), None)
    assert counted == []


@pytest.mark.parametrize(
    "error",
    [ConstraintViolated("twice"), StatementFailed("ours"), RuntimeError("ours")],
    ids=lambda each: type(each).__name__,
)
async def test_a_fault_of_a_record_puts_it_aside_the_third_time(error: Exception) -> None:
    counted: list[Outcome] = []
    takes = consuming(error, counted)
    for _ in range(2):
        with pytest.raises(GraphError):
            await takes._taken(received(b"{}"), None)
    assert counted == []
    await takes._taken(received(b"{}"), None)
    assert counted == ["passed-over"]


class Topic:
    """A producer that keeps what it is given."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    async def send(self, records: Sequence[Record], *, deadline: float) -> int:  # noqa: ARG002
        """Keep them."""
        self.records += records
        return len(records)


async def test_what_is_put_aside_is_kept_from_now_on_however_old_it_is() -> None:
    """A broker counts from a record's timestamp for how long it keeps it."""
    counted: list[Outcome] = []
    takes, topic, before = consuming(RuntimeError("ours"), counted), Topic(), time.time_ns() // 1_000_000
    old = replace(received(b"{}"), at_ms=1_000)
    await takes._put_aside(old, "why", topic)
    [record] = topic.records
    assert record.at_ms >= before
    assert dict(record.headers) == {REASON: b"why", ORIGIN: old.origin.encode(), TIMESTAMP: b"1000"}
    assert counted == ["dead-lettered"]
