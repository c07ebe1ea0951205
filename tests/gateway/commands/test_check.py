"""What a store has two of, and may have one of, is found by `trunkline check`."""

from __future__ import annotations

import asyncio
import time

import orjson
import pytest

from gateway.cli import run
from graph.store.store import Store, Transaction


async def checked(store_address: str, capfd: pytest.CaptureFixture[str]) -> list[tuple[bool, str]]:
    await asyncio.to_thread(run, ["check", "--json", "--store", store_address])
    findings = orjson.loads(capfd.readouterr().out.strip().splitlines()[-1])["findings"]
    return [(each["well"], each["text"]) for each in findings if each["part"] == "graph"]


async def test_two_owners_of_a_service_are_found(
    empty_store: Store, store_address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert await checked(store_address, capfd) == [(True, "nothing has two of what it may have one of")]

    async def by_hand(transaction: Transaction) -> None:
        text = (
            "CREATE (:Customer {id: 'customer-a'})-[:SUBSCRIBES_TO]->(s:Service {id: 'service-1'}) "
            "CREATE (:Customer {id: 'customer-b'})-[:SUBSCRIBES_TO]->(s)"
        )
        await transaction.run(text, {})

    await empty_store.write(by_hand, deadline=time.monotonic() + 60)
    problem = "service-1 has SUBSCRIBES_TO from customer-a and customer-b, and can have only one of these"
    assert await checked(store_address, capfd) == [(False, problem)]
