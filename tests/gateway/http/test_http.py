from __future__ import annotations

import asyncio
import contextlib
from typing import Any, ClassVar

import httpx
import pytest

from gateway.errors import Refused
from gateway.http.request import parsed
from gateway.settings.settings import Settings
from tests.gateway.conftest import Mint, application, serving
from tests.gateway.subgraph import DictSubgraph

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
HELLO = {"query": "{ hello }"}


def code(answer: httpx.Response) -> str:
    body = answer.json()
    assert "data" not in body
    return str(body["errors"][0]["extensions"]["code"])


async def test_a_query_is_answered(client: httpx.AsyncClient, mint: Mint) -> None:
    answer = await client.post("/graphql", json=HELLO, headers=mint.bearer())
    assert (answer.status_code, answer.json()) == (200, {"data": {"hello": "hello world"}})


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        pytest.param(None, JSON, id="a client that says nothing gets the old media type"),
        pytest.param("*/*", JSON, id="so does one that takes anything"),
        pytest.param("application/*", JSON, id="or any application type"),
        pytest.param(GRAPHQL, GRAPHQL, id="the new one when asked"),
        pytest.param(JSON, JSON, id="the old one when asked"),
        pytest.param(f"{JSON}, {GRAPHQL}", GRAPHQL, id="the new one wins a tie"),
        pytest.param(f"{GRAPHQL};q=0.5, {JSON};q=0.9", JSON, id="the higher q wins"),
        pytest.param(f"{GRAPHQL}; charset=utf-8; q=0.3, text/html", GRAPHQL, id="parameters are read"),
        pytest.param(f"{JSON};q=0, */*;q=0.1", GRAPHQL, id="q=0 takes a type out of a wildcard"),
        pytest.param("text/html, */*;q=0.1", JSON, id="a browser gets the old one"),
        pytest.param(f"{GRAPHQL}, {JSON};q=0.9, */*;q=0.8".upper(), GRAPHQL, id="case does not matter"),
    ],
)
async def test_the_media_type_is_negotiated(
    client: httpx.AsyncClient, mint: Mint, accept: str | None, media: str
) -> None:
    del client.headers["accept"]
    headers = mint.bearer() | ({"Accept": accept} if accept else {})
    answer = await client.post("/graphql", json=HELLO, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{media}; charset=utf-8"


@pytest.mark.parametrize(
    "accept", ["text/html", f"{JSON};q=0", "image/*", f"{GRAPHQL};q=0, {JSON};q=0, */*", f"{JSON};charset=latin-1"]
)
async def test_what_no_answer_comes_in_is_not_acceptable(client: httpx.AsyncClient, mint: Mint, accept: str) -> None:
    answer = await client.post("/graphql", json=HELLO, headers=mint.bearer() | {"Accept": accept})
    assert (answer.status_code, code(answer)) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ('Application/JSON; charset="UTF-8"', 200),
        ("application/json; charset=utf-16", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/graphql", 415),
        ("", 415),
    ],
)
async def test_the_content_type_is_checked(
    client: httpx.AsyncClient, mint: Mint, content_type: str, status: int
) -> None:
    headers = mint.bearer() | {"Content-Type": content_type}
    answer = await client.post("/graphql", content=b'{"query": "{ hello }"}', headers=headers)
    assert answer.status_code == status


async def test_a_compressed_body_is_not_read(client: httpx.AsyncClient, mint: Mint) -> None:
    answer = await client.post("/graphql", json=HELLO, headers=mint.bearer() | {"Content-Encoding": "gzip"})
    assert answer.status_code == 415


async def test_a_body_that_says_it_is_too_large_is_refused(client: httpx.AsyncClient, mint: Mint) -> None:
    answer = await client.post("/graphql", json={"query": "#" * 30_000}, headers=mint.bearer())
    assert (answer.status_code, code(answer)) == (413, "PAYLOAD_TOO_LARGE")
    assert answer.headers["connection"] == "close"


async def test_a_body_in_chunks_is_counted(client: httpx.AsyncClient, mint: Mint) -> None:
    async def chunks() -> Any:
        for _ in range(30):
            yield b" " * 1_000

    headers = mint.bearer() | {"Content-Type": "application/json"}
    answer = await client.post("/graphql", content=chunks(), headers=headers)
    assert (answer.status_code, code(answer)) == (413, "PAYLOAD_TOO_LARGE")


