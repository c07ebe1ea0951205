"""A product is built at the rate that an order says, and never at its own where the order says another one that nobody can read."""

from __future__ import annotations

import pytest

from graph.changes.catalogue import Product, Said

LINE = Product(name="Line", service_type="E-Line", tier="BASIC", mbps=1_000)


@pytest.mark.parametrize(
    ("value", "mbps"),
    [
        (2_000.0, 2_000),
        ("2 Gbps", 2_000),
        ("500", 500),
        ("1000000 kbit/s", 1_000),
        ({"amount": 2, "units": "Gbps"}, 2_000),
        ({"value": "500", "unit": "Mbit/s"}, 500),
    ],
)
def test_rates_are_read_as_they_are_written(value: object, mbps: int) -> None:
    assert LINE.asked(None, {"bandwidth": value}) == Said(mbps=mbps)


@pytest.mark.parametrize("value", ["500.5", "fast", True, [500], {"amount": 2, "units": "apples"}, -5, 1e30, "5 kbps"])
def test_what_cannot_be_read_is_not_taken_for_nothing(value: object) -> None:
    said = LINE.asked(None, {"bandwidth": value})
    assert said.mbps is None
    assert "no whole number of Mbit/s" in str(LINE.rate_problem(said))


@pytest.mark.parametrize("characteristics", [{}, {"bandwidth": None}, {"colour": "red"}])
def test_where_nothing_is_said_it_is_built_at_its_own_rate(characteristics: dict[str, object]) -> None:
    assert LINE.rate_problem(LINE.asked(None, characteristics)) is None
