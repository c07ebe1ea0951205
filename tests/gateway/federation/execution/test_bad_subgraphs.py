"""Whatever a subgraph does: the data that could be had, nulls and errors where they belong, and nothing of its inside."""

from __future__ import annotations

import asyncio
import json
import resource
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from tests.gateway.federation.conftest import Behaviour, Subgraphs, ask, entity, gateway, told

SECRET = "secret-of-the-inside"
DEEP = "[" * 500 + "]" * 500


def saying(body: Any, *, status: int = 200, media: str = "application/json") -> Behaviour:
    async def behaviour(*_: Any) -> Response:
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return Response(text, status, media_type=media)

    return behaviour


def entities(*given: Any, errors: Any = None) -> Behaviour:
    return saying({"data": {"_entities": list(given)}, **({"errors": errors} if errors else {})})


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(saying(f"<html>{SECRET}</html>", media="text/html"), id="HTML"),
        pytest.param(saying(f'{{"data": {{"_entities": [{{"note": "{SECRET}'), id="truncated JSON"),
        pytest.param(saying(["a", SECRET]), id="a list"),
        pytest.param(saying("null"), id="null"),
        pytest.param(saying({"data": SECRET}), id="data that is a string"),
        pytest.param(saying({"data": None}), id="neither data nor errors"),
        pytest.param(saying({"data": None, "errors": SECRET}), id="errors that are a string"),
        pytest.param(saying({"data": None, "errors": [None, 3, {"message": {"a": SECRET}}]}), id="errors of no shape"),
        pytest.param(saying({"errors": [{"message": SECRET, "extensions": {"code": SECRET}}]}), id="an inner message"),
        pytest.param(saying({"message": SECRET}, status=500), id="status 500"),
        pytest.param(saying({"message": SECRET}, status=404), id="status 404"),
        pytest.param(saying({"data": {}}, media="text/plain"), id="another media type"),
        pytest.param(saying(b"\xff\xfe\x00"), id="no text"),
        pytest.param(saying(DEEP), id="deep nesting"),
    ],
)
async def test_an_answer_that_is_none_costs_its_own_fields_only(
    subgraphs: Subgraphs, supergraph: Path, behaviour: Behaviour
) -> None:
    subgraphs.behaviours["b"] = behaviour
    async with gateway(supergraph) as client:
        answer = await ask(client, "{ product { name note } }")
    assert answer["data"] == {"product": {"name": "one", "note": None}}
    assert told(answer)[0] == ("SUBGRAPH_FAILED", ["product", "note"])
    assert SECRET not in json.dumps(answer)


