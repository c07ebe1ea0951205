"""One suite, two databases: the environment says on which, and the tests are not told.

`TRUNKLINE_TEST_STORE=embedded` (the default) or `neo4j`. A Neo4j that was asked for and cannot be had ends the session
at once, with a status that is not zero: a suite that skips is a suite that no one runs.
"""

from __future__ import annotations

import importlib.metadata
import os

import hypothesis
import pytest

from tests.servers.errors import ServerUnavailable
from tests.servers.neo4j_server import Neo4jServer

_STORES = ("embedded", "neo4j")
_SERVER = pytest.StashKey[Neo4jServer]()
_CANNOT_START = 3

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
    if name not in _STORES:
        raise pytest.UsageError(f"TRUNKLINE_TEST_STORE is {name!r}; it can be {' or '.join(_STORES)}")
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
