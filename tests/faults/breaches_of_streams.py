"""Every promise about what subscribers hear, broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tests.faults.evidence import Evidence
from tests.faults.stream_records import Heard
from tests.faults.tampering import first, nth

_EVERYTHING, _LATER, _DOWNTIME, _NETWORK = range(4)


def _heard(good: Evidence, who: int, **more: Any) -> Evidence:
    return replace(good, heard=nth(who, good.heard, **more))


def _seen(good: Evidence, who: int) -> Heard:
    return good.heard[who]


def event_that_was_lost(good: Evidence) -> Evidence:
    seen = _seen(good, _EVERYTHING).seen
    return _heard(good, _EVERYTHING, seen=(seen[0], seen[2]))


def last_event_that_was_lost(good: Evidence) -> Evidence:
    return _heard(good, _LATER, seen=_seen(good, _LATER).seen[:-1])


def event_that_came_twice(good: Evidence) -> Evidence:
    seen = _seen(good, _EVERYTHING).seen
    return _heard(good, _EVERYTHING, seen=(*seen, seen[-1]))


def events_in_another_order(good: Evidence) -> Evidence:
    return _heard(good, _EVERYTHING, seen=_seen(good, _EVERYTHING).seen[::-1])


def event_from_before_the_beginning(good: Evidence) -> Evidence:
    return _heard(good, _LATER, after=2)


def event_that_changed_nothing(good: Evidence) -> Evidence:
    seen = _seen(good, _EVERYTHING).seen
    nothing = replace(seen[0], position=4, at=40, kind="CHANGED")
    return _heard(good, _EVERYTHING, seen=(*seen[:2], nothing, seen[2]))


def event_that_was_of_another_kind(good: Evidence) -> Evidence:
    return _heard(good, _EVERYTHING, seen=first(_seen(good, _EVERYTHING).seen, kind="CHANGED"))


def event_under_the_cursor_of_another(good: Evidence) -> Evidence:
    return _heard(good, _NETWORK, seen=first(_seen(good, _NETWORK).seen, about="port-2"))


def event_of_another_time(good: Evidence) -> Evidence:
    return _heard(good, _DOWNTIME, seen=first(_seen(good, _DOWNTIME).seen, at=31))


def error_in_the_place_of_an_event(good: Evidence) -> Evidence:
    return _heard(good, _DOWNTIME, faults=("was told something",))


def topology_of_somebody_else(good: Evidence) -> Evidence:
    return _heard(good, _NETWORK, customer="customer-2")


def alert_with_a_service_of_somebody_else(good: Evidence) -> Evidence:
    seen = _seen(good, _LATER).seen
    return _heard(good, _LATER, seen=(_seen(good, _EVERYTHING).seen[1], *seen[1:]))


def downtime_of_somebody_else(good: Evidence) -> Evidence:
    return _heard(good, _DOWNTIME, customer="customer-2")


def alarm_that_a_subscriber_holds_for_open(good: Evidence) -> Evidence:
    return _heard(good, _EVERYTHING, seen=_seen(good, _EVERYTHING).seen[:2])


def alarm_that_is_in_no_event(good: Evidence) -> Evidence:
    """Where what happened is missing in the sequence too, only the sources know of it."""
    seen = _seen(good, _EVERYTHING).seen
    without = tuple(each for each in good.happened if each.position != 2)
    return replace(_heard(good, _EVERYTHING, seen=(seen[0], seen[2])), happened=without)


BREACHES: Final[list[tuple[str, Callable[[Evidence], Evidence]]]] = [
    ("streams", event_that_was_lost),
    ("streams", last_event_that_was_lost),
    ("streams", event_that_came_twice),
    ("streams", events_in_another_order),
    ("streams", event_from_before_the_beginning),
    ("streams", event_that_changed_nothing),
    ("streams", event_that_was_of_another_kind),
    ("streams", event_under_the_cursor_of_another),
    ("streams", event_of_another_time),
    ("streams", error_in_the_place_of_an_event),
    ("streams", topology_of_somebody_else),
    ("privacy", alert_with_a_service_of_somebody_else),
    ("privacy", downtime_of_somebody_else),
    ("folds", alarm_that_a_subscriber_holds_for_open),
    ("folds", alarm_that_is_in_no_event),
]
