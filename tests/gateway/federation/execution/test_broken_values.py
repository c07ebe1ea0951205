"""Values that no subgraph may answer: what they are in becomes null with an error, and everything else is answered."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.gateway.federation.conftest import Subgraphs, ask, gateway, told
from tests.gateway.federation.planning.models import HEADER

SDL = (
    HEADER
    + """
enum join__Graph { A @join__graph(name: "a", url: "{base}/a") B @join__graph(name: "b", url: "{base}/b") }
scalar Any @join__type(graph: A) @join__type(graph: B)
interface Node @join__type(graph: A) { id: ID! }
type Box implements Node @join__type(graph: A) @join__implements(graph: A, interface: "Node") {
  id: ID! size: Int list: [Int!]
}
interface Media @join__type(graph: A, key: "id") @join__type(graph: B, key: "id", isInterfaceObject: true) {
  id: ID! title: String @join__field(graph: A) views: Int @join__field(graph: B)
}
type Book implements Media @join__type(graph: A, key: "id") @join__implements(graph: A, interface: "Media") {
  id: ID! @join__field(graph: A) title: String @join__field(graph: A) views: Int @join__field
}
type Size @join__type(graph: A) @join__type(graph: B) { width: Int! }
type Query @join__type(graph: A) @join__type(graph: B) {
  other: String @join__field(graph: A)
  echo(any: Any, id: ID): String @join__field(graph: A)
  node: Node @join__field(graph: A)
  product: Product @join__field(graph: A)
  more: Product @join__field(graph: A)
  products: [Product] @join__field(graph: A)
  loose: Loose @join__field(graph: A)
  media: Media @join__field(graph: B)
  books: [Media!] @join__field(graph: B)
}
type Product @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  int: Int @join__field(graph: A)
  float: Float @join__field(graph: A)
  must: Float! @join__field(graph: A)
  any: Any @join__field(graph: A) @join__field(graph: B, external: true)
  x: Int! @join__field(graph: A) @join__field(graph: B, external: true)
  maybe: Int @join__field(graph: A) @join__field(graph: B, external: true)
  size: Size! @join__field(graph: A) @join__field(graph: B, external: true)
  note: Any @join__field(graph: B)
  of_any: String @join__field(graph: B, requires: "any")
  of_x: String @join__field(graph: B, requires: "x")
  of_maybe: String @join__field(graph: B, requires: "maybe")
  of_size: String @join__field(graph: B, requires: "size { width }")
}
type Loose @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID
  name: String @join__field(graph: A)
  note: String @join__field(graph: B)
}
"""
)


@pytest.fixture(scope="module")
async def client(served: Subgraphs, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    path = tmp_path_factory.mktemp("strict") / "supergraph.graphql"
    path.write_text(SDL.replace("{base}", served.base))
    async with gateway(path) as client:
        yield client


def saying(text: str) -> Any:
    async def behaviour(_: Request, __: dict[str, Any]) -> Response:
        return Response(text, media_type="application/json")

    return behaviour


def data(**fields: str) -> Any:
    """Fields whose values are JSON texts."""
    return saying(f'{{"data": {{{", ".join(f"{json.dumps(name)}: {text}" for name, text in fields.items())}}}}}')


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def sent_to_b(subgraphs: Subgraphs) -> list[Any]:
    return [body["variables"] for name, body, _ in subgraphs.asked if name == "b"]


FAILED = "SUBGRAPH_FAILED"


@pytest.mark.parametrize("name", ["[]", "{}", "3", "true", '"Nope"', "null", '["Box"]'])
@pytest.mark.parametrize("query", ["{ other node { __typename } }", "{ other node { id ... on Box { size } } }"])
async def test_a_type_name_that_is_none_costs_its_object(
    subgraphs: Subgraphs, client: httpx.AsyncClient, name: str, query: str
) -> None:
    subgraphs.behaviours["a"] = data(other='"fine"', node=f'{{"__typename": {name}, "id": "1", "size": 1}}')
    answer = await ask(client, query)
    assert answer["data"] == {"other": "fine", "node": None}
    ((code, path),) = told(answer)
    assert (code, path[:1]) == (FAILED, ["node"])


async def test_an_object_that_is_answered_alike_need_not_say_its_type(
    subgraphs: Subgraphs, client: httpx.AsyncClient
) -> None:
    subgraphs.behaviours["a"] = data(node='{"id": "1"}')
    assert await ask(client, "{ node { id } }") == {"data": {"node": {"id": "1"}}}


@pytest.mark.parametrize("levels", [150, 260, 450, 900, 1_015])
@pytest.mark.parametrize(
    ("query", "by", "field"),
    [
        pytest.param("{ other product { of_any } }", "a", "of_any", id="required"),
        pytest.param("{ other product { any } }", "a", "any", id="asked"),
        pytest.param("{ other product { note } more { note } }", "b", "note", id="two places"),
    ],
)
async def test_a_value_that_nests_too_deep_costs_its_field(
    subgraphs: Subgraphs, client: httpx.AsyncClient, levels: int, query: str, by: str, field: str
) -> None:
    deep = nested(levels)
    product = f'{{"id": "1", "any": {deep if by == "a" else 1}}}'
    subgraphs.behaviours["a"] = data(other='"fine"', product=product, more=product)
    subgraphs.behaviours["b"] = data(_entities=f'[{{"note": {deep if by == "b" else 1}, "of_any": "x"}}]')
    answer = await ask(client, query)
    assert answer["data"]["other"] == "fine"
    assert answer["data"]["product"] == {field: None}
    assert told(answer)[0] == (FAILED, ["product", field])


@pytest.mark.parametrize("levels", [90, 300, 1_010])
async def test_a_list_that_nests_too_deep_costs_its_item(
    subgraphs: Subgraphs, client: httpx.AsyncClient, levels: int
) -> None:
    subgraphs.behaviours["a"] = data(other='"fine"', products=nested(levels))
    answer = await ask(client, "{ other products { note } }")
    assert answer["data"] == {"other": "fine", "products": [None]}
    assert told(answer) == [(FAILED, ["products", 0])]


async def test_brackets_in_texts_nest_nothing(subgraphs: Subgraphs, client: httpx.AsyncClient) -> None:
    text = "[{" * 1_000
    subgraphs.behaviours["a"] = data(product=json.dumps({"any": {"a": [text]}}))
    assert await ask(client, "{ product { any } }") == {"data": {"product": {"any": {"a": [text]}}}}


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("{ media { __typename views } }", ["media", "__typename"]),
        ("{ media { kind: __typename title } }", ["media", "kind"]),
        ("{ media { views ... on Book { title } } }", ["media"]),
    ],
)
@pytest.mark.parametrize("owner", ["[null]", '[{"__typename": null}]', '[{"__typename": "Media"}]'])
async def test_an_interface_object_without_an_owner_has_no_type(
    subgraphs: Subgraphs, client: httpx.AsyncClient, query: str, place: list[str], owner: str
) -> None:
    subgraphs.behaviours |= {"b": data(media='{"id": "1", "views": 7}'), "a": data(_entities=owner)}
    answer = await ask(client, query)
    assert answer["data"] == {"media": None}
    assert told(answer) == [(FAILED, place)]


async def test_an_interface_object_whose_owner_is_down_has_no_type(
    subgraphs: Subgraphs, client: httpx.AsyncClient
) -> None:
    subgraphs.behaviours |= {"b": data(books='[{"id": "1", "views": 7}]'), "a": saying('{"errors": [{}]}')}
    answer = await ask(client, "{ books { views ... on Book { title } } }")
    assert answer["data"] == {"books": None}
    assert told(answer) == [(FAILED, ["books", 0])]


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("int", "2147483647", "2147483647"),
        ("int", "-2147483648", "-2147483648"),
        ("int", "2147483648", None),
        ("int", "2147483648.0", None),
        ("int", "-2147483649", None),
        ("int", "18446744073709551616", None),
        ("int", "1e400", None),
        ("float", "1e400", None),
        ("float", "-1e999", None),
        ("float", "123456789012345678901234567890", "1.2345678901234568e+29"),
        ("float", "9007199254740993", "9007199254740993"),
        ("float", "107.60917663574219", "107.60917663574219"),
        ("float", "5e-324", "5e-324"),
        ("id", "99999999999999999999999999", '"99999999999999999999999999"'),
        ("any", "123456789012345678901234567890", "123456789012345678901234567890"),
        ("any", "0.12345678901234567", "0.12345678901234567"),
        ("any", "[18446744073709551616, -9223372036854775809]", "[18446744073709551616,-9223372036854775809]"),
        ("any", '{"a": [1e400, 0.12345678901234567890123]}', '{"a":[1e400,0.12345678901234567890123]}'),
    ],
)
async def test_numbers_are_what_they_were_or_an_error(
    subgraphs: Subgraphs, client: httpx.AsyncClient, field: str, text: str, expected: str | None
) -> None:
    subgraphs.behaviours["a"] = data(other='"fine"', product=f'{{"{field}": {text}}}')
    response = await client.post("/graphql", json={"query": f"{{ other product {{ {field} }} }}"})
    value = f'"product":{{"{field}":{expected or "null"}}}'
    assert response.text.startswith(f'{{"data":{{"other":"fine",{value}}}')
    assert told(response.json()) == ([] if expected else [(FAILED, ["product", field])])


async def test_infinity_where_a_number_must_be_takes_its_parent_away(
    subgraphs: Subgraphs, client: httpx.AsyncClient
) -> None:
    subgraphs.behaviours["a"] = data(other='"fine"', product='{"must": 1e400}')
    answer = await ask(client, "{ other product { must } }")
    assert answer["data"] == {"other": "fine", "product": None}
    assert told(answer) == [(FAILED, ["product", "must"])]


async def test_numbers_go_on_to_other_subgraphs_as_they_were(subgraphs: Subgraphs, client: httpx.AsyncClient) -> None:
    texts: list[str] = []

    async def keeping(request: Request, _: dict[str, Any]) -> Response:
        texts.append((await request.body()).decode())
        return Response('{"data": {"_entities": [{"of_any": "x"}, {"of_any": "y"}]}}', media_type="application/json")

    # As doubles the two would be one entity.
    one, other = "0.12345678901234567890", "0.12345678901234567891"
    items = f'[{{"id": "1", "any": {one}}}, {{"id": "1", "any": {other}}}]'
    subgraphs.behaviours |= {"a": data(products=items), "b": keeping}
    answer = await ask(client, "{ products { of_any } }")
    assert answer == {"data": {"products": [{"of_any": "x"}, {"of_any": "y"}]}}
    assert f'"any":{one}}}' in texts[0]
    assert f'"any":{other}}}' in texts[0]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ([True], []),
        (["other", False], ["other"]),
        ([-1], []),
        ([0], []),
        (["products", -1], ["products"]),
        (["products", 2, "any"], ["products"]),
        (["products", 1, "any"], ["products", 1, "any"]),
        (["products", 1, 1, "any"], ["products", 1]),
        (["products", "any"], ["products"]),
        (["products", 0, True, "any"], ["products", 0]),
        (["other", 0], ["other"]),
        (["other", {"a": 1}], ["other"]),
        (["other", 1e300], ["other"]),
    ],
)
async def test_paths_of_errors_hold_names_and_indexes_only(
    subgraphs: Subgraphs, client: httpx.AsyncClient, path: list[Any], expected: list[Any]
) -> None:
    answer = {"data": {"other": None, "products": [{"any": 1}, {"any": None}]}, "errors": [{"path": path}]}
    subgraphs.behaviours["a"] = saying(json.dumps(answer))
    found = await ask(client, "{ other products { any } }")
    assert told(found) == [(FAILED, expected)]


@pytest.mark.parametrize(
    ("product", "query", "place"),
    [
        pytest.param('{"id": null}', "{ product { note } }", "note", id="a key that is null"),
        pytest.param("{}", "{ product { note } }", "note", id="a key that is absent"),
        pytest.param('{"id": {"no": 1}}', "{ product { note } }", "note", id="a key that is an object"),
        pytest.param('{"id": [1]}', "{ product { note } }", "note", id="a key that is a list"),
        pytest.param('{"id": true}', "{ product { note } }", "note", id="a key that is a boolean"),
        pytest.param('{"id": "1", "x": null}', "{ product { of_x } }", "of_x", id="a requirement that is null"),
        pytest.param('{"id": "1"}', "{ product { of_x } }", "of_x", id="a requirement that is absent"),
        pytest.param('{"id": "1", "x": "1"}', "{ product { of_x } }", "of_x", id="a requirement that is a text"),
        pytest.param('{"id": "1", "size": 3}', "{ product { of_size } }", "of_size", id="no object"),
        pytest.param('{"id": "1", "size": {}}', "{ product { of_size } }", "of_size", id="an object without its part"),
        pytest.param(
            '{"id": "1", "maybe": "x"}', "{ product { of_maybe } }", "of_maybe", id="malformed where null may be"
        ),
    ],
)
async def test_what_is_broken_is_not_sent_on_and_told(
    subgraphs: Subgraphs, client: httpx.AsyncClient, product: str, query: str, place: str
) -> None:
    subgraphs.behaviours["a"] = data(product=product)
    answer = await ask(client, query)
    assert answer["data"] == {"product": {place: None}}
    assert told(answer) == [(FAILED, ["product", place])]
    assert sent_to_b(subgraphs) == []


async def test_what_is_broken_costs_its_own_entity_only(subgraphs: Subgraphs, client: httpx.AsyncClient) -> None:
    subgraphs.behaviours["a"] = data(products='[{"id": "1"}, {"id": null}, {"id": "2"}, {"id": []}]')
    subgraphs.behaviours["b"] = data(_entities='[{"note": 1}, {"note": 2}]')
    answer = await ask(client, "{ products { note } }")
    assert [each["note"] for each in answer["data"]["products"]] == [1, None, 2, None]
    assert told(answer) == [(FAILED, ["products", 1, "note"])]
    assert answer["errors"][0]["extensions"]["count"] == 2


async def test_null_is_right_where_it_may_be(subgraphs: Subgraphs, client: httpx.AsyncClient) -> None:
    subgraphs.behaviours["a"] = data(loose='{"id": null, "name": "x"}', product='{"id": "1", "maybe": null}')
    subgraphs.behaviours["b"] = data(_entities='[{"of_maybe": "none"}]')
    assert await ask(client, "{ loose { name note } }") == {"data": {"loose": {"name": "x", "note": None}}}
    assert await ask(client, "{ product { of_maybe } }") == {"data": {"product": {"of_maybe": "none"}}}
    assert sent_to_b(subgraphs) == [{"_r0": [{"__typename": "Product", "id": "1", "maybe": None}]}]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param('{"data": {"_entities": null}}', id="null"),
        pytest.param('{"data": {"_entities": []}}', id="no entity"),
        pytest.param('{"data": {}}', id="absent"),
        pytest.param('{"data": {"_entities": {"note": 1}}}', id="an object"),
        pytest.param('{"data": {"_entities": ["x"]}}', id="a text for an entity"),
        pytest.param('{"data": {"_entities": [[{"note": 1}]]}}', id="a list for an entity"),
    ],
)
async def test_entities_that_are_none_are_told(subgraphs: Subgraphs, client: httpx.AsyncClient, answer: str) -> None:
    subgraphs.behaviours |= {"a": data(product='{"id": "1"}'), "b": saying(answer)}
    found = await ask(client, "{ product { note } }")
    assert found["data"] == {"product": {"note": None}}
    assert told(found) == [(FAILED, ["product", "note"])]


async def test_an_entity_that_a_subgraph_does_not_know_is_no_error(
    subgraphs: Subgraphs, client: httpx.AsyncClient
) -> None:
    subgraphs.behaviours |= {"a": data(product='{"id": "1"}'), "b": data(_entities="[null]")}
    assert await ask(client, "{ product { note } }") == {"data": {"product": {"note": None}}}


@pytest.mark.parametrize(
    ("variable", "kind", "sent"),
    [
        ("18446744073709551616", "Any", "18446744073709551616"),
        ("1e400", "Any", "1e400"),
        ('{"a": [0.12345678901234567890123]}', "Any", '{"a":[0.12345678901234567890123]}'),
        ("10000000000000000000000000", "ID", '"10000000000000000000000000"'),
    ],
)
async def test_variables_keep_their_digits(
    subgraphs: Subgraphs, client: httpx.AsyncClient, variable: str, kind: str, sent: str
) -> None:
    body = f'{{"query": "query($v: {kind}) {{ echo({kind.lower()}: $v) }}", "variables": {{"v": {variable}}}}}'
    assert await echoed(subgraphs, client, body) == f'{{"v":{sent}}}'


async def test_defaults_keep_their_digits(subgraphs: Subgraphs, client: httpx.AsyncClient) -> None:
    body = '{"query": "query($v: Any = {a: [18446744073709551616]}) { echo(any: $v) }"}'
    assert await echoed(subgraphs, client, body) == '{"v":{"a":[18446744073709551616]}}'


async def test_a_default_that_no_json_can_say_is_refused(subgraphs: Subgraphs, client: httpx.AsyncClient) -> None:
    answer = await ask(client, "query($v: Any = 1e400) { echo(any: $v) }")
    assert told(answer) == [("BAD_USER_INPUT", ["echo"])]
    assert subgraphs.asked == []


async def echoed(subgraphs: Subgraphs, client: httpx.AsyncClient, body: str) -> str:
    """What a subgraph got as variables."""
    texts: list[str] = []

    async def keeping(request: Request, _: dict[str, Any]) -> Response:
        texts.append((await request.body()).decode())
        return Response('{"data": {"echo": "ok"}}', media_type="application/json")

    subgraphs.behaviours["a"] = keeping
    answer = await client.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert answer.json() == {"data": {"echo": "ok"}}
    return texts[0].partition('"variables":')[2][:-1]


async def test_a_request_has_a_bounded_number_of_exact_numbers(subgraphs: Subgraphs, client: httpx.AsyncClient) -> None:
    numbers = ",".join(["1e400"] * 1_001)
    body = f'{{"query": "query($v: Any) {{ echo(any: $v) }}", "variables": {{"v": [{numbers}]}}}}'
    answer = await client.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["message"] == "Of the request's numbers more than 1000 are none that a double is."
    assert subgraphs.asked == []


@pytest.fixture
def without_custom_scalars(supergraph: Path) -> Path:
    sdl = supergraph.read_text()
    for each in ("scalar Anything @join__type(graph: B)", "any: Anything @join__field(graph: B)"):
        assert each in sdl
        sdl = sdl.replace(each, "")
    supergraph.write_text(sdl)
    return supergraph


@pytest.mark.parametrize("more", ["0.1", "1e400", f'"{" " * 1_100_000}"'], ids=["short", "beyond doubles", "large"])
async def test_an_id_keeps_its_digits_where_no_scalar_is_custom(
    subgraphs: Subgraphs, without_custom_scalars: Path, more: str
) -> None:
    subgraphs.behaviours["a"] = data(product=f'{{"id": 18446744073709551616, "more": {more}}}')
    async with gateway(without_custom_scalars) as client:
        assert await ask(client, "{ product { id } }") == {"data": {"product": {"id": "18446744073709551616"}}}
