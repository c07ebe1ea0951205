"""When Python looks for garbage."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from gateway.collector import paused
from tests.faults.processes import TOP

STARTED = """
import gc
from gateway.cli import trunkline

def collections():
    return sum(each["collections"] for each in gc.get_stats())

before = collections()
assert trunkline.get_command(None, "token")
print(collections() - before, gc.isenabled())
"""


def test_it_is_paused_for_a_block_and_goes_on_behind_it() -> None:
    assert gc.isenabled()
    with paused():
        assert not gc.isenabled()
        with paused():
            pass
        assert not gc.isenabled(), "the block around goes on"
    assert gc.isenabled()


def test_a_block_that_fails_leaves_it_going() -> None:
    with pytest.raises(ZeroDivisionError), paused():
        _ = 1 / 0
    assert gc.isenabled()


@pytest.mark.process
def test_a_command_is_imported_without_looking_for_garbage() -> None:
    done = subprocess.run([sys.executable, "-c", STARTED], cwd=TOP, capture_output=True, text=True, check=True)
    collections, enabled = done.stdout.split()
    assert enabled == "True"
    assert int(collections) < 20, "with every seven hundred objects it is far more often"