async def test_a_subgraph_that_is_down_costs_its_own_fields_only(subgraphs: Subgraphs, supergraph: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    async with gateway(supergraph, urls={"b": f"http://127.0.0.1:{port}/b"}) as client:
        answer = await ask(client, "{ product { name note } }")
    assert answer["data"] == {"product": {"name": "one", "note": None}}
    assert told(answer) == [("SUBGRAPH_UNAVAILABLE", ["product", "note"])]
    assert str(port) not in json.dumps(answer)
    assert subgraphs.calls("a") == 1


async def test_a_subgraph_that_is_slow_costs_its_own_fields_only(subgraphs: Subgraphs, supergraph: Path) -> None:
    async def slow(*_: Any) -> Response:
        await asyncio.sleep(3)
        return Response()

    subgraphs.behaviours["b"] = slow
    async with gateway(supergraph, seconds=0.5) as client:
        answer = await ask(client, "{ product { name note } }")
    assert answer["data"] == {"product": {"name": "one", "note": None}}
    assert told(answer) == [("DEADLINE_EXCEEDED", ["product", "note"])]


async def test_a_hundred_megabytes_are_not_read(subgraphs: Subgraphs, supergraph: Path) -> None:
    sent = 0

    async def endless(request: Request, _: Any) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            nonlocal sent
            yield b'{"data": {"_entities": [{"note": "'
            for _ in range(1_600):
                if await request.is_disconnected():
                    return
                sent += 65_536
                yield b"x" * 65_536

        return StreamingResponse(chunks(), media_type="application/json")

    subgraphs.behaviours["b"] = endless
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with gateway(supergraph, response_bytes=1_000_000) as client:
        answer = await ask(client, "{ product { name note } }")
    assert answer["data"] == {"product": {"name": "one", "note": None}}
    assert told(answer) == [("SUBGRAPH_FAILED", ["product", "note"])]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # kB
    assert sent < 100_000_000


async def test_a_redirect_is_not_followed(subgraphs: Subgraphs, supergraph: Path) -> None:
    async def elsewhere(*_: Any) -> Response:
        return RedirectResponse(f"{subgraphs.base}/a", 307)

    subgraphs.behaviours["b"] = elsewhere
    async with gateway(supergraph) as client:
        answer = await ask(client, "{ product { note } }")
    assert answer["data"] == {"product": {"note": None}}
    assert subgraphs.calls("a") == 1


@pytest.mark.parametrize(
    ("asked", "given", "expected", "places"),
    [
        pytest.param("note", {"note": 3}, {"note": None}, [["product", "note"]], id="a number for a string"),
        pytest.param("tags", {"tags": 1}, {"tags": None}, [["product", "tags"]], id="a number for a list"),
        pytest.param("tags", {"tags": [1, "x"]}, {"tags": None}, [["product", "tags", 1]], id="a wrong item"),
        pytest.param("tags", {"tags": [1, None]}, {"tags": None}, [["product", "tags", 1]], id="a null item"),
        pytest.param("tags", {"tags": [2.0]}, {"tags": [2]}, [], id="a whole number as a float"),
        pytest.param("tags", {"tags": [True]}, {"tags": None}, [["product", "tags", 0]], id="a boolean for a number"),
        pytest.param("state", {"state": "SECRET"}, {"state": None}, [["product", "state"]], id="a hidden enum value"),
        pytest.param("state", {"state": {"a": 1}}, {"state": None}, [["product", "state"]], id="an object for an enum"),
        pytest.param("strict", {"strict": None}, None, [["product", "strict"]], id="a null where none may be"),
        pytest.param("strict", {}, None, [["product", "strict"]], id="a field that is missing"),
        pytest.param("any", {"any": [{"x": [1]}]}, {"any": [{"x": [1]}]}, [], id="anything for a custom scalar"),
    ],
)
async def test_values_of_wrong_types_become_nulls_with_their_places(
    subgraphs: Subgraphs, supergraph: Path, asked: str, given: Any, expected: Any, places: list[Any]
) -> None:
    subgraphs.behaviours["b"] = entities(given)
    async with gateway(supergraph) as client:
        answer = await ask(client, f"{{ product {{ {asked} }} }}")
    assert answer["data"] == {"product": expected}
    assert told(answer) == [("SUBGRAPH_FAILED", place) for place in places]


@pytest.mark.parametrize(
    ("query", "expected", "place"),
    [
        ("{ products { strict } }", {"products": [None, {"strict": "s"}]}, ["products", 0, "strict"]),
        ("{ exact { strict } }", {"exact": None}, ["exact", 0, "strict"]),
        ("{ all: exact { is: strict } }", {"all": None}, ["all", 0, "is"]),
        ("{ must { strict } }", None, ["must", "strict"]),
    ],
)
async def test_a_null_goes_up_to_where_one_may_be(
    subgraphs: Subgraphs, supergraph: Path, query: str, expected: Any, place: list[Any]
) -> None:
    one, two = {"id": "1"}, {"id": "2"}
    lists = {"products": [one, two], "exact": [one, two], "all": [one, two], "must": one}
    subgraphs.behaviours["a"] = saying(
        {"data": {name: each for name, each in lists.items() if f"{name} " in query or f"{name}:" in query}}
    )
    subgraphs.behaviours["b"] = entities({"strict": None, "is": None}, {"strict": "s", "is": "s"})
    async with gateway(supergraph) as client:
        answer = await ask(client, query)
    assert answer["data"] == expected
    assert told(answer) == [("SUBGRAPH_FAILED", place)]


async def test_an_error_with_a_path_into_a_list_is_told_at_its_entity(subgraphs: Subgraphs, supergraph: Path) -> None:
    error = {"message": SECRET, "path": ["_entities", 1, "n"]}
    subgraphs.behaviours["b"] = entities({"n": "first"}, {"n": None}, errors=[error])
    async with gateway(supergraph) as client:
        answer = await ask(client, "{ products { n: note } }")
    assert answer["data"] == {"products": [{"n": "first"}, {"n": None}]}
    assert told(answer) == [("SUBGRAPH_FAILED", ["products", 1, "n"])]
    assert SECRET not in json.dumps(answer)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param([{"note": "x"}] * 5, ["x", "x"], id="more than asked"),
        pytest.param([{"note": "x"}], ["x", None], id="fewer than asked"),
        pytest.param([None, "x"], [None, None], id="of another shape"),
        pytest.param({"a": 1}, [None, None], id="no list"),
    ],
)
async def test_another_number_of_entities_than_asked_harms_nobody(
    subgraphs: Subgraphs, supergraph: Path, given: Any, expected: list[Any]
) -> None:
    subgraphs.behaviours["b"] = saying({"data": {"_entities": given}})
    async with gateway(supergraph) as client:
        answer = await ask(client, "{ products { note } }")
    assert [each["note"] for each in answer["data"]["products"]] == expected


