"""Processes are killed while alarms flow and customers book, and nothing is lost or told twice."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.faults.round import Place, play
from tests.selection import choose_seed, is_full

KILLS = 20 if is_full() else 3
TAKEOVER_SECONDS = 120.0
"""On a busy machine most of it is the start of a database or of a process; `make chaos` tells how long it took."""

pytestmark = [
    pytest.mark.process,
    pytest.mark.long(100),
    pytest.mark.timeout(1_800),
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]


@pytest.fixture
def place(store_address: str, tmp_path: Path) -> Place:
    """The embedded database gets a directory of its own, since it is killed; a server is the one of the session."""
    embedded = store_address.startswith("embedded:")
    return Place(store=f"embedded:{tmp_path / 'graph'}" if embedded else store_address, directory=tmp_path)


async def test_nothing_is_lost_and_nothing_is_doubled_whoever_is_killed(place: Place) -> None:
    result = await play(place, seed=f"make test-processes {choose_seed()}", kills=KILLS, say=print)
    assert sum(result.kills.values()) == KILLS
    assert result.violations == []
    assert result.tickets > 20, "too little happened to show anything"
    assert result.bookings["boostBandwidth"] > 1, "too little happened to show anything"
    assert min(result.usage, result.downtime, result.settled) > 1, "too little happened to show anything"
    # With the supervisor everything must start again, and how long that takes is the machine's business.
    assert max(result.takeovers.get("worker", [0.0])) < TAKEOVER_SECONDS
