from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from gateway.auth.keys import key_rings
from gateway.auth.tokens import Tokens
from gateway.errors import TREATMENTS, Code
from gateway.exchange import exchange_of
from gateway.http.middleware import middleware
from gateway.http.response import RefuseWith
from gateway.settings.settings import Settings
from gateway.telemetry.metrics import Metrics
from tests.gateway.conftest import Mint, serving


def of_another_protocol(status: int, code: str, message: str, hint: str) -> dict[str, Any]:
    return {"status": str(status), "code": code, "reason": message, "message": hint}


@pytest.fixture(scope="module")
async def elsewhere(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """An endpoint whose callers do not read GraphQL's errors: who is calling, or a fault that nobody foresaw."""

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        principal = exchange_of(scope).principal
        assert principal is not None
        if scope["path"].endswith("/broken"):
            raise RuntimeError("a secret of ours")
        await JSONResponse({"role": principal.effective.value})(scope, receive, send)

    tokens = Tokens(settings.issuers, key_rings(settings.issuers), settings.sources)
    wrapped = middleware(endpoint, settings, tokens, Metrics(), RefuseWith(body=of_another_protocol))
    async with serving(Starlette(routes=[Mount("/elsewhere", wrapped)]), settings) as client:
        yield client


async def test_an_endpoint_refuses_in_its_own_shape(elsewhere: httpx.AsyncClient, mint: Mint) -> None:
    answer = await elsewhere.get("/elsewhere/")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="trunkline"'
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json() == {
        "status": "401",
        "code": "UNAUTHENTICATED",
        "reason": "The request has no token.",
        "message": TREATMENTS[Code.UNAUTHENTICATED].hint,
    }
    answer = await elsewhere.get("/elsewhere/", headers=mint.bearer("nobody"))
    assert (answer.status_code, answer.json()["code"]) == (403, "INSUFFICIENT_SCOPE")
    answer = await elsewhere.get("/elsewhere/", headers=mint.bearer())
    assert answer.json() == {"role": "operator"}


async def test_a_fault_of_an_endpoint_is_told_in_its_own_shape(elsewhere: httpx.AsyncClient, mint: Mint) -> None:
    with capture_logs() as lines:
        answer = await elsewhere.get("/elsewhere/broken", headers=mint.bearer())
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_SERVER_ERROR")
    assert "secret" not in answer.text
    assert [line["code"] for line in lines if line["event"] == "request"] == ["INTERNAL_SERVER_ERROR"]
