"""How real systems answer, and what is made of it: in one place, for all that speak an API of TM Forum."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.errors import AdapterError, Busy, Conflict, Nonsense, NotAdmitted, Rejected
from adapters.simulator.serving import listening
from adapters.tmf_client.client import TmfClient
from adapters.tmf_client.links import next_query
from adapters.transport.transport import System, opened
from tests.adapters.conftest import soon

THINGS = [{"id": str(number)} for number in range(60)]
Answering: TypeAlias = Callable[[Request], Response]


@dataclass(frozen=True)
class Asked:
    """Requests, as they came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Server:
    """A system that answers as it is told to, and remembers what it was asked."""

    answering: Answering
    asked: list[Asked] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        told = orjson.loads(body) if body else None
        self.asked.append(
            Asked(request.method, request.url.path, dict(request.query_params), dict(request.headers), told)
        )
        return self.answering(request)

    def of(self, method: str) -> list[Asked]:
        return [each for each in self.asked if each.method == method]


@asynccontextmanager
async def answered(answering: Answering) -> AsyncIterator[tuple[TmfClient, Server]]:
    server = Server(answering)
    methods = ["GET", "POST", "PATCH", "DELETE"]
    app = Starlette(routes=[Route("/{path:path}", server.answer, methods=methods)])
    async with (
        listening(app) as address,
        opened(System(name="ticketing", address=address)) as transport,
    ):
        yield TmfClient(transport), server


def part(request: Request, most: int) -> list[dict[str, Any]]:
    start = int(request.query_params["offset"])
    return THINGS[start : start + min(int(request.query_params["limit"]), most)]


def silent(request: Request) -> Response:
    """It says nothing of more: a page is full, or it is not."""
    return JSONResponse(part(request, 100))


def partial(request: Request) -> Response:
    """It gives less than was asked for, and says by 206 that there is more."""
    page = part(request, 7)
    return JSONResponse(page, 206 if page and page[-1] != THINGS[-1] else 200)


def linked(request: Request) -> Response:
    """It gives less than was asked for, and a link by a mark of its own, whose host is none that we could reach."""
    start = int(request.query_params.get("after", "0"))
    rest = f'</x?after=0>; rel="first", <http://inside.invalid/x?after={start + 9}&kind=a%2Cb>; rel="next"'
    return JSONResponse(THINGS[start : start + 9], headers={"Link": rest} if start + 9 < len(THINGS) else {})


def counted(request: Request) -> Response:
    """It says how many there are, and gives seven at a time."""
    return JSONResponse(part(request, 7), headers={"X-Total-Count": str(len(THINGS))})


def whole(_: Request) -> Response:
    """It does not part its lists, whatever is asked for."""
    return JSONResponse(THINGS)


def moving() -> Answering:
    """Something is taken in at the front while it is read, so that a page begins with what the last one ended with."""
    before = itertools.count()

    def answer(request: Request) -> Response:
        shift, start = next(before), int(request.query_params["offset"])
        now = [*({"id": f"new{n}"} for n in range(shift)), *THINGS]
        return JSONResponse(now[start : start + 20])

    return answer


@pytest.mark.parametrize(
    "answering", [silent, partial, linked, counted, whole, moving()], ids=lambda each: each.__name__
)
async def test_a_list_is_read_to_its_end_whatever_says_that_there_is_more(answering: Answering) -> None:
    async with answered(answering) as (client, server):
        found = await client.listed(("thing",), (("kind", "a,b"),), size=20, deadline=soon())
    assert [each for _, each in found] == THINGS
    assert [where for where, _ in found[:2]] == ["[0]", "[1]"]
    assert all(each.query.get("kind") == "a,b" for each in server.asked)
    assert len(server.asked) <= 10


async def test_a_count_that_is_kept_ends_a_list_without_an_empty_page() -> None:
    async with answered(counted) as (client, server):
        await client.listed(("thing",), (), size=20, deadline=soon())
    assert len(server.asked) == 9


@pytest.mark.parametrize("status", [200, 206])
async def test_a_list_without_an_end_is_not_read_for_ever(status: int) -> None:
    numbers = itertools.count()

    def endless(_: Request) -> Response:
        return JSONResponse([{"id": next(numbers)} for _ in range(2)], status)

    async with answered(endless) as (client, server):
        with pytest.raises(Nonsense, match="without an end"):
            await client.listed(("thing",), (), size=2, deadline=soon(30))
    assert len(server.asked) == 200


