from __future__ import annotations

import asyncio

import orjson
import pytest

from gateway.cli import run
from graph.ledger.positions import place
from graph.store.store import Store
from tests.graph.changes.network import soon
from tests.graph.ledger.test_positions import written


async def test_the_chain_of_events_is_looked_through(
    store_address: str, empty_store: Store, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRUNKLINE_STORE", store_address)
    await written(empty_store, "a", 1, 1)
    await place(empty_store, owner="one", renew=True, deadline=soon())
    assert await asyncio.to_thread(run, ["audit", "head"]) == 0
    head = capfd.readouterr().out.strip()
    assert await asyncio.to_thread(run, ["audit", "verify", "--head", head]) == 0
    assert capfd.readouterr().out == f"1 events, chained from position 1 on: the chain is whole.\nIts head is {head}\n"
    await written(empty_store, "a", 2, 2)
    await place(empty_store, owner="one", renew=True, deadline=soon())
    assert await asyncio.to_thread(run, ["audit", "verify", "--head", "1:" + "0" * 64, "--json"]) == 1
    told = orjson.loads(capfd.readouterr().out)
    assert (told["whole"], told["events"]) == (False, 2)
    assert told["faults"] == ["position 1: the hash that was noted is not there"]
    assert run(["audit", "verify", "--head", "no head"]) == 2
    assert "trunkline audit head" in capfd.readouterr().err
