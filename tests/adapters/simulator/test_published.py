"""The stand-ins refuse what the published schemas refuse: a body of ours that is wrong is found by any test that sends it."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.errors import Malformed
from adapters.simulator.published import (
    ACTIVATION,
    MEASUREMENT_JOB,
    OBJECTIVE,
    PROBLEM,
    RESOURCE,
    SERVICE,
    USAGE,
    check,
)
from adapters.tmf.shape import Thing
from tests.adapters.schema import properties_of, published

BROKEN = {"category": "c", "priority": 1, "description": "d", "reason": "r"}
PARTY = {"id": "us", "@referredType": "Organization"}
SPECIFIED = {"serviceSpecification": {"id": "line"}}
SHAPES = {
    "Usage_Create": (USAGE, 635),
    "ServiceProblem_Create": (PROBLEM, 656),
    "Resource_Create": (RESOURCE, 639),
    "MeasurementCollectionJob_Create": (MEASUREMENT_JOB, 628),
    "ServiceLevelObjective_Create": (OBJECTIVE, 657),
    "Service_Update": (SERVICE, 638),
    "Service_Create": (ACTIVATION, 640),
}
OWN: dict[str, set[str]] = {"MeasurementCollectionJob_Create": {"characteristic", "serviceLevelObjective"}}
"""Members of the type of measurement job that its client tells of, which no swagger has."""


@pytest.mark.parametrize("definition", SHAPES)
def test_each_member_that_is_published_is_checked_and_no_other(definition: str) -> None:
    shape, api = SHAPES[definition]
    assert properties_of(definition, api) - {"id", "href"} == set(shape.fields) - {"@referredType"} - OWN.get(
        definition, set()
    )


@pytest.mark.parametrize(
    ("definition", "body", "field"),
    [
        pytest.param("Usage_Create", {"status": "told"}, "status", id="a word"),
        pytest.param("Usage_Create", {"usageType": 7}, "usageType", id="no text"),
        pytest.param("Usage_Create", {"usageSpecification": {"name": "s"}}, "usageSpecification.id", id="no id"),
        pytest.param(
            "Usage_Create", {"relatedParty": [{"id": "c"}]}, "relatedParty[0].@referredType", id="half a reference"
        ),
        pytest.param(
            "Usage_Create", {"usageCharacteristic": [{"name": "n"}]}, "usageCharacteristic[0].value", id="no value"
        ),
        pytest.param("ServiceProblem_Create", BROKEN, "originatorParty", id="nobody's problem"),
        pytest.param("ServiceProblem_Create", {**BROKEN, "originatorParty": "us"}, "originatorParty", id="a text"),
        pytest.param(
            "ServiceProblem_Create",
            {**BROKEN, "originatorParty": PARTY, "affectedService": [{"name": "s"}]},
            "affectedService[0].id",
            id="a service without an id",
        ),
        pytest.param("MeasurementCollectionJob_Create", {"jobId": "j"}, "fileTransferData", id="no file"),
        pytest.param(
            "MeasurementCollectionJob_Create",
            {"fileTransferData": [], "granularity": "1h"},
            "granularity",
            id="an hour",
        ),
        pytest.param(
            "ServiceLevelObjective_Create",
            {"conformanceTarget": "1", "conformanceComparator": "above"},
            "serviceLevelObjectiveParameter",
            id="an objective of nothing",
        ),
        pytest.param("Service_Update", {"state": "up"}, "state", id="a service's state"),
        pytest.param(
            "Service_Update",
            {"serviceCharacteristic": [{"name": "bandwidth"}]},
            "serviceCharacteristic[0].value",
            id="a bandwidth of nothing",
        ),
        pytest.param("Resource_Create", {"category": "card"}, "name", id="no name"),
        pytest.param("Resource_Create", {"name": "n", "operationalState": "up"}, "operationalState", id="a state"),
        pytest.param("Resource_Create", {"name": "n", "place": {"id": "p"}}, "place.role", id="a place without a role"),
        pytest.param(
            "Resource_Create",
            {"name": "n", "resourceRelationship": [{"relationshipType": "aEnd"}]},
            "resourceRelationship[0].resource",
            id="a relationship to nothing",
        ),
        pytest.param("Service_Create", {"state": "active"}, "serviceSpecification", id="a service of no kind"),
        pytest.param("Service_Create", {**SPECIFIED, "state": "up"}, "state", id="a state of no service"),
        pytest.param(
            "Service_Create",
            {**SPECIFIED, "state": "active", "serviceCharacteristic": [{"name": "bandwidth"}]},
            "serviceCharacteristic[0].value",
            id="a rate without a value",
        ),
    ],
)
def test_what_is_not_as_published_is_refused_by_its_member(definition: str, body: dict[str, Any], field: str) -> None:
    shape: Thing
    shape, api = SHAPES[definition]
    with pytest.raises(Malformed) as caught:
        check(shape, body)
    assert caught.value.field == field
    said = {**body, "id": "x", "href": "http://x"} if api == 639 else body
    assert [*published(definition, api).iter_errors(said)], "it is the published schema that says so"
