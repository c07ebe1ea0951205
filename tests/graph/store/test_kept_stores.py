"""What the last version has left, whole and real, becomes what this one relies on."""

from __future__ import annotations

import lzma

from graph.store.store import Store
from tests.graph.store.kept.raw import dump, path_of, read, restore

LAST = 5


async def test_a_restored_store_is_what_was_kept(empty_store: Store) -> None:
    await restore(empty_store, read(LAST))
    assert await dump(empty_store) == lzma.decompress(path_of(LAST).read_bytes())
