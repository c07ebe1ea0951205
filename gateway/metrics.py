"""How many requests, how they ended and how long they took: one observation per request.

A histogram holds all three: its count by status and code is the number of requests. With several workers each process
writes its numbers into files of a shared directory (prometheus-client's multiprocess mode, chosen by the variable
PROMETHEUS_MULTIPROC_DIR before the first metric is made), and any worker sums them up for `/metrics`; with one there are
no files.
"""

from __future__ import annotations

import os
import time
from typing import Final

from prometheus_client import CollectorRegistry, Histogram, generate_latest
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

    def text(self) -> bytes:
        """Give everything in Prometheus's text format."""
        registry = self._registry
        if os.environ.get(DIRECTORY_VARIABLE):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library leaves it bare
        return generate_latest(registry)
