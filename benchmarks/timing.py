"""How long an answer takes must tell a customer nothing of what is outside its slice.

Two things could be read from a clock. How much others have on a thing that is shared: a customer is added that shares
trunks with another one, which has from none to hundreds of services on them, and times are compared with these numbers.
And whether an id that is not shown exists: times of ids that nobody has are compared with those of ids of others.

The second is asked as the customer that has hundreds, too: its slice is stored, and that of the other is walked.

All samples of a question stand in one shuffled row, so that each class meets the same noise. Beside each question stands
a control: one and the same request, whose samples are sorted into the same classes by lot.
"""

from __future__ import annotations

import http.client
import random
import tempfile
import time
import uuid
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import correlation, median
from typing import Any, Final

from benchmarks.asking import Question, ask
from benchmarks.contestants import OURS, Callers, Server, servers
from benchmarks.databases import Database, Product, database
from benchmarks.errors import BenchmarkFailed
from benchmarks.news import load_progress, news
from graph.load import NodeRecord, Record, RelationshipRecord, as_line, load_lines, load_topology
from graph.load.records import Value
from graph.membership import build_missing
from graph.model.identity import loaded_id
from graph.model.model import searchable
from graph.model.scope import is_shared

SOURCE: Final = "timing"
LOADS: Final = (150, 0, 50, 200, 10, 100, 25, 5, 75)
"""services of the other customer on each trunk. The order is such that a trunk's place in the slice does not go with it."""
_CARRIERS: Final = (
    "MATCH (p:Port)<-[:HAS_PORT]-(k:Card)<-[:HOLDS]-(e:NetworkElement)-[:LOCATED_AT]->(s:Site) WHERE p.id IN $ports "
    "RETURN p.id, k.id, e.id, s.id"
)
_HIDDEN: Final = 200
_SECONDS: Final = 1_800
_WARM: Final = 20
_LABELS: Final = {
    "Site": "site",
    "NetworkElement": "networkElement",
    "Card": "card",
    "Port": "port",
    "Trunk": "trunk",
    "Sla": "sla",
    "Alarm": "alarm",
    "Service": "service",
    "Customer": "customer",
    "Order": "order",
}
_ABOUT_OTHERS: Final = {
    "trunk { services { totalCount } }": "query Q($id: ID!) { trunk(id: $id) { services { totalCount } } }",
    "trunk { services(first: 1) }": "query Q($id: ID!) { trunk(id: $id) { services(first: 1) { nodes { id } } } }",
    "impact { totalServices }": "query Q($id: ID!) { impact(of: [$id]) { totalServices } }",
    "trunk { name }": "query Q($id: ID!) { trunk(id: $id) { name } }",
}
_CONTROL: Final = "query Q { viewer { role } services(first: 1) { nodes { id } } }"

Sample = tuple[float, float]
"""A class (services of others, or 0 for unknown and 1 for hidden) and the milliseconds of one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the times of one question tell."""

    store: str
    question: str
    measure: str
    """`r`: the rank correlation with what others have; `AUC`: how often a hidden id takes longer than an unknown one."""
    value: float
    control: float
    noise: float
    """three standard deviations of the value where there is nothing to be told."""
    low_ms: float
    """the median of the lowest class, and of the highest."""
    high_ms: float

    @property
    def tells(self) -> bool:
        """Tell whether the value is beyond the noise, or twice as far as the control where the machine is noisier."""
        nothing = 0.5 if self.measure == "AUC" else 0.0
        return abs(self.value - nothing) > max(self.noise, 2 * abs(self.control - nothing))

    def sentence(self) -> str:
        """Say it."""
        return (
            f"{self.store:8} {self.question:36} {self.measure:3} {self.value:6.3f}   control {self.control:6.3f}   "
            f"noise {self.noise:.3f}   {self.low_ms:.2f} / {self.high_ms:.2f} ms{'   TELLS' if self.tells else ''}"
        )


async def timing(products: Sequence[Product], scale: int, samples: int) -> list[Told]:
    """Measure on one product after the other; `samples` is how often each class is asked."""
    return [each for product in products for each in await _on(product, scale, samples)]


async def _on(product: Product, scale: int, samples: int) -> list[Told]:
    with tempfile.TemporaryDirectory(prefix="trunkline-benchmark-") as name:
        async with database(product, Path(name)) as found:
            news.print(f"{product}: loading {scale} nodes", highlight=False)
            hidden = await _load(found, scale)
            callers = Callers(Path(name))
            with servers(found, callers, Path(name), only=(OURS,)) as (server,):
                small, large = (
                    _Asking(server=server, token=callers.token(_id("Customer", name)), samples=samples, name=name)
                    for name in ("small", "large")
                )
                shared = {label: ids for label, ids in hidden.items() if is_shared(label)}
                about_ids = [*_about_ids(product, small, hidden), *_about_ids(product, large, shared)]
                return [*_about_others(product, small), *about_ids]