async def test_a_body_without_an_end_is_not_read_to_its_end(client: httpx.AsyncClient, mint: Mint) -> None:
    async def chunks() -> Any:
        while True:
            yield b" " * 10_000

    headers = mint.bearer() | {"Content-Type": "application/json"}
    with contextlib.suppress(httpx.ReadError, httpx.WriteError):
        answer = await client.post("/graphql", content=chunks(), headers=headers)
        assert (answer.status_code, code(answer)) == (413, "PAYLOAD_TOO_LARGE")


async def test_a_body_in_chunks_is_put_together(client: httpx.AsyncClient, mint: Mint) -> None:
    async def chunks() -> Any:
        for each in (b'{"query": ', b'"{ hello', b' }"}'):
            yield each
            await asyncio.sleep(0.01)

    headers = mint.bearer() | {"Content-Type": "application/json"}
    assert (await client.post("/graphql", content=chunks(), headers=headers)).json()["data"]


async def test_a_body_that_does_not_arrive_ends_the_request(
    settings: Settings, mint: Mint, subgraph: DictSubgraph
) -> None:
    async def late() -> Any:
        yield b"{"
        await asyncio.sleep(1.5)

    hurried = settings.model_copy(update={"deadline_seconds": 0.2})
    headers = mint.bearer() | {"Content-Type": "application/json"}
    async with serving(application(subgraph, hurried), hurried) as client:
        answer = await client.post("/graphql", content=late(), headers=headers, timeout=60)
    assert (answer.status_code, code(answer)) == (408, "REQUEST_TIMEOUT")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="not JSON"),
        pytest.param(b'{"query": "\xff"}', id="not UTF-8"),
        pytest.param(b'{"query": "\\ud800"}', id="half a character"),
        pytest.param(b"[" * 5_000, id="deep"),
        pytest.param(b'[{"query": "{ hello }"}]', id="a batch"),
        pytest.param(b'"{ hello }"', id="a string"),
        pytest.param(b"{}", id="no query"),
        pytest.param(b'{"query": null}', id="a query that is null"),
        pytest.param(b'{"query": ["{ hello }"]}', id="a query that is a list"),
        pytest.param(b'{"query": "{ hello }", "variables": []}', id="variables that are a list"),
        pytest.param(b'{"query": "{ hello }", "variables": "{}"}', id="variables that are a string"),
        pytest.param(b'{"query": "{ hello }", "extensions": 1}', id="extensions that are a number"),
        pytest.param(
            b'{"query": "{ hello }", "extensions": {"queryPlan": "yes"}}', id="a plan that is asked for by a word"
        ),
        pytest.param(b'{"query": "{ hello }", "operationName": 1}', id="a name that is a number"),
    ],
)
@pytest.mark.parametrize("accept", [GRAPHQL, JSON])
async def test_a_request_of_another_shape_is_a_bad_one(
    client: httpx.AsyncClient, mint: Mint, body: bytes, accept: str
) -> None:
    headers = mint.bearer() | {"Content-Type": "application/json", "Accept": accept}
    answer = await client.post("/graphql", content=body, headers=headers)
    assert (answer.status_code, code(answer)) == (400, "BAD_REQUEST")


async def test_null_stands_for_absent(client: httpx.AsyncClient, mint: Mint) -> None:
    body = {"query": "{ hello }", "variables": None, "operationName": None, "extensions": None, "more": 1}
    assert (await client.post("/graphql", json=body, headers=mint.bearer())).json()["data"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ hello", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { hello }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { hello } query B { hello }", "OPERATION_RESOLUTION_FAILURE"),
        ("query ($name: String!) { hello(name: $name) }", "BAD_USER_INPUT"),
        ("{ customers { margin } }", "FORBIDDEN"),
        ("mutation { acknowledge(id: 1) }", "FORBIDDEN"),
        ("{ _service { sdl } }", "FORBIDDEN"),
        ("{" + "hello " * 2_000 + "}", "LIMIT_EXCEEDED"),
        ("{ customers(first: 6000) { id } }", "COST_LIMIT_EXCEEDED"),
    ],
)
async def test_a_request_error_is_400_in_the_new_media_type_and_200_in_the_old(
    client: httpx.AsyncClient, mint: Mint, query: str, expected: str
) -> None:
    for accept, status in ((GRAPHQL, 400), (JSON, 200)):
        answer = await client.post("/graphql", json={"query": query}, headers=mint.customer() | {"Accept": accept})
        assert (answer.status_code, code(answer)) == (status, expected)
        assert answer.json()["errors"][0]["extensions"]["hint"]


