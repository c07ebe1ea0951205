"""One statement for several scopes gives each what its own statement gives: the rows of subscribers never mix.

Any read may stand there, so that random operations over two tenants are asked both ways: everybody's own record, and the records of
all who are of one kind by one statement. `TRUNKLINE_EXAMPLES=5000` asks more of them.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from typing import Any, cast

import pytest
from graphql import parse
from hypothesis import HealthCheck, given, settings

from graph.compiler.bind import bind
from graph.compiler.compile import compile_read
from graph.compiler.cursor import CursorKey
from graph.compiler.query import normalize
from graph.compiler.read import prepare
from graph.compiler.rows import NUMBER, known, of_rows
from graph.errors import Refused
from graph.model.scope import Principal, scope_of
from graph.store.store import Store
from resolvers.knowledge.schema import knowledge_schema
from resolvers.knowledge.subgraph import KnowledgeSubgraph
from tests.resolvers.caller import BOTH, CUSTOMER_A, CUSTOMER_B, KEY, OPERATOR, Caller, Operation, coerced
from tests.resolvers.operations import Asked, allowed, operations
from tests.resolvers.tenants import tenants
from tests.selection import examples

pytestmark = pytest.mark.timeout(1800)

EXAMPLES = int(os.environ.get("TRUNKLINE_EXAMPLES") or examples(45))
KNOWN = knowledge_schema()
WORLD = tenants()
SEAL = CursorKey(KEY)
TENANTS = (CUSTOMER_A, CUSTOMER_B, BOTH, CUSTOMER_A)
WALKS = """query($first: Int) { services(first: $first) { nodes { id route { trunk { id services { totalCount nodes { id } } } }
  affectedBy(first: $first) { nodes { severity alarm { id state tickets { nodes { id status } } } } } } }
  ports(first: $first) { nodes { id card { id networkElement { id site { name } } } } } }"""


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), print_blob=True, deadline=None)
@given(asked=operations(KNOWN, WORLD, SEAL))
async def test_rows_of_several_scopes_are_as_if_each_were_alone(asking: Caller, store: Store, asked: Asked) -> None:
    principals = TENANTS if allowed(asked, CUSTOMER_A) == CUSTOMER_A else (OPERATOR, OPERATOR)
    operation = Operation(key=asked.text, document=parse(asked.text))
    with contextlib.suppress(Refused):  # as of a cursor of another list: nobody is asked
        values = coerced(asking.schema, operation, asked.variables)
        await compare(asking.subgraph, store, operation, values, principals)


async def test_walks_of_several_scopes_are_as_if_each_were_alone(asking: Caller, store: Store) -> None:
    records = await compare(asking.subgraph, store, Operation(key=WALKS, document=parse(WALKS)), {"first": 3}, TENANTS)
    assert records[0] == records[3] != records[1]


async def compare(
    subgraph: KnowledgeSubgraph,
    store: Store,
    operation: Operation,
    variables: Mapping[str, Any],
    principals: tuple[Principal, ...],
) -> list[Any]:
    """Ask both ways; give the records."""
    reads, deadline = subgraph.reads, time.monotonic() + 60
    tree = normalize(reads.schema, operation, variables)
    compiled = compile_read(reads.schema, reads.mappings, tree, variables, scope_of(principals[0]).kind)
    prepared = prepare(compiled, reads.schema)
    given = [bind(prepared.parameters, reads.request(prepared, variables, each, {})) for each in principals]
    alone = [await store.read(prepared.text, each, deadline=deadline) for each in given]
    rows, made = of_rows(compiled.query), known(compiled.query)
    shared = {name: given[0][name] for name in rows.shared}
    batch = {"rows": [{**each, NUMBER: number} for number, each in enumerate(given)]}
    found = await store.rows(rows.text, {"batch": batch, **shared}, deadline=deadline)
    together = {number: record for [[number, record]] in cast("list[list[tuple[int, Any]]]", found)}
    assert [together[number] for number in range(len(given))] == alone
    if made is not None:
        assert [made(each) for each in given] == alone
    return alone
