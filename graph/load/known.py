"""Which of some ids are nodes of the store already: asked by label, since an id without one would be a full scan."""

from __future__ import annotations

from collections.abc import Iterable

from graph.load.statements import KNOWN_IDS
from graph.model.model import label_of
from graph.store.store import Store


async def known_ids(store: Store, ids: Iterable[str], deadline: float) -> set[str]:
    """Give those that are there."""
    by_label: dict[str, list[str]] = {}
    for node_id in ids:
        if label := label_of(node_id):
            by_label.setdefault(label.name, []).append(node_id)
    known: set[str] = set()
    for name, each in by_label.items():
        rows = await store.rows(KNOWN_IDS[name], {"ids": each}, deadline=deadline)
        known.update(str(node_id) for (node_id,) in rows)
    return known
