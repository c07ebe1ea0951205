"""Whatever comes, it is answered as the protocol has it, and never by a fault of ours."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from adapters.fault_management.inbound.shape import FIELDS
from tests.adapters.endpoint.bodies import FULL, LEAST
from tests.gateway.conftest import Mint
from tests.selection import examples

ENOUGH = settings(
    max_examples=examples(60),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FITTING = st.sampled_from([each for value in FULL.values() for each in (value, [value])])
CHANGES = st.dictionaries(st.sampled_from([*FIELDS, "@type", "x"]) | st.text(), FITTING | JSON, max_size=6)
NAMES = st.sampled_from([*FIELDS, "alarmedObject.id", "alarmRaisedTime.gt", "fields", "offset", "limit"]) | st.text()
TEXTS = (
    st.sampled_from(["raised", "2026-01-01T12:00:00Z", "0", "-1", "1e9", "a,b", '"', "'x'", "\x00", "%"]) | st.text()
)
PATTERN = st.dictionaries(st.sampled_from(["id", "externalAlarmId", "sourceSystemId", "state"]), TEXTS | JSON)


@pytest.fixture
def operator(mint: Mint) -> dict[str, str]:
    return {**mint.bearer("operator"), "Content-Type": "application/json"}


def written(value: Any) -> bytes:
    """JSON as others send it too: integers beyond 64 bits, halves of characters."""
    return json.dumps(value).encode()


@ENOUGH
@given(changes=CHANGES)
async def test_any_body_is_taken_or_refused(
    client: httpx.AsyncClient, operator: dict[str, str], changes: dict[str, Any]
) -> None:
    answer = await client.post("/alarm", content=written({**LEAST, **changes}), headers=operator)
    assert answer.status_code in (201, 400), answer.text
    if answer.status_code == 201:
        again = await client.get(f"/alarm/{answer.json()['id']}", headers=operator)
        assert again.json() == answer.json()


@ENOUGH
@given(text=st.binary(max_size=200) | JSON.map(written))
async def test_any_bytes_are_refused(client: httpx.AsyncClient, operator: dict[str, str], text: bytes) -> None:
    for method, path in (("POST", "/alarm"), ("POST", "/ackAlarms"), ("POST", "/clearAlarms")):
        answer = await client.request(method, path, content=text, headers=operator)
        assert answer.status_code == 400, answer.text


@ENOUGH
@given(patch=CHANGES | JSON)
async def test_any_patch_is_merged_or_refused(client: httpx.AsyncClient, operator: dict[str, str], patch: Any) -> None:
    first = await client.post("/alarm", content=orjson.dumps({**LEAST, "externalAlarmId": "wild"}), headers=operator)
    address = f"/alarm/{first.json()['id']}"
    answer = await client.patch(address, content=written(patch), headers=operator)
    assert answer.status_code in (200, 400), answer.text
    read = await client.get(address, headers=operator)
    if answer.status_code == 200:
        assert read.json() == answer.json()
    else:
        assert read.json() == first.json()


@ENOUGH
@given(pairs=st.lists(st.tuples(NAMES, TEXTS), max_size=4))
async def test_any_query_is_answered_or_refused(
    client: httpx.AsyncClient, mint: Mint, pairs: list[tuple[str, str]]
) -> None:
    kept = urlencode([(name, value) for name, value in pairs if _utf8(name + value)])
    for headers in (mint.bearer("operator"), mint.customer("customer-a")):
        answer = await client.get(f"/alarm?{kept}", headers=headers)
        assert answer.status_code in (200, 206, 400), answer.text


@ENOUGH
@given(patterns=st.lists(PATTERN, max_size=3))
async def test_any_pattern_is_a_task_or_refused(
    client: httpx.AsyncClient, operator: dict[str, str], patterns: list[dict[str, Any]]
) -> None:
    body = {"ackSystemId": "noc", "ackUserId": "ann", "alarmPattern": patterns}
    answer = await client.post("/ackAlarms", content=written(body), headers=operator)
    assert answer.status_code in (201, 400), answer.text


def _utf8(text: str) -> bool:
    return not any(0xD800 <= ord(each) <= 0xDFFF for each in text)
