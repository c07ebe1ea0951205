"""Planning must cost in proportion to what is asked, however many subgraphs there are: it is measured on made supergraphs.

Two shapes. *shared*: every subgraph has every field, so that there is the most to choose from. *spread*: each field is in
one or two of the subgraphs of its entity, so that there is the most to fetch. With the address of the federation gateway
audit's server, its operations are planned as well: *audit* by a planner that has planned before, *cold* each as the first
operation after its supergraph was read. Times are CPU of this process, the best of some runs; a plan is never kept.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, repeat
from urllib.request import urlopen

from graphql import DocumentNode, parse, validate

from gateway.collector import settle
from gateway.federation.planning import Budget, Planner, PlanningFailed
from gateway.federation.planning.normalize import normalize
from gateway.federation.query_graph import QueryGraph
from gateway.federation.supergraph import Supergraph
from gateway.federation.supergraph_sdl import read_supergraph

RUNS = 3
BUDGET = Budget(steps=10_000_000, fields=1_000_000)
LEAVES = 6
REFERENCES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One operation, planned."""

    shape: str
    subgraphs: int
    bytes: int
    fields: int
    requests: int
    cpu_ms: float


class Made:
    """A supergraph over some entities, each of which refers to others."""

    def __init__(self, subgraphs: int, entities: int, seed: int, *, shared: bool) -> None:
        rnd = random.Random(seed)
        self._graphs = [f"G{n}" for n in range(subgraphs)]
        few = min(5, subgraphs)
        homes = [
            self._graphs if shared else sorted(rnd.sample(self._graphs, rnd.randint(2, few))) for _ in range(entities)
        ]
        self.targets: list[list[int]] = []
        types: list[str] = []
        for home in homes:
            owned = [home if shared else rnd.sample(home, rnd.randint(1, 2)) for _ in range(LEAVES)]
            fields = ["id: ID!", *(f"l{n}: Int {_fields(of)}" for n, of in enumerate(owned))]
            reachable = [n for n, other in enumerate(homes) if set(home) & set(other)]
            targets = [rnd.choice(reachable) for _ in range(REFERENCES)]
            for n, target in enumerate(targets):
                both = [each for each in home if each in homes[target]]
                fields.append(f"r{n}: E{target} {_fields(both if shared else both[:2])}")
            keys = " ".join(f'@join__type(graph: {each}, key: "id")' for each in home)
            types.append(f"type E{len(types)} {keys} {{ {' '.join(fields)} }}")
            self.targets.append(targets)
        query = " ".join(f"@join__type(graph: {each})" for each in self._graphs)
        graphs = " ".join(f'{each} @join__graph(name: "{each}", url: "http://127.0.0.1:1")' for each in self._graphs)
        self.sdl = (
            'schema @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION) { query: Query }\n'
            f"enum join__Graph {{ {graphs} }}\n"
            f"type Query {query} {{ e: E0 @join__field(graph: {homes[0][0]}) }}\n" + "\n".join(types)
        )

    def query(self, depth: int, width: int, last: int | None = None) -> str:
        """Ask every leaf, and so many references of each entity so many levels down; maybe fewer at the last."""
        return f"{{ e {self._set(0, depth, (width, width if last is None else last))} }}"

    def _set(self, entity: int, depth: int, widths: tuple[int, int]) -> str:
        leaves = " ".join(f"l{n}" for n in range(LEAVES))
        width = 0 if depth == 0 else widths[depth == 1]
        below = [f"r{n} {self._set(self.targets[entity][n], depth - 1, widths)}" for n in range(width)]
        return f"{{ id {leaves} {' '.join(below)} }}"


def _fields(graphs: list[str]) -> str:
    return " ".join(f"@join__field(graph: {each})" for each in graphs)


def made_rows() -> Iterator[Row]:
    """Plan over made supergraphs, larger and larger operations."""
    for shared in (True, False):
        made = Made(7, 8, 1, shared=shared)
        for depth, width in ((2, 2), (2, 3), (3, 2), (3, 3), (5, 2), (4, 3), (6, 2), (5, 3), (6, 3)):
            yield _row("shared" if shared else "spread", 7, made.sdl, parse(made.query(depth, width)))
        yield _row("shared" if shared else "spread", 7, made.sdl, parse(made.query(6, 3, 2)))  # 24 kB
    for seed in range(36):
        subgraphs = 8 + seed % 9
        made = Made(subgraphs, 30, seed, shared=False)
        yield _row("many", subgraphs, made.sdl, parse(made.query(5, 2)))


