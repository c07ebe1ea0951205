"""Processes: workers that die and come back, signals, an end that leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.gateway.conftest import Mint

pytestmark = [pytest.mark.process, pytest.mark.long(150)]

TOP = Path(__file__).parents[3]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def children(pid: int) -> list[int]:
    """Name the processes below one that serve: they hold the listening socket."""
    found = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(line.split()[0]) for line in found.stdout.splitlines() if "spawn_main" in line]


@contextmanager
def serve(mint: Mint, store: str, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    port = free_port()
    issuer = [mint.settings().model_dump(mode="json", include={"issuer", "audience", "jwks_file"})]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
    environment = kept | {"TRUNKLINE_ISSUERS": json.dumps(issuer), "TRUNKLINE_LOG_LEVEL": "error"}
    arguments = [sys.executable, "-m", "gateway", "serve", "--listen", f"127.0.0.1:{port}", "--store", store, *options]
    process = subprocess.Popen(arguments, cwd=TOP, env=environment, stderr=subprocess.PIPE)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
            yield process, client
    finally:
        process.kill()
        process.communicate()


def until_live(client: httpx.Client, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if client.get("/livez").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < end, "it did not come up"
        time.sleep(0.1)


def ended(process: subprocess.Popen[bytes], how: signal.Signals) -> bytes:
    process.send_signal(how)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"Traceback" not in errors
    return errors


def test_an_interrupt_ends_workers_too(mint: Mint) -> None:
    with serve(mint, "bolt://127.0.0.1:9", "--workers", "2") as (process, client):
        until_live(client)
        workers = children(process.pid)
        assert len(workers) == 2
        ended(process, signal.SIGINT)
        assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


def test_a_worker_that_is_killed_is_replaced_and_all_end_when_the_supervisor_is_killed(mint: Mint) -> None:
    with serve(mint, "bolt://127.0.0.1:9", "--workers", "2") as (process, client):
        until_live(client)
        before = children(process.pid)
        assert len(before) == 2
        for _ in range(5):
            with httpx.Client(base_url=client.base_url) as other:
                assert other.post("/graphql").status_code == 401
        counted = 'trunkline_request_seconds_count{code="UNAUTHENTICATED",status="401"} 5.0'
        assert counted in client.get("/metrics").text, "any worker tells of all"
        os.kill(before[0], signal.SIGKILL)
        end = time.monotonic() + 60
        while len(set(children(process.pid)) - set(before)) != 1:
            assert time.monotonic() < end, "no worker took its place"
            time.sleep(0.1)
        until_live(client)
        workers = children(process.pid)
        process.kill()
        process.wait()
        end = time.monotonic() + 60
        while [pid for pid in workers if Path(f"/proc/{pid}").exists()]:
            assert time.monotonic() < end, "a worker outlived its supervisor"
            time.sleep(0.1)


def test_an_address_in_use_is_a_sentence(mint: Mint) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with serve(mint, "bolt://127.0.0.1:9", "--listen", address) as (process, _):
            _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"Nothing can listen on {address}" in errors.decode()
    assert b"Traceback" not in errors


async def test_sigterm_ends_it_cleanly_when_requests_under_way_are_answered(mint: Mint) -> None:
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        begun.set()
        yield b'{"query": "{ viewer '
        await goes_on.wait()
        yield b'{ role } }"}'

    with serve(mint, "bolt://127.0.0.1:9") as (process, client):
        until_live(client)
        async with httpx.AsyncClient(base_url=client.base_url, timeout=60) as other:
            headers = {**mint.bearer(), "Content-Type": "application/json"}
            asked = asyncio.create_task(other.post("/graphql", content=body(), headers=headers))
            await begun.wait()
            for _ in range(2):  # whoever answers these has read the head of the one before
                assert client.get("/livez").status_code == 200
            process.send_signal(signal.SIGTERM)
            goes_on.set()
            assert (await asked).status_code == 503
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"Traceback" not in errors


WORKER = """
import gc
from gateway.app import worker
app = worker()
kept = gc.get_freeze_count()
gc.collect()
print(kept, len(gc.get_objects()))
"""


def test_a_worker_does_not_look_for_garbage_in_its_schema(mint: Mint, tmp_path: Path) -> None:
    issuer = [mint.settings().model_dump(mode="json", include={"issuer", "audience", "jwks_file"})]
    settings = {"TRUNKLINE_ISSUERS": json.dumps(issuer), "TRUNKLINE_STORE": f"embedded:{tmp_path}"}
    made = subprocess.run(
        [sys.executable, "-c", WORKER], cwd=TOP, env=os.environ | settings, capture_output=True, text=True, check=True
    )
    kept, looked_at = map(int, made.stdout.split())
    assert kept > 50_000
    assert looked_at < kept / 20
