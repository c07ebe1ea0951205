"""The words of a name, and those of what is typed: a name is found by itself, in any spelling that looks the same."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graph.model.words import folded, search_words, searchable


def finds(typed: str, name: str) -> bool:
    """Whether each word that was typed begins a word of the name, and there is one: what both searches do."""
    words = search_words(typed)
    return bool(words) and all(any(each.startswith(word) for each in searchable(name).split()) for word in words)


@given(st.text())
@example("\u0130stanbul")
@example("\u0e40\u0e01\u0e32\u0e30\u0e41\u0e1e")
def test_a_name_is_found_by_itself_in_any_form_and_case(name: str) -> None:
    if not search_words(name):
        return
    for typed in (name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD", "NFKC", "NFKD"))):
        assert finds(typed, name)
        assert finds(name, typed)
    assert finds(name.casefold(), name)


@given(st.text(), st.text(), st.integers(0, 40))
@example("00000000\u00b4\ua000", "", 10)
@example("5\uce35", "", 1)
def test_a_name_is_found_by_the_beginning_of_each_word(name: str, more: str, size: int) -> None:
    """Unless a mark is cut off from its letter, which makes it another one."""
    whole = folded(name)
    typed = whole[:size]
    cut = size < len(whole) and unicodedata.category(whole[size])[0] == "M"
    if search_words(typed) and not cut:
        assert finds(typed, f"{name} {more}")


@given(st.text())
def test_the_words_of_words_are_these_words(text: str) -> None:
    words = searchable(text)
    assert searchable(words) == words
    assert words.split() == words.split(" ") or not words
    assert all(len(each) <= 255 for each in words.split()), "the index would cut it"


@given(st.text())
def test_words_hold_nothing_that_the_index_or_its_query_language_has_a_meaning_for(text: str) -> None:
    for word in (*search_words(text), *searchable(text).split()):
        assert word.isascii() is word.isalnum() or all(unicodedata.category(c)[0] in "LMN" for c in word)
        assert word not in {"AND", "OR", "NOT", "TO"}
        assert not set(word) & set('+-&|!(){}[]^"~*?:\\/ ')


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        pytest.param("KO\u0308LN", "ge-0/0/1 K\u00f6ln", id="two characters for one"),
        pytest.param("K\u00f6ln", "Ko\u0308ln NFD", id="one character for two"),
        pytest.param("strasse 72", "Stra\u00dfe 7\u00b2", id="a letter and a digit that are folded"),
        pytest.param("m\u00b2", "m\u00b2 Fl\u00e4che", id="a raised digit"),
        pytest.param("m2", "m\u00b2 Fl\u00e4che", id="a raised digit typed as a digit"),
        pytest.param("\u00bd", "\u00bd Weg", id="a fraction"),
        pytest.param("\u6771\u4eac", "\u6771\u4eac 1", id="ideographs"),
        pytest.param("\u897f\u7ad9", "\u5317\u4eac\u897f\u7ad9 2", id="the end of a name without blanks"),
        pytest.param("\u99c5", "\u3072\u3089\u304c\u306a\u99c5", id="the last character of such a name"),
        pytest.param("\u6771\u4eactower", "\u6771\u4eacTower", id="two scripts in one word"),
        pytest.param("5", "5\uce35 \ud1b5\uc2e0\uc2e4", id="the digit before a letter of another script"),
        pytest.param("\uce35", "5\uce35", id="the letter after it"),
        pytest.param("tower\u05d0", "Tower\u05d0\u05d1", id="the beginning of the second script"),
        pytest.param("\u0301", "0 \u00b4\ua000", id="a mark without a letter"),
        pytest.param("\uff21\uff11", "A1", id="wide letters"),
        pytest.param("istanbul", "\u0130stanbul", id="an i with a dot"),
        pytest.param("\u0926\u093f\u0932", "\u0926\u093f\u0932\u094d\u0932\u0940 1", id="letters with marks"),
        pytest.param("co\u00adop", "coop", id="a hyphen that is not seen"),
        pytest.param("\u20ac100g", "100G", id="a sign that is no letter"),
    ],
)
def test_what_a_person_types_finds_the_name(typed: str, name: str) -> None:
    assert finds(typed, name)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        pytest.param("oln", "K\u00f6ln", id="the end of a word"),
        pytest.param("koln", "K\u00f6ln", id="a letter without its mark"),
        pytest.param("\u4eac\u6771", "\u6771\u4eac", id="characters in another order"),
        pytest.param("\u20bb", "\U00020bb7", id="a character whose number begins another's"),
        pytest.param("-", "tb-foo", id="no word"),
    ],
)
def test_other_names_are_not_found(typed: str, name: str) -> None:
    assert not finds(typed, name)


def test_what_is_folded_is_folded() -> None:
    assert folded("\u212a\u00f6LN \ufb01ber") == "k\u00f6ln fiber"


def test_names_of_any_length_have_words_of_a_bounded_length() -> None:
    ideographs = "".join(chr(0x4E00 + each) for each in range(500))
    assert len(searchable(ideographs)) < 500 * (16 * 6 + 1)
    assert finds(ideographs[100:400], ideographs)
    assert finds("a" * 5_000, "a" * 6_000)
