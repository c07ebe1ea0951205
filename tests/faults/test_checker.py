"""A checker that finds nothing proves nothing, unless it is known to find what is there: each promise is broken once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from tests.faults.checker import RULES, violations
from tests.faults.evidence import Evidence
from tests.faults.fitting import GOOD, delivery, received
from tests.faults.sources import BETTER


def lost_alarm(good: Evidence) -> Evidence:
    return replace(good, alarms=good.alarms[1:])


def unknown_alarm(good: Evidence) -> Evidence:
    return replace(good, alarms=(*good.alarms, replace(good.alarms[0], id="alarm-9", version=0)))


def alarm_still_open(good: Evidence) -> Evidence:
    return replace(good, alarms=(good.alarms[0], replace(good.alarms[1], state="raised", severity="major")))


def alarm_elsewhere(good: Evidence) -> Evidence:
    return replace(good, alarms=(replace(good.alarms[0], target="trunk-1"), good.alarms[1]))


def alarm_with_another_severity(good: Evidence) -> Evidence:
    return replace(good, alarms=(replace(good.alarms[0], severity="minor"), good.alarms[1]))


def lost_service(good: Evidence) -> Evidence:
    return replace(good, services=good.services[:-1])


def effect_left_behind(good: Evidence) -> Evidence:
    return replace(good, services=(*good.services[:-1], replace(good.services[-1], effect="down")))


def effect_of_a_cleared_alarm(good: Evidence) -> Evidence:
    more = {**good.services[1].affected_by, "alarm-2": good.services[1].affected_by["alarm-1"]}
    return replace(good, services=(good.services[0], replace(good.services[1], affected_by=more), good.services[2]))


def wrong_severity_of_an_effect(good: Evidence) -> Evidence:
    wrong = {"alarm-1": replace(good.services[0].affected_by["alarm-1"], severity="minor")}
    return replace(good, services=(replace(good.services[0], affected_by=wrong), *good.services[1:]))


def doubled_ticket(good: Evidence) -> Evidence:
    return replace(
        good, journal=(*good.journal, good.journal[1]), held=(*good.held, replace(good.held[0], id="TT-another"))
    )


def doubled_in_the_journal_only(good: Evidence) -> Evidence:
    return replace(good, journal=(*good.journal, good.journal[1]))


def missing_ticket(good: Evidence) -> Evidence:
    return replace(good, held=good.held[1:])


def ticket_never_ordered(good: Evidence) -> Evidence:
    without = tuple(each for each in good.deliveries if each.order_key != "alarm-1:customer-1")
    return replace(
        good,
        tickets=good.tickets[1:],
        held=good.held[1:],
        deliveries=without,
        journal=tuple(received(each) for each in without),
    )


def ticket_of_someone_who_is_not_hurt(good: Evidence) -> Evidence:
    key = "alarm-1:customer-3"
    order = delivery("event-b", 1, 3, 1, ("open", "acknowledged", "minor"))
    return replace(
        good,
        deliveries=(*good.deliveries, order),
        journal=(*good.journal, received(order)),
        held=(*good.held, replace(good.held[0], id="TT-3", external_id=key, customer="customer-3", severity="minor")),
        tickets=(
            *good.tickets,
            replace(good.tickets[0], order_key=key, their_id="TT-3", customer="customer-3", severity="minor"),
        ),
    )


def ticket_of_somebody_else(good: Evidence) -> Evidence:
    return replace(good, held=(replace(good.held[0], customer="customer-2"), *good.held[1:]))


def wrong_severity_there(good: Evidence) -> Evidence:
    return replace(good, held=(replace(good.held[0], severity="minor"), *good.held[1:]))


def wrong_severity_everywhere(good: Evidence) -> Evidence:
    return replace(
        good,
        held=(replace(good.held[0], severity="minor"), *good.held[1:]),
        tickets=(replace(good.tickets[0], severity="minor"), *good.tickets[1:]),
    )


def not_resolved(good: Evidence) -> Evidence:
    return replace(
        good,
        held=(*good.held[:2], replace(good.held[2], status="acknowledged")),
        tickets=(*good.tickets[:2], replace(good.tickets[2], status="acknowledged")),
    )


def resolved_too_early(good: Evidence) -> Evidence:
    return replace(
        good,
        held=(replace(good.held[0], status="resolved"), *good.held[1:]),
        tickets=(replace(good.tickets[0], status="resolved"), *good.tickets[1:]),
    )


def told_backwards(good: Evidence) -> Evidence:
    return replace(good, journal=(good.journal[3], *good.journal[:3]))


def told_of_nothing(good: Evidence) -> Evidence:
    return replace(good, journal=(replace(good.journal[0], delivery=None), *good.journal[1:]))


def told_something_else(good: Evidence) -> Evidence:
    return replace(good, journal=(replace(good.journal[0], severity="minor"), *good.journal[1:]))


def done_and_never_received(good: Evidence) -> Evidence:
    return replace(good, journal=good.journal[:-1])


def parked(good: Evidence) -> Evidence:
    return replace(good, deliveries=(*good.deliveries[:3], replace(good.deliveries[3], state="DEAD", error="why")))


def waiting(good: Evidence) -> Evidence:
    return replace(good, deliveries=(*good.deliveries[:3], replace(good.deliveries[3], state="READY")))


def delivery_without_its_event(good: Evidence) -> Evidence:
    return replace(good, deliveries=(*good.deliveries[:3], replace(good.deliveries[3], event=None)))


def delivery_of_another_version(good: Evidence) -> Evidence:
    return replace(good, deliveries=(*good.deliveries[:3], replace(good.deliveries[3], event_version=1)))


def gap(good: Evidence) -> Evidence:
    return replace(good, events=(*good.events[:2], replace(good.events[2], version=3)))


def lost_event(good: Evidence) -> Evidence:
    return replace(good, events=good.events[:2])


BREACHES: Final[list[tuple[str, Callable[[Evidence], Evidence]]]] = [
    ("alarms", lost_alarm),
    ("alarms", unknown_alarm),
    ("alarms", alarm_still_open),
    ("alarms", alarm_elsewhere),
    ("alarms", alarm_with_another_severity),
    ("effects", lost_service),
    ("effects", effect_left_behind),
    ("effects", effect_of_a_cleared_alarm),
    ("effects", wrong_severity_of_an_effect),
    ("tickets", doubled_ticket),
    ("tickets", missing_ticket),
    ("tickets", ticket_never_ordered),
    ("tickets", ticket_of_someone_who_is_not_hurt),
    ("tickets", ticket_of_somebody_else),
    ("states", wrong_severity_there),
    ("states", wrong_severity_everywhere),
    ("states", not_resolved),
    ("states", resolved_too_early),
    ("doubles", doubled_ticket),
    ("doubles", doubled_in_the_journal_only),
    ("order", told_backwards),
    ("order", told_of_nothing),
    ("order", told_something_else),
    ("order", done_and_never_received),
    ("deliveries", parked),
    ("deliveries", waiting),
    ("deliveries", delivery_without_its_event),
    ("deliveries", delivery_of_another_version),
    ("events", gap),
    ("events", lost_event),
]


def test_evidence_that_fits_speaks_against_nothing() -> None:
    assert violations(GOOD) == []


@pytest.mark.parametrize(("rule", "breach"), BREACHES, ids=lambda each: getattr(each, "__name__", each))
def test_a_promise_that_is_broken_is_reported(rule: str, breach: Callable[[Evidence], Evidence]) -> None:
    assert rule in {each.rule for each in violations(breach(GOOD))}


def test_every_rule_is_broken_at_least_once() -> None:
    assert {rule for rule, _ in BREACHES} == set(RULES)


def test_an_alarm_that_asserts_nothing_hurts_nobody() -> None:
    good = replace(
        GOOD,
        remembered=(replace(GOOD.remembered[0], words=BETTER), GOOD.remembered[1]),
        alarms=(replace(GOOD.alarms[0], severity="minor"), GOOD.alarms[1]),
        services=tuple(replace(each, effect=None, affected_by={}) for each in GOOD.services),
    )
    assert {each.rule for each in violations(good)} == {"states"}, "its tickets should have been resolved"
