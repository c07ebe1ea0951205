"""Names are searched by words that are folded and spelled for the index; those of an earlier store get their words anew.

Version 4 parted words at what is no letter or digit, and folded nothing else. Versions 5 to 8 spelled a whole word where one character
of it needs that, so that `5` did not find `5층`.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final, cast

from graph.model.model import LABELS
from graph.model.words import folded, searchable
from graph.store.store import Product, Store, Transaction

_AT_ONCE: Final = 2_000
_SPELLED: Final = re.compile(r"(?:u[0-9a-f]{5})+")
_LONGEST_SPELLED: Final = 40
_LONGEST_RUN: Final = 16
_WHOLE: Final = re.compile(r"[0-9a-z\u00aa-\u052f\u1e00-\u1fff]+")
_WITHOUT_BLANKS: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]+"
)
"""These four as version 8 had them."""
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
    """Give each name the words by which it is searched today (version 9)."""
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
    before = {each for text in named for each in (*_words_of_version_4(text), *_words_of_version_8(text))}
    # A load may give more than the name has.
    beside = [_read(each) for each in (words or "").split() if each not in before]
    wanted = searchable(*named, *beside)
    return None if words == wanted else {"id": node, "name": name, "model": model or "", "words": wanted}


def _words_of_version_4(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text.casefold()).split()


def _words_of_version_8(text: str) -> Iterator[str]:
    joined = folded(text).translate(dict.fromkeys(map(ord, "\u00ad\u200c\u200d\u2060")))
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in joined)
    for word in kept.split():
        for blanks, group in itertools.groupby(word, lambda c: not _WITHOUT_BLANKS.match(c)):
            run = "".join(group)
            ends = [run] if blanks else [run[each : each + _LONGEST_RUN] for each in range(len(run))]
            yield from (each[:240] if _WHOLE.fullmatch(each) else _spelled(each) for each in ends)


def _spelled(word: str) -> str:
    return "".join(f"u{ord(c):05x}" for c in word[:_LONGEST_SPELLED])


def _read(word: str) -> str:
    """Give back what is spelled, so that it can be spelled anew."""
    if not _SPELLED.fullmatch(word):
        return word
    return "".join(chr(int(word[each + 1 : each + 6], 16)) for each in range(0, len(word), 6))


async def _reword(store: Store, text: str, rows: list[dict[str, str]], deadline: float) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.run(text, {"batch": {"rows": rows}})

    if rows:
        await store.write(work, deadline=deadline)
