"""What a caller is told when the database goes away, at each point where that makes a difference."""

from __future__ import annotations

import asyncio
import gc
import json
import time
import warnings
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from neo4j import WRITE_ACCESS, AsyncGraphDatabase, AsyncSession, basic_auth

from graph.errors import OutcomeUnknown, StoreMisconfigured, StoreUnavailable
from graph.store.address import Credentials, EmbeddedAddress, parse_address
from graph.store.embedded_server import DATABASE
from graph.store.session import open_session, session_config
from graph.store.store import Product, Store, Transaction, open_store
from tests.servers.cut import BEGIN, COMMIT, Cut

_HANDSHAKE = bytes(20)
"""what a client sends first: Bolt's magic number, and four proposals of four bytes."""


def _soon(seconds: float = 30.0) -> float:
    return time.monotonic() + seconds


def _endpoint(address: str) -> tuple[int, Credentials]:
    match parse_address(address):
        case EmbeddedAddress(directory=directory):
            where = json.loads((directory / "server.json").read_bytes())
            return where["port"], Credentials(user="root", password=where["password"])
        case server:
            return urlsplit(str(server)).port or 7687, Credentials()


@pytest.fixture
async def cut(empty_store: Store, store_address: str) -> AsyncIterator[Cut]:
    """A way to the session's database that can be cut."""
    assert empty_store.product in Product
    way = Cut(_endpoint(store_address)[0])
    await way.open()
    yield way
    await way.close()


@pytest.fixture
async def far(cut: Cut, store_address: str) -> AsyncIterator[Store]:
    """The session's database, reached by that way."""
    credentials = _endpoint(store_address)[1]
    opened = await open_store(f"bolt://127.0.0.1:{cut.port}", credentials=credentials)
    yield opened
    await opened.close()


async def _create(transaction: Transaction) -> None:
    await transaction.run("CREATE (:Site {name: 'here'})", {})


async def _sites(store: Store) -> object:
    return await store.read("MATCH (s:Site) RETURN count(s) AS data", {}, deadline=_soon())


async def test_a_database_that_goes_away_is_unavailable_and_comes_back_by_itself(cut: Cut, far: Store) -> None:
    assert await far.read("RETURN 1 AS data", {}, deadline=_soon()) == 1
    await cut.close()
    with pytest.raises(StoreUnavailable) as caught:
        await far.read("RETURN 1 AS data", {}, deadline=_soon())
    assert caught.value.retry_after > 0
    with pytest.raises(StoreUnavailable):
        await far.write(_create, deadline=_soon())
    await cut.open()
    assert await far.read("RETURN 1 AS data", {}, deadline=_soon()) == 1


async def test_idle_connections_that_died_are_not_the_callers_business(cut: Cut, far: Store, store: Store) -> None:
    await asyncio.gather(*(far.read("RETURN 1 AS data", {}, deadline=_soon()) for _ in range(5)))
    await cut.close()
    await cut.open()
    assert await far.read("RETURN 1 AS data", {}, deadline=_soon()) == 1
    await cut.close()
    await cut.open()
    await far.write(_create, deadline=_soon())
    assert await _sites(store) == 1


async def test_a_write_that_was_cut_before_anything_was_done_is_done_again(cut: Cut, far: Store, store: Store) -> None:
    cut.trap(BEGIN)
    await far.write(_create, deadline=_soon())
    assert cut.sprung == 1
    assert await _sites(store) == 1


@pytest.mark.parametrize(
    ("heard", "sites"),
    [pytest.param(False, {0}, id="the commit was lost"), pytest.param(True, {0, 1}, id="its answer was lost")],
)
async def test_a_commit_without_an_answer_is_said_to_be_unknown_and_not_repeated(
    cut: Cut, far: Store, store: Store, *, heard: bool, sites: set[int]
) -> None:
    attempts = 0

    async def work(transaction: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        await _create(transaction)

    cut.trap(COMMIT, forward_first=heard)
    with pytest.raises(OutcomeUnknown) as caught:
        await far.write(work, deadline=_soon())
    assert cut.sprung == 1
    assert attempts == 1
    assert "idempotency key" in caught.value.hint
    assert await _sites(store) in sites


async def test_a_wrong_password_is_a_setting_to_check(cut: Cut, store: Store) -> None:
    if store.product is Product.NEO4J:
        pytest.skip("the test server of Neo4j asks for no password")
    opened = await open_store(
        f"bolt://127.0.0.1:{cut.port}", credentials=Credentials(user="root", password="open sesame")
    )
    try:
        with pytest.raises(StoreMisconfigured) as caught:
            await opened.read("RETURN 1 AS data", {}, deadline=_soon())
        assert "password" in caught.value.hint
        assert "sesame" not in str(caught.value)
    finally:
        await opened.close()


async def test_a_connection_that_nobody_waits_for_any_more_is_closed() -> None:
    gone = asyncio.Event()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(_HANDSHAKE))
        writer.write_eof()
        await reader.read()
        writer.close()
        gone.set()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        far = await open_store(f"bolt://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            await _cancel_while_connecting(far)
            await asyncio.gather(far.close(), gone.wait())
            gc.collect()
    assert [str(each.message) for each in seen] == []


async def test_a_session_whose_closing_is_cancelled_is_closed(empty_store: Store, store_address: str) -> None:
    assert empty_store.product in Product
    port, given = _endpoint(store_address)
    auth = basic_auth(given.user, given.password) if given.user else None
    async with AsyncGraphDatabase.driver(f"bolt://127.0.0.1:{port}", auth=auth) as driver:
        session = open_session(driver, session_config(driver, WRITE_ACCESS, DATABASE, None))
        failing = asyncio.create_task(_fail_in_a_transaction(session))
        while "_rollback" not in _waits_in(failing):
            assert not failing.done()
            await asyncio.sleep(0)
        failing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await failing
        assert session.closed()


async def _fail_in_a_transaction(session: AsyncSession) -> None:
    """Make the driver roll back while it closes the session."""
    async with session:
        transaction = await session.begin_transaction()
        await transaction.run("RETURN 1")
        raise ValueError("it is rolled back")


async def _cancel_while_connecting(far: Store) -> None:
    """Cancel a read between the call of connect() and its answer, where the driver holds a bare socket."""
    before = asyncio.all_tasks()
    reading = asyncio.create_task(far.read("RETURN 1 AS data", {}, deadline=_soon()))
    while not any("_connect_secure" in _waits_in(each) for each in asyncio.all_tasks() - before):  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


def _waits_in(task: asyncio.Task[Any]) -> str:
    """Give the names of the coroutines in which a task waits, the outermost first."""
    names: list[str] = []
    inner: Any = task.get_coro()
    while inner is not None:
        names.append(getattr(inner, "__qualname__", ""))
        inner = getattr(inner, "cr_await", None)
    return " ".join(names)
