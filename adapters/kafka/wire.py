"""How a broker is reached: the only module that knows aiokafka, which is imported where a broker is set and nowhere else.

In: a `Broker`, as the settings describe it. Out: a producer, a consumer, a look; whatever goes wrong is an `AdapterError`.

The library logs each of its own attempts; what is the matter is said once, by whoever is told here. It has no way to throw away
what a producer still holds: an idempotent one sends it for ever, even while it is being stopped. So `_abandoned` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from aiokafka import AIOKafkaClient, AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    CommitFailedError,
    GroupAuthorizationFailedError,
    IllegalGenerationError,
    IllegalStateError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RebalanceInProgressError,
    RecordListTooLargeError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnknownMemberIdError,
    UnknownTopicOrPartitionError,
    UnsupportedSaslMechanismError,
)
from aiokafka.partitioner import DefaultPartitioner

from adapters.errors import AdapterError, NotAdmitted, Rejected, TimedOut, Unreachable
from adapters.kafka.broker import Broker, Compression
from adapters.kafka.cloud_events import Record
from adapters.kafka.consuming import Place, Received

_REFUSES_US: Final = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    GroupAuthorizationFailedError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
_REFUSES_IT: Final = (
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    UnknownTopicOrPartitionError,
)
_NOT_OURS: Final = (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
"""What a commit ends in after a rebalance: the partition is another's, who takes the same records again."""
_FETCH_MS: Final = 500
_END_SECONDS: Final = 5.0

logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


# Out -----------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def producing(
    broker: Broker, *, compression: Compression = "none", message_bytes: int
) -> AsyncIterator[KafkaProducer]:
    """Open a producer whose batches are taken once each (idempotent, acks=all); at its end what it still holds is thrown away."""
    options = await _reached(broker)
    with _told(broker):
        producer = AIOKafkaProducer(
            **options,
            acks="all",
            enable_idempotence=True,
            compression_type=None if compression == "none" else compression,
            max_batch_size=message_bytes,
            max_request_size=message_bytes,
        )
    try:
        with _told(broker):
            async with asyncio.timeout(broker.request_seconds):
                await producer.start()
        yield KafkaProducer(broker, producer)
    finally:
        await _abandoned(producer)


async def _abandoned(producer: AIOKafkaProducer) -> None:
    """End a producer, and throw away what it has not sent.

    The library has no public way to this: `stop` waits for what cannot be sent. Its version is bound in pyproject.
    """
    with contextlib.suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(_END_SECONDS):
            await producer.client.close()
            await producer._sender.close()  # noqa: SLF001
            await producer.client.close()  # once more: until it ended, the sender may have opened connections
    producer._closed = True  # noqa: SLF001


class KafkaProducer:
    """A producer that is open."""

    def __init__(self, broker: Broker, producer: AIOKafkaProducer) -> None:
        self._broker = broker
        self._producer = producer

    async def send(self, records: Sequence[Record], *, deadline: float) -> int:
        """Send one batch to each partition: records in order, until one does not fit; give how many, when all are acknowledged."""
        with _told(self._broker):
            async with asyncio.timeout(deadline - time.monotonic()):
                partitions = await self._partitions({each.topic for each in records})
                batches, count = self._batches(records, partitions)
                acknowledged = [
                    await self._producer.send_batch(batch, where.topic, partition=where.partition)
                    for where, batch in batches.items()
                ]
                await asyncio.gather(*acknowledged)
        return count

    async def _partitions(self, topics: Collection[str]) -> Mapping[str, list[int]]:
        found = await asyncio.gather(*map(self._producer.partitions_for, topics))
        return {topic: sorted(each) for topic, each in zip(topics, found, strict=True)}

    def _batches(
        self, records: Sequence[Record], partitions: Mapping[str, list[int]]
    ) -> tuple[dict[TopicPartition, Any], int]:
        """Fill one batch for each partition, which a key always has the same of, as with every client of Kafka."""
        batches: dict[TopicPartition, Any] = {}
        choose = DefaultPartitioner()
        for count, each in enumerate(records):
            among = partitions[each.topic]
            where = TopicPartition(each.topic, choose(each.key, among, among))
            batch = batches.get(where) or batches.setdefault(where, self._producer.create_batch())
            added = batch.append(timestamp=each.at_ms, key=each.key, value=each.value, headers=list(each.headers))
            if added is None:
                return batches, count
        return batches, len(records)


