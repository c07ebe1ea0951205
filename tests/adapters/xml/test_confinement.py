"""Names of strangers go with the thread that has met them, and so nobody's message is refused because of another's."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from adapters.errors import Malformed
from adapters.xml import confinement
from adapters.xml.confinement import confined
from adapters.xml.parser import read_xml

TOP = Path(__file__).parents[3]


@confined
def where() -> int:
    return threading.get_ident()


@confined
def nested() -> tuple[int, int]:
    return threading.get_ident(), where()


@confined
def fails() -> None:
    raise Malformed("wrong", field="")


def test_it_runs_in_one_thread_that_is_not_ours() -> None:
    assert where() == where() != threading.get_ident()
    outer, inner = nested()
    assert outer == inner


def test_what_it_raises_comes_out() -> None:
    with pytest.raises(Malformed, match="wrong"):
        fails()


def test_the_thread_is_replaced_when_it_has_read_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    @confined
    def thread() -> threading.Thread:
        return threading.current_thread()

    monkeypatch.setattr(confinement, "MOST_BYTES", 10_000)
    first = thread()
    for _ in range(3):
        read_xml(b"<a>" + b"x" * 9_000 + b"</a>")
    assert thread() is not first
    assert not first.is_alive()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="it looks at Linux's account of memory")
def test_names_are_not_kept() -> None:
    """By hand, with more: docs/security.md has the command."""
    command = [sys.executable, "-m", "tests.adapters.xml.hostile", "50", "--thread-bytes", "4000000"]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=True, timeout=200)
    assert int(done.stdout.splitlines()[-1]) < 25_000, "kB; with one thread for all 50 MB it is 42,000"
