r"""Two systems write the name of one company in two ways; whether they may mean the same follows from a rule that people can check.

Rule. A name has a *core* and a *legal form*. 1. It is folded as names are for search (NFKC, case: `graph/model/words.py`). 2. Initials
with dots, blanks or strokes between are one word: `G. m. b. H.` is `gmbh`, `A/S` is `as`. 3. Apostrophes are nothing, and all else that is
no letter, digit or mark parts words. 4. The longest legal form that stands at the end is taken off, if a word is left; the ways in which
one form is written are one form. 5. Two names may mean one company where their cores are equal, and their forms are equal or one
has none: `Acme AG` and `Acme GmbH` are two companies.

It proposes, and never decides: a person says whether two customers are one.

>>> company_of("Müller & Söhne G.m.b.H."), company_of("MÜLLER SÖHNE Gesellschaft mit beschränkter Haftung")
(Company(core='müller söhne', form='gmbh'), Company(core='müller söhne', form='gmbh'))
>>> may_be_same("Acme", "ACME, Inc."), may_be_same("Acme AG", "Acme GmbH"), may_be_same("AG", "GmbH")
(True, False, False)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from graph.model.words import folded

_FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "ab": ("aktiebolag",),
    "ag": ("aktiengesellschaft",),
    "ag co kg": ("ag und co kg", "ag and co kg"),
    "aps": ("anpartsselskab",),
    "as": ("aktieselskab", "aksjeselskap"),
    "bv": ("besloten vennootschap",),
    "co": ("company",),
    "co ltd": ("company limited",),
    "corp": ("corporation",),
    "doo": (),
    "eg": ("eingetragene genossenschaft",),
    "ev": ("eingetragener verein",),
    "gbr": ("gesellschaft bürgerlichen rechts",),
    "gmbh": ("gesellschaft mit beschränkter haftung", "ges mbh"),
    "gmbh co kg": ("gmbh und co kg", "gmbh and co kg"),
    "inc": ("incorporated",),
    "kft": (),
    "kg": ("kommanditgesellschaft",),
    "kgaa": (),
    "lda": ("limitada",),
    "llc": ("limited liability company",),
    "llp": ("limited liability partnership",),
    "ltd": ("limited",),
    "ltda": (),
    "nv": ("naamloze vennootschap",),
    "ohg": ("offene handelsgesellschaft",),
    "oy": ("osakeyhtiö",),
    "oyj": (),
    "plc": ("public limited company",),
    "pte ltd": ("private limited", "pvt ltd"),
    "pty ltd": ("proprietary limited",),
    "sa": ("société anonyme", "sociedad anónima", "sociedade anónima"),
    "sarl": ("société à responsabilité limitée",),
    "sas": ("société par actions simplifiée",),
    "se": ("societas europaea",),
    "sl": ("sociedad limitada",),
    "sp z oo": ("spółka z ograniczoną odpowiedzialnością",),
    "spa": ("società per azioni",),
    "srl": ("società a responsabilità limitata",),
    "sro": (),
    "ug": ("ug haftungsbeschränkt", "unternehmergesellschaft"),
}
"""Each legal form, and in which other ways it is written; all as `_words` gives them."""
_FORM_OF: Final = {spelling: form for form, others in _FORMS.items() for spelling in (form, *others)}
_LONGEST_FORM: Final = max(len(each.split()) for each in _FORM_OF)
_INITIALS: Final = re.compile(r"\b(?:\w[./]\s?)+\w\b\.?")
_APOSTROPHES: Final = dict.fromkeys(map(ord, "'\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}`"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """What a name says of a company."""

    core: str
    """its name without a legal form; empty where the name has no word."""
    form: str
    """its legal form, in one way for each; empty where the name says none."""


def company_of(name: str) -> Company:
    """Read the name of a company."""
    words = list(_words(name))
    for length in range(min(_LONGEST_FORM, len(words) - 1), 0, -1):
        form = _FORM_OF.get(" ".join(words[-length:]))
        if form is not None:
            return Company(core=" ".join(words[:-length]), form=form)
    return Company(core=" ".join(words), form="")


def may_be_same(one: str, other: str) -> bool:
    """Tell whether two names may mean the same company."""
    first, second = company_of(one), company_of(other)
    return (
        bool(first.core)
        and first.core == second.core
        and (first.form == second.form or not (first.form and second.form))
    )


def _words(name: str) -> Iterator[str]:
    text = folded(name).translate(_APOSTROPHES)
    joined = _INITIALS.sub(lambda found: re.sub(r"[./\s]", "", found[0]), text)
    yield from "".join(each if unicodedata.category(each)[0] in "LMN" else " " for each in joined).split()
