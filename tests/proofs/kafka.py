"""Kafka, proven on a broker of Apache's: what is published is there, whoever is killed, and alarms come in from a topic.

The consumer is one as anybody would write it: it reads topics, and drops what is not after the last position that it has seen.
"""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jsonschema
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from adapters.kafka.async_api import envelope
from adapters.kafka.cloud_events import POSITION, TYPE_PREFIX
from adapters.kafka.event_types import EVENT_TYPES
from tests.faults.processes import TOP, Victim
from tests.proofs.ours import SOURCE, Ours, ours
from tests.proofs.running import until
from tests.proofs.steps import Say, Steps, Summary
from tests.servers.kafka_server import KafkaServer

logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a topic that is not there yet is no news

NAME: Final = "kafka"
VERSION: Final = "Apache Kafka 3.9.1 (Maven Central, KRaft, one process)"
_SECONDS: Final = 180.0
"""for each thing to come to be."""
_QUIET, _KILLED = 12, 12
"""alarms of the run without kills, and of the one with them."""
_KILLS: Final = 4
_ALARMS, _REJECTED = "proof.alarms", "proof.alarms.rejected"
_EVENTS: Final = """
query ($after: String) { events(first: 500, after: $after) {
  nodes { id type position } pageInfo { hasNextPage endCursor }
} }
"""
_FROM_TOPIC: Final = """
{ alarms(filter: {externalAlarmId: {contains: "TOPIC-"}}, first: 100) { totalCount } }
"""


@dataclass(slots=True, kw_only=True)
class Reader:
    """Reads all topics of events."""

    consumer: Any
    seen: list[Any] = field(default_factory=list)
    """each record, in the order in which it was read."""
    _next: dict[Any, int] = field(default_factory=dict)
    """the offset that is to be read next: when a topic is new, the client begins all of them anew."""

    async def read(self) -> None:
        """Read what there is."""
        while found := await self.consumer.getmany(timeout_ms=500):
            for where, records in found.items():
                new = [each for each in records if each.offset >= self._next.get(where, 0)]
                self.seen += new
                self._next[where] = max(self._next.get(where, 0), records[-1].offset + 1)

    def positions(self) -> list[int]:
        """Give the positions of all that was read."""
        return [_position(each) for each in self.seen]

    def without_repeats(self) -> list[int]:
        """Give the positions that are left for who drops what is not after the last of its topic and partition."""
        last: dict[tuple[str, int], int] = {}
        kept = []
        for each in self.seen:
            where, position = (each.topic, each.partition), _position(each)
            if position > last.get(where, 0):
                last[where] = position
                kept.append(position)
        return kept

    def is_in_order(self) -> bool:
        """Tell whether, without repeats, each topic and key is in the order of positions, none left out by a later one."""
        found: dict[tuple[str, bytes], list[int]] = {}
        for each in self.seen:
            found.setdefault((each.topic, each.key), []).append(_position(each))
        return all(sorted(set(each)) == list(dict.fromkeys(each)) for each in found.values())


async def prove(directory: Path, say: Say) -> Summary:
    """Show that Kafka works both ways; AssertionError where it does not."""
    steps = Steps(say=say)
    broker = await asyncio.to_thread(KafkaServer.start, _made(directory / "kafka"))
    try:
        steps.show("a broker answers on loopback")
        section = {
            "servers": [broker.address],
            "alarms": {"topic": _ALARMS, "system": SOURCE, "dead_letter": _REJECTED},
        }
        async with AsyncExitStack() as stack:
            us = await stack.enter_async_context(ours(_made(directory / "ours"), {"kafka": section}))
            steps.show("the gateway is ready, on a network that was just loaded, with two workers")
            reader = await stack.enter_async_context(_reading(broker))
            await _is_checked(us, steps)
            await _quiet(us, reader, steps, say)
            await _with_kills(us, reader, steps)
            await _away(us, broker, reader, steps)
            await _alarms_in(us, broker, steps)
    finally:
        await asyncio.to_thread(broker.stop)
    steps.show("everything that was started has ended")
    return Summary(name="Kafka", system=VERSION, steps=tuple(steps.shown))


