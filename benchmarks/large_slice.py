"""What one shared node by its id costs a customer with hundreds of services, with its slice walked and with it stored.

Both in one run, in rounds: the slice is stored, asked, forgotten, and asked again, so that a round's two sides met the same
noise, and each ratio is taken within a round. Statements are run as the gateway compiles them, without HTTP around them.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from graphql import OperationDefinitionNode, VariableValues, get_variable_values, parse

from benchmarks.databases import Database, Product, database
from benchmarks.figures import Spread, spread
from benchmarks.news import load_progress, news
from graph.compiler.bind import bind
from graph.compiler.cursor import CursorKey
from graph.compiler.read import Reads
from graph.load import load_topology
from graph.membership import build, forget_behind, hold
from graph.model.model import LABELS
from graph.model.scope import Principal, Role, is_shared
from graph.store.store import Transaction
from resolvers.knowledge.schema import knowledge_schema

SHARED: Final = tuple(label for label in LABELS if is_shared(label))
_SECONDS: Final = 3_600
_ROUNDS: Final = 7
_WARM: Final = 3
_LARGEST: Final = "MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s:Service) WITH c.id AS id, count(s) AS n RETURN id, n ORDER BY n DESC LIMIT 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One database's row for one label."""

    store: str
    label: str
    services: int
    """of the customer."""
    walked_ms: float
    stored_ms: float
    ratio: Spread
    """stored over walked."""
    forbidden: Spread
    """with the slice stored: what is another's over what is nobody's."""

    def sentence(self) -> str:
        """Say it."""
        ratio, forbidden = self.ratio, self.forbidden
        return (
            f"{self.store:8} {self.label:15} {self.services} services: walked {self.walked_ms:.2f} ms, stored "
            f"{self.stored_ms:.2f} ms: {ratio.median:.3f} ({ratio.low:.3f}-{ratio.high:.3f}); "
            f"forbidden / unknown {forbidden}"
        )


async def large_slice(products: Sequence[Product], scale: int, samples: int) -> list[Point]:
    """Measure on one product after the other; `samples` is how often each node is asked for in a round."""
    return [each for product in products for each in await _on(product, scale, samples)]


async def _on(product: Product, scale: int, samples: int) -> list[Point]:
    with tempfile.TemporaryDirectory(prefix="trunkline-benchmark-") as name:
        async with database(product, Path(name)) as found:
            news.print(f"{product}: loading {scale} nodes", highlight=False)
            deadline = time.monotonic() + _SECONDS
            await load_topology(found.store, scale=scale, progress=load_progress, deadline=deadline, alarms=50)
            [[customer, services]] = await found.store.rows(_LARGEST, {}, deadline=deadline)
            asking = _Asking(found=found, customer=str(customer), samples=samples, deadline=deadline)
            rounds = [await asking.round() for _ in range(_ROUNDS + 1)][1:]
            shown = [label for label in rounds[0].own_walked if label in rounds[0].forbidden]
            return [_point(product, label, int(str(services)), rounds) for label in shown]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """Milliseconds by label: of a node of the customer's, walked and stored; and stored of what is not shown."""

    own_walked: Mapping[str, float]
    own_stored: Mapping[str, float]
    forbidden: Mapping[str, float]
    unknown: Mapping[str, float]


def _point(product: Product, label: str, services: int, rounds: Sequence[_Round]) -> Point:
    return Point(
        store=product,
        label=label,
        services=services,
        walked_ms=median(each.own_walked[label] for each in rounds),
        stored_ms=median(each.own_stored[label] for each in rounds),
        ratio=spread([each.own_stored[label] / each.own_walked[label] for each in rounds]),
        forbidden=spread([each.forbidden[label] / each.unknown[label] for each in rounds]),
    )


class _Asking:
    """Asks as the largest customer."""

    def __init__(self, *, found: Database, customer: str, samples: int, deadline: float) -> None:
        known = knowledge_schema()
        self._schema = known.graphql
        self._reads = Reads(schema=known.graphql, mappings=known.mappings, cursor_key=CursorKey(b"k" * 32))
        self._store, self._deadline, self._samples = found.store, deadline, samples
        self._customer = customer
        self._principal = Principal(subject="large", role=Role.CUSTOMER, customers=(customer,))

    async def round(self) -> _Round:
        """Ask with the slice stored, and with it walked."""
        await build(self._store, self._customer, deadline=self._deadline)
        own, others = await self._ids(own=True), await self._ids(own=False)
        unknown = {label: f"{LABELS[label].id_prefix}00000000-0000-5000-8000-000000000000" for label in others}
        stored, forbidden, nobodys = [await self._times(each) for each in (own, others, unknown)]
        await self._store.write(self._forget, deadline=self._deadline)
        walked = await self._times(own)
        return _Round(own_walked=walked, own_stored=stored, forbidden=forbidden, unknown=nobodys)

    async def _forget(self, transaction: Transaction) -> None:
        await hold(transaction)
        await forget_behind(transaction, (self._customer,))

    async def _ids(self, *, own: bool) -> dict[str, str]:
        """Give a node of each shared label by chance, of the customer's or of others'; none where there is none."""
        found: dict[str, str] = {}
        for label in SHARED:
            rows = await self._store.rows(f"MATCH (n:{label}) RETURN n.id ORDER BY n.id", {}, deadline=self._deadline)
            ids = [str(row[0]) for row in rows]
            random.shuffle(ids)
            for each in ids:
                if (await self._read(label, each) is not None) == own:
                    found[label] = each
                    break
        return found

    async def _times(self, ids: Mapping[str, str]) -> dict[str, float]:
        """Ask for each id as often as is wanted; give the median of the quicker half, since noise only adds."""
        return {label: await self._time(label, key) for label, key in ids.items()}

    async def _time(self, label: str, key: str) -> float:
        times = []
        for _ in range(_WARM + self._samples):
            began = time.perf_counter()
            await self._read(label, key)
            times.append((time.perf_counter() - began) * 1000)
        quicker = sorted(times[_WARM:])[: max(1, self._samples // 2)]
        return median(quicker)

    async def _read(self, label: str, key: str) -> Any:
        text = f"query($id: ID!) {{ node(id: $id) {{ ... on {label} {{ id }} }} }}"
        operation = _Operation(text)
        definition = operation.document.definitions[0]
        assert isinstance(definition, OperationDefinitionNode)
        values = get_variable_values(self._schema, definition.variable_definitions or (), {"id": key})
        assert isinstance(values, VariableValues)
        made = self._reads.prepared(operation, values.coerced, self._principal)
        request = self._reads.request(made, values.coerced, self._principal, {})
        answer = await self._store.read(made.text, bind(made.parameters, request), deadline=self._deadline)
        assert isinstance(answer, list)
        return answer[0]


class _Operation:
    """A document as the compiler takes it."""

    def __init__(self, text: str) -> None:
        self.key, self.document, self.name = text, parse(text), None
