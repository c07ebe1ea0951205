from __future__ import annotations

import itertools

import pytest

from graph.model.effects import (
    DEFAULT_TIER,
    SEVERITY,
    Routes,
    asserts_failure,
    effect_on,
    is_in_use,
    parts_hit,
    parts_text,
    severity_of,
)
from graph.model.vocabulary import ALARM_TYPES, EFFECTS, SERVICE_STATES, SEVERITIES, TIERS
from tests.naive_effects import Needs, severity

PROTECTED = Routes(access=("port-a", "port-z"), working=("trunk-1", "trunk-2"), protecting=("trunk-3", "trunk-4"))
UNPROTECTED = Routes(access=("port-a", "port-z"), working=("trunk-1", "trunk-2"))
LOCAL = Routes(access=("port-a", "port-z"), working=())


@pytest.mark.parametrize(
    ("routes", "failed", "effect"),
    [
        pytest.param(PROTECTED, {"trunk-9", "port-9"}, None, id="something else fails"),
        pytest.param(PROTECTED, {"port-z"}, "down", id="an access port fails"),
        pytest.param(PROTECTED, {"trunk-2"}, "degraded", id="the working path fails and the protecting one carries"),
        pytest.param(PROTECTED, {"trunk-3"}, "atRisk", id="the protecting path fails"),
        pytest.param(PROTECTED, {"trunk-1", "trunk-4"}, "down", id="both paths fail"),
        pytest.param(PROTECTED, {"trunk-1", "port-a"}, "down", id="an access port fails and the working path too"),
        pytest.param(UNPROTECTED, {"trunk-1"}, "down", id="the only path fails"),
        pytest.param(LOCAL, {"trunk-1"}, None, id="both ends at one site need no trunk"),
        pytest.param(LOCAL, {"port-a"}, "down", id="both ends at one site need their ports"),
    ],
)
def test_the_effect_is_whether_traffic_finds_a_way(routes: Routes, failed: set[str], effect: str | None) -> None:
    assert effect_on(routes, failed) == effect


def test_the_rule_of_the_oracles_is_the_same_rule_told_otherwise() -> None:
    ids = ("port-a", "port-z", "trunk-1", "trunk-2", "trunk-3", "trunk-4", "trunk-9")
    for routes in (PROTECTED, UNPROTECTED, LOCAL):
        needs = Needs(access=routes.access, working=routes.working, protecting=routes.protecting)
        for failed in (frozenset(some) for size in range(len(ids) + 1) for some in itertools.combinations(ids, size)):
            effect = effect_on(routes, failed)
            assert needs.effect(failed) == effect, (routes, failed)
            assert needs.parts(failed) == parts_text(parts_hit(routes, failed))
            assert [severity(effect, tier) for tier in TIERS] == [
                severity_of(effect, tier) if effect else None for tier in TIERS
            ]


def test_what_is_not_delivered_suffers_nothing() -> None:
    assert [each for each in SERVICE_STATES if is_in_use(each)] == ["active"]
    for state in SERVICE_STATES:
        needs = Needs(access=("port-a",), working=("trunk-1",), state=state)
        assert (needs.effect({"port-a"}) == "down") is is_in_use(state)
        assert (needs.parts({"port-a"}) == "access") is is_in_use(state)


def test_severity_falls_with_the_tier_and_with_the_effect() -> None:
    order = ("critical", "major", "minor", "warning", None)
    assert severity("down", None) == severity_of("down", DEFAULT_TIER) == "minor"
    table = [[order.index(severity_of(effect, tier)) for tier in TIERS] for effect in ("down", "degraded", "atRisk")]
    assert table == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]


def test_the_table_speaks_the_words_of_the_model() -> None:
    assert {effect for effect, _ in SEVERITY} == set(EFFECTS)
    assert {tier for _, tier in SEVERITY} == set(TIERS)
    assert set(SEVERITY.values()) <= set(SEVERITIES)


def test_only_bad_alarms_of_equipment_and_communications_assert_a_failure() -> None:
    asserting = {pair for pair in itertools.product(ALARM_TYPES, SEVERITIES) if asserts_failure(*pair)}
    assert asserting == set(itertools.product(("equipmentAlarm", "communicationsAlarm"), ("critical", "major")))