@pytest.mark.parametrize(
    ("header", "query"),
    [
        ("", None),
        ("nonsense", None),
        ("</a?b=1>; rel=next", (("b", "1"),)),
        ('</a?b=1>; title="x, y"; rel="prev next"', (("b", "1"),)),
        ("</a?b=1>; rel=prev, </a?b=2>; rel=NEXT", (("b", "2"),)),
        ("</a>; rel=next", None),
        ("<http://[/a?b=1>; rel=next", None),
    ],
)
def test_a_link_header_is_read(header: str, query: object) -> None:
    assert next_query(header) == query


def thing(request: Request, **changed: Any) -> dict[str, Any]:
    return {"id": request.url.path.rpartition("/")[2], **changed}


class TestNoBody:
    """What was answered with 2xx is done."""

    async def test_a_change_without_a_body_is_done(self) -> None:
        async with answered(lambda _: Response(status_code=204)) as (client, server):
            assert await client.changed(("thing", "7"), {"a": 1}, key="d", deadline=soon()) is None
        assert len(server.asked) == 1

    async def test_what_came_of_it_is_looked_at(self) -> None:
        kept: dict[str, Any] = {"id": "7", "a": 0}

        def answer(request: Request) -> Response:
            if request.method == "GET":
                return JSONResponse(kept)
            kept["a"] = 1
            return Response(status_code=204)

        async with answered(answer) as (client, server):
            found = await client.revised(("thing", "7"), lambda _: {"a": 1}, key="d", deadline=soon())
        assert found == {"id": "7", "a": 1}
        assert [each.method for each in server.asked] == ["GET", "PATCH", "GET"]

    async def test_what_was_made_is_looked_at_where_it_is_said_to_be(self) -> None:
        def answer(request: Request) -> Response:
            if request.method == "GET":
                return JSONResponse(thing(request))
            return Response(status_code=201, headers={"Location": "http://inside.invalid/thing/a%2Fb/"})

        async with answered(answer) as (client, server):
            assert await client.created(("thing",), {}, key="d", deadline=soon()) == {"id": "b"}
        assert server.asked[-1].path == "/thing/a/b"

    async def test_what_was_made_nobody_knows_where_is_made(self) -> None:
        async with answered(lambda _: Response(status_code=201)) as (client, _):
            assert await client.created(("thing",), {}, key="d", deadline=soon()) is None

    @pytest.mark.parametrize("status", [200, 201])
    async def test_null_is_no_thing(self, status: int) -> None:
        async with answered(lambda _: JSONResponse(None, status)) as (client, _):
            for asked in (client.created(("a",), {}, key="d", deadline=soon()), client.changed(("a", "1"), {}, key="d", deadline=soon())):  # fmt: skip
                with pytest.raises(Nonsense):
                    await asked


class TestMediaTypes:
    """application/json first, and what the system takes from then on."""

    @pytest.mark.parametrize("taken", ["application/json", "application/merge-patch+json"])
    async def test_the_one_that_it_takes_is_remembered(self, taken: str) -> None:
        def answer(request: Request) -> Response:
            return JSONResponse(thing(request), 200 if request.headers["content-type"] == taken else 415)

        async with answered(answer) as (client, server):
            for _ in range(3):
                await client.changed(("thing", "7"), {"a": 1}, key="d", deadline=soon())
        tried = [each.headers["content-type"] for each in server.asked]
        assert tried[0] == "application/json"
        assert tried[-3:] == [taken] * 3
        assert len(tried) == (3 if taken == "application/json" else 4)

    async def test_one_that_takes_none_refuses(self) -> None:
        async with answered(lambda _: Response(status_code=415)) as (client, server):
            with pytest.raises(Rejected) as caught:
                await client.changed(("thing", "7"), {}, key="d", deadline=soon())
        assert (caught.value.status, len(server.asked)) == (415, 2)


def tags(*given: str) -> Iterator[str]:
    return itertools.chain(given, itertools.repeat(given[-1]))