def _made(directory: Path) -> Path:
    directory.mkdir(mode=0o755)
    return directory


@asynccontextmanager
async def _reading(broker: KafkaServer) -> AsyncIterator[Reader]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker.address,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        metadata_max_age_ms=1_000,
    )
    consumer.subscribe(pattern=f"^{re.escape('trunkline.')}.*$")
    await consumer.start()
    try:
        yield Reader(consumer=consumer)
    finally:
        await consumer.stop()


async def _is_checked(us: Ours, steps: Steps) -> None:
    """Ask `trunkline check`, as an operator would before anything else."""
    command = [sys.executable, "-m", "gateway", "check"]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=TOP, env=dict(us.gateway.environment), capture_output=True, text=True, check=False
    )
    assert "ok   kafka: 127.0.0.1:" in done.stdout, done.stdout
    steps.show("trunkline check says that the broker answers")


async def _quiet(us: Ours, reader: Reader, steps: Steps, say: Say) -> None:
    """Let things break and be mended, with nobody killed."""
    await _break_and_mend(us, range(1, _QUIET + 1))
    wanted = await _until_all(us, reader)
    assert sorted(reader.positions()) == wanted, "an event is there twice, or one is missing"
    assert reader.is_in_order()
    for each in reader.seen:
        _is_as_its_schema_says(each)
    steps.show(
        f"{_QUIET} alarms come and go: {len(wanted)} events are published, each once, in order, as their schemas say"
    )
    first = min((each for each in reader.seen if each.topic.endswith("AlarmRaised")), key=lambda each: len(each.value))
    say(f"         {first.topic} {first.key.decode()}: {first.value.decode()}")


async def _with_kills(us: Ours, reader: Reader, steps: Steps) -> None:
    """Kill the processes that publish, the database among them, while things happen."""
    before = len(reader.positions())
    begin = _QUIET + 1
    each_time = _KILLED // _KILLS
    for number in range(_KILLS):
        numbers = range(begin + number * each_time, begin + (number + 1) * each_time)
        breaking = asyncio.create_task(_break_and_mend(us, numbers))
        await asyncio.sleep(0.3 * (number + 1))
        victim = Victim.DATABASE if number == _KILLS - 1 else Victim.WORKER
        await us.gateway.kill(victim, number / _KILLS, _SECONDS)
        await breaking
    wanted = await _until_all(us, reader)
    assert sorted(reader.without_repeats()) == wanted, "an event is missing, or a repeat is no repeat"
    assert reader.is_in_order()
    repeats = len(reader.positions()) - len(wanted)
    steps.show(
        f"{_KILLS} kills, of workers and of the database, while {_KILLED} alarms come and go: of {len(wanted) - before} events "
        f"none is lost or out of order; {repeats} came twice, with their positions, and are dropped by these"
    )


async def _away(us: Ours, broker: KafkaServer, reader: Reader, steps: Steps) -> None:
    """Let the broker be away while things happen."""
    await asyncio.to_thread(broker.stop)
    begin = _QUIET + _KILLED + 1
    await _break_and_mend(us, range(begin, begin + 3))

    async def lags() -> bool:
        return await _metric(us, "trunkline_kafka_lag_positions") > 0 < await _metric(us, "trunkline_kafka_lag_seconds")

    await until(lags, "the metrics say how far Kafka is behind", _SECONDS)
    await asyncio.to_thread(broker.go_on)
    wanted = await _until_all(us, reader)
    assert sorted(reader.without_repeats()) == wanted

    async def caught_up() -> bool:
        return await _metric(us, "trunkline_kafka_lag_positions") == 0

    await until(caught_up, "nothing waits for Kafka", _SECONDS)
    steps.show(
        "the broker is away: alarms are taken as before, the metrics say what waits; it is back, and all is published"
    )


