from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.capacity.recurrence import MOST_OCCURRENCES, BadRecurrence, Every, Recurrence, occurrences
from graph.capacity.steps import NotAnInterval
from graph.model.times import epoch_milliseconds

BERLIN = "Europe/Berlin"
HOUR = 3_600_000


def starts(first: str, until: str, every: Every, *, hours: int = 2, zone: str = BERLIN) -> list[str]:
    start = epoch_milliseconds(first)
    rule = Recurrence(every=every, until=epoch_milliseconds(until), zone=zone)
    found = occurrences(start, start + hours * HOUR, rule)
    assert all(end - begin == hours * HOUR for begin, end in found)
    return [datetime.fromtimestamp(begin / 1000, ZoneInfo(zone)).isoformat() for begin, _ in found]


@pytest.mark.parametrize(
    ("first", "until", "wanted"),
    [
        pytest.param(
            "2026-03-22T20:00:00+01:00",
            "2026-04-05T20:00:00+02:00",
            ["2026-03-22T20:00:00+01:00", "2026-03-29T20:00:00+02:00", "2026-04-05T20:00:00+02:00"],
            id="clocks are put forward: the same time of the wall",
        ),
        pytest.param(
            "2026-10-18T20:00:00+02:00",
            "2026-10-25T20:00:00+01:00",
            ["2026-10-18T20:00:00+02:00", "2026-10-25T20:00:00+01:00"],
            id="clocks are put back: the same time of the wall",
        ),
        pytest.param(
            "2026-03-22T02:30:00+01:00",
            "2026-04-05T12:00:00Z",
            ["2026-03-22T02:30:00+01:00", "2026-03-29T03:30:00+02:00", "2026-04-05T02:30:00+02:00"],
            id="a start that does not exist is an hour later, once",
        ),
        pytest.param(
            "2026-10-18T02:30:00+02:00",
            "2026-11-01T12:00:00Z",
            ["2026-10-18T02:30:00+02:00", "2026-10-25T02:30:00+02:00", "2026-11-01T02:30:00+01:00"],
            id="of a start that comes twice the first one counts",
        ),
        pytest.param(
            "2026-10-25T02:30:00+01:00",
            "2026-11-01T12:00:00Z",
            ["2026-10-25T02:30:00+01:00", "2026-11-01T02:30:00+01:00"],
            id="but the first occurrence is when it was ordered",
        ),
    ],
)
def test_every_week_across_a_clock_change(first: str, until: str, wanted: list[str]) -> None:
    assert starts(first, until, Every.WEEK) == wanted


def test_every_month_on_the_last_day_of_a_shorter_one() -> None:
    found = starts("2027-12-31T22:00:00+01:00", "2028-04-30T23:00:00+02:00", Every.MONTH)
    assert [each[:10] for each in found] == ["2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"]
    assert {each[11:16] for each in found} == {"22:00"}


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001 - hypothesis wants these without a zone
    st.sampled_from((BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")),
    st.sampled_from(Every),
)
def test_the_clock_shows_the_same_or_has_no_such_time(moment: datetime, name: str, every: Every) -> None:
    zone, begin = ZoneInfo(name), moment.replace(microsecond=0, tzinfo=UTC)
    start = int(begin.timestamp()) * 1000
    until = start + int(timedelta(days=400).total_seconds()) * 1000
    found = [each for each, _ in occurrences(start, start + HOUR, Recurrence(every=every, until=until, zone=name))]
    assert len(found) in ((57, 58) if every is Every.WEEK else (13, 14))
    wall = [datetime.fromtimestamp(each / 1000, zone).replace(tzinfo=None, fold=0) for each in found]
    for number, (each, shown) in enumerate(zip(found, wall, strict=True)):
        meant = meant_by(wall[0], every, number)
        if shown != meant:  # a gap: no instant shows what was meant
            assert all(
                datetime.fromtimestamp((each + minutes * 60_000) / 1000, zone).replace(tzinfo=None, fold=0) != meant
                for minutes in range(-180, 181)
            )
            assert timedelta(0) < shown - meant <= timedelta(hours=1)


def meant_by(first: datetime, every: Every, number: int) -> datetime:
    if every is Every.WEEK:
        return first + timedelta(days=7 * number)
    year, month = first.year, first.month
    for _ in range(number):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return first.replace(year=year, month=month, day=min(first.day, calendar.monthrange(year, month)[1]))


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "", "../etc/passwd", "/etc/localtime", "Europe"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(BadRecurrence, match="time zone"):
        Recurrence(every=Every.WEEK, until=0, zone=zone)


def test_what_cannot_be_is_refused() -> None:
    week = Recurrence(every=Every.WEEK, until=10**15, zone=BERLIN)
    with pytest.raises(BadRecurrence, match=str(MOST_OCCURRENCES)):
        occurrences(0, HOUR, week)
    with pytest.raises(BadRecurrence, match="until the next week"):
        occurrences(0, 7 * 24 * HOUR, week)
    with pytest.raises(BadRecurrence, match="until the next month"):
        occurrences(0, 28 * 24 * HOUR, Recurrence(every=Every.MONTH, until=10**15, zone=BERLIN))
    with pytest.raises(BadRecurrence, match="before the first"):
        occurrences(1, HOUR, Recurrence(every=Every.WEEK, until=0, zone=BERLIN))
    with pytest.raises(NotAnInterval):
        occurrences(HOUR, HOUR, week)


def test_occurrences_never_overlap() -> None:
    longest = 7 * 24 - 1
    found = occurrences(
        start := epoch_milliseconds("2026-03-25T00:00:00+01:00"),
        start + longest * HOUR,
        Recurrence(every=Every.WEEK, until=start + 60 * 24 * HOUR, zone=BERLIN),
    )
    assert all(end <= begin for (_, end), (begin, _) in pairwise(found))
