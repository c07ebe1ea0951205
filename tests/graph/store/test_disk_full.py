"""A file system that is really full, under a database that really runs: a small one in memory, where one may be mounted."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.errors import DiskFull, GraphError, StoreUnavailable
from graph.store.store import Store, Transaction, open_store

pytestmark = pytest.mark.process

MEGABYTE = 2**20
SIZE = 400 * MEGABYTE
KEPT = "MATCH (n:Kept) RETURN count(n)"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("nobody but root may mount a file system to fill")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def soon() -> float:
    return time.monotonic() + 30


async def keep(store: Store, number: int) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.run("CREATE (:Kept {number: $number, text: $text})", {"number": number, "text": "x" * 20_000})

    await store.write(work, deadline=soon())


async def keep_some(store: Store, kept: list[int], most: int) -> None:
    """Write, one by one; `kept` has what was acknowledged."""
    for _ in range(most):
        await keep(store, len(kept))
        kept.append(len(kept))


def fill(place: Path) -> None:
    with (place / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(MEGABYTE // 16))
        except OSError:
            return


async def count(store: Store) -> object:
    return (await store.rows(KEPT, {}, deadline=soon()))[0][0]


async def test_a_disk_that_gets_full_is_told_loses_nothing_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    store = await open_store(f"embedded:{small_disk / 'graph'}")
    try:
        kept: list[int] = []
        await keep_some(store, kept, 5)
        fill(small_disk)
        with pytest.raises(GraphError) as caught:
            await keep_some(store, kept, 1_000)
        assert isinstance(caught.value, StoreUnavailable), caught.value
        if isinstance(caught.value, DiskFull):
            assert "free" in str(caught.value).lower()
        (small_disk / "filler").unlink()
        await until_it_writes(store, len(kept))
        assert await count(store) == len(kept) + 1, "what was acknowledged is there, and what was refused is not"
    finally:
        await store.close()


async def until_it_writes(store: Store, number: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            await keep(store, number)
        except GraphError:
            assert time.monotonic() < end
        else:
            return
