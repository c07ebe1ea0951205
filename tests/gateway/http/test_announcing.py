"""The address is told when requests there are answered; the numbers may have one of their own."""

from __future__ import annotations

import asyncio
import http.client
import queue
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from gateway.errors import CommandFailed
from gateway.http import announcing
from gateway.http.announcing import announced, numbers_line
from gateway.http.health import KEPT_SECONDS, health_routes
from gateway.http.numbers import numbers_served
from gateway.http.serving import bound, bound_for_metrics, bounds_of, listening
from gateway.settings.settings import Settings
from gateway.settings.subgraph import FederationSettings
from gateway.standalone import application
from gateway.telemetry.metrics import Metrics
from tests.gateway.federation.conftest import SUPERGRAPH

AT_ANY = Settings(listen="127.0.0.1:0", metrics_listen="127.0.0.1:0")


class Said:
    """Lines as they are said."""

    def __init__(self) -> None:
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def __call__(self, line: str) -> None:
        self._lines.put(line)

    async def next(self) -> str:
        return await asyncio.to_thread(self._lines.get, timeout=30)

    @property
    def is_silent(self) -> bool:
        return self._lines.empty()


async def test_the_address_is_told_when_it_is_ready_and_the_reason_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcing, "PATIENCE", 0.3)
    reason = "The database cannot be reached"

    async def ready() -> str:
        return reason

    sock, said = bound(AT_ANY), Said()
    address = f"http://127.0.0.1:{sock.getsockname()[1]}/graphql"
    app = Starlette(routes=[*health_routes(ready, None)])
    async with listening(app, sock):
        with announced(sock, said, "and more"):
            assert await said.next() == "Not ready yet: The database cannot be reached"
            await asyncio.sleep(2 * KEPT_SECONDS)
            assert said.is_silent, "a reason is told once"
            reason = ""
            assert await said.next() == address
            assert await said.next() == "and more"


def test_an_address_is_one_that_can_be_pasted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        assert announcing.address_of(sock) == f"127.0.0.1:{sock.getsockname()[1]}"
        assert numbers_line(sock) == (f"http://127.0.0.1:{sock.getsockname()[1]}/metrics",)
    assert numbers_line(None) == ()


@pytest.fixture
def metrics_socket() -> Iterator[socket.socket]:
    sock = bound_for_metrics(AT_ANY)
    assert sock is not None
    with sock:
        yield sock


def test_the_numbers_are_at_their_address_and_nothing_else_is(metrics_socket: socket.socket) -> None:
    metrics = Metrics()
    metrics.refused("address")
    with numbers_served(metrics_socket, metrics.text):
        base = f"http://127.0.0.1:{metrics_socket.getsockname()[1]}"
        answer = httpx.get(f"{base}/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert 'trunkline_connections_refused_total{reason="address"} 1.0' in answer.text
        assert httpx.get(f"{base}/graphql").status_code == 404
        assert httpx.post(f"{base}/metrics").status_code == 501
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{base}/metrics")


@pytest.mark.parametrize("own", [False, True])
async def test_with_an_address_of_their_own_the_numbers_are_off_the_public_one(tmp_path: Path, *, own: bool) -> None:
    file = tmp_path / "supergraph.graphql"
    file.write_text(SUPERGRAPH.replace("{base}", "http://127.0.0.1:9"))
    given = Settings(
        listen="127.0.0.1:0",
        metrics_listen="127.0.0.1:0" if own else "",
        federation=FederationSettings(supergraph=file),
        connections_per_address=1,
    )
    app, sock = application(given), bound(given)
    port = sock.getsockname()[1]
    async with (
        listening(app, sock, bounds_of(given)),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        assert (await client.get("/livez")).status_code == 200
        refused = await asyncio.to_thread(_status, port)
        assert refused == 503, "the client has the one connection of its address"
        answer = await client.get("/metrics")
        assert answer.status_code == (404 if own else 200)
        assert b'trunkline_connections_refused_total{reason="address"} 1.0' in app.state.metrics.text()


def _status(port: int) -> int:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    asked.request("GET", "/livez")
    return asked.getresponse().status


def test_an_address_of_the_numbers_that_is_in_use_is_a_sentence(metrics_socket: socket.socket) -> None:
    taken = f"127.0.0.1:{metrics_socket.getsockname()[1]}"
    with pytest.raises(CommandFailed) as failed:
        bound_for_metrics(Settings(metrics_listen=taken))
    assert failed.value.message.startswith(f"Nothing can listen on {taken}: ")
    assert "metrics_listen" in failed.value.hint


@pytest.mark.parametrize(
    ("address", "told"), [("9090", "is not HOST:PORT"), ("127.0.0.1:8000", "is the same address as listen")]
)
def test_an_address_that_cannot_be_is_refused(address: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Settings(metrics_listen=address)
