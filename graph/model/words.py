r"""A name must be found as a person types it: in any case, in any form of Unicode, by the beginnings of its words.

The database's full-text index, and the walk of a customer's search, both read `words`, and both are asked for words. So a
name is normalised once, here, for both, and so is what is typed.

1. *Folding* is compatibility caseless matching (Unicode 3.13, D146: case folding and NFKC): `Straße 7²` and `STRASSE 72` are
   one, and so is `Köln` with its ö in one character or in two, as macOS sends it.
2. A *word* is a run of letters, digits and the marks on them. All else parts words.
3. Scripts without blanks between words have runs of any length. Of each run every end is a word, so that 西站 finds 北京西站,
   as do the beginnings of words elsewhere; it is cut after `_LONGEST` characters, in names and in what is typed.
4. The index takes text apart by rules of its own: each ideograph is a word to it, and some characters are none. So what it is not
   known to leave whole is spelled by code points, each of the same length, and is a word of its own, so that `5` finds `5층`: how a
   word is spelled depends on its first character alone, and so the beginning of a word is spelled as the word is.

>>> searchable("Köln-3/be 1"), search_words("KO\u0308LN 3")
('köln 3 be 1', ('köln', '3'))
>>> searchable("東京 1")
'u06771u04eac u04eac 1'
>>> search_words("京")
('u04eac',)
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_LONGEST: Final = 16
"""characters of a run without blanks."""
_LONGEST_WHOLE: Final = 240
_LONGEST_SPELLED: Final = 40
"""characters of other words: the index cuts what has more than 255, in pieces that no beginning finds."""
_DOTTED: Final = "i\N{COMBINING DOT ABOVE}"
"""what İ folds to; whoever types the name types an i."""
_JOINERS: Final = dict.fromkeys(
    map(ord, "\N{SOFT HYPHEN}\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}\N{WORD JOINER}")
)
"""These part no word, and cannot be seen."""
_WHOLE: Final = re.compile(r"[0-9a-z\u00aa-\u052f\u1e00-\u1fff]+")
"""Digits, Latin, Greek and Cyrillic with their marks: the index leaves runs of them whole."""
_WITHOUT_BLANKS: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]+"
)
"""Thai, Lao, Burmese, Khmer, Hiragana, Katakana and ideographs."""


def folded(text: str) -> str:
    """Fold a text, so that those which a person takes for one are equal.

    >>> folded("Straße 7²"), folded("\N{KELVIN SIGN}öln")
    ('strasse 72', 'köln')
    """
    once = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFKC", once.casefold()).replace(_DOTTED, "i")


def searchable(*texts: str) -> str:
    """Give `words` for a name: its words and, where a script has no blanks, the ends of its runs, with a blank between.

    Several texts give the words of all of them, each once.
    """
    return " ".join(dict.fromkeys(_spelled(each) for text in texts for run in _runs(text) for each in _ends(run)))


def search_words(text: str) -> tuple[str, ...]:
    """Give the words of what is typed; a name that has words with each of these beginnings is found."""
    return tuple(dict.fromkeys(_spelled(run[:_LONGEST] if _WITHOUT_BLANKS.match(run) else run) for run in _runs(text)))


def _runs(text: str) -> Iterator[str]:
    """Give the words of a text, parted where what the index leaves whole, or a script without blanks, begins or ends."""
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in folded(text).translate(_JOINERS))
    for word in kept.split():
        for _, run in itertools.groupby(word, lambda c: (bool(_WHOLE.match(c)), bool(_WITHOUT_BLANKS.match(c)))):
            yield "".join(run)


def _ends(run: str) -> Iterator[str]:
    if not _WITHOUT_BLANKS.match(run):
        yield run
        return
    for start, first in enumerate(run):
        if unicodedata.category(first)[0] != "M":  # a mark does not begin anything
            yield run[start : start + _LONGEST]


def _spelled(word: str) -> str:
    # A mark without its letter is no word to the index.
    if _WHOLE.match(word) and unicodedata.category(word[0])[0] != "M":
        return word[:_LONGEST_WHOLE]
    return "".join(f"u{ord(c):05x}" for c in word[:_LONGEST_SPELLED])
