"""On a real broker: what is published is there once and in order, whoever dies; what is taken is taken once, whatever it is.

These need Java 17 and Maven, and a broker's start: they run where nothing is left out (`--full`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import SecretStr

from adapters.errors import NotAdmitted, Unreachable
from adapters.kafka import publishing, wire
from adapters.kafka.alarms import AlarmIntake, speaker
from adapters.kafka.broker import Broker, Sasl
from adapters.kafka.cloud_events import POSITION, Naming, Record
from adapters.kafka.consuming import ORIGIN, REASON, Consuming
from adapters.kafka.event_types import EVENT_TYPES
from adapters.kafka.publishing import FOLLOWER, Publisher
from adapters.transport.credentials import fixed
from adapters.transport.tls import TlsFiles
from graph.changes.events import Event, append
from graph.ledger.followers import Lag, lag_of, take
from graph.ledger.positions import keep_placed
from graph.store.store import Store, Transaction
from tests.adapters.endpoint.bodies import LEAST
from tests.adapters.transport.test_credentials import Authority
from tests.graph.changes.network import POLICY, SOURCE, lay, soon
from tests.graph.ledger.asking import rows, run
from tests.selection import is_full
from tests.servers.kafka_server import PASSWORD, USER, KafkaServer

pytestmark = [
    pytest.mark.long(90),
    pytest.mark.skipif(not is_full(), reason="a broker is started where nothing is left out: --full"),
]
MOST = 1_000_000
TOPIC = "alarms"
DEAD = "alarms.rejected"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[KafkaServer]:
    pair = authority.pair("broker")
    both = pair.certificate.with_suffix(".both")
    both.write_bytes(pair.key.read_bytes() + pair.certificate.read_bytes())
    started = KafkaServer.start(tmp_path_factory.mktemp("kafka"), both)
    yield started
    started.stop()


@dataclass
class Counted:
    """What was counted."""

    published_: int = 0
    unreadable: list[str] = field(default_factory=list)
    lag: Lag | None = None

    def published(self, count: int) -> None:
        self.published_ += count

    def not_published(self, event_type: str) -> None:
        self.unreadable.append(event_type)

    def behind(self, lag: Lag) -> None:
        self.lag = lag


async def until(true: Callable[[], Any], seconds: float = 200) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for is elsewhere
            await asyncio.sleep(0.05)


async def happen(store: Store, count: int, *, keys: int = 5, types: tuple[str, ...] = ("AlarmCommented",)) -> None:
    """Let things happen, some in a transaction."""

    async def work(transaction: Transaction) -> None:
        for number in range(count):
            thing = f"alarm-{number % keys}"
            append(
                transaction,
                Event(
                    type=types[number % len(types)],
                    aggregate_id=thing,
                    aggregate_version=1,
                    at=int(time.time() * 1_000),
                    principal="tests",
                    payload={"alarm": thing},
                    customers=(),
                ),
            )

    await store.write(work, deadline=soon())


def publisher(store: Store, broker: Broker, prefix: str, counts: Counted, owner: str = "one") -> Publisher:
    return Publisher(
        store=store,
        producers=partial(wire.producing, broker, message_bytes=MOST),
        naming=Naming(prefix=prefix, source="tests"),
        types=sorted(EVENT_TYPES),
        owner=owner,
        counts=counts,
        message_bytes=MOST,
        request_seconds=5.0,
    )


@asynccontextmanager
async def running(*works: Any) -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.create_task(each) for each in works]
    try:
        yield tasks
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def everything(broker: Broker, topic: str) -> list[Any]:
    """Read all that a topic holds, in order for each partition."""
    consumer = AIOKafkaConsumer(**broker.options(), enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(topic, each) for each in await wait_for_partitions(consumer, topic)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        found: list[Any] = []
        while len(found) < sum(ends.values()):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += records
        return found
    finally:
        await consumer.stop()


async def wait_for_partitions(consumer: Any, topic: str) -> set[int]:
    for _ in range(100):
        await consumer._client.force_metadata_update()
        if found := consumer.partitions_for_topic(topic):
            return set(found)
        await asyncio.sleep(0.1)
    raise AssertionError(f"there is no topic {topic}")


def positions_by_key(records: list[Any]) -> dict[bytes, list[int]]:
    found: dict[bytes, list[int]] = {}
    for each in records:
        found.setdefault(each.key, []).append(int(dict(each.headers)[POSITION]))
    return found


def dropping_repeats(positions: list[int]) -> list[int]:
    """Read as a consumer does: what is not after all that it has seen is a repeat."""
    kept: list[int] = []
    for each in positions:
        if not kept or each > kept[-1]:
            kept.append(each)
    return kept


async def test_a_run_publishes_each_event_once_and_in_order(empty_store: Store, server: KafkaServer) -> None:
    counts, broker = Counted(), Broker(servers=(server.address,))
    async with running(keep_placed(empty_store, owner="placer")):
        async with running(publisher(empty_store, broker, "run.", counts).run()):
            await begun(empty_store)
            for _ in range(6):
                await happen(empty_store, 50)
            await until(lambda: counts.published_ >= 120)
        # It was asked to end while it published: another goes on where it ended.
        async with running(publisher(empty_store, broker, "run.", counts, "two").run()):
            await until(lambda: counts.published_ >= 300)
    found = positions_by_key(await everything(broker, "run.AlarmCommented"))
    assert sum(map(len, found.values())) == 300
    for positions in found.values():
        assert positions == sorted(set(positions))
    assert counts.unreadable == []


async def begun(store: Store) -> None:
    async with asyncio.timeout(200):
        while not await rows(store, "MATCH (f:Follower) RETURN f.id"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_nothing_is_lost_where_publishers_are_killed(empty_store: Store, server: KafkaServer) -> None:
    """A kill ends a publisher between the acknowledgement and the checkpoint, and leaves its lease."""
    counts, broker = Counted(), Broker(servers=(server.address,))
    async with running(keep_placed(empty_store, owner="placer")):
        await take(empty_store, FOLLOWER, owner="nobody", ttl_ms=1, deadline=soon())
        for number in range(4):
            await happen(empty_store, 20)
            one = publisher(empty_store, broker, "kill.", counts, f"owner-{number}")
            before = counts.published_

            async def killed(*_: Any, **__: Any) -> None:
                raise Killed

            async with running(one.run()):
                await until(partial(more, counts, before))
            with pytest.MonkeyPatch.context() as patch:
                await happen(empty_store, 20)
                patch.setattr(publishing, "move", killed)
                again = publisher(empty_store, broker, "kill.", counts, f"killed-{number}")
                with contextlib.suppress(Killed, TimeoutError):
                    async with asyncio.timeout(60):
                        held = await take(empty_store, FOLLOWER, owner=again.owner, ttl_ms=30_000, deadline=soon())
                        assert held is not None
                        await again._publish(held)
            await run(empty_store, "MATCH (f:Follower) SET f.until = 0")
        last = publisher(empty_store, broker, "kill.", counts, "last")
        async with running(last.run()):
            await until_given(empty_store)
    found = positions_by_key(await everything(broker, "kill.AlarmCommented"))
    wanted = {
        int(str(position))
        for [position] in await rows(empty_store, "MATCH (e:Event) WHERE e.position > 0 RETURN e.position")
    }
    assert {each for positions in found.values() for each in positions} == wanted
    assert sum(map(len, found.values())) > len(wanted), "there were repeats, or nothing was killed"
    kept = [each for positions in found.values() for each in dropping_repeats(positions)]
    assert sorted(kept) == sorted(wanted), "who drops what is not after the last has each once"


def more(counts: Counted, before: int) -> bool:
    return counts.published_ > before


class Killed(BaseException):
    """As by the kernel."""


async def until_given(store: Store) -> None:
    async with asyncio.timeout(200):
        while (lag := await lag_of(store, FOLLOWER, deadline=soon())) is None or lag.positions:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_a_broker_that_is_away_is_waited_for_and_said_once(
    empty_store: Store, server: KafkaServer, capsys: pytest.CaptureFixture[str]
) -> None:
    counts, broker = Counted(), Broker(servers=(server.address,))
    async with running(
        keep_placed(empty_store, owner="placer"),
        publisher(empty_store, broker, "away.", counts).run(),
        publishing.keep_watched(empty_store, counts),
    ):
        await begun(empty_store)
        await happen(empty_store, 10)
        await until(lambda: counts.published_ == 10)
        server.stop()
        await happen(empty_store, 30)
        await until(lambda: counts.lag is not None and counts.lag.positions == 30 and counts.lag.seconds > 0)
        server.go_on()
        await until(lambda: counts.published_ >= 40)
        await until(lambda: counts.lag is not None and counts.lag.positions == 0)
    found = positions_by_key(await everything(broker, "away.AlarmCommented"))
    assert {each for positions in found.values() for each in positions} == set(range(1, 41))
    assert capsys.readouterr().out.count("they wait") <= 3, "what keeps us is said when it changes"


async def test_credentials_and_certificates_are_those_of_the_settings(
    server: KafkaServer, authority: Authority
) -> None:
    sasl = Sasl(mechanism="SCRAM-SHA-512", user=USER, password=fixed(SecretStr(PASSWORD)))
    secure = Broker(servers=(server.secure_address,), tls=TlsFiles(authority=authority.file), sasl=sasl)
    assert isinstance(await wire.broker_topics(secure), frozenset)
    assert isinstance(await wire.broker_topics(replace(secure, sasl=replace(sasl, mechanism="PLAIN"))), frozenset)
    wrong = replace(secure, sasl=replace(sasl, password=fixed(SecretStr("another"))))
    with pytest.raises(NotAdmitted, match=r"SaslAuthenticationFailed.*kafka\.sasl"):
        await wire.broker_topics(wrong)
    with pytest.raises(NotAdmitted, match=r"kafka\.tls"):
        await wire.broker_topics(replace(secure, tls=TlsFiles()))
    with pytest.raises(Unreachable):
        await wire.broker_topics(Broker(servers=("127.0.0.1:1",)))


@dataclass
class Group:
    """Members of a consumer group, over one store."""

    store: Store
    broker: Broker
    outcomes: list[str] = field(default_factory=list)
    wait: float = 0.0

    def member(self) -> Consuming:
        intake = AlarmIntake(
            store=self.store,
            policy=POLICY,
            principal=speaker("kafka", (SOURCE,), "trunkline"),
            most_bytes=100_000,
        )
        return Consuming(
            consumers=partial(wire.consuming, self.broker, TOPIC, "trunkline", MOST),
            producers=partial(wire.producing, self.broker, message_bytes=MOST),
            dead_letter=DEAD,
            intake=intake,
            pressure=lambda: self.wait,
            count=self.outcomes.append,
        )


async def write(broker: Broker, *values: bytes) -> None:
    now = int(time.time() * 1_000)  # a broker deletes what is old
    records = [
        Record(topic=TOPIC, key=f"{n % 7}".encode(), value=each, headers=(), at_ms=now) for n, each in enumerate(values)
    ]
    async with wire.producing(broker, message_bytes=MOST) as producer:
        assert await producer.send(records, deadline=time.monotonic() + 30) == len(records)


def alarm(number: int) -> bytes:
    body = {**LEAST, "sourceSystemId": SOURCE, "externalAlarmId": f"K{number}", "alarmedObject": {"id": "card-1"}}
    return orjson.dumps({**body, "probableCause": f"cause {number}"})


async def raised(store: Store) -> int:
    [[count]] = await rows(store, "MATCH (e:Event {type: 'AlarmRaised'}) RETURN count(e)")
    return int(str(count))


async def test_alarms_are_taken_once_over_rebalances_and_bad_records_are_put_aside(
    empty_store: Store, server: KafkaServer
) -> None:
    await lay(empty_store)
    group = Group(store=empty_store, broker=Broker(servers=(server.address,)))
    await write(group.broker, *map(alarm, range(20)), b"{", orjson.dumps({"no": "alarm"}))
    async with running(group.member().run()):
        await until(lambda: len(group.outcomes) >= 10)
        async with running(group.member().run()):  # the partitions are shared anew, twice
            await write(group.broker, *map(alarm, range(20, 40)))
            await until(lambda: len(group.outcomes) >= 30)
        await until(lambda: group.outcomes.count("taken") >= 40 and group.outcomes.count("dead-lettered") >= 2)
    assert await raised(empty_store) == 40
    dead = await everything(group.broker, DEAD)
    assert sorted(each.value for each in dead) == [b"{", b'{"no":"alarm"}']
    assert all(dict(each.headers)[REASON] and dict(each.headers)[ORIGIN].startswith(b"alarms/") for each in dead)


async def test_what_was_committed_and_not_yet_its_offset_is_not_taken_twice(
    empty_store: Store, server: KafkaServer
) -> None:
    await lay(empty_store)
    group = Group(store=empty_store, broker=Broker(servers=(server.address,)))
    await write(group.broker, *map(alarm, range(100, 110)))
    with pytest.MonkeyPatch.context() as patch:

        async def nothing(*_: Any) -> bool:
            return True

        patch.setattr(wire.KafkaConsumer, "commit", nothing)
        async with running(group.member().run()):
            await until(lambda: len(group.outcomes) >= 10)
    async with running(group.member().run()):
        await until(lambda: len(group.outcomes) >= 20)
    assert await raised(empty_store) == 10


async def test_nothing_is_taken_while_others_are_too_far_behind(empty_store: Store, server: KafkaServer) -> None:
    await lay(empty_store)
    group = Group(store=empty_store, broker=Broker(servers=(server.address,)), wait=0.2)
    await write(group.broker, alarm(200))
    async with running(group.member().run()):
        await asyncio.sleep(2)
        assert await raised(empty_store) == 0
        group.wait = 0.0
        await until(lambda: group.outcomes == ["taken"])
