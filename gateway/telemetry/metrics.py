"""How many requests, how they ended and how long they took: one observation per request. And what waits for other systems.

A histogram holds all three: its count by status and code is the number of requests. With several workers each process
writes its numbers into files of a shared directory (prometheus-client's multiprocess mode, chosen by the variable
PROMETHEUS_MULTIPROC_DIR before the first metric is made), and any worker sums them up for `/metrics`; with one there are
no files.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import partial
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from gateway.exchange import Exchange

DIRECTORY_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Backlog(Protocol):
    """What waits for one system (`graph.ledger.backlog.SystemBacklog`)."""

    @property
    def waiting(self) -> int:
        """Deliveries that it is still to be told."""

    @property
    def held(self) -> int:
        """Those that wait behind a parked one."""

    @property
    def suspended(self) -> int:
        """Of those that wait: what its people have suspended."""

    @property
    def suspended_seconds(self) -> float:
        """For how long the first of these; 0 where there are none."""

    @property
    def parked(self) -> int:
        """Those that a person must look at."""

    @property
    def reasons(self) -> Mapping[str, int]:
        """The same, by the reason for which they are parked."""


class StreamLag(Protocol):
    """How far behind subscribers are (`graph.ledger.reader.StreamLag`)."""

    @property
    def waiting(self) -> int:
        """Events that the slowest of the live ones has not taken."""

    @property
    def replaying(self) -> int:
        """How many have not caught up."""

    @property
    def behind(self) -> int:
        """Positions that the last of these has to go."""


class Lag(Protocol):
    """How far a follower of the sequence is behind (`graph.ledger.followers.Lag`)."""

    @property
    def positions(self) -> int:
        """Positions that it has not been given."""

    @property
    def seconds(self) -> float:
        """For how long the first of them has waited."""


class Metrics:
    """The numbers of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "trunkline_request_seconds",
            "Seconds from a request's first byte to its answer's start.",
            ("status", "code"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        gauge = partial(Gauge, labelnames=("system",), registry=self._registry, multiprocess_mode="mostrecent")
        self._waiting = gauge("trunkline_deliveries_waiting", "Deliveries that a system is still to be told.")
        self._oldest = gauge("trunkline_deliveries_oldest_seconds", "For how long the oldest of them has waited.")
        self._held = gauge("trunkline_deliveries_held", "Deliveries that wait behind a parked one.")
        self._suspended = gauge(
            "trunkline_deliveries_suspended", "Of those that wait: what a system's people have suspended."
        )
        self._suspended_for = gauge(
            "trunkline_deliveries_suspended_seconds", "For how long the first of them has been suspended."
        )
        self._parked = gauge("trunkline_deliveries_parked", "Deliveries that a person must look at.")
        self._parked_for = gauge(
            "trunkline_deliveries_parked_reason", "The same, by the reason.", labelnames=("system", "reason")
        )
        self._reasons: dict[str, set[str]] = {}
        self._paused = gauge("trunkline_system_paused", "1 while a system does not let us in, so that all of it waits.")
        self.paused: dict[str, str] = {}
        """the systems that do not let this process in, and why."""
        self._outcomes = Counter(
            "trunkline_deliveries",
            "Attempts to tell a system, by what became of them.",
            ("system", "outcome"),
            registry=self._registry,
        )
        self._passed_over = Counter(
            "trunkline_items_passed_over",
            "Items of a system's answers that cannot be read; the log says which and why.",
            ("system",),
            registry=self._registry,
        )
        self._refused = Counter(
            "trunkline_connections_refused",
            "Connections that were refused or ended for want of room: process, address, idle (made room for another).",
            ("reason",),
            registry=self._registry,
        )
        self._count_streams()
        self._count_kafka()
        self._children: dict[tuple[int, str], Histogram] = {}
        self._sent: dict[str, tuple[Counter, Counter, Histogram]] = {}

    def _count_streams(self) -> None:
        self._streams = Gauge(
            "trunkline_streams",
            "Subscriptions that are open.",
            ("transport",),
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._sockets = Gauge(
            "trunkline_websockets", "WebSockets that are open.", registry=self._registry, multiprocess_mode="livesum"
        )
        self._events = Counter(
            "trunkline_stream_events", "Events that were sent.", ("transport",), registry=self._registry
        )
        self._replayed = Counter(
            "trunkline_stream_events_replayed",
            "Those of them that were sent to somebody who had come back for them.",
            ("transport",),
            registry=self._registry,
        )
        self._late = Histogram(
            "trunkline_stream_event_seconds",
            "Seconds from when an event happened, by the database's clock, until it was sent; without those that were replayed.",
            ("transport",),
            buckets=BUCKETS,
            registry=self._registry,
        )
        gauge = partial(Gauge, registry=self._registry, multiprocess_mode="livemax")
        self._unread = gauge(
            "trunkline_stream_unread", "Events that the slowest of the live subscriptions has not taken."
        )
        self._behind = gauge(
            "trunkline_stream_positions_behind", "Positions that the last of the replaying subscriptions has to go."
        )
        self._replaying = Gauge(
            "trunkline_streams_replaying",
            "Subscriptions that have come back and not caught up yet.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._ended = Counter(
            "trunkline_streams_ended",
            "Subscriptions that have ended, by why: complete, client, expired, failed, or a code such as LAGGED.",
            ("transport", "reason"),
            registry=self._registry,
        )

    def _count_kafka(self) -> None:
        gauge = partial(Gauge, registry=self._registry, multiprocess_mode="mostrecent")
        self._kafka_positions = gauge(
            "trunkline_kafka_lag_positions", "Positions of the sequence of events that Kafka has not acknowledged."
        )
        self._kafka_seconds = gauge(
            "trunkline_kafka_lag_seconds", "For how long the first of them has waited; 0 where there is none."
        )
        self._published = Counter(
            "trunkline_kafka_events", "Events that Kafka has acknowledged.", registry=self._registry
        )
        self._not_published = Counter(
            "trunkline_kafka_events_unreadable",
            "Events that were not published, since what was kept of them cannot be read.",
            ("type",),
            registry=self._registry,
        )
        self._kafka_alarms = Counter(
            "trunkline_kafka_alarms",
            "Records of the topic of alarms, by what became of them: taken, dead-lettered, passed-over.",
            ("outcome",),
            registry=self._registry,
        )

    def count(self, exchange: Exchange) -> float:
        """Count a finished exchange; give its seconds."""
        seconds = (exchange.answered or time.monotonic()) - exchange.started
        key = (exchange.status, exchange.code)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._seconds.labels(str(exchange.status), exchange.code)
        child.observe(seconds)
        return seconds

    def waits(self, system: str, *, oldest_seconds: float, counts: Backlog) -> None:
        """Show what waits for a system."""
        self._waiting.labels(system).set(counts.waiting)
        self._oldest.labels(system).set(oldest_seconds)
        self._held.labels(system).set(counts.held)
        self._suspended.labels(system).set(counts.suspended)
        self._suspended_for.labels(system).set(counts.suspended_seconds)
        self._parked.labels(system).set(counts.parked)
        seen = self._reasons.setdefault(system, set())
        seen.update(counts.reasons)
        for reason in seen:  # one that is no more is 0, not what it was last
            self._parked_for.labels(system, reason).set(counts.reasons.get(reason, 0))

    def told(self, system: str, outcome: str) -> None:
        """Count an attempt: done, again or dead."""
        self._outcomes.labels(system, outcome).inc()

    def passed_over(self, system: str) -> None:
        """Count an item that a system answered and that cannot be read."""
        self._passed_over.labels(system).inc()

    def admits(self, system: str, reason: str) -> None:
        """Show why a system does not let us in; it does where there is no reason."""
        self._paused.labels(system).set(1 if reason else 0)
        self.paused.pop(system, None)
        if reason:
            self.paused[system] = reason

    def refused(self, reason: str) -> None:
        """Count a connection for which there was no room: process or address; or idle, one that made room."""
        self._refused.labels(reason).inc()

    def stream_began(self, transport: str) -> None:
        """Count a subscription that is open: over sse or websocket."""
        self._streams.labels(transport).inc()

    def stream_ended(self, transport: str, reason: str) -> None:
        """Count it no more."""
        self._streams.labels(transport).dec()
        self._ended.labels(transport, reason).inc()

    def event_sent(self, transport: str, at: int | None, *, replayed: bool) -> None:
        """Count an event that was sent: `at` is when it happened, in epoch milliseconds, where that is known."""
        counted = self._sent.get(transport)
        if counted is None:  # to look it up each time takes longer than to count
            late, replays = self._late.labels(transport), self._replayed.labels(transport)
            counted = self._sent[transport] = (self._events.labels(transport), replays, late)
        events, replays, late = counted
        events.inc()
        if replayed:
            replays.inc()
        elif at is not None:
            late.observe(max(0.0, time.time() - at / 1_000))

    def lags(self, lag: StreamLag) -> None:
        """Show how far behind subscriptions are."""
        self._unread.set(lag.waiting)
        self._behind.set(lag.behind)
        self._replaying.set(lag.replaying)

    def sockets(self, change: int) -> None:
        """Count a WebSocket that opens (1) or closes (-1)."""
        self._sockets.inc(change)

    def published(self, count: int) -> None:
        """Count events that Kafka has acknowledged."""
        self._published.inc(count)

    def not_published(self, event_type: str) -> None:
        """Count an event that cannot be read."""
        self._not_published.labels(event_type).inc()

    def behind(self, lag: Lag) -> None:
        """Show how far Kafka is behind."""
        self._kafka_positions.set(lag.positions)
        self._kafka_seconds.set(lag.seconds)

    def alarm_from_kafka(self, outcome: str) -> None:
        """Count a record of the topic of alarms: taken, dead-lettered or passed-over."""
        self._kafka_alarms.labels(outcome).inc()

    def text(self) -> bytes:
        """Give everything in Prometheus's text format."""
        return text_of_all() if os.environ.get(DIRECTORY_VARIABLE) else generate_latest(self._registry)


def text_of_all() -> bytes:
    """Give what all worker processes have counted, from the files in their directory."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library leaves it bare
    return generate_latest(registry)
