"""The published rules hold for every order that can be, whatever is done to it in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.changes.orders.states import (
    FINAL,
    ITEM_STATES,
    LEAVING,
    NEXT,
    Item,
    NotAllowed,
    cancellation_state,
    cancelling,
    first_state,
    may_follow,
    move,
    order_state,
)
from graph.model.vocabulary import CANCELLATION_STATES, ORDER_ACTIONS, ORDER_STATES

TO_DO = tuple(each for each in ORDER_ACTIONS if each != "noChange")


def items_of(*states: str) -> list[Item]:
    return [Item(id=str(number), action="add", state=each) for number, each in enumerate(states)]


orders = st.lists(st.sampled_from(ORDER_ACTIONS), min_size=1, max_size=6).map(
    lambda actions: tuple(
        Item(id=str(number), action=each, state=first_state(each)) for number, each in enumerate(actions)
    )
)
some = st.lists(st.sampled_from(ITEM_STATES), min_size=1, max_size=6).map(lambda states: items_of(*states))
moves = st.lists(st.tuples(st.integers(min_value=-1, max_value=6), st.sampled_from(ORDER_STATES)), max_size=25)


@pytest.mark.parametrize(
    ("states", "then"),
    [
        pytest.param(("completed", "completed"), "completed", id="all are completed"),
        pytest.param(("completed", "failed"), "partial", id="some are completed, some failed"),
        pytest.param(("completed", "cancelled"), "partial", id="some are completed, some cancelled"),
        pytest.param(("failed", "failed"), "failed", id="all have failed"),
        pytest.param(("failed", "cancelled"), "failed", id="some have failed, and none is completed"),
        pytest.param(("rejected", "cancelled"), "cancelled", id="nothing was begun"),
        pytest.param(("acknowledged", "acknowledged"), "acknowledged", id="nobody has begun"),
        pytest.param(("rejected", "acknowledged"), "acknowledged", id="one is rejected, and nobody has begun"),
        pytest.param(("cancelled", "held"), "held", id="one is cancelled, and the other waits"),
        pytest.param(("acknowledged", "inProgress"), "inProgress", id="somebody has begun"),
        pytest.param(("completed", "acknowledged"), "inProgress", id="some is done, and some not begun"),
        pytest.param(("inProgress", "held"), "held", id="one is held"),
        pytest.param(("inProgress", "pending"), "pending", id="one waits for the customer"),
        pytest.param(("held", "assessingCancellation"), "assessingCancellation", id="one is to be cancelled"),
        pytest.param(("failed", "pendingCancellation"), "pendingCancellation", id="the rest is being cancelled"),
    ],
)
def test_an_order_follows_its_items(states: tuple[str, ...], then: str) -> None:
    assert order_state(items_of(*states)) == then
    assert order_state(reversed(items_of(*states))) == then


@given(orders, moves)
def test_whatever_is_moved_what_is_over_stays_so(order: tuple[Item, ...], made: list[tuple[int, str]]) -> None:
    for number, to in made:
        before = order
        try:
            order = move(order, to, only="" if number < 0 else str(number))
        except NotAllowed:
            continue
        for was, now in zip(before, order, strict=True):
            assert (was.id, was.action) == (now.id, now.action)
            assert was.state == now.state or may_follow(was.state, now.state)
            assert was.state not in FINAL or was.state == now.state
        assert (order_state(order) in FINAL) == all(each.is_over for each in order)


@given(some)
def test_an_order_is_completed_if_all_are_and_partial_if_some_are(items: list[Item]) -> None:
    states = {each.state for each in items}
    found = order_state(items)
    assert (found == "completed") == (states == {"completed"})
    assert (found == "partial") == (states <= FINAL and "completed" in states and len(states) > 1)
    assert (found in FINAL) == (states <= FINAL)
    assert found in ORDER_STATES


@given(some, st.integers(min_value=0, max_value=3))
def test_what_is_only_there_for_others_counts_for_nothing(items: list[Item], kept: int) -> None:
    beside = [Item(id=f"k{number}", action="noChange", state="completed") for number in range(kept)]
    assert order_state([*beside, *items]) == order_state(items)


@given(some)
def test_nothing_is_moved_where_one_may_not_be(items: list[Item]) -> None:
    for to in ITEM_STATES:
        free = all(each.is_over or each.state == to or may_follow(each.state, to) for each in items)
        is_open = any(not each.is_over for each in items)
        if free and is_open:
            assert {each.state for each in move(items, to) if not each.is_over} <= {to}
        else:
            with pytest.raises(NotAllowed):
                move(items, to)


@given(some, st.booleans())
def test_an_order_is_cancelled_at_once_only_where_nobody_has_begun(items: list[Item], begun: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    open_ = {each.state for each in items if not each.is_over}
    if not open_ or open_ & LEAVING:
        with pytest.raises(NotAllowed):
            cancelling(items, has_begun=begun)
        return
    to = cancelling(items, has_begun=begun)
    assert (to == "assessingCancellation") == (begun or "inProgress" in open_)
    moved = move(items, to)  # whatever it is, all that is open may become so
    asked = [each for each, was in zip(moved, items, strict=True) if not was.is_over]
    assert cancellation_state(asked) == ("accepted" if to == "assessingCancellation" else "done")


@given(some)
def test_a_request_to_cancel_is_over_when_nobody_has_to_decide_any_more(items: list[Item]) -> None:
    states = {each.state for each in items}
    found = cancellation_state(items)
    assert found in CANCELLATION_STATES
    assert (found in ("accepted", "inProgress")) == bool(states & LEAVING)
    assert (found == "done") == (states == {"cancelled"}), "nothing of what was asked for goes on"


def test_every_state_can_be_reached_and_every_open_one_leads_to_an_end() -> None:
    reached, found = set[str](), {"acknowledged"}
    while found - reached:
        reached |= found
        found = {each for state in reached for each in NEXT.get(state, ())}
    assert reached == set(ITEM_STATES)
    for state in NEXT:
        ahead, found = set[str](), set(NEXT[state])
        while found - ahead:
            ahead |= found
            found = {each for one in ahead for each in NEXT.get(one, ())}
        assert ahead & FINAL, state
    assert NEXT.keys() & FINAL == set()


def test_an_order_is_moved_by_its_items_only() -> None:
    with pytest.raises(NotAllowed, match="by its items"):
        move(items_of("inProgress"), "partial")
    with pytest.raises(NotAllowed, match="no such item"):
        move(items_of("inProgress"), "completed", only="7")
