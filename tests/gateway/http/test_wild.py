"""Whatever bytes come: an answer below 500 or a closed connection, and never a word of our insides."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.conftest import Mint
from tests.selection import examples

EXAMPLES = settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])

HEADER_VALUE = st.binary(max_size=60).filter(lambda value: not set(value) & {0, 10, 13})
JSON_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)
WORDS = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ":",
    "!",
    "$",
    "@",
    "...",
    "=",
    "|",
    "&",
    "0",
    "-1",
    "1e9",
    '"s"',
    '"""b"""',
    "query",
    "mutation",
    "subscription",
    "fragment",
    "on",
    "A",
    "hello",
    "customers",
    "first",
    "filter",
    "name",
    "margin",
    "not",
    "__schema",
    "__typename",
    "_entities",
    "id",
    "true",
    "null",
    "#",
    "\ud7ff",
    "skip",
    "if",
    "input",
]
DOCUMENT = st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)


async def exchange(gateway: httpx.URL, sent: bytes, *, leave: bool = False) -> bytes:
    reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
    try:
        writer.write(sent)
        if leave:
            writer.write_eof()
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def request(mint: Mint, body: bytes, *, method: bytes = b"POST", **headers: bytes) -> bytes:
    fixed = {
        "authorization": mint.bearer()["Authorization"].encode(),
        "content_type": b"application/json",
        "content_length": str(len(body)).encode(),
        "connection": b"close",
    }
    lines = [name.replace("_", "-").encode() + b": " + value for name, value in (fixed | headers).items()]
    return b"\r\n".join([method + b" /graphql HTTP/1.1", b"host: x", *lines, b"", body])


def assert_decent(answer: bytes) -> Any:
    if not answer:
        return None
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    assert status < 500, answer
    assert b"Traceback" not in answer
    if b"x-request-id" not in head.lower():
        return None  # the server's own answer to what is no HTTP
    parsed = orjson.loads(body)
    assert "data" in parsed or parsed["errors"]
    for error in parsed.get("errors", ()):
        assert error["message"]
        assert error["extensions"]["code"]
        assert error["extensions"]["requestId"]
    assert len(parsed.get("errors", ())) <= 9
    return parsed


@EXAMPLES
@given(sent=st.binary(max_size=300))
async def test_wild_bytes(gateway: httpx.URL, sent: bytes) -> None:
    assert_decent(await exchange(gateway, sent, leave=True))


@EXAMPLES
@given(body=st.binary(max_size=300) | JSON_VALUE.map(lambda value: json.dumps(value).encode()))
async def test_wild_bodies(gateway: httpx.URL, mint: Mint, body: bytes) -> None:
    assert "errors" in assert_decent(await exchange(gateway, request(mint, body)))


@EXAMPLES
@given(
    given=st.fixed_dictionaries(
        {},
        optional={
            "query": JSON_VALUE | DOCUMENT,
            "variables": JSON_VALUE,
            "operationName": JSON_VALUE,
            "extensions": JSON_VALUE,
        },
    )
)
async def test_wild_requests(gateway: httpx.URL, mint: Mint, given: dict[str, Any]) -> None:
    assert_decent(await exchange(gateway, request(mint, json.dumps(given).encode())))


@settings(EXAMPLES, max_examples=examples(200))
@given(document=DOCUMENT | st.text(max_size=60), variables=st.dictionaries(st.sampled_from("abc"), JSON_VALUE))
async def test_wild_documents(gateway: httpx.URL, mint: Mint, document: str, variables: dict[str, Any]) -> None:
    body = json.dumps({"query": document, "variables": variables}).encode()
    assert_decent(await exchange(gateway, request(mint, body)))


@EXAMPLES
@given(value=JSON_VALUE)
@pytest.mark.parametrize(
    "field",
    [
        "customers(filter: $v) { id }",
        "customers(first: $v) { id }",
        "named(names: $v) { id }",
        "echo(flag: true, number: $v)",
    ],
)
async def test_wild_variables(gateway: httpx.URL, mint: Mint, field: str, value: Any) -> None:
    type_ = {"filter": "CustomerFilter", "first": "Int", "names": "[String!]!", "flag": "Float"}
    name = field.partition("(")[2].partition(":")[0]
    body = json.dumps({"query": f"query ($v: {type_[name]}) {{ {field} }}", "variables": {"v": value}}).encode()
    assert_decent(await exchange(gateway, request(mint, body)))


@EXAMPLES
@given(
    headers=st.dictionaries(
        st.sampled_from(
            [
                "accept",
                "content_type",
                "content_encoding",
                "content_length",
                "authorization",
                "x_request_id",
                "x_acts_for",
                "origin",
                "transfer_encoding",
                "expect",
            ]
        ),
        HEADER_VALUE,
    ),
    method=st.sampled_from([b"POST", b"GET", b"OPTIONS", b"PUT", b"BREW"]),
)
async def test_wild_headers(gateway: httpx.URL, mint: Mint, headers: dict[str, bytes], method: bytes) -> None:
    sent = request(mint, b'{"query": "{ hello }"}', method=method, **headers)
    answer = await exchange(gateway, sent)
    if method != b"OPTIONS":
        assert_decent(answer)
    else:
        assert b" 500 " not in answer.partition(b"\r\n")[0]


@EXAMPLES
@given(
    token=st.binary(max_size=100)
    | st.lists(JSON_VALUE, min_size=3, max_size=3).map(
        lambda parts: b".".join(json.dumps(part).encode() for part in parts)
    )
)
async def test_wild_tokens(gateway: httpx.URL, mint: Mint, token: bytes) -> None:
    clean = bytes(byte for byte in token if byte not in {0, 10, 13})
    answer = await exchange(gateway, request(mint, b"{}", authorization=b"Bearer " + clean))
    assert answer.startswith((b"HTTP/1.1 401 ", b"HTTP/1.1 400 "))