async def _alarms_in(us: Ours, broker: KafkaServer, steps: Steps) -> None:
    """Write alarms to the topic, and what is none, and kill who takes them."""
    targets = (await _patiently(us.as_operator, "{ trunks(first: 5) { nodes { id } } }"))["trunks"]["nodes"]
    producer = AIOKafkaProducer(bootstrap_servers=broker.address)
    await producer.start()
    try:
        for number in range(30):
            body = _alarm(number, targets[number % len(targets)]["id"])
            await producer.send_and_wait(_ALARMS, orjson.dumps(body), key=str(number % 5).encode())
            if number in {10, 20}:
                await producer.send_and_wait(_ALARMS, b'{"no": "alarm"}')
                await us.gateway.kill(Victim.WORKER, 0.5, _SECONDS)
    finally:
        await producer.stop()

    async def taken() -> bool:
        return bool((await _patiently(us.as_operator, _FROM_TOPIC))["alarms"]["totalCount"] == 30)

    await until(taken, "30 alarms of the topic are in the graph", _SECONDS)
    raised = [each for each in await _patiently(_events, us) if each["type"] == "AlarmRaised"]
    rejected = await _rejected(broker)
    assert len(raised) == _QUIET + _KILLED + 3 + 30, "an alarm was raised twice"
    assert [each.value for each in rejected] == [b'{"no": "alarm"}'] * 2
    steps.show(
        "30 alarms from a topic, and 2 kills: each is raised once; 2 records that are none are in the dead-letter topic"
    )


def _alarm(number: int, target: str) -> dict[str, Any]:
    return {
        "sourceSystemId": SOURCE,
        "externalAlarmId": f"TOPIC-{number:03d}",
        "alarmedObject": {"id": target},
        "alarmType": "communicationsAlarm",
        "probableCause": f"cause {number}",
        "perceivedSeverity": "warning",
        "state": "raised",
        "alarmRaisedTime": "2026-11-30T11:00:00Z",
    }


async def _rejected(broker: KafkaServer) -> Sequence[Any]:
    consumer = AIOKafkaConsumer(_REJECTED, bootstrap_servers=broker.address, auto_offset_reset="earliest")
    await consumer.start()
    try:
        found: list[Any] = []
        for _ in range(20):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += records
        return found
    finally:
        await consumer.stop()


async def _break_and_mend(us: Ours, numbers: range) -> None:
    """Let trunks fail and work again; what was not answered since somebody was killed is asked again."""
    trunks = (await _patiently(us.as_operator, "{ trunks(first: 50) { nodes { id } } }"))["trunks"]["nodes"]
    for number in numbers:
        await _patiently(us.breaks, trunks[number % len(trunks)]["id"], number)
        await _patiently(us.is_mended, number)


async def _patiently(ask: Any, *given: Any) -> Any:
    for _ in range(60):
        try:
            return await ask(*given)
        except Exception:  # noqa: BLE001 - whatever a kill looks like from here
            await asyncio.sleep(1)
    return await ask(*given)


async def _until_all(us: Ours, reader: Reader) -> list[int]:
    """Wait until all events of the graph were read; give their positions."""
    wanted: list[int] = []

    async def all_there() -> bool:
        events = await _patiently(_events, us)
        wanted[:] = sorted(int(each["position"]) for each in events if each["position"] and each["type"] in EVENT_TYPES)
        await reader.read()
        return len(events) > 0 and set(wanted) <= set(reader.positions()) and all(_placed(events))

    await until(all_there, "all events of the graph are published", _SECONDS)
    return list(wanted)


def _placed(events: Sequence[Mapping[str, Any]]) -> Sequence[bool]:
    return [each["position"] is not None for each in events if each["type"] in EVENT_TYPES]


async def _events(us: Ours) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = None
    while True:
        page = (await us.as_operator(_EVENTS, {"after": after}))["events"]
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


async def _metric(us: Ours, name: str) -> float:
    text = (await _patiently(us.client.get, "/metrics")).text
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def _position(record: Any) -> int:
    return int(dict(record.headers)[POSITION])


def _is_as_its_schema_says(record: Any) -> None:
    event = orjson.loads(record.value)
    kind = EVENT_TYPES[event["type"].removeprefix(TYPE_PREFIX)]
    jsonschema.validate(event, envelope(kind.name, kind.schema))
    assert int(event["sequence"]) == _position(record)
