"""What is wrong is told at an argument that the client has given, and can correct."""

from __future__ import annotations

from typing import Any

import pytest

from graph.changes.outcome import UserError
from resolvers.bandwidth.arguments import told_at


@pytest.mark.parametrize(
    ("code", "about", "given", "path"),
    [
        pytest.param("NO_CAPACITY", "mbps", {"boostId": "b", "hours": 1.0}, "hours", id="an extension by hours"),
        pytest.param("NO_CAPACITY", "mbps", {"boostId": "b", "endAt": 9}, "endAt", id="an extension by its end"),
        pytest.param("BEYOND_CONTRACT", "mbps", {"serviceId": "s", "tier": "L"}, "tier", id="a tier"),
        pytest.param("NO_CAPACITY", "mbps", {"quoteId": "q", "mbps": None}, "quoteId", id="a quote"),
        pytest.param("NO_CAPACITY", "mbps", {"mbps": 50, "hours": 1.0}, "mbps", id="a rate"),
        pytest.param("BEYOND_HORIZON", "endAt", {"startAt": 5, "hours": 1.0}, "startAt", id="a start and hours"),
        pytest.param("TOO_MANY_QUOTES", "serviceId", {"boostId": "b", "mbps": 50}, "boostId", id="asked too often"),
        pytest.param(
            "OTHER_CURRENCY", "currency", {"serviceId": "s", "mbps": 50}, "serviceId", id="no argument at all"
        ),
        pytest.param("TOO_MANY", "until", {"serviceId": "s", "recurrence": [1]}, "recurrence", id="a part of one"),
        pytest.param("MBPS_OR_TIER", "mbps", {"serviceId": "s", "hours": 1.0}, "mbps", id="one that is lacking"),
        pytest.param("BAD_RECURRENCE", "startAt", {"quoteId": "q"}, "startAt", id="a start that is lacking"),
        pytest.param("SERVICE_NOT_FOUND", "serviceId", {"serviceId": "s"}, "serviceId", id="what was given"),
        pytest.param("NEW", "other", {"serviceId": "s"}, "other", id="what nobody knows"),
    ],
)
def test_a_problem_is_told_at_an_argument_that_was_given(
    code: str, about: str, given: dict[str, Any], path: str
) -> None:
    problem = told_at(UserError(message="No.", code=code, path=(about,)), given)
    assert (problem.path, problem.code, problem.message) == ((path,), code, "No.")
