from __future__ import annotations

import pytest

from adapters.transport.breaker import FIRST_PAUSE, LONGEST_PAUSE, Breaker


def opened(failures: int = 2) -> Breaker:
    breaker = Breaker(failures=failures, now=0.0)
    for _ in range(failures):
        assert breaker.admit(now=10.0) == 0.0
        breaker.failed(now=10.0)
    return breaker


def test_it_opens_after_as_many_failures_in_a_row() -> None:
    breaker = Breaker(failures=3, now=0.0)
    for _ in range(2):
        breaker.failed(now=1.0)
    assert (breaker.retry_at, breaker.closed_at) == (None, 0.0)
    breaker.failed(now=1.0)
    assert (breaker.retry_at, breaker.closed_at) == (1.0 + FIRST_PAUSE, None)


def test_failures_that_are_not_in_a_row_do_not_open_it() -> None:
    breaker = Breaker(failures=2, now=0.0)
    for _ in range(5):
        breaker.failed(now=1.0)
        breaker.succeeded(now=2.0)
    assert breaker.admit(now=3.0) == 0.0
    assert breaker.closed_at == 0.0


def test_while_it_is_open_nobody_is_let_through_and_told_how_long() -> None:
    assert opened().admit(now=10.25) == pytest.approx(0.75)


def test_after_the_pause_exactly_one_is_let_through() -> None:
    breaker = opened()
    assert breaker.admit(now=11.0) == 0.0
    assert breaker.admit(now=11.0) > 0.0


def test_the_pause_grows_to_its_longest() -> None:
    breaker, now, pauses = opened(), 11.0, []
    for _ in range(8):
        assert breaker.admit(now=now) == 0.0
        breaker.failed(now=now)
        assert breaker.retry_at is not None
        pauses.append(breaker.retry_at - now)
        now = breaker.retry_at
    assert pauses == [2.0, 4.0, 8.0, 16.0, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


def test_the_one_that_came_through_closes_it_and_pauses_are_short_again() -> None:
    breaker = opened()
    breaker.admit(now=11.0)
    breaker.failed(now=11.0)
    breaker.admit(now=13.0)
    breaker.succeeded(now=13.5)
    assert (breaker.retry_at, breaker.closed_at) == (None, 13.5)
    breaker.failed(now=20.0)
    breaker.failed(now=20.0)
    assert breaker.retry_at == 20.0 + FIRST_PAUSE


def test_a_probe_that_was_given_up_lets_the_next_one_see() -> None:
    breaker = opened()
    breaker.admit(now=11.0)
    breaker.abandoned(now=11.1)
    assert breaker.admit(now=11.1) == 0.0


def test_a_late_failure_of_an_earlier_call_does_not_make_the_pause_longer() -> None:
    breaker = opened()
    breaker.failed(now=10.9)
    assert breaker.retry_at == 10.0 + FIRST_PAUSE


def test_a_call_that_is_given_up_while_it_is_closed_changes_nothing() -> None:
    breaker = Breaker(failures=2, now=0.0)
    breaker.abandoned(now=1.0)
    assert (breaker.retry_at, breaker.closed_at) == (None, 0.0)
