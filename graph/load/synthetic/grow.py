"""A topology, grown into a graph: the row of the stages, and the records in the order in which they may be written.

Pure: the same topology, scale, number of alarms and seed give the same records in the same order, on any machine. The
scale is the number of nodes at which selling stops, so the graph has a few more; below what the bare network takes, it
is the bare network and the two customers for demonstrations.
"""

from __future__ import annotations

from collections.abc import Iterator

from graph.load.records import Record
from graph.load.synthetic.alarms import Affected, put_down_alarms, strike
from graph.load.synthetic.customers import sell
from graph.load.synthetic.network import build_network
from graph.load.synthetic.sheet import Sheet
from graph.load.synthetic.topology import Topology


def source_of(topology: Topology, scale: int, seed: int) -> str:
    """Name a load: what is in two loads of different names, are different things."""
    return f"{topology.name.replace('/', '.')}-{scale}-{seed}"


def grow(topology: Topology, scale: int, seed: int, *, alarms: int = 0) -> Iterator[Record]:
    """Grow a network with its customers; a relationship comes after both of its ends."""
    sheet = Sheet(source=source_of(topology, scale, seed), seed=seed)
    network = build_network(sheet, topology, scale)
    struck = strike(network, seed, alarms)
    yield from sheet.take()
    affected: list[Affected] = []
    for sale in sell(sheet, network, scale):
        affected += (Affected(customer=sale.customer, service=each) for each in sale.services if each.alarms)
        yield from sheet.take()
    put_down_alarms(sheet, struck, affected)
    yield from sheet.take()