class TestOthersWriteToo:
    """Between our look and our change."""

    async def test_a_change_is_tied_to_what_was_seen_and_made_of_what_is_there_then(self) -> None:
        kept, versions = [["ours"], ["ours", "theirs"]], iter(('"1"', '"2"'))
        current = '"2"'

        def answer(request: Request) -> Response:
            if request.method == "GET":
                return JSONResponse({"id": "7", "note": kept.pop(0)}, headers={"ETag": next(versions)})
            return JSONResponse(thing(request), 200 if request.headers.get("if-match") == current else 412)

        def patch(there: Any) -> dict[str, object]:
            return {"note": [*there["note"], "new"]}

        async with answered(answer) as (client, server):
            await client.revised(("thing", "7"), patch, key="d", deadline=soon())
        changes = server.of("PATCH")
        assert [each.headers["if-match"] for each in changes] == ['"1"', '"2"']
        assert changes[-1].body == {"note": ["ours", "theirs", "new"]}

    @pytest.mark.parametrize("tag", ['W/"1"', ""])
    async def test_what_can_be_tied_to_nothing_is_not(self, tag: str) -> None:
        def answer(request: Request) -> Response:
            return JSONResponse(thing(request), headers={"ETag": tag} if tag else {})

        async with answered(answer) as (client, server):
            await client.revised(("thing", "7"), lambda _: {"a": 1}, key="d", deadline=soon())
        [change] = server.of("PATCH")
        assert "if-match" not in change.headers

    async def test_nothing_is_sent_where_nothing_differs(self) -> None:
        async with answered(lambda request: JSONResponse(thing(request))) as (client, server):
            assert await client.revised(("thing", "7"), lambda _: {}, key="d", deadline=soon()) == {"id": "7"}
        assert server.of("PATCH") == []

    async def test_a_thing_that_never_rests_is_a_conflict(self) -> None:
        def answer(request: Request) -> Response:
            return JSONResponse(thing(request), 200 if request.method == "GET" else 412, {"ETag": '"1"'})

        async with answered(answer) as (client, server):
            with pytest.raises(Conflict):
                await client.revised(("thing", "7"), lambda _: {"a": 1}, key="d", deadline=soon())
        assert len(server.of("PATCH")) == 3


class TestGone:
    """A thing that is not there, and an address that is wrong, are both 404."""

    @pytest.mark.parametrize(("collection", "error"), [(200, Rejected), (400, Rejected), (404, NotAdmitted)])
    async def test_a_thing_is_gone_only_where_its_collection_is(
        self, collection: int, error: type[AdapterError]
    ) -> None:
        def answer(request: Request) -> Response:
            return JSONResponse([], 404 if request.url.path.endswith("/7") else collection)

        async with answered(answer) as (client, _):
            for asked in (
                client.one(("thing", "7"), deadline=soon()),
                client.changed(("thing", "7"), {}, key="d", deadline=soon()),
            ):
                with pytest.raises(error):
                    await asked
            if error is Rejected:
                await client.removed(("thing", "7"), key="d", deadline=soon())
            else:
                with pytest.raises(NotAdmitted):
                    await client.removed(("thing", "7"), key="d", deadline=soon())


@pytest.mark.parametrize(
    ("answer", "their_id"),
    [
        (JSONResponse({"id": "h-1", "callback": "http://us"}, 201), "h-1"),
        (JSONResponse({"id": 7}, 201), "7"),
        (Response(status_code=201, headers={"Location": "/hub/h-2"}), "h-2"),
        (Response(status_code=204), ""),
        (JSONResponse({"code": "409"}, 409), ""),
    ],
)
async def test_a_registration_has_the_id_that_it_got(answer: Response, their_id: str) -> None:
    def answering(request: Request) -> Response:
        return answer if request.method == "POST" else Response(status_code=405)

    async with answered(answering) as (client, server):
        assert await client.registered("http://us", deadline=soon()) == their_id
    assert [each.body for each in server.of("POST")] == [{"callback": "http://us"}]


@pytest.mark.parametrize("status", [401, 404, 500, 501])
async def test_a_hub_that_cannot_be_looked_at_is_asked_all_the_same(status: int) -> None:
    def answering(request: Request) -> Response:
        return JSONResponse({"id": "h-1"}, 201) if request.method == "POST" else Response(status_code=status)

    async with answered(answering) as (client, _):
        assert await client.registered("http://us", deadline=soon()) == "h-1"


async def test_a_registration_whose_answer_was_lost_is_found_and_not_made_again() -> None:
    others = [{"id": "h-1", "callback": "http://them"}, {"id": "h-2", "callback": "http://us", "query": "a=b"}]
    there: list[dict[str, Any]] = list(others)

    def answering(request: Request) -> Response:
        match request.method:
            case "POST":
                there.append({"id": f"h-{len(there) + 1}", "callback": "http://us"})
                return Response(status_code=503)
            case "DELETE":
                there[:] = [each for each in there if not request.url.path.endswith(each["id"])]
                return Response(status_code=204)
            case _:
                start = int(request.query_params["offset"])
                return JSONResponse(there[start:])

    async with answered(answering) as (client, server):
        with pytest.raises(Busy):
            await client.registered("http://us", deadline=soon())
        assert await client.registered("http://us", deadline=soon()) == "h-3"
        there.append({"id": "h-9", "callback": "http://us"})
        assert await client.registered("http://us", deadline=soon()) == "h-3"
        assert there == [*others, {"id": "h-3", "callback": "http://us"}], "what was there twice is there once"
        assert len(server.of("POST")) == 1
