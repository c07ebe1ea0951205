"""One suite, two databases: the environment says on which, and the tests are not told.

`TRUNKLINE_TEST_STORE=embedded` (the default) or `neo4j`. A Neo4j that was asked for and cannot be had ends the session
at once, with a status that is not zero: a suite that skips is a suite that no one runs. Workers that run side by side
(pytest-xdist) have a database each. Which tests run in which pass is in tests/selection.py.
"""

from __future__ import annotations

import gc
import importlib.metadata
import os
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import hypothesis
import pytest
import structlog

from gateway.collector import NEW_OBJECTS
from graph.store.migrate import migrate
from graph.store.store import Product, Store, Transaction, open_store
from tests.selection import FULL_VARIABLE, SEED_VARIABLE, choose_seed, draw, examples, is_full, mark_and_order
from tests.servers.archive import quick_options
from tests.servers.errors import ServerUnavailable
from tests.servers.jars import neo4j_jars, program
from tests.servers.neo4j_server import Neo4jServer

_MEMORY: Final = Path("/dev/shm")
_MEMORY_BYTES: Final = 4 << 30
_PRODUCTS = {"embedded": Product.ARCADEDB, "neo4j": Product.NEO4J}
_SERVER = pytest.StashKey[Neo4jServer]()
_CANNOT_START = 3
_WIPED_AT_ONCE = 5_000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-cases", action="store_true", help="rewrite the expectations of case files; not in CI")
    parser.addoption("--full", action="store_true", help="nothing is sampled: what `make test-all` runs")


@pytest.hookimpl(tryfirst=True)  # before hypothesis reads its seed
def pytest_configure(config: pytest.Config) -> None:
    if not _gives_out_work(config):
        gc.disable()  # until all is collected
    _work_in_memory()
    seed = choose_seed()
    if config.getoption("hypothesis_seed", None) is None:
        config.option.hypothesis_seed = seed
    if config.getoption("--full"):
        os.environ[FULL_VARIABLE] = "1"
    # The time that one example takes says nothing on two noisy cores; the seed is the run's (tests/selection.py).
    hypothesis.settings.register_profile("trunkline", deadline=None, print_blob=True, max_examples=examples(100))
    hypothesis.settings.load_profile("trunkline")
    _log_plainly()
    if os.environ.get("CI") and config.getoption("--update-cases"):
        raise pytest.UsageError(
            "--update-cases in CI would make every case pass; run it where someone reads the result"
        )
    if _asked() == "embedded":
        os.environ.setdefault("JAVA_TOOL_OPTIONS", quick_options())
    elif not config.option.collectonly:
        try:
            _prepare_neo4j(config)
        except ServerUnavailable as exc:
            pytest.exit(f"TRUNKLINE_TEST_STORE=neo4j, but there is none. {exc}", _CANNOT_START)


def _work_in_memory() -> None:
    """Keep what tests write in memory where there is room: each commit is flushed, and a third of the time goes to the disk."""
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _MEMORY_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def _log_plainly() -> None:
    """Print a traceback without the values in its frames: structlog's own way takes up to half a second for each."""
    *others, _ = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*others, plain])


def _gives_out_work(config: pytest.Config) -> bool:
    """Tell whether other processes collect and run the tests."""
    return bool(config.getoption("numprocesses", None)) and not hasattr(config, "workerinput")


def _prepare_neo4j(config: pytest.Config) -> None:
    """Start a server where tests run; where workers do, see to it once that each of them will be able to."""
    if _gives_out_work(config):
        program("java", "Java 17")
        neo4j_jars()
    else:
        config.stash[_SERVER] = Neo4jServer.start()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if left_out := draw(items):
        config.hook.pytest_deselected(items=left_out)
    mark_and_order(items)


def pytest_collection_finish() -> None:
    """What was collected stays to the end: no test need look through it for garbage, and none is sought in it now."""
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])
    gc.enable()


@pytest.hookimpl(optionalhook=True)  # without xdist nobody asks
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give out modules so that no long one waits behind another."""
    if config.getvalue("dist") != "loadscope":
        return None
    from tests.scheduling import LongApart  # noqa: PLC0415 - not there without xdist

    return LongApart(config, log)


def pytest_report_header(config: pytest.Config) -> list[str]:
    server = config.stash.get(_SERVER, None)
    embedded = f"arcadedb-embedded {importlib.metadata.version('arcadedb-embedded')}"
    store = f"{server.version} at {server.address}" if server else f"{_asked()}, {embedded}"
    sampled = "nothing is sampled" if is_full() else "what is large is sampled"
    return [f"store: {store}", f"seed: {SEED_VARIABLE}={choose_seed()}; {sampled}"]


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
    """Delete some; tell whether there may be more."""
    text = "MATCH (n) WHERE NOT n:SchemaVersion WITH n LIMIT $most DETACH DELETE n RETURN count(*) >= $most"
    return bool((await transaction.run(text, {"most": _WIPED_AT_ONCE}))[0][0])
