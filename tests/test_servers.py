from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.archive import QUICK_START

pytestmark = pytest.mark.process

TOP = Path(__file__).parents[1]
LEASH = TOP / "tests" / "servers" / "leash.py"
# It writes its own id and then does what a server does: stay.
SERVER = 'import os, sys, time; open(sys.argv[1], "x").write(f"{os.getpid()}\\n"); time.sleep(600)'
SESSION = """
import subprocess, sys, time
leash = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)
time.sleep(600)
"""


class Held:
    """A leash that holds a process, as a session would have started it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self._told = folder / "pid"
        server = [sys.executable, "-c", SERVER, str(self._told)]
        self.command = [sys.executable, str(LEASH), str(self.home), *server]

    @property
    def pid(self) -> int:
        eventually(lambda: self._told.exists() and self._told.read_text().endswith("\n"))
        return int(self._told.read_text())

    def runs(self) -> bool:
        return is_running(self.pid)


def is_running(pid: int) -> bool:
    try:
        # A process that was killed stays listed until its parent has asked for its status.
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def eventually(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    one = Held(tmp_path)
    yield one
    if one.runs():
        os.kill(one.pid, signal.SIGKILL)


needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")


@needs_proc
def test_a_server_ends_when_its_session_lets_go(held: Held) -> None:
    leash = subprocess.Popen(held.command, stdin=subprocess.PIPE)
    assert held.runs()
    leash.communicate()
    assert not held.runs()
    assert not held.home.exists()


@needs_proc
def test_a_server_ends_when_its_session_is_killed(held: Held) -> None:
    session = subprocess.Popen([sys.executable, "-c", SESSION, *held.command])
    assert held.runs()
    session.kill()
    session.wait()
    eventually(lambda: not held.runs() and not held.home.exists())


@needs_proc
def test_a_server_ends_when_its_leash_is_killed(held: Held) -> None:
    leash = subprocess.Popen(held.command, stdin=subprocess.PIPE)
    assert held.runs()
    leash.kill()
    leash.communicate()
    eventually(lambda: not held.runs())


@needs_proc
def test_a_server_that_ends_by_itself_leaves_what_it_wrote(held: Held) -> None:
    leash = subprocess.Popen(held.command, stdin=subprocess.PIPE)
    os.kill(held.pid, signal.SIGTERM)
    assert leash.wait() != 0
    leash.communicate()
    assert held.home.exists()


def pytest_in(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments, "tests/test_model.py"]
    variables = {**os.environ, **environment}
    return subprocess.run(command, cwd=TOP, env=variables, capture_output=True, text=True, check=False)


def test_a_neo4j_that_cannot_be_had_ends_the_session_loudly(tmp_path: Path) -> None:
    done = pytest_in({"TRUNKLINE_TEST_STORE": "neo4j", "PATH": str(tmp_path)})
    assert done.returncode == 3
    assert "TRUNKLINE_TEST_STORE=neo4j, but there is none. Java 17 is needed" in done.stdout + done.stderr
    assert "passed" not in done.stdout


def test_a_store_that_no_one_knows_is_refused() -> None:
    done = pytest_in({"TRUNKLINE_TEST_STORE": "oracle"})
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "'oracle'; it can be embedded or neo4j" in done.stderr


def test_expectations_are_not_rewritten_in_ci() -> None:
    done = pytest_in({"CI": "true", "TRUNKLINE_TEST_STORE": "embedded"}, "--update-cases")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "would make every case pass" in done.stderr


def test_options_of_the_embedded_java_are_no_trouble_to_another_java(tmp_path: Path) -> None:
    """Maven, Kafka and Neo4j inherit them, and run on the machine's own Java, which is an older one."""
    java = shutil.which("java")
    if java is None:
        pytest.skip("there is no other Java")
    options = f"{QUICK_START} -XX:AOTCache='{tmp_path / 'none.aot'}' -XX:NoSuchOption=1"
    environment = {**os.environ, "JAVA_TOOL_OPTIONS": options}
    said = subprocess.run([java, "-version"], env=environment, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
