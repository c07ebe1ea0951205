"""How many requests, how they ended and how long they took: one observation per request. And what waits for other systems.

A histogram holds all three: its count by status and code is the number of requests. With several workers each process
writes its numbers into files of a shared directory (prometheus-client's multiprocess mode, chosen by the variable
PROMETHEUS_MULTIPROC_DIR before the first metric is made), and any worker sums them up for `/metrics`; with one there are
no files.
"""

from __future__ import annotations

import os
import time
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from gateway.exchange import Exchange

DIRECTORY_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


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
        self._parked = gauge("trunkline_deliveries_parked", "Deliveries that a person must look at.")
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
        self._children: dict[tuple[int, str], Histogram] = {}

    def count(self, exchange: Exchange) -> float:
        """Count a finished exchange; give its seconds."""
        seconds = time.monotonic() - exchange.started
        key = (exchange.status, exchange.code)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._seconds.labels(str(exchange.status), exchange.code)
        child.observe(seconds)
        return seconds

    def waits(self, system: str, *, waiting: int, oldest_seconds: float, parked: int) -> None:
        """Show what waits for a system."""
        self._waiting.labels(system).set(waiting)
        self._oldest.labels(system).set(oldest_seconds)
        self._parked.labels(system).set(parked)

    def told(self, system: str, outcome: str) -> None:
        """Count an attempt: done, again or dead."""
        self._outcomes.labels(system, outcome).inc()

    def passed_over(self, system: str) -> None:
        """Count an item that a system answered and that cannot be read."""
        self._passed_over.labels(system).inc()

    def text(self) -> bytes:
        """Give everything in Prometheus's text format."""
        registry = self._registry
        if os.environ.get(DIRECTORY_VARIABLE):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library leaves it bare
        return generate_latest(registry)
