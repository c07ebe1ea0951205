"""Which names may mean one company: what people would say, written down."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies

from graph.model.companies import company_of, may_be_same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Acme Ltd", "ACME LTD.", id="case and dots"),
        pytest.param("Acme", "Acme, Inc.", id="one without a form"),
        pytest.param("Acme & Co. KG", "Acme Co KG", id="an ampersand"),
        pytest.param("Straße AG", "STRASSE Aktiengesellschaft", id="a form that is spelled out"),
        pytest.param("Müller GmbH & Co. KG", "MU\u0308LLER GmbH und Co KG", id="two forms, and an ö of two characters"),
        pytest.param("Maersk A/S", "Maersk AS", id="a stroke"),
        pytest.param("Telecom S. p. A.", "Telecom SpA", id="initials with blanks"),
        pytest.param("O'Neill plc", "O\u2019Neill Public Limited Company", id="apostrophes"),
        pytest.param("\uff21\uff43\uff4d\uff45\u3000Ltd", "acme ltd", id="wide characters"),
        pytest.param("Net-Work", "Net Work", id="a hyphen"),
    ],
)
def test_the_same_company(one: str, other: str) -> None:
    assert may_be_same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Acme AG", "Acme GmbH", id="two forms"),
        pytest.param("Acme", "Acme Nord", id="a word more"),
        pytest.param("GmbH", "AG", id="nothing but a form"),
        pytest.param("&", "/", id="no word at all"),
        pytest.param("Inc Networks", "Networks", id="a form at the beginning"),
    ],
)
def test_two_companies(one: str, other: str) -> None:
    assert not may_be_same(one, other)


@hypothesis.given(strategies.text(max_size=30), strategies.text(max_size=30))
def test_the_rule_is_symmetric_and_what_is_found_by_the_core_is_all(one: str, other: str) -> None:
    assert may_be_same(one, other) == may_be_same(other, one)
    assert may_be_same(one, one) == bool(company_of(one).core)
    if may_be_same(one, other):
        assert company_of(one).core == company_of(other).core
