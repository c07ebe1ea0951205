"""The knowledge graph as a subgraph: reads compiled, mutations by Strawberry with compiled payloads.

A query never meets Strawberry's executor. A mutation does, for its root fields only: each resolver makes its change and
leaves the ids that came of it; then the graph-typed fields of each payload are one compiled statement more, put into
the answer under the caller's own keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import ExecutionResult, GraphQLError, OperationType, print_ast

from graph.bind import bind
from graph.compile import Compiled
from graph.cursor import CursorKey
from graph.errors import GraphError, Refused
from graph.mapping import Changed
from graph.query import Field, Operation, Selection, Tree, find_operation, normalize
from graph.read import Prepared, Reads, prepare
from graph.scope import Principal, scope_of
from graph.store import Store
from resolvers.context import Asked
from resolvers.errors import answer_for
from resolvers.knowledge.schema import KnowledgeSchema, knowledge_schema

__all__ = ["Compiled", "KnowledgeSubgraph"]


class KnowledgeSubgraph:
    """Answers operations over the graph, in the scope of whoever asks."""

    name = "knowledge"

    def __init__(self, store: Store, cursor_key: bytes) -> None:
        """Take an open store and the key of cursors (32 bytes)."""
        self._store = store
        self._schema: KnowledgeSchema = knowledge_schema()
        self.sdl = self._schema.sdl
        self.reads = Reads(
            schema=self._schema.graphql, mappings=self._schema.mappings, cursor_key=CursorKey(cursor_key)
        )

    async def execute(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> dict[str, Any]:
        """Answer within `deadline`, an absolute `time.monotonic()`."""
        try:
            if find_operation(operation).operation is OperationType.MUTATION:
                return await self._change(operation, variables, principal, deadline)
            return await self.reads.run(self._store, operation, variables, principal, deadline)
        except GraphError as error:
            return answer_for(error)

    # Mutations -----------------------------------------------------------------------------------------------------

    async def _change(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> dict[str, Any]:
        asked = Asked(store=self._store, principal=principal, deadline=deadline)
        result = await self._schema.strawberry.execute(
            print_ast(operation.document),
            variable_values=dict(variables),
            operation_name=operation.name,
            context_value=asked,
        )
        assert isinstance(result, ExecutionResult) or hasattr(result, "data")
        answer: dict[str, Any] = {"data": result.data}
        errors = [_error(each) for each in result.errors or ()]
        if errors and result.data is None and not asked.outcomes:
            return {"errors": errors}
        await self._fill(answer["data"] or {}, operation, variables, asked)
        return {**answer, "errors": errors} if errors else answer

    async def _fill(
        self, data: dict[str, Any], operation: Operation, variables: Mapping[str, Any], asked: Asked
    ) -> None:
        """Put the graph-typed fields of each payload in."""
        tree = normalize(self._schema.graphql, operation, variables)
        for each in tree.root.fields:
            fields = self._changed(each)
            payload = data.get(each.key)
            if fields and payload is not None:
                ids = asked.outcomes.get(each.key, {})
                payload.update(await self._payload(tree, each, fields, (variables, ids, asked)))

    def _changed(self, root: Field) -> tuple[Field, ...]:
        if not root.selections:
            return ()
        owner = root.selections[0].type
        fields = self._schema.mappings.fields
        return tuple(each for each in root.selections[0].fields if isinstance(fields.get((owner, each.name)), Changed))

    async def _payload(
        self,
        tree: Tree,
        root: Field,
        fields: tuple[Field, ...],
        request: tuple[Mapping[str, Any], Mapping[str, str], Asked],
    ) -> dict[str, Any]:
        variables, ids, asked = request
        part = Tree(root=Selection(type=root.selections[0].type, fields=fields), sources=tree.sources)
        kind = scope_of(asked.principal).kind
        prepared: Prepared = prepare(self._schema.graphql, self._schema.mappings, part, variables, kind)
        bound = self.reads.request(prepared, variables, asked.principal, ids)
        record = await self._store.read(
            prepared.text, bind(prepared.compiled.parameters, bound), deadline=asked.deadline
        )
        return prepared.lenient(record, bound.arguments, self.reads.cursor_key)


def _error(error: GraphQLError) -> dict[str, Any]:
    """Translate one error of a mutation; what is not ours is masked."""
    original = error.original_error
    entry: dict[str, Any] = {
        "message": "The change could not be made.",
        "extensions": {"code": "INTERNAL_SERVER_ERROR"},
    }
    if isinstance(original, GraphError):
        entry = answer_for(original)["errors"][0]
    elif original is None:
        entry = {"message": error.message, "extensions": {"code": "BAD_USER_INPUT"}}
    if error.path:
        entry["path"] = [*error.path, *(original.path if isinstance(original, Refused) else ())]
    return entry