def audit_rows(address: str) -> Iterator[Row]:
    """Plan the operations of the audit, whose server is at an address."""
    for name in json.loads(_read(f"{address}/ids")):
        supergraph = read_supergraph(_read(f"{address}/{name}/supergraph"))
        planner = _new_planner(supergraph)
        for test in json.loads(_read(f"{address}/{name}/tests")):
            document = parse(test["query"])
            assert supergraph.public.schema is not None
            if not validate(supergraph.public.schema, document):
                yield from _planned("audit", len(supergraph.endpoints), repeat(planner), document)
                cold = map(_new_planner, repeat(supergraph))
                yield from _planned("cold", len(supergraph.endpoints), cold, document)


def _read(address: str) -> str:
    with urlopen(address) as response:
        return str(response.read(), "utf-8")


def _row(shape: str, subgraphs: int, sdl: str, document: DocumentNode) -> Row:
    planner = _new_planner(read_supergraph(sdl))
    (row,) = _planned(shape, subgraphs, repeat(planner), document)
    return row


def _new_planner(supergraph: Supergraph) -> Planner:
    return Planner(QueryGraph(supergraph), BUDGET)


def _planned(shape: str, subgraphs: int, planners: Iterable[Planner], document: DocumentNode) -> Iterator[Row]:
    times = []
    for planner in islice(planners, RUNS):
        started = time.process_time()
        operation = normalize(document, {})
        try:
            plan = planner.plan(operation)
        except PlanningFailed:
            return
        times.append(time.process_time() - started)
    source = document.loc.source.body if document.loc else ""
    yield Row(
        shape=shape,
        subgraphs=subgraphs,
        bytes=len(source),
        fields=operation.root.leaves,
        requests=len(plan.requests),
        cpu_ms=round(min(times) * 1_000, 3),
    )


def percentile(rows: list[Row], share: float) -> float:
    """Give the time that a share of the rows stays below."""
    times = sorted(each.cpu_ms for each in rows)
    return times[min(len(times) - 1, int(len(times) * share))]


def sentences(rows: list[Row]) -> Iterator[str]:
    """Tell what was measured."""
    for each in rows:
        if each.shape in {"shared", "spread"}:
            yield f"{each.shape:7} {each.bytes:6} bytes {each.fields:5} fields {each.requests:3} requests {each.cpu_ms:8.2f} ms"
    for shape in ("many", "audit", "cold"):
        some = [each for each in rows if each.shape == shape]
        if some:
            requests = sum(each.requests for each in some)
            figures = f"p50 {percentile(some, 0.5):.2f} ms, p99 {percentile(some, 0.99):.2f} ms"
            yield f"{shape:7} {len(some)} operations, {requests} requests: {figures}"


def plot(rows: list[Row]) -> str:
    """Draw time over fields as SVG."""
    drawn = [each for each in rows if each.shape in {"shared", "spread"}]
    most_fields, most_ms = max(each.fields for each in drawn), max(each.cpu_ms for each in drawn)
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 400" font-family="sans-serif" font-size="13">',
        '<rect width="640" height="400" fill="white"/>',
        '<path d="M60 20V350H620" fill="none" stroke="black"/>',
        f'<text x="620" y="370" text-anchor="end">{most_fields} fields</text>',
        f'<text x="66" y="30">{most_ms:.0f} ms</text>',
    ]
    for index, (shape, colour) in enumerate((("shared", "#0b6"), ("spread", "#c40"))):
        points = sorted((each.fields, each.cpu_ms) for each in drawn if each.shape == shape)
        places = [(60 + 560 * x / most_fields, 350 - 320 * y / most_ms) for x, y in points]
        line = " ".join(f"{x:.0f},{y:.0f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="{colour}"/>' for x, y in places]
        parts.append(f'<text x="80" y="{60 + 20 * index}" fill="{colour}">{shape}, 7 subgraphs</text>')
    return "\n".join([*parts, "</svg>", ""])


def measure(audit: str | None) -> list[Row]:
    """Measure all, with Python's collector as patient as in a gateway."""
    settle()
    return [*made_rows(), *(audit_rows(audit) if audit else ())]
