"""Limits, permissions and cost, without HTTP: what a request meets before anything runs."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import orjson
import pytest
from graphql import Node, Source, execute_sync, get_introspection_query, parse

from gateway.areas import product_sdl
from gateway.errors import Code, Refused
from gateway.operations.cost import cost_of
from gateway.operations.documents import NotValid, read_document
from gateway.operations.introspection import introspect
from gateway.operations.pipeline import GraphRequest, Pipeline
from gateway.operations.schema import read_schema
from gateway.preparing.cache import SharedCache
from gateway.preparing.new_work import UNIT_SECONDS, NewWork, units_of
from gateway.preparing.preparing import Preparing
from gateway.settings.settings import Limits, Settings
from graph.model.scope import Principal, Role
from tests.gateway.allowances import preparing
from tests.gateway.subgraph import DictSubgraph

OPERATOR = Principal(subject="operator", role=Role.OPERATOR)
ANALYST = Principal(subject="analyst", role=Role.ANALYST)
CUSTOMER = Principal(subject="customer", role=Role.CUSTOMER, customers=("customer-1",))
SYSTEM = Principal(subject="system", role=Role.SYSTEM, system="faults")
ACTING = Principal(subject="acting", role=Role.ROUTER, customers=("customer-1",), acts_for=Role.CUSTOMER)


def pipeline(**limits: Any) -> Pipeline:
    return before(DictSubgraph(), **limits)


def before(subgraph: DictSubgraph, **limits: Any) -> Pipeline:
    settings = Settings(limits=Limits(**limits))
    return Pipeline(subgraph, settings, preparing=preparing(settings.limits.new_documents_per_minute))


def request(query: str, **variables: Any) -> GraphRequest:
    return GraphRequest(query=query, variables=variables, operation_name=None, queries_only=False)


async def outcome(gates: Pipeline, query: str, principal: Principal = OPERATOR, **variables: Any) -> str:
    try:
        asked = request(query, **variables)
        answer = await gates.answer(await gates.prepare(asked, principal), asked, principal, 0.0)
    except Refused as refused:
        return refused.problems[0].code.value
    return "answered" if "data" in answer else "failed"


def nested(depth: int) -> str:
    return "{ customers" + " { friends" * (depth - 2) + " { id }" + " }" * (depth - 1)


SPREADS = "{ ...A } fragment A on Query { ...B ...B } fragment B on Query { hello hello hello }"


@pytest.mark.parametrize(
    ("limit", "fits", "exceeds"),
    [
        pytest.param({"tokens": 5}, "{ hello }", "{ hello hello hello hello }", id="tokens"),
        pytest.param({"tokens": 5}, "#\n#\n{ hello }", "#\n" * 6 + "{ hello }", id="comments"),
        pytest.param({"depth": 3}, nested(3), nested(4), id="depth"),
        pytest.param(
            {"depth": 2}, "{ ...{ hello } }", "{" + "...{" * 9 + "hello" + "}" * 10, id="nesting without fields"
        ),
        pytest.param({"aliases": 2}, "{ a: hello b: hello }", "{ a: hello b: hello c: hello }", id="aliases"),
        pytest.param(
            {"aliases": 2},
            "{ ...A } fragment A on Query { a: hello }",
            "{ ...A ... on Query { ...A ...A } } fragment A on Query { a: hello }",
            id="aliases in fragments count each time",
        ),
        pytest.param(
            {"directives": 1},
            "{ hello @skip(if: true) }",
            "{ ... @skip(if: true) { hello @skip(if: true) } }",
            id="directives",
        ),
        pytest.param({"root_fields": 5}, "{ hello hello }", SPREADS, id="root fields in fragments"),
        pytest.param({"fields": 3}, "{ customers { id name } }", "{ customers { id name } hello }", id="fields"),
        pytest.param(
            {"input_depth": 1},
            '{ customers(filter: {name: "a"}) { id } }',
            '{ customers(filter: {not: {not: {name: "a"}}}) { id } }',
            id="nesting of an argument",
        ),
    ],
)
async def test_a_document_larger_than_a_limit_is_refused(limit: dict[str, int], fits: str, exceeds: str) -> None:
    assert await outcome(pipeline(**limit), fits) == "answered"
    assert await outcome(pipeline(**limit), exceeds) == Code.LIMIT_EXCEEDED


async def test_a_variable_nests_no_deeper_than_an_argument() -> None:
    query = "query ($f: CustomerFilter) { customers(filter: $f) { id } }"
    assert await outcome(pipeline(input_depth=2), query, f={"not": {"name": "a"}}) == "answered"
    assert await outcome(pipeline(input_depth=2), query, f={"not": {"not": {"name": "a"}}}) == Code.LIMIT_EXCEEDED


IN_VARIABLE = "query ($f: CustomerFilter) { customers(filter: $f) { id } }"


def wide(alternatives: int) -> dict[str, Any]:
    return {"or": [{"name": f"a{number}"} for number in range(alternatives)]}


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        pytest.param(IN_VARIABLE, {"f": wide(3)}, id="a variable"),
        pytest.param(IN_VARIABLE, {"f": {"not": wide(2)}}, id="deep down in a variable"),
        pytest.param(IN_VARIABLE, {"f": {"or": [{}, {}, {}]}}, id="objects that say nothing"),
        pytest.param("{ customers(filter: {or: [{}, {}, {}]}) { id } }", {}, id="an argument"),
        pytest.param(
            "query ($f: CustomerFilter = {or: [{}, {}, {}]}) { customers(filter: $f) { id } }", {}, id="a default"
        ),
    ],
)
async def test_a_filter_has_no_more_objects_than_allowed(query: str, variables: dict[str, Any]) -> None:
    assert await outcome(pipeline(input_objects=4), query, **variables) == "answered"
    assert await outcome(pipeline(input_objects=3), query, **variables) == Code.LIMIT_EXCEEDED


async def test_a_filter_that_is_refused_for_its_breadth_is_not_walked_to_its_end() -> None:
    class Counting(list[Any]):
        seen = 0

        def __iter__(self) -> Any:
            for each in super().__iter__():
                self.seen += 1
                yield each

    objects = Counting([{} for _ in range(100_000)])
    gates = pipeline(input_objects=300)
    asked = request(IN_VARIABLE, f={"or": objects})
    with pytest.raises(Refused, match="`input_objects`") as refused:
        await gates.answer(await gates.prepare(asked, OPERATOR), asked, OPERATOR, 0.0)
    assert "300 objects" in refused.value.problems[0].message
    assert objects.seen <= 301


async def test_what_a_router_asks_for_by_key_is_not_counted_as_input_objects() -> None:
    query = "query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }"
    given = [{"__typename": "Customer", "id": str(each)} for each in range(50)]
    assert await outcome(pipeline(input_objects=3), query, ACTING, r=given) != Code.LIMIT_EXCEEDED


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", id="fragments in a circle"),
        pytest.param("{ ...A } fragment A on Query { hello ...A }", id="a fragment in itself"),
        pytest.param("{ ...Missing }", id="a fragment that is not there"),
        pytest.param("{ hello(name: $name) }", id="a variable that is not declared"),
        pytest.param("query ($f: Customer) { hello }", id="a variable of an output type"),
        pytest.param("type A { b: Int }", id="no operation"),
        pytest.param(
            "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
            id="deep introspection",
        ),
    ],
)
async def test_what_is_not_valid_is_refused(query: str) -> None:
    assert await outcome(pipeline(), query) == Code.GRAPHQL_VALIDATION_FAILED


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("{ customers { name } }", "`nodes`"),
        ('{ services(filter: { state: { eq: "active" } }) { totalCount } }', "without quotes"),
        ("{ custmers }", ""),
    ],
)
async def test_what_newcomers_get_wrong_has_a_hint(query: str, hint: str) -> None:
    with pytest.raises(Refused) as refused:
        read_document(query, read_schema(product_sdl()), Limits())
    [problem] = refused.value.problems
    assert hint in problem.hint
    assert bool(hint) == bool(problem.hint)


async def test_fragments_that_double_each_time_are_measured_and_not_walked() -> None:
    chain = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(50))
    assert await outcome(pipeline(), f"{{ ...F0 }} {chain} fragment F50 on Query {{ hello }}") == Code.LIMIT_EXCEEDED


async def test_too_many_fragments_are_refused() -> None:
    query = "{ hello } " + " ".join(f"fragment F{n} on Query {{ hello }}" for n in range(101))
    assert await outcome(pipeline(), query) == Code.LIMIT_EXCEEDED


FILTERED = "query ($f: CustomerFilter, $o: CustomerOrder) { customers(filter: $f, orderBy: $o) { id } }"


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        pytest.param("{ customers { margin } }", {}, id="a field"),
        pytest.param("{ asset { margin } }", {}, id="the field of an interface that an implementer marks"),
        pytest.param("{ customers { ...F } } fragment F on Customer { x: margin }", {}, id="in a fragment, renamed"),
        pytest.param("{ customers { margin @include(if: false) } }", {}, id="left out by a condition"),
        pytest.param("{ customers(rank: 1) { id } }", {}, id="an argument"),
        pytest.param("{ customers(filter: {margin: 1}) { id } }", {}, id="a filter"),
        pytest.param("{ customers(filter: {not: {margin: null}}) { id } }", {}, id="a filter deep down"),
        pytest.param("{ customers(orderBy: MARGIN) { id } }", {}, id="an order"),
        pytest.param(FILTERED, {"f": {"margin": 1}}, id="a filter in a variable"),
        pytest.param(FILTERED, {"f": {"name": "a", "not": {"not": {"margin": 1}}}}, id="deep down in a variable"),
        pytest.param(FILTERED, {"o": "MARGIN"}, id="an order in a variable"),
        pytest.param(
            "query ($o: CustomerOrder = MARGIN) { customers(orderBy: $o) { id } }", {}, id="an order by default"
        ),
    ],
)
async def test_what_is_for_operators_is_forbidden_to_customers_before_anything_runs(
    query: str, variables: dict[str, Any]
) -> None:
    gates = pipeline()
    subgraph = gates._subgraph
    assert isinstance(subgraph, DictSubgraph)
    for principal in (CUSTOMER, SYSTEM, ACTING):
        assert await outcome(gates, query, principal, **variables) == Code.FORBIDDEN
    assert subgraph.asked == []
    for principal in (OPERATOR, ANALYST):
        assert await outcome(gates, query, principal, **variables) == "answered"


async def test_what_is_not_marked_is_open_to_customers() -> None:
    assert await outcome(pipeline(), FILTERED, CUSTOMER, f={"name": "a"}, o="NAME") == "answered"


@pytest.mark.parametrize(
    ("principal", "allowed"), [(OPERATOR, True), (SYSTEM, True), (ANALYST, False), (CUSTOMER, False), (ACTING, False)]
)
async def test_a_mutation_is_for_the_roles_that_it_names(principal: Principal, *, allowed: bool) -> None:
    query = 'mutation { ...M } fragment M on Mutation { acknowledge(id: "1") }'
    assert await outcome(pipeline(), query, principal) == ("answered" if allowed else Code.FORBIDDEN)


async def test_a_mutation_that_names_no_role_is_for_nobody() -> None:
    for principal in (OPERATOR, SYSTEM, ANALYST, CUSTOMER):
        assert await outcome(pipeline(), "mutation { forgotten }", principal) == Code.FORBIDDEN


@pytest.mark.parametrize(
    ("query", "variables", "cost"),
    [
        pytest.param("{ hello }", {}, 0, id="a leaf is free"),
        pytest.param('{ customer(id: "1") { name } }', {}, 1, id="an object is one"),
        pytest.param("{ customers { id } }", {}, 10, id="an argument's default says how many"),
        pytest.param("{ customers(first: 3) { id } }", {}, 3, id="or a literal"),
        pytest.param("query ($n: Int) { customers(first: $n) { id } }", {"n": 4}, 4, id="or a variable"),
        pytest.param("query ($n: Int = 5) { customers(first: $n) { id } }", {}, 5, id="or its default"),
        pytest.param("query ($n: Int) { customers(first: $n) { id } }", {}, 10, id="else what is assumed"),
        pytest.param('{ named(names: ["a", "b"]) { id } }', {}, 2, id="a list counts by its length"),
        pytest.param("query ($n: [String!]!) { named(names: $n) { id } }", {"n": ["a"] * 6}, 6, id="in a variable too"),
        pytest.param("{ customers(first: 3) { friends { id } } }", {}, 63, id="lists in lists multiply"),
        pytest.param(
            "query ($n: Int) { customers(first: 2) { friends(first: $n) { ...F } } } fragment F on Customer { friends(first: $n) { id } }",
            {"n": 3},
            2 * (1 + 3 * (1 + 3)),
            id="through fragments",
        ),
        pytest.param("{ customers(first: -7) { friends { id } } }", {}, 0, id="less than none is none"),
    ],
)
async def test_the_cost_is_the_number_of_objects(query: str, variables: dict[str, Any], cost: int) -> None:
    if cost:
        assert await outcome(pipeline(cost=cost), query, **variables) == "answered"
    if cost > 1:
        assert await outcome(pipeline(cost=cost - 1), query, **variables) == Code.COST_LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("Int!", None),
        ("Int!", "1"),
        ("Int!", 1.5),
        ("Int!", 2**31),
        ("Int!", True),
        ("CustomerOrder", "UP"),
        ("CustomerFilter", {"x": 1}),
        ("[String!]!", [None]),
        ("Boolean!", 1),
        ("ID!", []),
    ],
)
async def test_a_value_of_another_type_is_refused(type_: str, value: Any) -> None:
    fields = {
        "Int!": "customers(first: $v) { id }",
        "CustomerOrder": "customers(orderBy: $v) { id }",
        "CustomerFilter": "customers(filter: $v) { id }",
        "[String!]!": "named(names: $v) { id }",
        "Boolean!": "echo(flag: $v)",
        "ID!": "customer(id: $v) { id }",
    }
    assert await outcome(pipeline(), f"query ($v: {type_}) {{ {fields[type_]} }}", v=value) == Code.BAD_USER_INPUT


async def test_values_reach_the_subgraph_coerced_and_what_is_absent_stays_absent() -> None:
    gates = pipeline()
    query = "query ($a: [String!]!, $b: CustomerFilter, $c: Float, $d: Int = 3, $e: Int) { named(names: $a) { id } customers(filter: $b, first: $d, rank: $e) { id } echo(flag: true, number: $c) }"
    assert await outcome(gates, query, a="one", b={"not": None}, c=1, extra=1) == "answered"
    subgraph = gates._subgraph
    assert isinstance(subgraph, DictSubgraph)
    assert subgraph.asked[0][1] == {"a": ["one"], "b": {"not": None}, "c": 1.0, "d": 3}


async def test_new_documents_are_counted_and_known_ones_are_not() -> None:
    gates = pipeline(new_documents_per_minute=6)
    assert await outcome(gates, "{ a: hello }") == "answered"
    assert await outcome(gates, "{ not valid") == Code.GRAPHQL_PARSE_FAILED

    for number in range(4):
        await gates.prepare(request(f"{{ more{number}: hello }}"), OPERATOR)
    with pytest.raises(Refused) as refused:
        await gates.prepare(request("{ one too many: hello }"), OPERATOR)
    assert refused.value.problems[0].code is Code.TOO_MANY_NEW_DOCUMENTS
    assert 0 < (refused.value.retry_after or 0) <= 30
    assert await outcome(gates, "{ a: hello }") == "answered"
    assert await outcome(gates, "{ not valid") == Code.GRAPHQL_PARSE_FAILED
    assert await outcome(gates, "{ c: hello }", CUSTOMER) == "answered", "each principal has its own allowance"
    assert await outcome(gates, "{ c: hello }") == "answered", "what another brought is known"


async def test_documents_are_forgotten_by_what_they_weigh() -> None:
    gates = Pipeline(DictSubgraph(), Settings(), preparing=preparing(120, cache_bytes=30_000))
    texts = [f"{{ a{number}: hello }}" for number in range(20)]
    for text in texts:
        await outcome(gates, text)
    kept = [gates._documents.known(text) is not None for text in texts]
    assert sum(kept) == kept[::-1].index(False), "the last ones"
    assert 2 <= sum(kept) <= 5
    await outcome(gates, "{ hello } #" + "x" * 900)
    assert gates._documents.known(texts[-1]) is not None
    await outcome(gates, "{ hello } #" + "x" * 10_000)
    assert gates._documents.known(texts[-1]) is not None, "what is larger than all of the cache displaces nothing"


async def test_a_large_document_takes_more_of_the_allowance_by_its_size() -> None:
    gates = pipeline(new_documents_per_minute=10)
    large = "{ hello } #" + "x" * 8_800  # as much as six small ones
    assert await outcome(gates, large) == "answered"
    assert [await outcome(gates, f"{{ a{n}: hello }}") for n in range(5)] == ["answered"] * 4 + [
        Code.TOO_MANY_NEW_DOCUMENTS
    ]


SLOW = {
    "many fields of one name": "{ customers { " + "friends { id name } " * 400 + "} }",
    "many fragments": "{ customers { "
    + "".join(f"...F{n} " for n in range(90))
    + "} } "
    + "".join(
        f"fragment F{n} on Customer {{ friends {{ id name friends {{ id name }} }} id name }} " for n in range(90)
    ),
    "fields of one name below fields of one name": "{ "
    + ("customers { " + "friends { id friends { id } } " * 20 + "} ") * 20
    + "}",
}


@pytest.mark.parametrize("query", SLOW.values(), ids=SLOW)
def test_validation_compares_so_many_fields_and_no_more(query: str) -> None:
    schema = read_schema(DictSubgraph.sdl)
    with pytest.raises(Refused) as refused:
        read_document(query, schema, Limits())
    assert refused.value.problems[-1].code is Code.LIMIT_EXCEEDED


async def test_operations_of_one_document_may_have_so_many_fields_together() -> None:
    fragment = "fragment F on Query { " + "hello " * 9 + "}"
    asked = " ".join(f"query q{n} {{ ...F }}" for n in range(3))
    gates = pipeline(fields=27)
    (
        await gates.prepare(
            GraphRequest(query=asked + fragment, variables={}, operation_name="q1", queries_only=True), CUSTOMER
        )
    )
    assert await outcome(gates, asked + "query q3 { hello } " + fragment) == Code.LIMIT_EXCEEDED


def _nodes(value: Any) -> Iterator[Node]:
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, Node):
            yield node
            stack += [getattr(node, key) for key in node.keys if key != "loc"]
        elif isinstance(node, tuple):
            stack += node


async def test_what_is_kept_of_a_document_has_no_places_and_an_error_in_a_variable_still_has_one() -> None:
    gates = pipeline()
    asked = request(
        "query ($n: Int!,\n  $m: Int) { customers(first: $n, rank: $m) { ...F } __typename }\nfragment F on Customer { id }",
        n=1,
        m="x",
    )
    prepared = await gates.prepare(asked, OPERATOR)
    assert prepared.operation is not None
    nodes = [*_nodes(prepared.operation.document), *_nodes(prepared.root), *_nodes(prepared.node)]
    assert len(nodes) > 20
    assert not [each for each in nodes if each.loc is not None]
    with pytest.raises(Refused) as refused:
        await gates.answer(prepared, asked, OPERATOR, 0.0)
    assert [each.locations for each in refused.value.problems] == [((2, 3),)]


async def test_a_refusal_is_kept_without_the_document_that_it_is_of() -> None:
    gates = pipeline()
    for text in ("{ not valid", "{ nothing }", "{ hello " + "a: hello " * 200 + "}"):
        with pytest.raises(Refused):
            await gates.prepare(request(text), OPERATOR)
        kept = gates._documents.known(text)
        assert isinstance(kept, NotValid)
        reached = _reached(kept)
        assert not [each for each in reached if isinstance(each, BaseException | Node | Source)]


def _reached(value: Any) -> list[Any]:
    """Everything that a value holds on to, its classes apart."""
    seen: dict[int, Any] = {}
    stack = [value]
    while stack:
        one = stack.pop()
        if id(one) not in seen and not isinstance(one, type | ModuleType):
            seen[id(one)] = one
            stack += gc.get_referents(one)
    return list(seen.values())


INTROSPECTION = get_introspection_query()


def aliases(count: int) -> str:
    """Ask for the whole schema so many times."""
    fields = "name args { name type { name } } type { name ofType { name ofType { name } } }"
    asked = " ".join(f"a{number}: __schema {{ ...S }}" for number in range(count))
    return f"{{ {asked} }} fragment S on __Schema {{ types {{ name fields {{ {fields} }} }} }}"


async def test_what_the_schema_answers_costs_what_it_holds_and_each_alias_once_more() -> None:
    schema = read_schema(DictSubgraph.sdl)

    def cost(text: str) -> int:
        priced = cost_of(parse(text), schema)
        assert isinstance(priced, int)
        return priced

    def objects(text: str) -> int:
        held = execute_sync(schema.public, parse(text)).data
        return str(held).count("{") - 1

    for text in (
        INTROSPECTION,
        aliases(20),
        '{ __type(name: "Query") { fields { name } } }',
        "{ __schema { types { name } } }",
    ):
        assert objects(text) / 3 <= cost(text) <= objects(text) * 6, text
    assert cost("{ __typename }") == 0
    assert cost(aliases(20)) == 20 * cost(aliases(1))
    assert await outcome(pipeline(cost=cost(INTROSPECTION)), INTROSPECTION) == "answered"
    assert await outcome(pipeline(cost=cost(INTROSPECTION) - 1), INTROSPECTION) == Code.COST_LIMIT_EXCEEDED


def test_a_large_schema_may_be_asked_as_a_whole_once() -> None:
    many = " ".join(
        f"type T{n} {{ {' '.join(f'f{m}(a: Int, b: Int): T{m}!' for m in range(8))} }}" for n in range(2_000)
    )
    schema = read_schema(f"type Query {{ t: T1 }} {many}")
    cost = cost_of(parse(INTROSPECTION), schema)
    assert isinstance(cost, int)
    assert cost <= Limits().cost < 3 * cost


async def test_what_the_schema_answers_is_made_once_beside_the_loop_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    gates = pipeline()
    threads: list[str] = []

    def noting(*given: Any) -> Any:
        threads.append(threading.current_thread().name)
        return introspect(*given)

    monkeypatch.setattr("gateway.operations.pipeline.introspect", noting)
    query = "query ($n: String!, $f: Boolean!) { hello @include(if: $f) __type(name: $n) { name } again: __type(name: $n) { name } }"
    for name in ("Query", "Query", "Customer", "Query"):
        for flag in (True, False):
            asked = request(query, n=name, f=flag)
            answer = await gates.answer(await gates.prepare(asked, CUSTOMER), asked, CUSTOMER, 0.0)
            data = orjson.loads(orjson.dumps(answer))["data"]
            assert list(data) == ["hello", "__type", "again"][not flag :], "in the order of the operation"
            assert data["__type"] == data["again"] == {"name": name}
    assert len(threads) == 2, "once for each value that it depends on"
    assert all(each.startswith("new-work") for each in threads)


async def test_each_other_name_that_the_schema_is_asked_for_is_new_work() -> None:
    gates = pipeline(new_documents_per_minute=5)
    query = "query ($n: String!) { __type(name: $n) { name } }"
    outcomes = [await outcome(gates, query, n=f"T{number}") for number in range(6)]
    assert outcomes == ["answered"] * 4 + [Code.TOO_MANY_NEW_DOCUMENTS] * 2
    assert await outcome(gates, query, n="T1") == "answered"


class Passing(DictSubgraph):
    """It has a directive that is passed on to it, whose argument takes any JSON."""

    sdl = DictSubgraph.sdl + "scalar Any directive @note(of: Any) on QUERY | FIELD | INLINE_FRAGMENT"

    def __init__(self) -> None:
        super().__init__()
        self._schema = read_schema(self.sdl).served


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("query ($b: Any) { hello __schema @note(of: $b) { queryType { name } } }", id="at a field"),
        pytest.param("query ($b: Any) { __schema { queryType @note(of: $b) { name } } }", id="in it"),
        pytest.param("query ($b: Any) @note(of: $b) { hello __schema { queryType { name } } }", id="at the operation"),
        pytest.param("query ($b: Any) { ... @note(of: $b) { __schema { queryType { name } } hello } }", id="around it"),
        pytest.param(
            "query ($b: Any) { __schema { queryType { name } } customers { ...C } } fragment C on Customer { id @note(of: $b) }",
            id="elsewhere",
        ),
    ],
)
async def test_what_the_schema_answers_depends_on_no_directive_that_is_for_a_subgraph(query: str) -> None:
    gates = before(Passing(), new_documents_per_minute=2)
    for value in (2**70, 1, {"any": [None, 2**70]}, "x", None):
        asked = request(query, b=value)
        answer = await gates.answer(await gates.prepare(asked, CUSTOMER), asked, CUSTOMER, 0.0)
        assert orjson.loads(orjson.dumps(answer))["data"]["__schema"] == {"queryType": {"name": "Query"}}
        assert "errors" not in answer


@pytest.mark.parametrize(
    "query",
    [
        "query ($v: Boolean = true) { __schema { types { fields(includeDeprecated: $v) { name } } } }",
        "query ($v: Boolean = true) { hello __schema { directives { args(includeDeprecated: $v) { name } } } }",
        'query ($v: Boolean = true) { __type(name: "Query") { ...T } } fragment T on __Type { name @skip(if: $v) }',
        'query ($v: String = "Query") { hello __type(name: $v) { name } }',
    ],
)
async def test_the_schema_is_asked_with_no_null(query: str) -> None:
    asked = request(query, v=None)
    with pytest.raises(Refused) as refused:
        await pipeline().answer(await pipeline().prepare(asked, CUSTOMER), asked, CUSTOMER, 0.0)
    (problem,) = refused.value.problems
    assert problem.code is Code.BAD_USER_INPUT
    assert "$v" in problem.message
    assert await outcome(pipeline(), query) == "answered"


async def test_an_argument_of_the_schema_whose_variable_is_absent_has_its_default() -> None:
    query = 'query ($v: Boolean) { __type(name: "Query") { fields(includeDeprecated: $v) { name } } }'
    assert await outcome(pipeline(), query) == "answered"
    assert await outcome(pipeline(), query, v=True) == "answered"
    assert await outcome(pipeline(), query, v=None) == Code.BAD_USER_INPUT


async def test_some_roles_may_be_kept_from_the_schema() -> None:
    gates = Pipeline(DictSubgraph(), Settings(introspection=("operator", "customer")))
    for query in (
        "{ __schema { types { name } } }",
        '{ hello __type(name: "Query") { name } }',
        "{ ...F } fragment F on Query { __schema { types { name } } }",
    ):
        assert await outcome(gates, query, OPERATOR) == "answered"
        assert await outcome(gates, query, CUSTOMER) == "answered"
        assert await outcome(gates, query, ACTING) == "answered", "a router asks for its user"
        assert await outcome(gates, query, ANALYST) == Code.FORBIDDEN
        assert await outcome(gates, query, SYSTEM) == Code.FORBIDDEN
    assert await outcome(gates, "{ __typename hello }", ANALYST) == "answered"


async def test_a_schema_without_subscriptions_refuses_them() -> None:
    assert await outcome(pipeline(), "subscription { hello }") == Code.GRAPHQL_VALIDATION_FAILED


SMALL_DOCUMENTS_THAT_COST = {
    "a thousand times one field": ("{ " + "__typename " * 3_000 + "}", {Code.LIMIT_EXCEEDED}),
    "fragments that double": (
        "{ ...f0 } "
        + " ".join(
            f"fragment f{n} on Query {{ ...f{n + 1} ... @include(if: true) {{ ...f{n + 1} }} }}" for n in range(90)
        )
        + " fragment f90 on Query { __typename }",
        {Code.LIMIT_EXCEEDED},
    ),
    "fragments in a circle": (
        "query ($c: Boolean = true) { ...A } fragment A on Query { x: __typename ...A @include(if: $c) }",
        {Code.GRAPHQL_VALIDATION_FAILED},
    ),
    "unknown names and directives": (
        "{ " + " ".join(f"x{n} @u{n}" for n in range(1_900)) + " }",
        {Code.LIMIT_EXCEEDED, Code.GRAPHQL_VALIDATION_FAILED},
    ),
    "arguments in another order": (
        "{ "
        + " ".join(
            "customers(first: 1, after: null) { id } customers(after: null, first: 1) { id }" for _ in range(150)
        )
        + " }",
        {Code.LIMIT_EXCEEDED, Code.GRAPHQL_VALIDATION_FAILED},
    ),
}


@pytest.mark.parametrize(("text", "codes"), SMALL_DOCUMENTS_THAT_COST.values(), ids=SMALL_DOCUMENTS_THAT_COST)
async def test_a_small_document_that_would_cost_is_refused_and_remembered(text: str, codes: set[Code]) -> None:
    """Reports about graphql-core, Strawberry and Apollo: exponential fragments, and comparisons of each field with each."""
    taken: list[float] = []
    new_work = NewWork(1_000_000, clock=lambda: 0.0)
    gates = Pipeline(DictSubgraph(), Settings(), preparing=Preparing(cache=SharedCache(10_000_000), new_work=new_work))
    for _ in range(2):
        assert await outcome(gates, text) in codes
        taken.append(1_000_000 - new_work._account(OPERATOR.subject).left)
    assert 0 < taken[0] < units_of(text) + 1 / UNIT_SECONDS, "it took less than a second of CPU time"
    assert taken[1] == taken[0], "and nothing when it came again"
