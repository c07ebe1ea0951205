"""Names are searched by words that are folded and spelled for the index; those of an earlier store get their words anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from graph.model.model import LABELS
from graph.model.words import searchable
from graph.store.store import Product, Store, Transaction

_AT_ONCE: Final = 2_000
_SEARCHED: Final = tuple(label.name for label in LABELS.values() if label.searched)
# Neo4j reads the index in order; the embedded database does so only where it is not asked to sort.
_NAMED: Final[Mapping[Product, Mapping[str, str]]] = {
    product: {
        label: f"""
MATCH (n:{label}) WHERE n.id > $after
WITH n {order}LIMIT $most
RETURN n.id, n.name, n.model, n.words
"""
        for label in _SEARCHED
    }
    for product, order in ((Product.NEO4J, "ORDER BY n.id "), (Product.ARCADEDB, ""))
}
# Only while it still has the name that the words are of: somebody may have given it another meanwhile, and its words.
_REWORD: Final = {
    label: f"""
UNWIND $batch.rows AS row
MATCH (n:{label} {{id: row.id}})
SET n._lock = true
REMOVE n._lock
WITH n, row WHERE n.name = row.name AND coalesce(n.model, '') = row.model
SET n.words = row.words
"""
    for label in _SEARCHED
}


async def rewrite_words(store: Store, *, deadline: float) -> None:
    """Give each name the words by which it is searched today (version 5: folded, and spelled for the index)."""
    for label in _SEARCHED:
        after = ""
        text = _NAMED[store.product][label]
        while rows := await store.rows(text, {"after": after, "most": _AT_ONCE}, deadline=deadline):
            named = cast("list[tuple[str, str | None, str | None, str | None]]", [tuple(each) for each in rows])
            ids = [each[0] for each in named]
            assert ids == sorted(ids), "a page that is not in order would pass some over"
            after = ids[-1]
            await _reword(store, _REWORD[label], [row for each in named if (row := _reworded(*each))], deadline)


def _reworded(node: str, name: str | None, model: str | None, words: str | None) -> dict[str, str] | None:
    if name is None:
        return None
    named = (name, model or "")
    before = {each for text in named for each in _words_of_version_4(text)}
    beside = [each for each in (words or "").split() if each not in before]  # a load may give more than the name has
    wanted = searchable(*named, *beside)
    return None if words == wanted else {"id": node, "name": name, "model": model or "", "words": wanted}


def _words_of_version_4(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text.casefold()).split()


async def _reword(store: Store, text: str, rows: list[dict[str, str]], deadline: float) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.run(text, {"batch": {"rows": rows}})

    if rows:
        await store.write(work, deadline=deadline)
