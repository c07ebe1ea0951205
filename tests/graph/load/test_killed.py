"""A load whose process is killed at any moment: the kill is real, and what is there afterwards is compared node by node."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from graph.load import load_topology
from graph.store.store import Store, open_store
from tests.graph.load.test_loading import SMALL, expected, graph_of, records, silent, soon
from tests.selection import is_full

pytestmark = [pytest.mark.process, pytest.mark.long]

LOADER = """
import asyncio, sys, time
from graph.load import grow, load_topology, read_topology
from graph.load.statements import How
from graph.load.write import Target, write_records
from graph.store.migrate import migrate
from graph.store.store import open_store

async def main():
    store = await open_store(sys.argv[1])
    await migrate(store, deadline=time.monotonic() + 120)
    def told(batch):
        print(batch.number, flush=True)
    target = Target(store=store, how=How.CREATE, key="killed", deadline=time.monotonic() + 120, size=30)
    await write_records(target, grow(read_topology(sys.argv[2]), 1_000, 1, alarms=5), told)
    print("done", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("through", [0, 7] if is_full() else [7])
async def test_a_load_whose_process_is_killed_goes_on_where_it_stopped(
    empty_store: Store, store_address: str, tmp_path: Path, through: int
) -> None:
    address = store_address if store_address.startswith("bolt") else f"embedded:{tmp_path / 'graph'}"
    kill_in_the_middle(address, through)
    store = empty_store if store_address.startswith("bolt") else await open_store(address)
    try:
        part = await graph_of(store)
        assert set(part) < set(expected(records()))
        assert finished(address), "the same command again"
        assert await graph_of(store) == expected(records())
        report = await load_topology(store, topology=SMALL, scale=1_000, alarms=5, progress=silent, deadline=soon())
        assert report.nodes + report.relationships == len(expected(records()))
        assert await graph_of(store) == expected(records())
    finally:
        if store is not empty_store:
            await store.close()


def loader(address: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-u", "-c", LOADER, address, SMALL]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."})


def kill_in_the_middle(address: str, through: int) -> None:
    with loader(address) as process:
        assert process.stdout is not None
        for line in process.stdout:
            assert line != "done\n", "it was too quick to be killed"
            if int(line) == through:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL


def finished(address: str) -> bool:
    end = time.monotonic() + 120
    with loader(address) as process:
        assert process.stdout is not None
        said = process.stdout.read().split()
        assert time.monotonic() < end
    return said[-1] == "done" and process.returncode == 0
