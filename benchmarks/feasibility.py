"""How long it takes to say whether a new service could be built, in a network of a hundred thousand nodes.

The network is the loader's, whose access sites have all their uplinks to one city, and no port that nobody has. So each site is given a card
with free ports, and every other access site a trunk to another city: two ways are apart then. Four kinds of questions are asked, each
between sites by chance:

*plain*      one way between any two sites; each hop costs the same
*protected*  two ways apart between sites with two homes, by hops and by how busy their trunks are
*shared*     two ways between sites of which one has a single home, so that there are none
*full*       one way for a rate that only the widest uplinks carry, for a month: mostly what is missing, and from when it would fit

Each is measured with the ports and loads that it reads, on a network that is kept; reading that one is measured by itself.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.databases import Product, database
from benchmarks.errors import BenchmarkFailed
from benchmarks.figures import percentile
from benchmarks.news import load_progress, news
from graph.capacity.limits import read_overbooking
from graph.changes.feasibility import design
from graph.load import load_topology
from graph.routing.answers import Design, Undecided, UnknownSite
from graph.routing.demand import Access, Demand, Weights
from graph.routing.network import Network
from graph.routing.reading import read_network
from graph.store.store import Store, Transaction

KINDS: Final = ("plain", "protected", "shared", "full")
_SECONDS: Final = 1_800
_AT_ONCE: Final = 200
_NETWORK_RUNS: Final = 10
_MONTH: Final = 30 * 86_400_000
_PLAIN: Final = read_overbooking({}, "1")

_SITES: Final = """
MATCH (s:Site)<-[:LOCATED_AT]-(e:NetworkElement) WITH s.id AS site, s.role AS role, min(e.id) AS element
RETURN site, role, element ORDER BY site
"""
_PORTS: Final = """
UNWIND $batch.rows AS row
MATCH (e:NetworkElement {id: row.element})
CREATE (e)-[:HOLDS]->(c:Card {id: 'card-free-' + row.site, name: row.site, words: '', model: 'LC-4x10G', slot: 98})
WITH c, row UNWIND range(0, 3) AS number
CREATE (c)-[:HAS_PORT]->(:Port {
  id: 'port-free-' + row.site + toString(number), name: row.site, words: '', role: 'client', number: number, speedMbps: 10000
})
"""
_HOMES: Final = """
UNWIND $batch.rows AS row
MATCH (a:NetworkElement {id: row.a}) MATCH (z:NetworkElement {id: row.z})
CREATE (a)-[:HOLDS]->(:Card {id: 'card-home-a' + row.site, name: row.site, words: '', slot: 99})
  -[:HAS_PORT]->(p:Port {id: 'port-home-a' + row.site, name: row.site, words: '', role: 'trunk', speedMbps: 10000})
CREATE (z)-[:HOLDS]->(:Card {id: 'card-home-z' + row.site, name: row.site, words: '', slot: 99})
  -[:HAS_PORT]->(q:Port {id: 'port-home-z' + row.site, name: row.site, words: '', role: 'trunk', speedMbps: 10000})
