"""Two servers on a noisy machine: one number each would compare the noise.

A block is a second or so of requests to one server. Neighbouring blocks of different servers saw the same noise, so a
ratio is taken within each round of blocks, and the figure is the median over the rounds, with its quartiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of requests to one server."""

    seconds: float
    cpu_seconds: float
    """of the server process."""
    latencies: tuple[float, ...]
    """in milliseconds, one for each request."""

    @property
    def rps(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of the server per request."""
        return self.cpu_seconds * 1000 / len(self.latencies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is said of one contestant in one row."""

    blocks: int
    rps: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    first_ms: float
    """the very first request of this kind: parsing, compiling, and the database's planning."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A median and its quartiles."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """Write it, such as 1.13 (1.11-1.16)."""
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


def spread(values: Sequence[float]) -> Spread:
    """Give the median and the quartiles; of a single value all three are that value."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(median(values), low, high)


def percentile(values: Sequence[float], percent: int) -> float:
    """Give the smallest value that so many percent of the values do not exceed.

    >>> percentile([5.0, 1.0, 2.0, 4.0, 3.0], 50)
    3.0
    """
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def figures(blocks: Sequence[Block], first_ms: float) -> Figures:
    """Sum up the blocks of one contestant."""
    latencies = [each for block in blocks for each in block.latencies]
    return Figures(
        blocks=len(blocks),
        rps=median(block.rps for block in blocks),
        p50_ms=percentile(latencies, 50),
        p99_ms=percentile(latencies, 99),
        cpu_ms=median(block.cpu_ms for block in blocks),
        first_ms=first_ms,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratios:
    """Ours over a reference: CPU per request, and throughput."""

    cpu: Spread
    rps: Spread


def ratios(pairs: Sequence[tuple[Block, Block]]) -> Ratios:
    """Compare blocks of ours with the reference's of the same rounds."""
    return Ratios(
        cpu=spread([ours.cpu_ms / other.cpu_ms for ours, other in pairs]),
        rps=spread([ours.rps / other.rps for ours, other in pairs]),
    )
