"""How subgraphs are asked: again, once for many, not at all, and with which headers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.federation.execution.remote import FAILURES
from tests.gateway.federation.conftest import Subgraphs, ask, gateway, notes, products, told


def failing(times: int, then: Callable[[Request, dict[str, Any]], Awaitable[Response]], status: int = 503) -> Any:
    left = times

    async def behaviour(request: Request, body: dict[str, Any]) -> Response:
        nonlocal left
        left -= 1
        return Response(status_code=status) if left >= 0 else await then(request, body)

    return behaviour


async def test_a_read_is_tried_again(subgraphs: Subgraphs, supergraph: Path) -> None:
    subgraphs.behaviours["b"] = failing(2, notes)
    async with gateway(supergraph) as client:
        assert await ask(client, "{ product { note } }") == {"data": {"product": {"note": "note 1"}}}
    assert subgraphs.calls("b") == 3


async def test_a_change_is_never_tried_again(subgraphs: Subgraphs, supergraph: Path) -> None:
    subgraphs.behaviours["a"] = failing(1, products)
    async with gateway(supergraph) as client:
        answer = await ask(client, "mutation { change { name } }")
    assert told(answer) == [("SUBGRAPH_UNAVAILABLE", ["change"])]
    assert subgraphs.calls("a") == 1


async def test_a_subgraph_that_fails_again_and_again_is_spared(subgraphs: Subgraphs, supergraph: Path) -> None:
    subgraphs.behaviours["b"] = failing(1_000, notes)
    async with gateway(supergraph, tries=1) as client:
        for number in range(FAILURES + 3):
            answer = await ask(client, f"{{ product {{ n{number}: note }} }}")
            assert told(answer) == [("SUBGRAPH_UNAVAILABLE", ["product", f"n{number}"])]
    assert subgraphs.calls("b") == FAILURES
    assert subgraphs.calls("a") == FAILURES + 3


async def slowly(request: Request, body: dict[str, Any]) -> Response:
    await asyncio.sleep(0.2)
    return await products(request, body)


@pytest.mark.parametrize(
    ("share", "second", "calls"),
    [
        pytest.param(True, "one", 1, id="the same"),
        pytest.param(True, "two", 2, id="another header that goes on"),
        pytest.param(False, "one", 2, id="switched off"),
    ],
)
async def test_what_several_ask_at_once_is_asked_once(
    subgraphs: Subgraphs, supergraph: Path, *, share: bool, second: str, calls: int
) -> None:
    subgraphs.behaviours["a"] = slowly
    async with gateway(supergraph, share=share, forward_headers=("x-tenant",)) as client:
        asked = [ask(client, "{ product { name } }", **{"x-tenant": each}) for each in ("one", second)]
        answers = await asyncio.gather(*asked)
    assert answers == [{"data": {"product": {"name": "one"}}}] * 2
    assert subgraphs.calls("a") == calls


async def test_headers_come_back_to_all_who_share(subgraphs: Subgraphs, supergraph: Path) -> None:
    async def with_header(request: Request, body: dict[str, Any]) -> Response:
        response = await slowly(request, body)
        response.headers["x-version"] = "7"
        return response

    subgraphs.behaviours["a"] = with_header
    async with gateway(supergraph, return_headers=("x-version",)) as client:
        body = {"query": "{ product { name } }"}
        answers = await asyncio.gather(*(client.post("/graphql", json=body) for _ in range(3)))
    assert [each.headers["x-version"] for each in answers] == ["7", "7", "7"]
    assert subgraphs.calls("a") == 1


async def test_changes_are_never_shared(subgraphs: Subgraphs, supergraph: Path) -> None:
    subgraphs.behaviours["a"] = slowly
    async with gateway(supergraph) as client:
        await asyncio.gather(*(ask(client, "mutation { change { name } }") for _ in range(3)))
    assert subgraphs.calls("a") == 3


async def test_who_leaves_does_not_take_the_answer_from_those_who_wait(subgraphs: Subgraphs, supergraph: Path) -> None:
    subgraphs.behaviours["a"] = slowly
    async with gateway(supergraph) as client, gateway(supergraph):
        first = asyncio.create_task(ask(client, "{ product { name } }"))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(ask(client, "{ product { name } }"))
        await asyncio.sleep(0.05)
        first.cancel()
        assert await second == {"data": {"product": {"name": "one"}}}
    assert subgraphs.calls("a") == 1


async def test_headers_go_on_and_come_back_by_rules_only(subgraphs: Subgraphs, supergraph: Path) -> None:
    async def with_headers(request: Request, body: dict[str, Any]) -> Response:
        response = await products(request, body)
        response.headers.update({"x-version": "7", "x-inner": "secret", "set-cookie": "a=b"})
        return response

    subgraphs.behaviours["a"] = with_headers
    given = {"X-Tenant": "t", "X-Private": "p", "Authorization": "Bearer x", "Connection": "keep-alive"}
    async with gateway(
        supergraph,
        forward_headers=("X-Tenant", "connection", "content-length"),
        return_headers=("x-version", "transfer-encoding"),
        subgraphs={"a": {"headers": {"X-Key": "key"}}},
    ) as client:
        response = await client.post("/graphql", json={"query": "{ product { name note } }"}, headers=given)
    assert response.headers["x-version"] == "7"
    assert "x-inner" not in response.headers
    assert "set-cookie" not in response.headers
    (of_a,), (of_b,) = ([sent for name, _, sent in subgraphs.asked if name == each] for each in "ab")
    assert (of_a["x-tenant"], of_a["x-key"]) == ("t", "key")
    assert of_b["x-tenant"] == "t"
    assert {"x-private", "authorization", "cookie"} & (of_a.keys() | of_b.keys()) == set()
    assert "x-key" not in of_b


async def test_cookies_of_a_subgraph_reach_no_later_request(subgraphs: Subgraphs, supergraph: Path) -> None:
    async def with_cookie(*_: Any) -> Response:
        return JSONResponse({"data": {"product": {"name": "x"}}}, headers={"set-cookie": "session=of-another"})

    subgraphs.behaviours["a"] = with_cookie
    async with gateway(supergraph) as client:
        await ask(client, "{ product { name } }")
        await ask(client, "{ p: product { name } }")
    assert all("cookie" not in sent for _, _, sent in subgraphs.asked)
