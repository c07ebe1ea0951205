"""Which findings make a lead is a setting: sales hears of the load of a service only where a rule names it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.policies import sold_by
from gateway.settings.bandwidth import Bandwidth
from graph.changes.bandwidth.policy import AnyLeadRule, BandwidthPolicy, CrossingRule, LeadRule, UtilizationRule


def rules_of(chosen: dict[str, Any]) -> tuple[AnyLeadRule, ...]:
    return sold_by(BandwidthPolicy(), Bandwidth.model_validate(chosen), {}).leads


def test_unless_it_is_said_only_boosts_make_leads() -> None:
    assert rules_of({}) == BandwidthPolicy().leads == (LeadRule(boosts=3, days=30),)
    assert rules_of({"leads": [{"days": 60}]}) == (LeadRule(boosts=3, days=60),)


def test_each_rule_is_of_what_it_names() -> None:
    chosen = [{"boosts": 5}, {"crossings": 10, "reason": "often"}, {"hours": 48, "days": 7}]
    assert rules_of({"leads": chosen}) == (
        LeadRule(boosts=5, days=30),
        CrossingRule(reason="often", crossings=10, days=30),
        UtilizationRule(hours=48, days=7),
    )


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        pytest.param({"boosts": 3, "hours": 2}, "must have only one of", id="two findings"),
        pytest.param({"hours": 25, "days": 1}, "has more hours than", id="more hours than there are"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(rule: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Bandwidth.model_validate({"leads": [rule]})
