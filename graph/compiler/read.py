r"""The row of stages that answers a read, and the cache of what they make.

    operation, variables --normalize--> Tree --compile_read--> Compiled --text--> Cypher
                                                                    \--shaper--> function

`Reads.run` looks the pair up by document, operation, kind of scope and variable shape, binds the parameters, runs the
statement once and shapes the one record. The cache is bounded; the least recently used pair leaves it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from graphql import GraphQLSchema

from graph.compiler import cypher
from graph.compiler.allowance import Allowance
from graph.compiler.arguments import Shaper, declared_variables, variable_shape
from graph.compiler.bind import Request, bind
from graph.compiler.compile import Compiled, compile_read
from graph.compiler.cursor import CursorKey
from graph.compiler.irregular import answer
from graph.compiler.leaves import Irregular
from graph.compiler.query import Operation, Selection, Tree, draw, find_operation, normalize
from graph.compiler.shape import Shape, shaper
from graph.errors import Refused
from graph.model.mapping import Changed, Mappings
from graph.model.scope import Principal, ScopeKind, scope_of

CACHED: Final = 2000
NEW_TEXTS_PER_MINUTE: Final = 240
LONGEST_TEXT: Final = 200_000
BREACHES: Final = (Irregular, KeyError, TypeError, IndexError, ValueError, OverflowError, OSError)


class Reader(Protocol):
    """What runs a statement: graph.store.store.Store."""

    async def read(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> object:
        """Run a statement of one record and one column, and give its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything about an operation that does not change from request to request."""

    compiled: Compiled
    text: str
    asks: bool
    """whether there is anything to ask the database for."""
    shape: Shape
    lenient: Shape
    source: str


def prepare(
    schema: GraphQLSchema, mappings: Mappings, tree: Tree, variables: Mapping[str, Any], kind: ScopeKind
) -> Prepared:
    """Run the stages after `normalize`."""
    compiled = compile_read(schema, mappings, tree, variables, kind)
    strict, source = shaper(schema, compiled.layout, strict=True)
    lenient, _ = shaper(schema, compiled.layout, strict=False)
    text = cypher.text(compiled.query)
    if len(text) > LONGEST_TEXT:
        raise Refused("The operation is too large.", code="BAD_USER_INPUT", hint="Ask in several operations.")
    return Prepared(
        compiled=compiled, text=text, asks=text != "RETURN [] AS data", shape=strict, lenient=lenient, source=source
    )


@dataclass(slots=True, kw_only=True)
class Reads:
    """Compiled reads of one schema over one store."""

    schema: GraphQLSchema
    mappings: Mappings
    cursor_key: CursorKey
    allowance: Allowance = field(default_factory=lambda: Allowance(per_minute=NEW_TEXTS_PER_MINUTE))
    _declared: OrderedDict[Hashable, Shaper] = field(default_factory=OrderedDict)
    _prepared: OrderedDict[Hashable, Prepared] = field(default_factory=OrderedDict)

    def prepared(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, payload: str = ""
    ) -> Prepared:
        """Give the compiled pair for a request, from the cache where it is there.

        `payload` is the response key of a mutation's root field: then only the nodes of its payload are read.
        """
        kind = scope_of(principal).kind
        document = (operation.key, operation.name)
        declared = self._declared.get(document)
        if declared is None:
            declared = declared_variables(self.schema, find_operation(operation))
            _remember(self._declared, document, declared)
        key = (document, payload, kind, variable_shape(declared, variables))
        found = self._prepared.get(key)
        if found is not None:
            self._prepared.move_to_end(key)
            return found
        self.allowance.take(principal.subject)
        tree = normalize(self.schema, operation, variables)
        if payload:
            tree = _payload(self.mappings, tree, payload)
        made = prepare(self.schema, self.mappings, tree, variables, kind)
        _remember(self._prepared, key, made)
        return made

    async def run(
        self, store: Reader, operation: Operation, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> dict[str, Any]:
        """Answer an operation: `data`, and `errors` where the graph breaks the schema. Raises graph.errors only."""
        prepared = self.prepared(operation, variables, principal)
        request = self.request(prepared, variables, principal, {})
        record = await self.record(store, prepared, request, deadline)
        try:
            return {"data": prepared.shape(record, request.arguments, self.cursor_key)}
        except BREACHES:
            lenient = prepared.lenient(record, request.arguments, self.cursor_key)
            return answer(self.schema, operation, variables, lenient)

    def request(
        self, prepared: Prepared, variables: Mapping[str, Any], principal: Principal, outcome: Mapping[str, Any]
    ) -> Request:
        """Collect what the parameters are computed from."""
        return Request(
            arguments=[source.values(variables) for source in prepared.compiled.tree.sources],
            scope=scope_of(principal),
            caller={"role": principal.effective.value, "subject": principal.subject},
            cursor_key=self.cursor_key,
            outcome=outcome,
        )

    async def record(self, store: Reader, prepared: Prepared, request: Request, deadline: float) -> Any:
        """Run the statement, if there is anything to ask."""
        if not prepared.asks:
            return []
        parameters = bind(prepared.compiled.parameters, request)
        return await store.read(prepared.text, parameters, deadline=deadline)


def _payload(mappings: Mappings, tree: Tree, key: str) -> Tree:
    """Narrow a mutation's tree to the nodes of one payload."""
    payload = next(each for each in tree.root.fields if each.key == key).selections[0]
    nodes = tuple(
        each for each in payload.fields if isinstance(mappings.fields.get((payload.type, each.name)), Changed)
    )
    return Tree(root=Selection(type=payload.type, fields=nodes), sources=tree.sources)


def _remember(cache: OrderedDict[Hashable, Any], key: Hashable, value: Any) -> None:
    cache[key] = value
    if len(cache) > CACHED:
        cache.popitem(last=False)


def explain(reads: Reads, operation: Operation, variables: Mapping[str, Any], principal: Principal) -> dict[str, str]:
    """Print every stage of a read: what `trunkline compile` shows."""
    prepared = reads.prepared(operation, variables, principal)
    request = reads.request(prepared, variables, principal, {})
    bound = bind(prepared.compiled.parameters, request)
    return {
        "tree": draw(prepared.compiled.tree),
        "cypher": prepared.text,
        "parameters": "\n".join(f"${name} = {value!r}" for name, value in bound.items()),
        "shaper": prepared.source,
    }