# What is loaded ------------------------------------------------------------------------------------------------------


async def _load(found: Database, scale: int) -> Mapping[str, list[str]]:
    """Load a network and the two customers; give ids by label that the small one does not see."""
    deadline = time.monotonic() + _SECONDS
    await load_topology(found.store, scale=scale, progress=load_progress, deadline=deadline, alarms=20)
    rows = await found.store.rows("MATCH (p:Port) RETURN p.id ORDER BY p.id LIMIT 2", {}, deadline=deadline)
    ports = [str(each[0]) for each in rows]
    added = map(as_line, _added(ports))
    await load_lines(found.store, added, progress=load_progress, deadline=deadline)
    await build_missing(found.store, deadline=deadline)
    own = {
        *(str(each) for row in await found.store.rows(_CARRIERS, {"ports": ports}, deadline=deadline) for each in row),
        *(_id(label, name) for label, name in (("Customer", "small"), ("Sla", ""))),
        *(_id("Trunk", str(place)) for place in range(len(LOADS))),
        *(_id("Service", f"small-{place}") for place in range(len(LOADS))),
    }
    return {label: await _some(found, label, own, deadline) for label in _LABELS}


async def _some(found: Database, label: str, own: AbstractSet[str], deadline: float) -> list[str]:
    rows = await found.store.rows(f"MATCH (n:{label}) RETURN n.id", {}, deadline=deadline)
    ids = sorted({str(each[0]) for each in rows} - own)
    return random.sample(ids, min(_HIDDEN, len(ids)))


def _id(label: str, name: str) -> str:
    return loaded_id(label, SOURCE, name)


def _added(ports: Sequence[str]) -> Iterator[Record]:
    """Give a small customer with a service on each trunk, and one that has as many as `LOADS` says."""
    promised: dict[str, Value] = {"name": "T", "tier": "BASIC", "availabilityPercent": 99.0, "repairHours": 8}
    yield NodeRecord(label="Sla", id=_id("Sla", ""), properties=promised)
    for name in ("small", "large"):
        about = {"segment": "enterprise", "status": "active", "accountRef": name}
        properties: dict[str, Value] = {"name": name, **about, "words": searchable(name)}
        yield NodeRecord(label="Customer", id=_id("Customer", name), properties=properties)
    for place, load in enumerate(LOADS):
        trunk = _id("Trunk", str(place))
        about_trunk: dict[str, Value] = {"name": f"timing {place}", "layerRate": "ODU4", "capacityMbps": 100_000}
        words = {"operationalState": "enabled", "words": searchable(f"timing {place}")}
        yield NodeRecord(label="Trunk", id=trunk, properties={**about_trunk, **words})
        for end, port in zip("AZ", ports, strict=True):
            yield RelationshipRecord(type="TERMINATES_ON", start=trunk, end=port, properties={"end": end})
        yield from _service("small", f"small-{place}", trunk)
        for number in range(load):
            yield from _service("large", f"large-{place}-{number}", trunk)


def _service(customer: str, name: str, trunk: str) -> Iterator[Record]:
    service = _id("Service", name)
    rates = {"committedMbps": 10, "effectiveMbps": 10, "maxMbps": 10}
    about: dict[str, Value] = {"name": name, "kind": "IP-VPN", "state": "active", "words": searchable(name)}
    yield NodeRecord(label="Service", id=service, properties={**about, **rates})
    yield RelationshipRecord(type="SUBSCRIBES_TO", start=_id("Customer", customer), end=service, properties={})
    yield RelationshipRecord(type="GOVERNED_BY", start=service, end=_id("Sla", ""), properties={})
    route: dict[str, Value] = {"path": "WORKING", "position": 0}
    yield RelationshipRecord(type="ROUTED_OVER", start=service, end=trunk, properties=route)


# What is asked -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """Whom a customer asks, and how often."""

    server: Server
    token: str
    samples: int
    name: str
    """which customer asks: the small one's slice is walked, the large one's is stored."""

    def question(self, document: str, variables: Mapping[str, Any]) -> Question:
        return Question(document=document, variables=variables, operation="Q", token=self.token)

    def samples_of(self, document: str, classes: Mapping[float, Sequence[str]]) -> list[Sample]:
        """Ask for ids of each class, in a shuffled order over one connection."""
        row = [(each, random.choice(ids)) for each, ids in classes.items() for _ in range(self.samples)]
        random.shuffle(row)
        asked = [(each, self.question(document, {"id": key} if "$id" in document else {})) for each, key in row]
        with closing(http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)) as connection:
            for _, question in asked[:_WARM]:
                _milliseconds(connection, question)
            return [(each, _milliseconds(connection, question)) for each, question in asked]


