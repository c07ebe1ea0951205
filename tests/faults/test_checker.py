"""A checker that finds nothing proves nothing, unless it is known to find what is there: each promise is broken once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults import breaches_of_alarms, breaches_of_bandwidth, breaches_of_streams, breaches_of_systems
from tests.faults.checker import RULES, violations
from tests.faults.evidence import Evidence
from tests.faults.fitting import GOOD
from tests.faults.sources import BETTER
from tests.faults.tampering import books, first, kept

BREACHES = [
    *breaches_of_alarms.BREACHES,
    *breaches_of_systems.BREACHES,
    *breaches_of_bandwidth.BREACHES,
    *breaches_of_streams.BREACHES,
]


def test_evidence_that_fits_speaks_against_nothing() -> None:
    assert violations(GOOD) == []


@pytest.mark.parametrize(("rule", "breach"), BREACHES, ids=lambda each: getattr(each, "__name__", each))
def test_a_promise_that_is_broken_is_reported(rule: str, breach: Callable[[Evidence], Evidence]) -> None:
    assert rule in {each.rule for each in violations(breach(GOOD))}


def test_every_rule_is_broken_at_least_once() -> None:
    assert {rule for rule, _ in BREACHES} == set(RULES)


def test_an_alarm_that_asserts_nothing_hurts_nobody() -> None:
    told = replace(GOOD.told, alarms=first(GOOD.told.alarms, words=BETTER))
    services = tuple(replace(each, effect=None, affected_by={}) for each in GOOD.kept.services)
    good = kept(
        replace(GOOD, told=told), alarms=first(GOOD.kept.alarms, severity="minor"), services=services, downtime=()
    )
    good = books(good, alarms=first(GOOD.books.alarms, severity="minor", affected=frozenset()), downtime=())
    assert {each.rule for each in violations(good)} == {"states", "folds"}, "its end is missing in both"
