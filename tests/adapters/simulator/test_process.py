from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from click.testing import CliRunner

from adapters.simulator.__main__ import BEARER, main
from adapters.simulator.journal import read_journal

pytestmark = pytest.mark.process

BODY = {"description": "It is broken", "severity": "minor", "ticketType": "fault", "externalId": "key"}
COMMAND = [sys.executable, "-m", "adapters.simulator", "ticketing"]


class StandIn:
    """In a process of its own."""

    def __init__(self, *more: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **environment}
        )
        self.said: dict[str, Any] = {}

    def listen(self) -> StandIn:
        assert self.process.stdout is not None
        self.said = orjson.loads(self.process.stdout.readline())
        return self

    def post(self, **headers: str) -> int:
        url = f"{self.said['address']}/troubleTicket"
        return httpx.post(url, json=BODY, headers=headers).status_code

    def let_go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()


Start = Callable[..., StandIn]


@pytest.fixture
def start() -> Iterator[Start]:
    with contextlib.ExitStack() as stack:

        def started(*more: str, **environment: str) -> StandIn:
            stand_in = StandIn(*more, **environment)
            stack.enter_context(stand_in.process)  # waits for it, and closes its pipes
            stack.callback(stand_in.process.kill)
            return stand_in.listen()

        yield started


def test_it_says_where_it_is_and_ends_when_told(start: Start, tmp_path: Path) -> None:
    stand_in = start("--journal", str(tmp_path / "journal"))
    assert stand_in.said["address"].startswith("http://127.0.0.1:")
    assert stand_in.post() == 201
    assert httpx.put(stand_in.said["faults"], json=[{"kind": "error"}]).status_code == 204
    assert stand_in.post() == 500
    assert len(read_journal(tmp_path / "journal")) == 1
    stand_in.process.send_signal(signal.SIGTERM)
    assert stand_in.process.wait(10) == 0


def test_what_it_was_told_is_there_after_it_was_killed(start: Start, tmp_path: Path) -> None:
    files = ("--journal", str(tmp_path / "journal"), "--state", str(tmp_path / "state"))
    first = start(*files)
    assert [first.post(), first.post()] == [201, 201]
    first.process.kill()
    first.process.wait(10)
    second = start(*files)
    assert len(httpx.get(f"{second.said['address']}/troubleTicket").json()) == 2
    assert second.post() == 201
    assert len({each["id"] for each in read_journal(tmp_path / "journal")}) == 3


def test_it_ends_with_its_input_when_it_is_on_a_leash(start: Start) -> None:
    stand_in = start("--leash")
    stand_in.let_go()
    assert stand_in.process.wait(10) == 0


async def test_without_a_leash_it_stays(start: Start) -> None:
    stand_in = start()
    stand_in.let_go()
    await asyncio.sleep(0.5)
    assert stand_in.process.poll() is None


def test_its_secret_comes_in_the_environment(start: Start) -> None:
    stand_in = start(**{BEARER: "known"})
    assert stand_in.post() == 401
    assert stand_in.post(Authorization="Bearer known") == 201


@pytest.mark.parametrize("listen", ["nowhere", "127.0.0.1:", "127.0.0.1:x", ":1", "127.0.0.1:99999"])
def test_an_address_that_is_none_is_refused(listen: str) -> None:
    done = CliRunner().invoke(main, ["ticketing", "--listen", listen])
    assert done.exit_code == 2
    assert "HOST:PORT" in done.output


def test_billing_is_a_process_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "adapters.simulator", "billing", "--state", str(tmp_path / "state"), "--leash"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        said = orjson.loads(process.stdout.readline())
        made = httpx.post(f"{said['address']}/simulator/bills", json={"account": "acc-1", "bill": {"billNo": "1"}})
        assert made.status_code == 201
        assert httpx.put(said["faults"], json=[{"kind": "error"}]).status_code == 204
        process.stdin.close()
        assert process.wait(10) == 0
    assert b"acc-1" in (tmp_path / "state").read_bytes()


def test_a_request_tracker_is_a_process_too() -> None:
    command = [sys.executable, "-m", "adapters.simulator", "rt", "--leash"]
    environment = {**os.environ, BEARER: "secret"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        said = orjson.loads(process.stdout.readline())
        queue = f"{said['address']}/queue/Customers"
        assert httpx.get(queue).status_code == 401
        assert httpx.get(queue, headers={"Authorization": "token secret"}).json()["Name"] == "Customers"
        process.stdin.close()
        assert process.wait(10) == 0
