"""What is against the model in a store is found by `trunkline check`, and what is derived is put right."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import orjson
import pytest

from gateway.cli import run
from graph.store.store import Store, Transaction


async def checked(
    store_address: str, capfd: pytest.CaptureFixture[str], *options: str, part: str = "graph"
) -> list[tuple[bool, str]]:
    await asyncio.to_thread(run, ["check", "--json", "--store", store_address, *options])
    findings = orjson.loads(capfd.readouterr().out.strip().splitlines()[-1])["findings"]
    return [(each["well"], each["text"]) for each in findings if each["part"] == part]


async def test_two_owners_of_a_service_are_found(
    empty_store: Store, store_address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert await checked(store_address, capfd) == [(True, "it is as the model allows")]

    async def by_hand(transaction: Transaction) -> None:
        text = (
            "CREATE (:Customer {id: 'customer-a'})-[:SUBSCRIBES_TO]->(s:Service {id: 'service-1'}) "
            "CREATE (:Customer {id: 'customer-b'})-[:SUBSCRIBES_TO]->(s)"
        )
        await transaction.run(text, {})

    await empty_store.write(by_hand, deadline=time.monotonic() + 60)
    problem = "service-1 has SUBSCRIBES_TO from customer-a and customer-b, and can have only one of these"
    assert await checked(store_address, capfd) == [(False, problem)]


async def test_what_is_beyond_the_bounds_of_the_model_is_found(
    empty_store: Store, store_address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async def by_hand(transaction: Transaction) -> None:
        await transaction.run("CREATE (:Site {id: 'site-1', name: '', latitude: 1000.0})", {})

    await empty_store.write(by_hand, deadline=time.monotonic() + 60)
    problem = "site-1: name must not be empty; latitude must be from -90 to 90, not 1000.0"
    assert await checked(store_address, capfd) == [(False, problem)]


def test_settings_that_cannot_be_used_are_another_exit_code(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRUNKLINE_WORKERS", "0")
    monkeypatch.setenv("TRUNKLINE_LISTEN", "nowhere")
    assert run(["check"]) == 2
    listen, workers = capfd.readouterr().out.splitlines()
    assert listen.startswith("FAIL settings: listen: 'nowhere' is not HOST:PORT")
    assert workers == "FAIL settings: workers: must be greater than 0."
    assert run(["check", "--help"]) == 0
    assert "2 when the settings cannot be used" in " ".join(capfd.readouterr().out.split())


async def test_an_alarm_that_is_open_on_something_else_than_it_says_is_found_and_put_right(
    empty_store: Store, store_address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async def by_hand(transaction: Transaction) -> None:
        text = "CREATE (:Alarm {id: 'alarm-1', state: 'raised'})-[:RAISED_ON]->(:Card {id: 'card-1'})"
        await transaction.run(text, {})

    await empty_store.write(by_hand, deadline=time.monotonic() + 60)
    [(well, text)] = await checked(store_address, capfd, part="alarms")
    assert (well, text.partition(" ")[0], text.rpartition(". ")[2]) == (
        False,
        "alarm-1",
        "Run: trunkline check --migrate",
    )
    for options in (["--migrate"], []):
        assert await checked(store_address, capfd, *options, part="alarms") == [(True, "each says what it is open on")]


async def test_capacity_that_is_not_what_boosts_reserve_is_found_and_put_right(
    empty_store: Store, store_address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async def by_hand(transaction: Transaction) -> None:
        times = {"start": int(time.time() * 1_000), "end": int(time.time() * 1_000) + 3_600_000}
        text = (
            "CREATE (:Boost {id: 'boost-1', status: 'ACTIVATED', mbps: 10, startAt: $start, endAt: $end})"
            "-[:BOOSTS]->(:Service {id: 'service-1'}) "
            "WITH 1 AS one MATCH (b:Boost) CREATE (b)-[:RESERVES]->(:Trunk {id: 'trunk-1'})"
        )
        await transaction.run(text, times)

    await empty_store.write(by_hand, deadline=time.monotonic() + 60)
    [(well, text)] = await checked(store_address, capfd, part="capacity")
    assert not well
    assert text.endswith("of 1 it is not what boosts reserve, such as trunk-1. Run: trunkline check --migrate")
    for options in (["--migrate"], []):
        right = [(True, "what is booked on 1 ports and trunks")]
        assert await checked(store_address, capfd, *options, part="capacity") == right


def test_no_database_is_made_by_looking_for_one(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    nowhere = tmp_path / "nowhere"
    assert run(["check", "--store", f"embedded:{nowhere}"]) == 1, "there is no issuer"
    assert f"ok   database: there is none at embedded:{nowhere} yet" in capfd.readouterr().out
    assert not nowhere.exists()