@pytest.mark.parametrize("accept", [GRAPHQL, JSON])
async def test_an_executed_request_is_200_whatever_failed_in_it(
    client: httpx.AsyncClient, mint: Mint, accept: str
) -> None:
    answer = await client.post(
        "/graphql", json={"query": "{ failing hello }"}, headers=mint.bearer() | {"Accept": accept}
    )
    assert answer.status_code == 200
    assert answer.json()["data"] == {"failing": None, "hello": "hello world"}
    (error,) = answer.json()["errors"]
    assert error["path"] == ["failing"]
    assert error["extensions"]["requestId"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("accept", [GRAPHQL, JSON])
async def test_a_database_that_is_away_is_503_with_a_time_to_come_back(
    client: httpx.AsyncClient, mint: Mint, accept: str
) -> None:
    answer = await client.post("/graphql", json={"query": "{ away }"}, headers=mint.bearer() | {"Accept": accept})
    assert (answer.status_code, code(answer), answer.headers["retry-after"]) == (503, "STORE_UNAVAILABLE", "3")


@pytest.mark.parametrize("accept", [GRAPHQL, JSON])
async def test_too_many_new_documents_is_429_with_a_time_to_come_back(
    settings: Settings, mint: Mint, accept: str
) -> None:
    few = settings.model_copy(update={"limits": settings.limits.model_copy(update={"new_documents_per_minute": 6})})
    async with serving(application(DictSubgraph(), few), few) as client:
        answers = [
            await client.post(
                "/graphql", json={"query": f"{{ a{n}: hello }}"}, headers=mint.bearer() | {"Accept": accept}
            )
            for n in (1, 1, 1, 1, 1, 1, 1, *range(2, 9), 1)
        ]
    statuses = [each.status_code for each in answers]
    assert statuses[:7] == [200] * 7, "what is known is not counted"
    assert statuses[-2:] == [429, 200]
    assert code(answers[-2]) == "TOO_MANY_NEW_DOCUMENTS"
    assert 1 <= int(answers[-2].headers["retry-after"]) <= 60


@pytest.mark.parametrize(
    ("large", "first"),
    [
        pytest.param(b'{"query": "{ hello }", "variables": {"v": [' + b"{}," * 330_000 + b"{}]}}", 200, id="variables"),
        pytest.param(b'{"query": "{ hello }", "variables": [' + b"{}," * 330_000 + b"{}]}", 400, id="no request"),
    ],
)
async def test_reading_large_requests_is_metered_by_its_time(
    settings: Settings, mint: Mint, large: bytes, first: int
) -> None:
    few = settings.model_copy(
        update={"limits": settings.limits.model_copy(update={"new_documents_per_minute": 20, "body_bytes": 1_000_000})}
    )
    headers = mint.bearer() | {"Content-Type": JSON, "Accept": GRAPHQL}
    async with serving(application(DictSubgraph(), few), few) as client:
        small = b'{"query": "{ hello }"}'
        assert (await client.post("/graphql", content=small, headers=headers)).status_code == 200
        answer = await client.post("/graphql", content=large, headers=headers)
        assert answer.status_code == first
        for _ in range(100):  # 40 ms each, of a second and a half
            if answer.status_code != first:
                break
            answer = await client.post("/graphql", content=large, headers=headers)
        assert (answer.status_code, code(answer)) == (429, "TOO_MANY_NEW_DOCUMENTS")
        assert int(answer.headers["retry-after"]) >= 1
        assert (await client.post("/graphql", content=small, headers=headers)).status_code == 200, (
            "what is small goes on"
        )
        other = mint.bearer(sub="somebody else") | {"Content-Type": JSON, "Accept": GRAPHQL}
        assert (await client.post("/graphql", content=large, headers=other)).status_code == first


async def test_a_fault_of_ours_is_masked(client: httpx.AsyncClient, mint: Mint) -> None:
    answer = await client.post("/graphql", json={"query": "{ broken }"}, headers=mint.bearer())
    assert (answer.status_code, code(answer)) == (500, "INTERNAL_SERVER_ERROR")
    assert "secret" not in answer.text
    assert answer.json()["errors"][0]["extensions"]["requestId"] == answer.headers["x-request-id"]


async def test_the_deadline_ends_the_work(settings: Settings, mint: Mint, subgraph: DictSubgraph) -> None:
    subgraph.cancelled.clear()
    hurried = settings.model_copy(update={"deadline_seconds": 0.5})
    async with serving(application(subgraph, hurried), hurried) as client:
        answer = await client.post("/graphql", json={"query": "{ slow }"}, headers=mint.bearer(), timeout=60)
        assert (answer.status_code, code(answer)) == (504, "DEADLINE_EXCEEDED")
        await asyncio.wait_for(subgraph.cancelled.wait(), 60)


async def test_a_client_that_leaves_ends_the_work(
    client: httpx.AsyncClient, mint: Mint, subgraph: DictSubgraph, settings: Settings
) -> None:
    subgraph.cancelled.clear()
    with pytest.raises(httpx.ReadTimeout):
        await client.post("/graphql", json={"query": "{ slow }"}, headers=mint.bearer(), timeout=0.1)
    await asyncio.wait_for(subgraph.cancelled.wait(), settings.deadline_seconds / 2)


class TestGet:
    preflight: ClassVar = {"GraphQL-Preflight": "1"}

    async def test_a_query_runs(self, client: httpx.AsyncClient, mint: Mint) -> None:
        params = {
            "query": "query A($name: String) { hello(name: $name) } query B { whoami }",
            "variables": '{"name": "Ada"}',
            "operationName": "A",
        }
        answer = await client.get("/graphql", params=params, headers=mint.bearer() | self.preflight)
        assert answer.json() == {"data": {"hello": "hello Ada"}}

    async def test_without_a_preflight_header_it_does_not(self, client: httpx.AsyncClient, mint: Mint) -> None:
        answer = await client.get("/graphql", params=HELLO, headers=mint.bearer())
        assert (answer.status_code, code(answer)) == (400, "PREFLIGHT_REQUIRED")

    @pytest.mark.parametrize("accept", [GRAPHQL, JSON])
    async def test_a_mutation_is_not_allowed(self, client: httpx.AsyncClient, mint: Mint, accept: str) -> None:
        params = {"query": 'mutation { acknowledge(id: "1") }'}
        headers = mint.bearer() | self.preflight | {"Accept": accept}
        answer = await client.get("/graphql", params=params, headers=headers)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")

    @pytest.mark.parametrize("variables", ["{", "[]", "1", '"x"'])
    async def test_variables_must_be_an_object(self, client: httpx.AsyncClient, mint: Mint, variables: str) -> None:
        params = HELLO | {"variables": variables}
        answer = await client.get("/graphql", params=params, headers=mint.bearer() | self.preflight)
        assert (answer.status_code, code(answer)) == (400, "BAD_REQUEST")

    @pytest.mark.parametrize("query_string", ["query=%ff", "query=%7Bhello%7D" + "&a=1" * 20, "nothing"])
    async def test_parameters_must_be_readable(self, client: httpx.AsyncClient, mint: Mint, query_string: str) -> None:
        answer = await client.get(f"/graphql?{query_string}", headers=mint.bearer() | self.preflight)
        assert (answer.status_code, code(answer)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"query": "{ a }"', "(line 1, column 18)"),
        (b'{\n "query": x}', "(line 2, column 11)"),
        (b"{ viewer { role } }", "(line 1, column 3)"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(body: bytes, place: str) -> None:
    with pytest.raises(Refused) as refused:
        parsed(body)
    assert place in refused.value.problems[0].message


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
async def test_other_methods_are_not_allowed(client: httpx.AsyncClient, mint: Mint, method: str) -> None:
    answer = await client.request(method, "/graphql", headers=mint.bearer())
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST, OPTIONS")


async def test_options_tells_the_methods_without_a_token(client: httpx.AsyncClient) -> None:
    answer = await client.options("/graphql")
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, POST, OPTIONS")


class TestCors:
    async def preflight(self, client: httpx.AsyncClient, origin: str) -> httpx.Response:
        headers = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type",
        }
        return await client.options("/graphql", headers=headers)

    async def test_a_known_origin_may_call(self, client: httpx.AsyncClient, mint: Mint) -> None:
        answer = await self.preflight(client, "https://portal.test")
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "https://portal.test")
        answer = await client.post("/graphql", json=HELLO, headers=mint.bearer() | {"Origin": "https://portal.test"})
        assert answer.headers["access-control-allow-origin"] == "https://portal.test"
        assert "Authorization" in answer.headers["vary"]

    async def test_another_may_not(self, client: httpx.AsyncClient) -> None:
        answer = await self.preflight(client, "https://evil.test")
        assert answer.status_code == 400
        assert "access-control-allow-origin" not in answer.headers


async def test_every_answer_says_how_it_may_be_kept(client: httpx.AsyncClient, mint: Mint) -> None:
    for body in (HELLO, {"query": "{"}, {}):
        answer = await client.post("/graphql", json=body, headers=mint.bearer())
        assert answer.headers["cache-control"] == "no-store"
        assert {"Accept", "Authorization"} <= set(answer.headers["vary"].split(", "))


async def test_a_sane_request_id_is_kept_and_another_is_not(client: httpx.AsyncClient, mint: Mint) -> None:
    for given, kept in (("order-17.a_b", True), ("x" * 65, False), ('a"b', False), ("", False)):
        answer = await client.post("/graphql", json=HELLO, headers=mint.bearer() | {"X-Request-Id": given})
        assert (answer.headers["x-request-id"] == given) is kept


async def test_at_most_nine_errors_come_and_no_suggestions(client: httpx.AsyncClient, mint: Mint) -> None:
    query = "{ helo " + " ".join(f"nothing{number}" for number in range(29)) + "}"
    answer = await client.post("/graphql", json={"query": query}, headers=mint.bearer())
    errors = answer.json()["errors"]
    assert len(errors) == 9
    assert "Did you mean" not in answer.text
    assert errors[0]["locations"] == [{"line": 1, "column": 3}]


class TestIntrospection:
    async def test_the_schema_is_public(self, client: httpx.AsyncClient, mint: Mint) -> None:
        answer = await client.post(
            "/graphql", json={"query": "{ __schema { queryType { fields { name } } } }"}, headers=mint.customer()
        )
        names = {each["name"] for each in answer.json()["data"]["__schema"]["queryType"]["fields"]}
        assert "customers" in names
        assert not names & {"_entities", "_service"}

    async def test_it_stands_beside_other_fields_in_the_order_asked(
        self, client: httpx.AsyncClient, mint: Mint
    ) -> None:
        query = """
            query ($skipped: Boolean!) {
              a: hello @skip(if: $skipped)
              ...Part
              b: __typename
              a: hello
              ... @include(if: false) { c: hello }
            }
            fragment Part on Query { t: __type(name: "CustomerOrder") { kind } whoami }
        """
        body = {"query": query, "variables": {"skipped": True}}
        answer = await client.post("/graphql", json=body, headers=mint.bearer())
        assert list(answer.json()["data"].items()) == [
            ("t", {"kind": "ENUM"}),
            ("whoami", "operator"),
            ("b", "Query"),
            ("a", "hello world"),
        ]

    async def test_variables_reach_it(self, client: httpx.AsyncClient, mint: Mint) -> None:
        body = {"query": "query ($n: String!) { __type(name: $n) { kind } }", "variables": {"n": "CustomerFilter"}}
        answer = await client.post("/graphql", json=body, headers=mint.bearer())
        assert answer.json() == {"data": {"__type": {"kind": "INPUT_OBJECT"}}}
