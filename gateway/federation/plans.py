"""Planning costs more than most answers do, and the same is asked again and again: plans are found rather than made.

They are kept by the operation and the values that decide its `@skip` and `@include`, and below that by the normalized
operation, so that two ways to write one question share a plan. What is kept weighs in the cache that all share. A large
operation is normalized and planned in a thread, once for all who ask it meanwhile. Who was first pays for it.

An operation that one subgraph answers alone is handed to it as it is, if that subgraph is one of our own whose answers are
what the schema promises (`whole`): to take such an answer apart and put it together again would cost and change nothing. Of its
plan only the text is kept.

What a plan weighs was measured with tracemalloc (CPython 3.11): 0.8 to 1.7 kB for each leaf of the operation, its projection
and the parsed requests included, and 10 kB besides.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from graphql import FieldsOnCorrectTypeRule, GraphQLSchema, KnownTypeNamesRule, validate

from gateway.federation.execution.projection import projection
from gateway.federation.execution.running import Prepared
from gateway.federation.planning import Budget, Planner, PlanningFailed
from gateway.federation.planning.normalize import Normalized, normalize
from gateway.federation.planning.plan import QueryPlan
from gateway.federation.query_graph import QueryGraph
from gateway.federation.subgraph import Operation, TextOperation
from gateway.federation.supergraph import Graph, Supergraph
from gateway.preparing.cache import KEY_BYTES, Table
from gateway.preparing.new_work import Work
from gateway.preparing.preparing import Preparing
from gateway.syntax import conditions_of, leaves_of
from gateway.telemetry.tracing import span

LONG: Final = 150
"""fields of an operation; planning that many takes longer than the loop should wait."""
SEEN_BYTES: Final = KEY_BYTES + 400
"""of an entry that holds a key and a few words."""
PLAN_BYTES: Final = 10_000
LEAF_BYTES: Final = 1_500
NORMALIZED_BYTES: Final = 500
"""for each leaf."""
WRITTEN_BYTES: Final = 30
WORDS: Final = re.compile(r"\w+")
NAMES: Final = (FieldsOnCorrectTypeRule, KnownTypeNamesRule)
"""What a document that is valid for the supergraph can still lack in a subgraph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """One subgraph answers the operation as it is: there is no plan to run."""

    graph: Graph
    printed: str
    """the plan, for who wants to know."""


Found = Prepared | PlanningFailed | Alone

