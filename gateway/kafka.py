"""Events to the operator's broker, and alarms from it, as the section `kafka` of the settings says.

In: the settings, an open store. Out: nothing; runs beside whatever the block does. aiokafka is imported here and nowhere before,
where there is such a section.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from adapters.kafka.alarms import AlarmIntake, speaker
from adapters.kafka.async_api import Topics
from adapters.kafka.cloud_events import Naming
from adapters.kafka.consuming import Consuming
from adapters.kafka.publishing import Publisher, keep_watched
from gateway.background import beside, owner
from gateway.operations.pressure import Pressure
from gateway.policies import policy_of
from gateway.reaching import broker
from gateway.settings.kafka import Kafka, KafkaAlarms
from gateway.settings.settings import Settings
from gateway.telemetry.metrics import Metrics
from graph.store.store import Store


def topics_of(chosen: Kafka) -> Topics:
    """Give the topics that the settings name."""
    alarms = chosen.alarms
    return Topics(
        naming=_naming(chosen),
        types=chosen.events,
        alarms=alarms.topic if alarms else "",
        dead_letter=alarms.dead_letter if alarms else "",
    )


@asynccontextmanager
async def kafka_joined(settings: Settings, store: Store, pressure: Pressure, metrics: Metrics) -> AsyncIterator[None]:
    """Publish events and take alarms, as one of the processes that may."""
    chosen = settings.kafka
    async with AsyncExitStack() as stack:
        if chosen is not None and chosen.events:
            await stack.enter_async_context(beside(_publisher(chosen, store, metrics).run()))
            await stack.enter_async_context(beside(keep_watched(store, metrics)))
        if chosen is not None and chosen.alarms is not None:
            consuming = _consuming(settings, chosen, chosen.alarms, store)
            await stack.enter_async_context(
                beside(consuming(pressure=pressure.retry_after, count=metrics.alarm_from_kafka).run())
            )
        yield


def _naming(chosen: Kafka) -> Naming:
    return Naming(prefix=chosen.topic_prefix, source=chosen.source)


def _publisher(chosen: Kafka, store: Store, metrics: Metrics) -> Publisher:
    from adapters.kafka.wire import producing  # noqa: PLC0415 - the extra may not be there

    way = partial(producing, broker(chosen), compression=chosen.compression, message_bytes=chosen.message_bytes)
    return Publisher(
        store=store,
        producers=way,
        naming=_naming(chosen),
        types=chosen.events,
        owner=owner(),
        counts=metrics,
        message_bytes=chosen.message_bytes,
        request_seconds=chosen.request_seconds,
    )


def _consuming(settings: Settings, chosen: Kafka, alarms: KafkaAlarms, store: Store) -> partial[Consuming]:
    from adapters.kafka.wire import consuming, producing  # noqa: PLC0415 - the extra may not be there

    reached = broker(chosen)
    sources = settings.sources.get(alarms.system, (alarms.system,))
    intake = AlarmIntake(
        store=store,
        policy=policy_of(settings),
        principal=speaker(alarms.system, sources, alarms.group),
        most_bytes=settings.limits.body_bytes,
    )
    return partial(
        Consuming,
        consumers=partial(consuming, reached, alarms.topic, alarms.group, chosen.message_bytes),
        producers=partial(producing, reached, message_bytes=chosen.message_bytes),
        dead_letter=alarms.dead_letter,
        intake=intake,
    )
