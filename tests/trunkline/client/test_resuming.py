"""When to come back, after how long and where to, and when not: without a socket."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import TREATMENTS, Code
from trunkline.client import CursorExpired, ProtocolError, RequestRefused, TokenRefused, TrunklineError
from trunkline.client.resuming import (
    FIRST_SECONDS,
    LASTING_SECONDS,
    MOST_REFUSED_TOKENS,
    MOST_SECONDS,
    PASSING,
    Closed,
    Ending,
    Failed,
    NotAccepted,
    Resuming,
)

GONE = Closed(code=None, reason="nobody listens")
FORBIDDEN = Closed(code=4403, reason="The token has expired.")


def resuming(*, after: str | None = None, can_renew_token: bool = False) -> Resuming:
    return Resuming(after=after, can_renew_token=can_renew_token)


def failed(code: str, **more: Any) -> Failed:
    return Failed(errors=[{"message": "It failed.", "extensions": {"code": code, **more}}])


def waits_of(each: Resuming, count: int) -> list[float]:
    return [each.cut(GONE) for _ in range(count)]


def test_pauses_grow_to_a_bound_are_spread_and_begin_anew_when_something_is_heard() -> None:
    found = [waits_of(resuming(), 10) for _ in range(200)]
    for attempt in (0, 1, 9):
        most = min(MOST_SECONDS, FIRST_SECONDS * 2 ** (attempt + 1))
        waits = [each[attempt] for each in found]
        assert 0 <= min(waits) < most / 4
        assert most * 3 / 4 < max(waits) <= most
    long = resuming()
    assert max(waits_of(long, 1_100)) <= MOST_SECONDS, "after hours too"
    long.hear(is_event=True, seconds=0)
    assert long.cut(GONE) <= 2 * FIRST_SECONDS


@pytest.mark.parametrize(("seconds", "most"), [(0.1, MOST_SECONDS), (LASTING_SECONDS, 2 * FIRST_SECONDS)])
def test_a_heartbeat_says_that_a_connection_is_good_only_once_it_has_lasted(seconds: float, most: float) -> None:
    found = []
    for _ in range(200):
        each = resuming()
        for _ in range(10):  # each begins with a heartbeat, and fails right after it
            each.cut(GONE)
            each.hear(is_event=False, seconds=seconds)
        found.append(each.cut(GONE))
    assert most * 3 / 4 < max(found) <= most


def test_what_passes_is_what_the_gateway_answers_with_a_status_that_passes() -> None:
    passing = {code.value for code, each in TREATMENTS.items() if each.status == 429 or each.status >= 500}
    assert passing | {Code.LAGGED.value} == PASSING


@pytest.mark.parametrize(
    "ending",
    [
        GONE,
        Closed(code=1012, reason=""),
        Closed(code=1013, reason=""),
        Closed(code=4408, reason=""),
        NotAccepted(status=503),
        NotAccepted(status=429),
        *(failed(code) for code in sorted(PASSING)),
    ],
)
def test_it_comes_back_after_what_was_taken_last(ending: Ending) -> None:
    each = resuming(after="a")
    each.take("b")
    assert each.cut(ending) >= 0
    assert each.after == "b"


@pytest.mark.parametrize(
    ("ending", "error"),
    [
        (failed("BAD_USER_INPUT"), RequestRefused),
        (failed("GRAPHQL_VALIDATION_FAILED"), RequestRefused),
        (failed("CURSOR_EXPIRED"), CursorExpired),
        (failed("UNAUTHENTICATED"), TokenRefused),
        (Failed(errors=[{"message": "no extensions"}]), RequestRefused),
        (FORBIDDEN, TokenRefused),
        (NotAccepted(status=404), ProtocolError),
        (Closed(code=4400, reason=""), ProtocolError),
        (Closed(code=1009, reason=""), ProtocolError),
    ],
)
def test_it_says_so_where_coming_back_would_not_help(ending: Ending, error: type[TrunklineError]) -> None:
    with pytest.raises(TrunklineError) as found:
        resuming(after="a").cut(ending)
    assert type(found.value) is error


@pytest.mark.parametrize("after", [None, "6"])
def test_who_lagged_goes_on_where_the_gateway_says(after: str | None) -> None:
    each = resuming(after=after)
    each.cut(failed("LAGGED", **{"from": "7", "to": "9"}))
    assert each.after == "7"


def test_an_expired_cursor_names_the_one_of_now_and_the_query_that_tells_what_was_missed() -> None:
    with pytest.raises(CursorExpired, match="It failed") as found:
        resuming(after="a").cut(failed("CURSOR_EXPIRED", cursor="c", snapshot="{ alarms }", hint="Ask it."))
    error = found.value
    assert (error.cursor, error.snapshot, error.hint, error.code) == ("c", "{ alarms }", "Ask it.", "CURSOR_EXPIRED")


def test_a_token_is_asked_for_again_until_some_in_a_row_are_refused() -> None:
    each = resuming(can_renew_token=True)
    for ending in (FORBIDDEN, failed("UNAUTHENTICATED")):
        for _ in range(MOST_REFUSED_TOKENS - 1):
            each.cut(ending)
        each.hear(is_event=False, seconds=0)
    for _ in range(MOST_REFUSED_TOKENS - 1):
        each.cut(FORBIDDEN)
    with pytest.raises(TokenRefused, match="has expired"):
        each.cut(FORBIDDEN)