def _milliseconds(connection: http.client.HTTPConnection, question: Question) -> float:
    body, headers = question.body(), question.headers()
    started = time.perf_counter()
    connection.request("POST", "/graphql", body, headers)
    response = connection.getresponse()
    response.read()
    milliseconds = (time.perf_counter() - started) * 1000
    if response.status != http.HTTPStatus.OK:
        raise BenchmarkFailed(f"{question.document}: status {response.status}")
    return milliseconds


def _about_others(product: Product, asking: _Asking) -> Iterator[Told]:
    classes = {float(load): [_id("Trunk", str(place))] for place, load in enumerate(LOADS)}
    for (trunk,) in classes.values():
        shown = ask(
            asking.server.port, asking.question(_ABOUT_OTHERS["trunk { services { totalCount } }"], {"id": trunk})
        )
        if shown.data != {"trunk": {"services": {"totalCount": 1}}}:
            raise BenchmarkFailed(f"The small customer sees {shown.data}, which is not its one service.")
    control = rank_correlation(asking.samples_of(_CONTROL, classes))
    for name, document in _ABOUT_OTHERS.items():
        found = asking.samples_of(document, classes)
        noise = 3 / (len(found) - 1) ** 0.5
        yield _told(product, name, "r", (rank_correlation(found), control, noise), found)


def _about_ids(product: Product, asking: _Asking, hidden: Mapping[str, list[str]]) -> Iterator[Told]:
    for label, ids in hidden.items():
        unknown = [f"{label.lower()}-{uuid.uuid4()}" for _ in range(len(ids))]
        document = f"query Q($id: ID!) {{ {_LABELS[label]}(id: $id) {{ __typename }} }}"
        yield _about_id(product, asking, f"{asking.name}: {_LABELS[label]}(id)", document, (unknown, ids))
        if asking.name == "small" and label in ("Site", "NetworkElement", "Card", "Port", "Trunk"):
            document = _ABOUT_OTHERS["impact { totalServices }"]
            yield _about_id(product, asking, f"small: impact(of: {_LABELS[label]})", document, (unknown, ids))


def _about_id(
    product: Product, asking: _Asking, name: str, document: str, ids: tuple[Sequence[str], Sequence[str]]
) -> Told:
    classes = {0.0: ids[0], 1.0: ids[1]}
    asking.samples_of(document, {0.0: ids[0]})  # both databases are quicker once a statement is known to them
    control = asking.samples_of(document, {0.0: ids[0], 1.0: ids[0]})
    found = asking.samples_of(document, classes)
    n = asking.samples
    noise = 3 * ((2 * n + 1) / (12 * n * n)) ** 0.5
    return _told(product, name, "AUC", (longer(found), longer(control), noise), found)


def _told(
    product: Product, question: str, measure: str, figures: tuple[float, float, float], found: Sequence[Sample]
) -> Told:
    value, control, noise = figures
    low, high = min(each for each, _ in found), max(each for each, _ in found)
    return Told(
        store=product,
        question=question,
        measure=measure,
        value=value,
        control=control,
        noise=noise,
        low_ms=median(ms for each, ms in found if each == low),
        high_ms=median(ms for each, ms in found if each == high),
    )


# What is made of it --------------------------------------------------------------------------------------------------


def rank_correlation(samples: Sequence[Sample]) -> float:
    """Give Spearman's coefficient of classes and times: of ranks, since times have outliers.

    >>> rank_correlation([(1, 0.5), (2, 0.6), (3, 99.0)])
    1.0
    """
    left, right = zip(*samples, strict=True)
    return correlation(_ranks(left), _ranks(right))


def _ranks(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    return [(bisect_left(ordered, each) + bisect_right(ordered, each)) / 2 for each in values]


def longer(samples: Sequence[Sample]) -> float:
    """Give the probability that an answer of class 1 takes longer than one of class 0 (the area under the ROC curve).

    >>> longer([(0, 1.0), (0, 2.0), (1, 2.0), (1, 3.0)])
    0.875
    """
    ordered = sorted(ms for each, ms in samples if each == 0)
    others = [ms for each, ms in samples if each == 1]
    below = sum(bisect_left(ordered, each) + bisect_right(ordered, each) for each in others)
    return below / 2 / len(ordered) / len(others)