_Key: TypeAlias = tuple[Hashable, ...]
"""An operation's key, and the values of its conditions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Conditions:
    """The variables that decide what an operation asks."""

    names: tuple[str, ...]
    first: _Key
    """the values that came with the document, which covers their plan."""
    leaves: int
    """of the whole operation, whatever they decide."""
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What is known of an operation, for some values of its conditions."""

    plan: str
    """the hash of the normalized operation, by which its plan is kept,"""
    alone: Alone | None = None
    """where it needs one."""
    normalized: Normalized | None = None
    """until it is planned."""
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A plan, or why there is none."""

    found: Prepared | PlanningFailed
    weight: int


class Plans:
    """The plans of one supergraph."""

    def __init__(
        self, supergraph: Supergraph, budget: Budget, *, preparing: Preparing, whole: Mapping[Graph, GraphQLSchema]
    ) -> None:
        assert supergraph.public.schema is not None, "one with faults cannot be made"
        self._schema: GraphQLSchema = supergraph.public.schema
        self._graph = QueryGraph(supergraph)
        self._planner = Planner(self._graph, budget)
        self._whole = whole
        self._conditions: Table[_Conditions] = preparing.cache.table()
        self._seen: Table[_Seen] = preparing.cache.table()
        self.made: Table[_Made] = preparing.cache.table()
        """by the hash of the normalized operation."""
        self._new_work = preparing.new_work

    async def find(self, operation: Operation, variables: Mapping[str, Any], subject: str) -> Found:
        """Give the plan of an operation, whether it is kept or made now for a principal.

        The document covers its first plan. Each other combination of values of its conditions counts as a new document. Who
        comes while the plan is made waits for it and pays nothing. Raises Refused where the allowance is used up.
        """
        conditions = self._conditions.get(operation.key)
        if conditions is None:
            conditions = self._conditions[operation.key] = _conditions(operation, variables)
        key = _key(operation, conditions.names, variables)
        found = self._kept(key)
        if found is not None:
            return found
        with span("plan"):
            return await self._make(operation, conditions, key, subject)

    async def _make(self, operation: Operation, conditions: _Conditions, key: _Key, subject: str) -> Found:
        seen = self._normalized(key)
        if seen is None:
            seen = await self._new_work.do(subject, self._normalizing(operation, conditions, key))
        found = self._kept(key)  # somebody else may have made it while this one waited for a turn
        if found is None:
            found = await self._new_work.do(subject, self._planning(operation, seen, key))
        return found

    def _kept(self, key: Hashable) -> Found | None:
        seen = self._seen.get(key)
        if seen is None or seen.normalized or seen.alone:
            return seen.alone if seen else None
        made = self.made.get(seen.plan)
        return made.found if made else None

    def known(self) -> list[Found]:
        """Give what is kept."""
        alone = [each.alone for each in self._seen.values() if each.alone is not None]
        return [*alone, *(each.found for each in self.made.values())]

    def _normalized(self, key: _Key) -> _Seen | None:
        seen = self._seen.get(key)
        return seen if seen and seen.normalized else None

    def _normalizing(self, operation: Operation, conditions: _Conditions, key: _Key) -> Work[_Seen]:
        values = dict(zip(conditions.names, key[1:], strict=True))

        def make() -> _Seen:
            normalized = normalize(operation.document, values)
            digest = hashlib.sha256(str(normalized).encode()).hexdigest()
            return _Seen(
                plan=digest, normalized=normalized, weight=SEEN_BYTES + NORMALIZED_BYTES * normalized.root.leaves
            )

        def keep(seen: _Seen) -> None:
            self._seen[key] = seen

        return Work(
            key=(self, "normalized", key),
            units=0.0 if key == conditions.first else 1.0,
            short=conditions.leaves < LONG,
            make=make,
            found=lambda: self._seen.get(key) if self._kept(key) else self._normalized(key),
            keep=keep,
        )

    def _planning(self, operation: Operation, seen: _Seen, key: _Key) -> Work[Found]:
        digest, normalized = seen.plan, seen.normalized
        assert normalized is not None, "what is planned is not looked at again"
        made = self.made.get(digest)
        known = made.found if made else None

        def keep(found: Found) -> None:
            alone = found if isinstance(found, Alone) else None
            self._seen[key] = _Seen(plan=digest, alone=alone, weight=SEEN_BYTES + (len(alone.printed) if alone else 0))
            if not isinstance(found, Alone) and found is not known:
                self.made[digest] = _Made(found=found, weight=_weight(found))

        return Work(
            key=(self, key),
            units=0.0,
            short=normalized.root.leaves < LONG,
            make=lambda: self._found(operation, normalized, digest, known),
            found=lambda: self._kept(key),
            keep=keep,
        )

    def _found(
        self, operation: Operation, normalized: Normalized, digest: str, known: Prepared | PlanningFailed | None
    ) -> Found:
        if isinstance(known, PlanningFailed):
            return known
        try:
            plan = known.plan if known else self._planner.plan(normalized)
        except PlanningFailed as failed:
            return type(failed)(str(failed))  # a new value: this one's context holds what planning has made
        graph = self._alone(operation, plan)
        if graph is not None:
            return Alone(graph=graph, printed=str(plan))
        return known or self._prepared(plan, digest)

    def _alone(self, operation: Operation, plan: QueryPlan) -> Graph | None:
        requests = plan.requests
        if len({each.graph for each in requests}) != 1 or any(each.calls for each in requests):
            return None
        schema = self._whole.get(requests[0].graph)
        return None if schema is None or validate(schema, operation.document, NAMES) else requests[0].graph

    def _prepared(self, plan: QueryPlan, digest: str) -> Prepared:
        operations = tuple(
            TextOperation(
                key=f"{digest}:{number}",
                text=each.text,
                has_custom_scalars=not self._graph.custom_scalars.isdisjoint(WORDS.findall(each.text)),
            )
            for number, each in enumerate(plan.requests)
        )
        project = projection(self._graph, self._schema, plan)
        return Prepared(graph=self._graph, schema=self._schema, plan=plan, operations=operations, project=project)


def _key(operation: Operation, names: tuple[str, ...], variables: Mapping[str, Any]) -> _Key:
    return (operation.key, *(variables.get(name) for name in names))


def _conditions(operation: Operation, variables: Mapping[str, Any]) -> _Conditions:
    names = conditions_of(operation.document)
    return _Conditions(
        names=names,
        first=_key(operation, names, variables),
        leaves=leaves_of(operation.document),
        weight=SEEN_BYTES + sum(100 + len(each) for each in names),
    )


def _weight(found: Prepared | PlanningFailed) -> int:
    if isinstance(found, PlanningFailed):
        return SEEN_BYTES + len(str(found))
    written = sum(len(each.text) for each in found.plan.requests)
    return PLAN_BYTES + LEAF_BYTES * found.plan.operation.root.leaves + WRITTEN_BYTES * written
