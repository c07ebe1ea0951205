"""How subgraphs are asked: again, once for many, not at all, and with which headers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.federation.execution.remote import FAILURES
from gateway.http.serving import bound, listening
from gateway.settings.settings import Settings
from gateway.settings.subgraph import FederationSettings
from gateway.standalone import application
from tests.gateway.conftest import Mint
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


async def after(seconds: float, request: Request, body: dict[str, Any]) -> Response:
    await asyncio.sleep(seconds)
    return await notes(request, body)


async def test_a_subgraph_that_was_asked_with_little_time_left_is_not_down(
    subgraphs: Subgraphs, supergraph: Path
) -> None:
    async def late(request: Request, body: dict[str, Any]) -> Response:
        await asyncio.sleep(0.9 if "products" in body["query"] else 0.0)
        return await products(request, body)

    subgraphs.behaviours |= {"a": late, "b": partial(after, 0.3)}
    async with gateway(supergraph, seconds=1.0, share=False) as client:
        hurried = await asyncio.gather(*(ask(client, "{ products { note } }") for _ in range(FAILURES + 1)))
        assert {code for each in hurried for code, _ in told(each)} == {"DEADLINE_EXCEEDED"}
        assert await ask(client, "{ product { note } }") == {"data": {"product": {"note": "note 1"}}}


async def test_a_subgraph_that_never_answers_in_its_own_time_is_spared(subgraphs: Subgraphs, supergraph: Path) -> None:
    subgraphs.behaviours["b"] = partial(after, 2.0)
    async with gateway(supergraph, seconds=20.0, subgraphs={"b": {"timeout_seconds": 0.1}}) as client:
        for number in range(FAILURES):
            answer = await ask(client, f"{{ product {{ n{number}: note }} }}")
            assert told(answer) == [("DEADLINE_EXCEEDED", ["product", f"n{number}"])]
        assert told(await ask(client, "{ product { note } }")) == [("SUBGRAPH_UNAVAILABLE", ["product", "note"])]
    assert subgraphs.calls("b") == FAILURES


async def test_connections_that_are_all_in_use_say_nothing_of_a_subgraph(
    subgraphs: Subgraphs, supergraph: Path
) -> None:
    subgraphs.behaviours["b"] = partial(after, 0.4)
    async with gateway(supergraph, seconds=0.9, share=False, subgraphs={"b": {"connections": 1}}) as client:
        asked = [ask(client, f"{{ product {{ n{number}: note }} }}") for number in range(FAILURES + 4)]
        answers = await asyncio.gather(*asked)
        late = [each for each in answers if told(each)]
        assert len(late) > FAILURES
        assert {code for each in late for code, _ in told(each)} == {"DEADLINE_EXCEEDED"}
        assert subgraphs.calls("b") < len(answers)
        await asyncio.sleep(0.5)
        assert await ask(client, "{ product { note } }") == {"data": {"product": {"note": "note 1"}}}


async def test_who_joins_a_request_under_way_keeps_its_own_deadline(subgraphs: Subgraphs, supergraph: Path) -> None:
    times = iter([3.0, 0.0])

    async def first_hangs(request: Request, body: dict[str, Any]) -> Response:
        await asyncio.sleep(next(times))
        return await products(request, body)

    subgraphs.behaviours["a"] = first_hangs
    async with gateway(supergraph, seconds=1.0) as client:
        first = asyncio.create_task(ask(client, "{ product { name } }"))
        await asyncio.sleep(0.5)
        second = await ask(client, "{ product { name } }")
        assert told(await first) == [("DEADLINE_EXCEEDED", ["product"])]
    assert second == {"data": {"product": {"name": "one"}}}
    assert subgraphs.calls("a") == 2


async def test_two_operations_that_share_a_request_wait_for_their_own_time(
    subgraphs: Subgraphs, supergraph: Path
) -> None:
    async def slow_list(request: Request, body: dict[str, Any]) -> Response:
        await asyncio.sleep(0.6 if "products" in body["query"] else 0.0)
        return await products(request, body)

    subgraphs.behaviours |= {"a": slow_list, "b": partial(after, 0.6)}
    async with gateway(supergraph, seconds=1.0) as client:
        hurried = asyncio.create_task(ask(client, "{ products { note } }"))
        await asyncio.sleep(0.65)  # the other asks b for the same entities while it is under way
        subgraphs.behaviours["a"] = saying_two
        calm = await ask(client, "{ exact { note } }")
        assert {code for code, _ in told(await hurried)} == {"DEADLINE_EXCEEDED"}
    assert calm == {"data": {"exact": [{"note": "note 1"}, {"note": "note 2"}]}}
    assert subgraphs.calls("b") == 1


async def saying_two(*_: Any) -> Response:
    return JSONResponse({"data": {"exact": [{"id": "1"}, {"id": "2"}]}})


@pytest.mark.parametrize(
    ("status", "headers", "most_seconds"),
    [
        pytest.param(429, {}, 2.0, id="429 without a word"),
        pytest.param(429, {"retry-after": "1"}, 2.0, id="429 with Retry-After"),
        pytest.param(503, {"retry-after": "1"}, 2.0, id="503 with Retry-After"),
    ],
)
async def test_a_subgraph_gets_the_pause_that_it_asks_for(
    subgraphs: Subgraphs, supergraph: Path, status: int, headers: dict[str, str], most_seconds: float
) -> None:
    times: list[float] = []

    async def throttling(request: Request, body: dict[str, Any]) -> Response:
        times.append(time.monotonic())
        return Response(status_code=status, headers=headers) if len(times) == 1 else await notes(request, body)

    subgraphs.behaviours["b"] = throttling
    async with gateway(supergraph, seconds=5.0) as client:
        asked = [ask(client, f"{{ product {{ n{number}: note }} }}") for number in range(3)]
        first = asyncio.create_task(asked[0])
        await asyncio.sleep(0.3)  # the others come while it has its pause
        answers = await asyncio.gather(first, *asked[1:])
    assert all("errors" not in each for each in answers)
    assert len(times) == 4
    assert all(1.0 <= each - times[0] < most_seconds for each in times[1:])


async def test_a_pause_that_is_too_long_is_not_waited_for(subgraphs: Subgraphs, supergraph: Path) -> None:
    async def throttling(*_: Any) -> Response:
        return Response(status_code=429, headers={"retry-after": "3600"})

    subgraphs.behaviours["b"] = throttling
    async with gateway(supergraph, seconds=5.0) as client:
        begun = time.monotonic()
        for number in range(FAILURES + 1):
            answer = await ask(client, f"{{ product {{ n{number}: note }} }}")
            assert told(answer) == [("SUBGRAPH_UNAVAILABLE", ["product", f"n{number}"])]
    assert time.monotonic() - begun < 4.0
    assert subgraphs.calls("b") == 1


async def turns(number: int) -> None:
    """Let everything that runs in this loop go on, however busy the machine is."""
    for _ in range(number):
        await asyncio.sleep(0.005)


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


async def test_what_comes_back_with_headers_is_for_one_client(subgraphs: Subgraphs, supergraph: Path) -> None:
    number = 0

    async def with_session(request: Request, body: dict[str, Any]) -> Response:
        nonlocal number
        number += 1
        own = number
        response = await slowly(request, body)
        response.headers.append("set-cookie", f"session={own}")
        response.headers.append("set-cookie", f"theme={own}; HttpOnly")
        return response

    subgraphs.behaviours["a"] = with_session
    async with gateway(supergraph, return_headers=("set-cookie",)) as client:
        body = {"query": "{ product { name } }"}
        answers = await asyncio.gather(*(client.post("/graphql", json=body) for _ in range(3)))
    lines = sorted(each.headers.get_list("set-cookie") for each in answers)
    assert lines == [[f"session={each}", f"theme={each}; HttpOnly"] for each in (1, 2, 3)]


async def test_what_one_principal_asks_is_not_shared_with_another(
    subgraphs: Subgraphs, supergraph: Path, mint: Mint
) -> None:
    subgraphs.behaviours["a"] = slowly
    settings = Settings(
        listen="127.0.0.1:0", issuers=(mint.settings(),), federation=FederationSettings(supergraph=supergraph)
    )
    sock = bound(settings)
    base = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with listening(application(settings), sock), httpx.AsyncClient(base_url=base) as client:
        body = {"query": "{ product { name } }"}
        bearers = [mint.customer(f"customer-{each}") for each in (1, 2, 1)]
        await asyncio.gather(*(client.post("/graphql", json=body, headers=each) for each in bearers))
    assert subgraphs.calls("a") == 2


async def test_changes_are_never_shared(subgraphs: Subgraphs, supergraph: Path) -> None:
    subgraphs.behaviours["a"] = slowly
    async with gateway(supergraph) as client:
        await asyncio.gather(*(ask(client, "mutation { change { name } }") for _ in range(3)))
    assert subgraphs.calls("a") == 3


async def test_who_leaves_does_not_take_the_answer_from_those_who_wait(subgraphs: Subgraphs, supergraph: Path) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def when_told(request: Request, body: dict[str, Any]) -> Response:
        asked.set()
        await answered.wait()
        return await products(request, body)

    subgraphs.behaviours["a"] = when_told
    async with gateway(supergraph, seconds=20) as client:
        first = asyncio.create_task(ask(client, "{ product { name } }"))
        await asked.wait()
        second = asyncio.create_task(ask(client, "{ product { name } }"))
        await turns(40)  # the gateway runs in this loop: by then the second has joined the first
        first.cancel()
        await turns(10)
        answered.set()
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


async def test_each_subgraph_has_a_rule_of_its_own_for_what_goes_on(subgraphs: Subgraphs, supergraph: Path) -> None:
    given = {"x-tenant": "t", "authorization": "Bearer secret", "x-request": "7"}
    rules = {"a": {"forward_headers": ["Authorization", "x-request"]}}
    async with gateway(supergraph, forward_headers=("x-tenant",), subgraphs=rules) as client:
        await ask(client, "{ product { note } }", **given)
    (of_a,), (of_b,) = ([sent for name, _, sent in subgraphs.asked if name == each] for each in "ab")
    assert {name: of_a.get(name) for name in given} == {**given, "x-tenant": None}
    assert {name: of_b.get(name) for name in given} == {"x-tenant": "t", "authorization": None, "x-request": None}


async def test_several_lines_of_one_header_go_on_together(subgraphs: Subgraphs, supergraph: Path) -> None:
    lines = [("x-tag", "one"), ("x-tag", "two"), ("cookie", "a=1"), ("cookie", "b=2")]
    async with gateway(supergraph, forward_headers=("x-tag", "cookie")) as client:
        await client.post("/graphql", json={"query": "{ product { name } }"}, headers=lines)
    ((_, _, sent),) = subgraphs.asked
    assert (sent["x-tag"], sent["cookie"]) == ("one, two", "a=1; b=2")


@pytest.fixture
def with_warehouse(supergraph: Path) -> Path:
    """The supergraph with another name and address for b."""
    supergraph.write_text(
        supergraph.read_text().replace('name: "b", url: "', 'name: "warehouse", url: "http://nowhere')
    )
    return supergraph


@pytest.mark.parametrize("shown", [True, False])
async def test_errors_name_the_subgraph_by_setting_only(
    subgraphs: Subgraphs, with_warehouse: Path, *, shown: bool
) -> None:
    subgraphs.behaviours["b"] = failing(1_000, notes)
    rules = {"warehouse": {"url": f"{subgraphs.base}/b"}}
    async with gateway(with_warehouse, show_subgraphs=shown, tries=1, subgraphs=rules) as client:
        answer = await ask(client, "{ product { note } }")
    assert ("warehouse" in json.dumps(answer)) is shown
    assert answer["errors"][0]["extensions"].get("subgraph") == ("warehouse" if shown else None)


async def test_cookies_of_a_subgraph_reach_no_later_request(subgraphs: Subgraphs, supergraph: Path) -> None:
    async def with_cookie(*_: Any) -> Response:
        return JSONResponse({"data": {"product": {"name": "x"}}}, headers={"set-cookie": "session=of-another"})

    subgraphs.behaviours["a"] = with_cookie
    async with gateway(supergraph) as client:
        await ask(client, "{ product { name } }")
        await ask(client, "{ p: product { name } }")
    assert all("cookie" not in sent for _, _, sent in subgraphs.asked)