CREATE (t:Trunk {id: 'trunk-home-' + row.site, name: row.site, words: '', layerRate: 'ODU2', capacityMbps: 10000})
CREATE (t)-[:TERMINATES_ON {end: 'A'}]->(p)
CREATE (t)-[:TERMINATES_ON {end: 'Z'}]->(q)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured."""

    scale: int = 100_000
    questions: int = 200
    """of each kind."""
    seed: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one kind of question costs."""

    store: str
    kind: str
    questions: int
    designs: int
    """how many of them were answered with a design."""
    p50_ms: float
    p95_ms: float
    statements_p95: int

    def sentence(self) -> str:
        """Say it."""
        return (
            f"{self.store:8} {self.kind:9} {self.questions} questions, {self.designs} designs: p50 {self.p50_ms:.1f}, "
            f"p95 {self.p95_ms:.1f} ms; at most {self.statements_p95} statements for 95 of 100"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What reading the network costs."""

    store: str
    nodes: int
    sites: int
    trunks: int
    p50_ms: float

    def sentence(self) -> str:
        """Say it."""
        return (
            f"{self.store:8} {self.nodes} nodes: the network of {self.sites} sites and {self.trunks} trunks is read in "
            f"p50 {self.p50_ms:.0f} ms"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Sites by how they are tied in."""

    any: Sequence[str]
    two_homes: Sequence[str]
    one_home: Sequence[str]

    def ends(self, kind: str, chance: random.Random) -> tuple[str, str]:
        """Draw two sites."""
        match kind:
            case "protected":
                a, z = chance.sample(self.two_homes, 2)
            case "shared":
                a, z = chance.choice(self.one_home), chance.choice(self.two_homes)
            case _:
                a, z = chance.sample(self.any, 2)
        return a, z


async def measure_feasibility(stores: Sequence[Product], plan: Plan) -> tuple[list[Reading], list[Row]]:
    """Measure each database by itself."""
    readings: list[Reading] = []
    rows: list[Row] = []
    for product in stores:
        with tempfile.TemporaryDirectory() as directory:
            async with database(product, Path(directory)) as found:
                news.print(f"{product}: loading {plan.scale} nodes", highlight=False)
                deadline = time.monotonic() + _SECONDS
                report = await load_topology(found.store, scale=plan.scale, progress=load_progress, deadline=deadline)
                places = await tied_in(found.store, random.Random(plan.seed))
                network, reading = await read_often(found.store, product, report.nodes)
                readings.append(reading)
                for kind in KINDS:
                    rows.append(await ask_often(found.store, product, kind, places, network, plan))
                    news.print(rows[-1].sentence(), highlight=False)
    return readings, rows


async def tied_in(store: Store, chance: random.Random) -> Places:
    """Give each site free ports, and every other access site a second home."""
    found = await store.rows(_SITES, {}, deadline=time.monotonic() + _SECONDS)
    sites = [(str(site), str(role), str(element)) for site, role, element in found]
    core = [(site, element) for site, role, element in sites if role == "core"]
    access = [(site, element) for site, role, element in sites if role == "access"]
    await _write(store, _PORTS, [{"site": site, "element": element} for site, _, element in sites])
    homes = [{"site": site, "a": element, "z": chance.choice(core)[1]} for site, element in access[::2]]
    await _write(store, _HOMES, homes)
    return Places(
        any=[site for site, *_ in sites],
        two_homes=[site for site, _ in access[::2]],
        one_home=[site for site, _ in access[1::2]],
    )


async def _write(store: Store, text: str, rows: Sequence[Mapping[str, str]]) -> None:
    async def work(transaction: Transaction, some: Sequence[Mapping[str, str]]) -> None:
        await transaction.run(text, {"batch": {"rows": [*some]}})

    for at in range(0, len(rows), _AT_ONCE):
        await store.write(partial(work, some=rows[at : at + _AT_ONCE]), deadline=time.monotonic() + _SECONDS)


async def read_often(store: Store, product: Product, nodes: int) -> tuple[Network, Reading]:
    """Read the network some times; give it, and what that takes."""
    times = []
    for _ in range(_NETWORK_RUNS):
        began = time.perf_counter()
        network = await read_network(partial(store.rows, deadline=time.monotonic() + _SECONDS))
        times.append((time.perf_counter() - began) * 1_000)
    return network, Reading(
        store=product,
        nodes=nodes,
        sites=len(network.sites),
        trunks=len(network.ends),
        p50_ms=percentile(times, 50),
    )


async def ask_often(store: Store, product: Product, kind: str, places: Places, network: Network, plan: Plan) -> Row:
    """Ask questions of one kind, each between other sites."""
    chance = random.Random(f"{plan.seed} {kind}")
    times, statements, designs = list[float](), list[float](), list[bool]()
    for demand in _demands(kind, places, chance, plan.questions + 1):
        counting = _Counting(store)
        began = time.perf_counter()
        deadline = time.monotonic() + _SECONDS
        found = await design(counting.run, network, demand, _PLAIN, deadline=deadline)
        times.append((time.perf_counter() - began) * 1_000)
        statements.append(float(counting.statements))
        designs.append(isinstance(found, Design))
        if isinstance(found, UnknownSite | Undecided):
            raise BenchmarkFailed(f"a question was not answered: {found}")
    return Row(
        store=product,
        kind=kind,
        questions=plan.questions,
        designs=sum(designs[1:]),  # the first one warms up
        p50_ms=percentile(times[1:], 50),
        p95_ms=percentile(times[1:], 95),
        statements_p95=int(percentile(statements[1:], 95)),
    )


def _demands(kind: str, places: Places, chance: random.Random, count: int) -> Iterator[Demand]:
    start = int(time.time() * 1_000)
    for _ in range(count):
        a, z = places.ends(kind, chance)
        yield Demand(
            a=Access(site=a),
            z=Access(site=z),
            mbps=9_500 if kind == "full" else 100,
            start=start,
            end=start + _MONTH if kind == "full" else None,
            protected=kind in ("protected", "shared"),
            weights=Weights(hop=10, percent=1) if kind == "protected" else Weights(),
        )


class _Counting:
    """Runs statements, and counts them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.statements = 0

    async def run(self, text: str, given: dict[str, object]) -> list[list[object]]:
        """Run one."""
        self.statements += 1
        return await self._store.rows(text, given, deadline=time.monotonic() + _SECONDS)
