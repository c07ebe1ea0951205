"""The knowledge graph as a subgraph: reads compiled, mutations by Strawberry with compiled payloads.

A query never meets Strawberry's executor. A mutation does, for its root fields only: each resolver makes its change and
leaves the ids that came of it; then the graph-typed fields of each payload are one compiled statement more, put into
the answer under the caller's own keys.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from graphql import OperationType, print_ast

from graph.changes.policy import AlarmPolicy
from graph.compiler.allowance import Meter
from graph.compiler.bind import Request, bind
from graph.compiler.cursor import CursorKey
from graph.compiler.irregular import answer as irregular
from graph.compiler.query import Field, Operation, find_operation, normalize
from graph.compiler.read import BREACHES, Cache, Prepared, Reader, Reads
from graph.compiler.shape import Shape
from graph.errors import GraphError, Refused
from graph.ledger.reader import EventReader
from graph.model.mapping import Changed
from graph.model.scope import Principal, ScopeKind, scope_of
from graph.model.streams import Heard
from graph.store.admission import Admission
from graph.store.store import Store
from resolvers.context import Asked
from resolvers.errors import answer_for, entry_of
from resolvers.knowledge.schema import KnowledgeSchema, knowledge_schema
from resolvers.knowledge.streams import TYPES
from resolvers.knowledge.subscribing import StreamLimits, Subscriptions
from resolvers.knowledge.together import Together

STATEMENTS: Final = 4
"""of one principal at a time, where nothing else is set."""


class Explained(Operation, Protocol):
    """An operation whose caller may want to know how it was answered."""

    @property
    def explain(self) -> bool:
        """Whether it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noting:
    """A store that notes what it is asked."""

    store: Reader
    statements: list[dict[str, object]] = field(default_factory=list)

    async def read(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> object:
        """Run a statement."""
        begun = time.monotonic()
        value = await self.store.read(text, parameters, deadline=deadline)
        self.statements.append({"cypher": text, "ms": round((time.monotonic() - begun) * 1_000, 3)})
        return value


class KnowledgeSubgraph:
    """Answers operations over the graph, in the scope of whoever asks."""

    name = "knowledge"

    def __init__(  # noqa: PLR0913 - what a process shares with the graph, by name
        self,
        store: Store,
        cursor_key: bytes,
        policy: AlarmPolicy,
        *,
        cache: Cache | None = None,
        meter: Meter | None = None,
        statements: int = STATEMENTS,
        streams: StreamLimits | None = None,
    ) -> None:
        """Take an open store, the key of cursors (32 bytes), and whom alarms are told to.

        Statements are kept in `cache`, else in one of its own, and new ones are counted by `meter`, if there is one;
        `statements` is how many of one principal run at a time. Subscriptions hear of new events while somebody runs `events.keep()`.
        """
        self._store = store
        self._admission = Admission(most=statements)
        self._policy = policy
        self._schema: KnowledgeSchema = knowledge_schema()
        self.sdl = self._schema.sdl
        self.reads = Reads(
            schema=self._schema.graphql,
            mappings=self._schema.mappings,
            cursor_key=CursorKey(cursor_key),
            default_tier=policy.default_tier,
        )
        if cache is not None:
            self.reads.cache = cache
        if meter is not None:
            self.reads.meter = meter
        limits = streams or StreamLimits()
        self.events = EventReader(store, types=sorted(TYPES), most=limits.queue)
        self._subscriptions = Subscriptions(
            store=store,
            reads=self.reads,
            events=self.events,
            kept_ms=limits.kept_ms,
            together=Together(store),
        )

    async def execute(
        self, operation: Explained, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> dict[str, Any]:
        """Answer within `deadline`, an absolute `time.monotonic()`."""
        try:
            async with self._admission.place(principal.subject, deadline):
                if find_operation(operation).operation is OperationType.MUTATION:
                    return await self._change(operation, variables, principal, deadline)
                if operation.explain:
                    return await self._explained(operation, variables, principal, deadline)
                return await self.reads.run(self._store, operation, variables, principal, deadline)
        except GraphError as error:
            return answer_for(error)

    async def subscribe(
        self,
        operation: Operation,
        variables: Mapping[str, Any],
        principal: Principal,
        after: str | None,
        deadline: float,
    ) -> AsyncGenerator[Heard, None] | dict[str, Any]:
        """Begin a subscription within `deadline`, after the cursor `after`; an answer with errors where it cannot begin."""
        return await self._subscriptions.begin(operation, variables, principal, after, deadline)

    async def _explained(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> dict[str, Any]:
        """Answer, and tell what ran: `extensions.statements`, each with its text and milliseconds."""
        noting = Noting(store=self._store)
        answer = await self.reads.run(noting, operation, variables, principal, deadline)
        return {**answer, "extensions": {"statements": noting.statements}}

    # Mutations -----------------------------------------------------------------------------------------------------

    async def _change(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> dict[str, Any]:
        asked = Asked(store=self._store, principal=principal, deadline=deadline, policy=self._policy)
        payloads = self._payloads(operation, variables, principal)
        result = await self._schema.strawberry.execute(
            print_ast(operation.document),
            variable_values=dict(variables),
            operation_name=operation.name,
            context_value=asked,
        )
        errors = [entry_of(each, "The change could not be made.") for each in result.errors or ()]
        if result.data is None and not asked.outcomes:
            return {"errors": errors}
        if result.data is None:  # a payload is never null, so that one that is refused takes the others with it
            return {"data": None, "errors": [_after_changes(each) for each in errors]}
        answer = await self._filled(result.data, payloads, operation, variables, asked)
        errors += answer.get("errors", ())
        return {"data": answer["data"], "errors": errors} if errors else answer

    def _payloads(self, operation: Operation, variables: Mapping[str, Any], principal: Principal) -> list[_Payload]:
        """Prepare to read each payload, or refuse, before anything is changed: afterwards nothing more may be refused."""
        if scope_of(principal).kind is ScopeKind.NOTHING:
            return []  # a system may change what it reads nothing of: its payloads have no nodes
        root = normalize(self._schema.graphql, operation, variables).root
        payloads = [self._payload(each, operation, variables, principal) for each in root.fields if each.selections]
        for each in payloads:
            bind(each.prepared.parameters, self.reads.request(each.prepared, variables, principal, {}))
        return payloads

    def _payload(
        self, asked: Field, operation: Operation, variables: Mapping[str, Any], principal: Principal
    ) -> _Payload:
        (payload,) = asked.selections
        fields = self._schema.mappings.fields
        nodes = tuple(each.key for each in payload.fields if isinstance(fields.get((payload.type, each.name)), Changed))
        prepared = self.reads.prepared(operation, variables, principal, payload=asked.key)
        return _Payload(key=asked.key, nodes=nodes, prepared=prepared)

    async def _filled(
        self,
        data: dict[str, Any],
        payloads: list[_Payload],
        operation: Operation,
        variables: Mapping[str, Any],
        asked: Asked,
    ) -> dict[str, Any]:
        """Put the nodes of each payload in: all of them as the schema promises, or all by graphql-core.

        What cannot be read stays null, with an error: the change was made, and the answer must say so.
        """
        read: list[_Read] = []
        errors: list[dict[str, Any]] = []
        for each in payloads:
            if data.get(each.key) and each.key in asked.outcomes:
                try:
                    read.append(await self._read(each, variables, asked))
                except GraphError as error:
                    errors += _unread(each, error)
        answer = self._shaped(data, read, operation, variables, asked.principal)
        errors += answer.get("errors", ())
        return {"data": answer["data"], "errors": errors} if errors else answer

    def _shaped(
        self,
        data: dict[str, Any],
        read: list[_Read],
        operation: Operation,
        variables: Mapping[str, Any],
        principal: Principal,
    ) -> dict[str, Any]:
        key = self.reads.cursor_key
        try:
            errors = _fill(data, read, key)
        except BREACHES:
            lenient = [
                replace(each, shape=self.reads.lenient(operation, variables, principal, each.payload.key))
                for each in read
            ]
            errors = _fill(data, lenient, key)
            answer = irregular(self._schema.graphql, operation, variables, data)
            return {"data": answer["data"], "errors": [*errors, *answer.get("errors", ())]}
        return {"data": data, "errors": errors} if errors else {"data": data}

    async def _read(self, payload: _Payload, variables: Mapping[str, Any], asked: Asked) -> _Read:
        """Read the nodes of one payload, as far as the caller sees them."""
        prepared = payload.prepared
        request = self.reads.request(prepared, variables, asked.principal, asked.outcomes[payload.key])
        record = await self.reads.record(self._store, prepared, request, asked.deadline)
        return _Read(payload=payload, shape=prepared.shape, request=request, record=record)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Payload:
    """How the payload under one key of the answer is read: held from before the change, whatever leaves the cache meanwhile."""

    key: str
    nodes: tuple[str, ...]
    """the keys of its graph-typed fields, each of which may be null."""
    prepared: Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What was read for a payload, and how it is shaped."""

    payload: _Payload
    shape: Shape
    request: Request
    record: Any


def _fill(data: dict[str, Any], read: list[_Read], key: CursorKey) -> list[dict[str, Any]]:
    """Put in what was read; give the errors of payloads that are refused only now, by what was found."""
    errors: list[dict[str, Any]] = []
    for each in read:
        try:
            data[each.payload.key].update(each.shape(each.record, each.request.arguments, key))
        except GraphError as error:
            errors += _unread(each.payload, error)
    return errors


def _unread(payload: _Payload, error: GraphError) -> list[dict[str, Any]]:
    """Give an error for each node of a payload that could not be read after the change."""
    entry = answer_for(error)["errors"][0]
    further = error.hint if isinstance(error, Refused) and error.hint else "Ask again for what it shows."
    extensions = {**entry["extensions"], "hint": f"The change was made. {further}"}
    return [{**entry, "path": [payload.key, each], "extensions": extensions} for each in payload.nodes]


def _after_changes(entry: dict[str, Any]) -> dict[str, Any]:
    """Say beside an error that what stands before it in the document was done, since no payload shows it."""
    further = entry["extensions"].get("hint", "Ask again without them")
    hint = f"The changes before this one were made; the same keys show what came of them. {further}"
    return {**entry, "extensions": {**entry["extensions"], "hint": hint}}