# In ------------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def consuming(
    broker: Broker, topic: str, group: str, most_bytes: int, revoked: Callable[[], Awaitable[None]]
) -> AsyncIterator[KafkaConsumer]:
    """Join a consumer group; `revoked` is awaited before partitions go to another member."""
    options = await _reached(broker)
    with _told(broker):
        consumer = AIOKafkaConsumer(
            **options,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=most_bytes,
        )
        consumer.subscribe([topic], listener=_Listener(revoked))
    try:
        with _told(broker):
            async with asyncio.timeout(broker.request_seconds):
                await consumer.start()
        yield KafkaConsumer(broker, consumer)
    finally:
        # As long as its requests may take: a member that is cut off in its stopping would stay, and keep its partitions.
        with contextlib.suppress(KafkaError):
            await consumer.stop()


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types
    def __init__(self, revoked: Callable[[], Awaitable[None]]) -> None:
        self._revoked = revoked

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Wait until what was begun of them is done."""
        if revoked:
            await self._revoked()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Nothing is kept of a partition between two assignments."""


class KafkaConsumer:
    """A member of a consumer group."""

    def __init__(self, broker: Broker, consumer: AIOKafkaConsumer) -> None:
        self._broker = broker
        self._consumer = consumer

    async def records(self, most: int) -> Mapping[Place, Sequence[Received]]:
        """Give the next records by partition, in order; none where there are none for a moment."""
        with _told(self._broker):
            found = await self._consumer.getmany(timeout_ms=_FETCH_MS, max_records=most)
        return {
            Place(topic=where.topic, partition=where.partition): [_received(each) for each in records]
            for where, records in found.items()
        }

    async def commit(self, offsets: Mapping[Place, int]) -> bool:
        """Commit what is to be read next of each partition; False: some are another member's now."""
        try:
            with _told(self._broker):
                await self._consumer.commit({_partition(where): offset for where, offset in offsets.items()})
        except AdapterError as error:
            if isinstance(error.__cause__, _NOT_OURS):
                return False
            raise
        return True

    def seek(self, where: Place, offset: int) -> None:
        """Read a partition from an offset on, if it is still ours."""
        if _partition(where) in self._consumer.assignment():
            self._consumer.seek(_partition(where), offset)


def _partition(where: Place) -> TopicPartition:
    return TopicPartition(where.topic, where.partition)


def _received(record: Any) -> Received:
    return Received(
        place=Place(topic=record.topic, partition=record.partition),
        offset=record.offset,
        at_ms=record.timestamp,
        key=record.key,
        value=record.value,
        headers=tuple(record.headers),
    )


# The way there -------------------------------------------------------------------------------------------------------


async def _reached(broker: Broker) -> dict[str, Any]:
    """Give the options with which one of the servers lets us in; raises what the last one of them says.

    The clients only say that they could not begin, whatever the reason was.
    """
    options = broker.options()
    own = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    failed: AdapterError | None = None
    for server in broker.servers:
        host, _, port = server.rpartition(":")
        try:
            with _told(broker):
                async with asyncio.timeout(broker.request_seconds):
                    connection = await create_conn(host, int(port), **own)
                connection.close()
        except AdapterError as error:
            failed = error
        else:
            return options
    assert failed is not None, "a broker has a server"
    raise failed


# A look --------------------------------------------------------------------------------------------------------------


async def broker_topics(broker: Broker) -> frozenset[str]:
    """Give the topics that we may see there; raises AdapterError."""
    options = await _reached(broker)
    with _told(broker):
        client = AIOKafkaClient(**options)
    try:
        with _told(broker):
            async with asyncio.timeout(broker.request_seconds):
                await client.bootstrap()
                found = await client.fetch_all_metadata()
        return frozenset(found.topics())
    finally:
        with contextlib.suppress(KafkaError):
            await client.close()


@contextmanager
def _told(broker: Broker) -> Iterator[None]:
    """Translate what goes wrong."""
    try:
        yield
    except TimeoutError as error:
        raise TimedOut(f"{broker.name} did not answer in time", may_have_happened=True) from error
    except (KafkaError, OSError) as error:
        raise _translated(broker, error) from error


def _translated(broker: Broker, error: Exception) -> AdapterError:
    said = f"{broker.name} answers {type(error).__name__}"
    status = int(getattr(error, "errno", None) or 0)
    match error:
        case MessageSizeTooLargeError() | RecordListTooLargeError():
            hint = "Set kafka.message_bytes to what the broker takes (message.max.bytes), or less"
            return Rejected(said, hint=hint, status=status)
        case UnknownTopicOrPartitionError():
            return Rejected(said, hint="Create the topics, or let the broker create them", status=status)
        case _ if isinstance(error, _REFUSES_IT):
            return Rejected(said, status=status)
        case _ if isinstance(error, _REFUSES_US):
            return NotAdmitted(said, hint="Look at kafka.sasl, and at what its user may do there", status=status)
        case ssl.SSLError():
            return NotAdmitted(said, hint="Look at kafka.tls, and at the server's certificate", status=0)
        case _:
            return Unreachable(f"{broker.name} cannot be reached: {type(error).__name__}", may_have_happened=True)
