"""Who says that nothing was lost must have asked everybody: the graph, the other systems, and whoever told of anything.

All of it is read when everything is quiet, into plain values, so that what is checked (`checker.py`) can be tried with
evidence that was tampered with.
"""

from __future__ import annotations

from dataclasses import dataclass

from graph.store.store import Store
from tests.faults.bookings import Booked
from tests.faults.books import Books, read_books
from tests.faults.equipment import Equipment
from tests.faults.kept import Kept, read_graph
from tests.faults.meter import Metered
from tests.faults.network import Network
from tests.faults.sources import Remembered
from tests.faults.stock import Settled
from tests.faults.stream_records import Happened, Heard, read_sequence
from tests.faults.systems import Systems


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What those who told the gateway of anything were told is heard."""

    alarms: tuple[Remembered, ...]
    metered: tuple[Metered, ...]
    settled: tuple[Settled, ...]
    feeds: tuple[str, ...]
    """their names."""
    booked: tuple[Booked, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What everybody says in the end."""

    network: Network
    equipment: Equipment
    told: Told
    kept: Kept
    books: Books
    happened: tuple[Happened, ...]
    """the sequence of events, as the graph has it,"""
    heard: tuple[Heard, ...]
    """and what each subscriber was sent of it."""


async def gathered(
    store: Store, systems: Systems, network: Network, equipment: Equipment, told: Told, heard: tuple[Heard, ...]
) -> Evidence:
    """Ask everybody; what subscribers have heard was asked for before."""
    return Evidence(
        network=network,
        equipment=equipment,
        told=told,
        kept=await read_graph(store),
        books=await read_books(systems),
        happened=await read_sequence(store),
        heard=heard,
    )
