"""One suite, two databases: the environment says on which, and the tests are not told.

`TRUNKLINE_TEST_STORE=embedded` (the default) or `neo4j`. A Neo4j that was asked for and cannot be had ends the session
at once, with a status that is not zero: a suite that skips is a suite that no one runs.
"""

from __future__ import annotations

import importlib.metadata
import os
import time
from collections.abc import AsyncIterator

import hypothesis
import pytest

from graph.store.migrate import migrate
from graph.store.store import Product, Store, Transaction, open_store
from tests.servers.errors import ServerUnavailable
from tests.servers.neo4j_server import Neo4jServer

_PRODUCTS = {"embedded": Product.ARCADEDB, "neo4j": Product.NEO4J}
_SERVER = pytest.StashKey[Neo4jServer]()
_CANNOT_START = 3
_WIPED_AT_ONCE = 5_000

# The time that one example takes says nothing on two noisy cores; a run in CI can be repeated as it was.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-cases", action="store_true", help="rewrite the expectations of case files; not in CI")


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("CI") and config.getoption("--update-cases"):
        raise pytest.UsageError(
            "--update-cases in CI would make every case pass; run it where someone reads the result"
        )
    if _asked() == "neo4j" and not config.option.collectonly:
        try:
            config.stash[_SERVER] = Neo4jServer.start()
        except ServerUnavailable as exc:
            pytest.exit(f"TRUNKLINE_TEST_STORE=neo4j, but there is none. {exc}", _CANNOT_START)


def pytest_report_header(config: pytest.Config) -> str:
    server = config.stash.get(_SERVER, None)
    if server:
        return f"store: {server.version} at {server.address}"
    return f"store: {_asked()}, arcadedb-embedded {importlib.metadata.version('arcadedb-embedded')}"


def pytest_unconfigure(config: pytest.Config) -> None:
    server = config.stash.get(_SERVER, None)
    if server:
        server.stop()


def _asked() -> str:
    name = os.environ.get("TRUNKLINE_TEST_STORE", "embedded")
    if name not in _PRODUCTS:
        raise pytest.UsageError(f"TRUNKLINE_TEST_STORE is {name!r}; it can be {' or '.join(_PRODUCTS)}")
    return name


@pytest.fixture(scope="session")
def update_cases(pytestconfig: pytest.Config) -> bool:
    """Whether case files are rewritten instead of compared."""
    return bool(pytestconfig.getoption("--update-cases"))


@pytest.fixture(scope="session")
def store_address(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the session's database is; whoever opens the embedded one first starts it."""
    server = pytestconfig.stash.get(_SERVER, None)
    return server.address if server else f"embedded:{tmp_path_factory.mktemp('store')}"


@pytest.fixture(scope="session")
async def store(store_address: str) -> AsyncIterator[Store]:
    """The session's database, open and migrated; what it holds is whatever the tests before have left."""
    opened = await open_store(store_address)
    assert opened.product is _PRODUCTS[_asked()], "the suite would run on another database than the one asked for"
    await migrate(opened, deadline=time.monotonic() + 120)
    yield opened
    await opened.close()


@pytest.fixture
async def empty_store(store: Store) -> Store:
    """The session's database without any data; its constraints, indexes and schema version stay."""
    await wipe(store)
    return store


async def wipe(store: Store) -> None:
    """Take all data out of a database."""
    while await store.write(_wipe, deadline=time.monotonic() + 120):
        pass


async def _wipe(transaction: Transaction) -> bool:
    text = "MATCH (n) WHERE NOT n:SchemaVersion WITH n LIMIT $most DETACH DELETE n RETURN count(*) > 0"
    return bool((await transaction.run(text, {"most": _WIPED_AT_ONCE}))[0][0])
