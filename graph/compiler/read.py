r"""The row of stages that answers a read, and the cache of what they make.

    operation, variables --normalize--> Tree --compile_read--> Compiled --text--> Cypher
                                                                    \--shaper--> function

`Reads.run` looks the pair up by document, operation, kind of scope and variable shape, binds the parameters, runs the
statement once and shapes the one record. The cache is bounded by bytes; the least recently used pair leaves it. The trees and
layouts that compiling makes are not kept: they weigh four times what a request needs.

What is kept was weighed with tracemalloc (CPython 3.11): 4.9 to 5.4 bytes for each character of the generated function's source,
and one byte for each character of the statement.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final, Protocol

from cachetools import LRUCache
from graphql import GraphQLSchema

from graph.compiler import cypher
from graph.compiler.allowance import Meter, Unmetered, metered
from graph.compiler.arguments import (
    ArgumentSource,
    Shaper,
    can_hold,
    check_scalars,
    declared_variables,
    variable_shape,
)
from graph.compiler.bind import Binding, Request, bind
from graph.compiler.compile import Compiled, compile_read
from graph.compiler.cursor import CursorKey
from graph.compiler.irregular import answer
from graph.compiler.leaves import Irregular
from graph.compiler.query import Operation, Selection, Tree, draw, find_operation, normalize
from graph.compiler.rows import NO_ROWS, Known, Rows, known, of_rows
from graph.compiler.shape import Shape, shaper
from graph.errors import Refused
from graph.model.effects import DEFAULT_TIER
from graph.model.mapping import Changed, Mappings
from graph.model.scope import Principal, scope_of

CACHE_BYTES: Final = 64_000_000
"""of a `Reads` that shares no cache."""
STREAMED: Final = "Subscription"
"""The root type whose operations are answered for many callers at a time."""
LONGEST_TEXT: Final = 200_000
STATEMENT_BYTES: Final = 3_000
SOURCE_BYTES: Final = 6
ARGUMENT_BYTES: Final = 800
PART_BYTES: Final = 80
BREACHES: Final = (Irregular, KeyError, TypeError, IndexError, ValueError, OverflowError, OSError)


class Reader(Protocol):
    """What runs a statement: graph.store.store.Store."""

    async def read(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> object:
        """Run a statement of one record and one column, and give its value."""


class Cache(Protocol):
    """What keeps values that say what they weigh, in bytes; the least recently used go."""

    def get(self, key: Hashable, /) -> Any:
        """Give a value, or None."""

    def __setitem__(self, key: Hashable, value: Any, /) -> None:
        """Keep a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What is kept of an operation: what does not change from request to request, and no more of it than a request needs."""

    parameters: tuple[tuple[str, Binding], ...]
    sources: tuple[ArgumentSource, ...]
    text: str
    asks: bool
    """whether there is anything to ask the database for."""
    shape: Shape
    weight: int
    rows: Rows = NO_ROWS
    """the statement for many rows of parameters at a time; of subscriptions only."""
    known: Known | None = None
    """makes the record where the graph is asked nothing; of subscriptions only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The variables of an operation, as they are kept."""

    shaper: Shaper
    checked: Shaper
    """those that can hold a scalar of ours."""
    weight: int


def prepare(compiled: Compiled, schema: GraphQLSchema, key: Hashable = ()) -> Prepared:
    """Run the stages after `compile_read`; the weight includes the key under which the result will be kept."""
    text = cypher.text(compiled.query)
    if len(text) > LONGEST_TEXT:
        raise Refused("The operation is too large.", code="LIMIT_EXCEEDED", hint="Ask in several operations.")
    shape, source = shaper(schema, compiled.layout, strict=True)
    sources, parameters = compiled.tree.sources, tuple(compiled.parameters)
    is_subscription = compiled.tree.root.type == STREAMED
    rows = of_rows(compiled.query) if is_subscription else NO_ROWS
    return Prepared(
        parameters=parameters,
        sources=sources,
        text=text,
        asks=text != "RETURN [] AS data",
        shape=shape,
        weight=STATEMENT_BYTES
        + len(text)
        + len(rows.text)
        + SOURCE_BYTES * len(source)
        + ARGUMENT_BYTES * (len(sources) + len(parameters))
        + _bytes(key)
        + sum(_bytes(each.constant) for each in sources),
        rows=rows,
        known=known(compiled.query) if is_subscription else None,
    )


def _bytes(value: Any) -> int:
    """Estimate what a key, or an argument in a document, takes."""
    match value:
        case str():
            return PART_BYTES + len(value)
        case tuple() | list():
            return PART_BYTES + sum(map(_bytes, value))
        case dict():
            return PART_BYTES + sum(_bytes(name) + _bytes(each) for name, each in value.items())
        case _:
            return PART_BYTES


def _own_cache() -> LRUCache[Hashable, Any]:
    return LRUCache(CACHE_BYTES, getsizeof=attrgetter("weight"))


@dataclass(slots=True, kw_only=True)
class Reads:
    """Compiled reads of one schema over one store."""

    schema: GraphQLSchema
    mappings: Mappings
    cursor_key: CursorKey
    cache: Cache = field(default_factory=_own_cache)
    meter: Meter = field(default_factory=Unmetered)
    default_tier: str = DEFAULT_TIER
    """by which a service without a contract is judged."""

    def prepared(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, payload: str = ""
    ) -> Prepared:
        """Give what is kept for a request, or make it now.

        `payload` is the response key of a mutation's root field: then only the nodes of its payload are read.
        """
        document = (operation.key, operation.name)
        declared: Declared | None = self.cache.get(document)
        first = declared is None
        if declared is None:
            declared = self.cache[document] = self._declared(operation)
        for name, type_ in declared.checked:
            if name in variables:
                check_scalars(name, variables[name], type_)
        key = (document, payload, scope_of(principal).kind, variable_shape(declared.shaper, variables))
        found: Prepared | None = self.cache.get(key)
        if found is None:
            with metered(self.meter, principal.subject, 0.0 if first else 1.0):
                compiled = self.compiled(operation, variables, principal, payload)
                found = self.cache[key] = prepare(compiled, self.schema, key)
        return found

    def _declared(self, operation: Operation) -> Declared:
        shaper = declared_variables(self.schema, find_operation(operation))
        checked = tuple(each for each in shaper if can_hold(each[1]))
        return Declared(shaper=shaper, checked=checked, weight=STATEMENT_BYTES + ARGUMENT_BYTES * len(shaper))

    def compiled(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, payload: str = ""
    ) -> Compiled:
        """Compile an operation; `explain`, and whoever has met a record that breaks the schema, asks for that too."""
        tree = normalize(self.schema, operation, variables)
        if payload:
            tree = _payload(self.mappings, tree, payload)
        return compile_read(self.schema, self.mappings, tree, variables, scope_of(principal).kind)

    def lenient(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, payload: str = ""
    ) -> Shape:
        """Make the function that shapes a record that breaks the schema. It is needed rarely, and not kept."""
        layout = self.compiled(operation, variables, principal, payload).layout
        return shaper(self.schema, layout, strict=False)[0]

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
            shape = self.lenient(operation, variables, principal)
            return answer(self.schema, operation, variables, shape(record, request.arguments, self.cursor_key))

    def request(
        self, prepared: Prepared, variables: Mapping[str, Any], principal: Principal, outcome: Mapping[str, Any]
    ) -> Request:
        """Collect what the parameters are computed from."""
        return Request(
            arguments=[source.values(variables) for source in prepared.sources],
            scope=scope_of(principal),
            caller={"role": principal.effective.value, "subject": principal.subject},
            cursor_key=self.cursor_key,
            outcome=outcome,
            default_tier=self.default_tier,
        )

    async def record(self, store: Reader, prepared: Prepared, request: Request, deadline: float) -> Any:
        """Run the statement, if there is anything to ask."""
        if not prepared.asks:
            return []
        parameters = bind(prepared.parameters, request)
        return await store.read(prepared.text, parameters, deadline=deadline)


def _payload(mappings: Mappings, tree: Tree, key: str) -> Tree:
    """Narrow a mutation's tree to the nodes of one payload."""
    payload = next(each for each in tree.root.fields if each.key == key).selections[0]
    nodes = tuple(
        each for each in payload.fields if isinstance(mappings.fields.get((payload.type, each.name)), Changed)
    )
    return Tree(root=Selection(type=payload.type, fields=nodes), sources=tree.sources)


def explain(reads: Reads, operation: Operation, variables: Mapping[str, Any], principal: Principal) -> dict[str, str]:
    """Print every stage of a read: what `trunkline compile` shows."""
    compiled = reads.compiled(operation, variables, principal)
    prepared = prepare(compiled, reads.schema)
    bound = bind(prepared.parameters, reads.request(prepared, variables, principal, {}))
    return {
        "tree": draw(compiled.tree),
        "cypher": prepared.text,
        "parameters": "\n".join(f"${name} = {value!r}" for name, value in bound.items()),
        "shaper": shaper(reads.schema, compiled.layout, strict=True)[1],
    }