async def test_an_entity_whose_key_is_null_is_not_asked_for(subgraphs: Subgraphs, supergraph: Path) -> None:
    subgraphs.behaviours["a"] = saying(
        {"data": {"products": [{"name": "x", "id": None}, None, {"name": "y", "id": "2"}]}}
    )
    async with gateway(supergraph) as client:
        answer = await ask(client, "{ products { name note } }")
    assert [each and each["note"] for each in answer["data"]["products"]] == [None, None, "note 2"]
    assert [body["variables"]["_r0"] for name, body, _ in subgraphs.asked if name == "b"] == [
        [{"__typename": "Product", "id": "2"}]
    ]


async def test_the_same_entity_twice_is_asked_once(subgraphs: Subgraphs, supergraph: Path) -> None:
    subgraphs.behaviours["a"] = saying({"data": {"products": [{"id": "1"}, {"id": "2"}, {"id": "1"}]}})
    async with gateway(supergraph) as client:
        answer = await ask(client, "{ products { note } }")
    assert [each["note"] for each in answer["data"]["products"]] == ["note 1", "note 2", "note 1"]
    assert [len(body["variables"]["_r0"]) for name, body, _ in subgraphs.asked if name == "b"] == [2]


async def test_nothing_is_asked_of_a_subgraph_that_nothing_is_wanted_from(
    subgraphs: Subgraphs, supergraph: Path
) -> None:
    subgraphs.behaviours["a"] = saying({"data": {"products": []}})
    async with gateway(supergraph) as client:
        assert await ask(client, "{ products { note } }") == {"data": {"products": []}}
    assert subgraphs.calls("b") == 0


async def test_at_most_nine_errors_are_told(subgraphs: Subgraphs, supergraph: Path) -> None:
    subgraphs.behaviours["a"] = saying({"data": {"products": [{"id": str(each)} for each in range(50)]}})
    subgraphs.behaviours["b"] = saying({"errors": [{"message": f"x{each}"} for each in range(30)]})
    async with gateway(supergraph, subgraphs={"b": {"show_messages": True}}) as client:
        answer = await ask(client, "{ products { note } }")
    assert [each["message"] for each in answer["errors"]] == [f"x{each}" for each in range(9)]


FAILING = {
    "it is away": saying("", status=503),
    "it answers one error for all": saying({"errors": [{"message": "x"}] * 30}),
    "it answers one for each entity": saying(
        {"data": None, "errors": [{"message": "x", "path": ["_entities", each]} for each in range(50)]}
    ),
    "it answers none": saying({"data": {"_entities": []}}),
}


