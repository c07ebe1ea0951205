"""What cannot be ordered is refused with the field, before anybody looks at a database."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.changes.orders.changing import OrderChange
from graph.changes.orders.requests import (
    LONGEST_DESCRIPTION,
    MOST_RELATIONS,
    ItemRequest,
    OrderRequest,
    Party,
    Relation,
    past_problem,
)
from graph.errors import Refused


def order(*items: ItemRequest, **more: Any) -> OrderRequest:
    return OrderRequest(kind="product", items=items or (ItemRequest(id="1"),), **more)


def related(item: str, *to: str) -> ItemRequest:
    return ItemRequest(id=item, relations=tuple(Relation(to=each, kind="reliesOn") for each in to))


@pytest.mark.parametrize(
    ("given_", "path"),
    [
        pytest.param({"items": ()}, ("items",), id="nothing"),
        pytest.param({"items": (ItemRequest(id=""),)}, ("items", "0", "id"), id="an item without an id"),
        pytest.param({"items": (ItemRequest(id="1"), ItemRequest(id="1"))}, ("items", "1", "id"), id="two of one id"),
        pytest.param({"items": (ItemRequest(id="1", action="noChange"),)}, ("items",), id="nothing is to be done"),
        pytest.param(
            {"items": (ItemRequest(id="1", action="delete"),)}, ("items", "0", "serviceId"), id="to delete nothing"
        ),
        pytest.param(
            {"items": (ItemRequest(id="1", quantity=-1),)}, ("items", "0", "quantity"), id="less than nothing"
        ),
        pytest.param({"items": (ItemRequest(id="1", quantity=0),)}, ("items", "0", "quantity"), id="nothing of it"),
        pytest.param(
            {"items": (ItemRequest(id="1", product="\x00"),)}, ("items", "0", "product"), id="a product that is no text"
        ),
        pytest.param({"items": (related("1", "2"),)}, ("items", "0", "relationships"), id="an item that is not there"),
        pytest.param({"items": (related("1", "1"),)}, ("items", "0", "relationships"), id="a circle of one"),
        pytest.param(
            {"items": (related("0"), related("1", "2"), related("2", "3"), related("3", "1"))},
            ("items", "1", "relationships"),
            id="a circle of three",
        ),
        pytest.param(
            {"items": (related("1", *("2",) * (MOST_RELATIONS + 1)), related("2"))},
            ("items", "0", "relationships"),
            id="too many relationships",
        ),
        pytest.param({"description": "x" * (LONGEST_DESCRIPTION + 1)}, ("description",), id="a book"),
        pytest.param({"external_id": "x" * 501}, ("externalId",), id="a long external id"),
        pytest.param({"priority": "\n"}, ("priority",), id="a blank priority"),
        pytest.param({"party": Party(id="a\x07")}, ("customer", "id"), id="a party that no protocol carries"),
        pytest.param(
            {"requested_start": 2, "requested_completion": 1}, ("requestedCompletionAt",), id="completed before begun"
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(given_: dict[str, Any], path: tuple[str, ...]) -> None:
    items = given_.pop("items", (ItemRequest(id="1"),))
    with pytest.raises(Refused) as refused:
        OrderRequest(kind="product", items=items, **given_)
    assert (refused.value.code, refused.value.path) == ("BAD_USER_INPUT", path)


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=12))
def test_relationships_are_taken_unless_they_form_a_circle(pairs: list[tuple[int, int]]) -> None:
    ways = {number: {to for start, to in pairs if start == number} for number in range(8)}

    def reaches(start: int, goal: int, seen: frozenset[int] = frozenset()) -> bool:
        return any(to == goal or (to not in seen and reaches(to, goal, seen | {to})) for to in ways[start])

    items = tuple(related(str(number), *map(str, sorted(ways[number]))) for number in ways)
    if any(reaches(number, number) for number in ways):
        with pytest.raises(Refused, match="circle"):
            order(*items)
    else:
        assert order(*items).size == 8


def test_the_same_content_is_the_same_and_any_other_is_not() -> None:
    first = order(related("1"), external_id="PO-1", request={"b": 1, "a": [2]})
    assert first.content == order(related("1"), external_id="PO-1", request={"a": [2], "b": 1}).content
    others = [
        order(related("2"), external_id="PO-1", request={"b": 1, "a": [2]}),
        order(related("1"), external_id="PO-1", request={"b": 1, "a": [3]}),
        order(related("1"), external_id="PO-1", priority="1", request={"b": 1, "a": [2]}),
        OrderRequest(kind="service", items=(related("1"),), external_id="PO-1", request={"b": 1, "a": [2]}),
    ]
    assert first.content not in {each.content for each in others}


def test_a_time_is_over_where_clocks_cannot_be_the_reason() -> None:
    assert past_problem(89, None, now=100, skew=10) is not None
    assert past_problem(None, 89, now=100, skew=10) is not None
    assert past_problem(90, 95, now=100, skew=10) is None
    assert past_problem(None, None, now=100, skew=10) is None


def test_what_an_order_is_is_not_changed() -> None:
    with pytest.raises(ValueError, match="state"):
        OrderChange(order="order-1", values={"state": "completed"})
    with pytest.raises(Refused):
        OrderChange(order="order-1", values={"priority": "x" * 501})
