"""New statement texts are metered: whoever asks for one takes from the allowance that all new work of a principal shares.

A new text costs the compiler milliseconds, and Neo4j up to half a second of planning; the same document with another
structure of filters is a new text. So every miss of the cache of compiled reads takes from the allowance of whoever asked: the
first of a document its CPU time only, since the document was taken for, each other at least one unit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from graph.errors import Throttled


class Meter(Protocol):
    """The allowances of principals, in units of one new document."""

    def take(self, subject: str, units: float) -> float:
        """Take units and give 0.0, or take nothing and give the seconds until there are some."""

    def settle(self, subject: str, units: float, seconds: float) -> None:
        """Take what these CPU seconds are worth beyond the units that were taken before."""


class Unmetered:
    """Lets everybody do everything: for tools and tests."""

    def take(self, subject: str, units: float) -> float:  # noqa: ARG002 - whoever it is
        """Take nothing."""
        return 0.0

    def settle(self, subject: str, units: float, seconds: float) -> None:
        """Take nothing."""


@contextmanager
def metered(meter: Meter, subject: str, units: float) -> Iterator[None]:
    """Run a block as new work of a principal; raises Throttled where its allowance is used up."""
    wait = meter.take(subject, units)
    if wait:
        raise Throttled(
            "More new shapes of operations in a minute than the allowance holds",
            hint="Keep the structure of filters and orders the same, and put values into variables.",
            retry_after=wait,
        )
    begun = time.thread_time()
    try:
        yield
    finally:
        meter.settle(subject, units, time.thread_time() - begun)