@pytest.mark.parametrize("behaviour", FAILING.values(), ids=FAILING)
@pytest.mark.parametrize("field", ["note", "strict"])
async def test_what_a_subgraph_lacks_at_many_entities_is_one_error_with_their_number(
    subgraphs: Subgraphs, supergraph: Path, behaviour: Behaviour, field: str
) -> None:
    subgraphs.behaviours["a"] = saying({"data": {"products": [{"id": str(each)} for each in range(50)]}})
    subgraphs.behaviours["b"] = behaviour
    async with gateway(supergraph, tries=1) as client:
        answer = await ask(client, f"{{ products {{ {field} }} }}")
    assert answer["data"] == {"products": [{"note": None} if field == "note" else None] * 50}
    (error,) = answer["errors"]
    assert error["path"] == ["products", 0, field]
    assert error["extensions"]["count"] == 50


async def test_each_field_that_is_lacking_is_one_error(subgraphs: Subgraphs, supergraph: Path) -> None:
    subgraphs.behaviours["a"] = saying({"data": {"products": [{"id": str(each)} for each in range(3)]}})
    subgraphs.behaviours["b"] = saying("", status=503)
    async with gateway(supergraph, tries=1) as client:
        answer = await ask(client, "{ products { note tags name } }")
    found = [(each["path"], each["extensions"]["count"]) for each in answer["errors"]]
    assert found == [(["products", 0, "note"], 3), (["products", 0, "tags"], 3)]


async def test_messages_are_shown_of_subgraphs_that_the_operator_names(subgraphs: Subgraphs, supergraph: Path) -> None:
    error = {"message": "Sold out.", "extensions": {"code": "CONFLICT", "inner": SECRET}}
    subgraphs.behaviours["b"] = entities(None, errors=[error])
    async with gateway(supergraph, subgraphs={"b": {"show_messages": True}}) as client:
        answer = await ask(client, "{ product { note } }")
    assert answer["errors"][0]["message"] == "Sold out."
    assert answer["errors"][0]["extensions"]["code"] == "CONFLICT"
    assert SECRET not in json.dumps(answer)


async def test_what_was_not_asked_for_is_not_passed_on(subgraphs: Subgraphs, supergraph: Path) -> None:
    async def odd(_: Request, body: dict[str, Any]) -> Response:
        return JSONResponse(
            {"data": {"_entities": [entity(each) for each in body["variables"]["_r0"]], "extra": SECRET}}
        )

    subgraphs.behaviours["b"] = odd
    async with gateway(supergraph) as client:
        assert await ask(client, "{ product { note } }") == {"data": {"product": {"note": "note 1"}}}


@pytest.fixture
def two_roots(supergraph: Path) -> Path:
    """The supergraph with a root field of b's."""
    field = "  ours: Int @join__field(graph: B) product: Product @"
    supergraph.write_text(supergraph.read_text().replace("  product: Product @", field, 1))
    return supergraph


async def test_what_a_subgraph_was_not_asked_for_is_not_shown(subgraphs: Subgraphs, two_roots: Path) -> None:
    subgraphs.behaviours["a"] = saying({"data": {"product": {"id": "1", "name": "one"}, "ours": 7}})
    subgraphs.behaviours["b"] = saying("", status=503)
    async with gateway(two_roots, tries=1) as client:
        answer = await ask(client, "{ product { name } ours }")
    assert answer["data"] == {"product": {"name": "one"}, "ours": None}
    assert told(answer) == [("SUBGRAPH_UNAVAILABLE", ["ours"])]


async def test_an_error_whose_place_nobody_knows_has_none(subgraphs: Subgraphs, supergraph: Path) -> None:
    subgraphs.behaviours["a"] = saying({"data": {"product": None}, "errors": [{"message": "x", "path": ["nowhere"]}]})
    async with gateway(supergraph) as client:
        answer = await ask(client, "{ product { name } }")
    assert [each.get("path") for each in answer["errors"]] == [None]
