"""What the published definitions say of a body that a stand-in is sent: whoever sends another is refused, with the member.

Usage_Create of TMF635, ServiceProblem_Create of TMF656, Resource_Create of TMF639, MeasurementCollectionJob_Create of TMF628,
Service_Update of TMF638 and Service_Create of TMF640, each of version 4.0.0, but for the `id` and `href` that TMF639 requires and no client can know. An
objective in a measurement job is a ServiceLevelObjective_Create of TMF657.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from adapters.errors import Malformed
from adapters.tmf.shape import Anything, Flag, Many, Shape, Text, Thing, Time, Whole, Word, faults

_TEXT: Final = Text()
_ANY: Final = Anything()


def _thing(*required: str, **fields: Shape) -> Thing:
    said: dict[str, Shape] = {"@type": _TEXT, "@baseType": _TEXT, "@schemaLocation": _TEXT, "@referredType": _TEXT}
    return Thing(fields=MappingProxyType({**said, **fields}), required=required)


_REFERENCE: Final[Mapping[str, Shape]] = {"id": _TEXT, "href": _TEXT, "name": _TEXT, "role": _TEXT}
_REF: Final = _thing("id", **_REFERENCE)
_PARTY: Final = _thing("@referredType", "id", **_REFERENCE)
_ENTITY: Final = _thing("@referredType", "id", "role", **_REFERENCE)
_CHARACTERISTIC: Final = _thing(
    "name", "value", id=_TEXT, name=_TEXT, valueType=_TEXT, characteristicRelationship=Many(of=_thing()), value=_ANY
)
NOTE: Final = _thing(id=_TEXT, author=_TEXT, date=Time(), text=_TEXT)

USAGE: Final = _thing(
    description=_TEXT,
    usageDate=Time(),
    usageType=_TEXT,
    ratedProductUsage=Many(
        of=_thing(isBilled=Flag(), isTaxExempt=Flag(), ratingDate=Time(), offerTariffType=_TEXT, usageRatingTag=_TEXT)
    ),
    relatedParty=Many(of=_PARTY),
    status=Word(words=("received", "rejected", "recycled", "guided", "rated", "rerated", "billed")),
    usageCharacteristic=Many(of=_CHARACTERISTIC),
    usageSpecification=_REF,
)

PROBLEM: Final = _thing(
    *("category", "priority", "description", "reason", "originatorParty"),
    affectedNumberOfServices=Whole(),
    category=_TEXT,
    creationDate=Time(),
    description=_TEXT,
    impactImportanceFactor=_TEXT,
    lastUpdate=Time(),
    name=_TEXT,
    originatingSystem=_TEXT,
    priority=Whole(),
    problemEscalation=_TEXT,
    reason=_TEXT,
    resolutionDate=Time(),
    statusChangeDate=Time(),
    statusChangeReason=_TEXT,
    affectedLocation=Many(of=_thing(**_REFERENCE)),
    affectedResource=Many(of=_REF),
    affectedService=Many(of=_REF),
    characteristic=Many(of=_CHARACTERISTIC),
    externalIdentifier=Many(of=_thing("id", id=_TEXT, href=_TEXT, externalIdentifierType=_TEXT, owner=_TEXT)),
    firstAlert=_ENTITY,
    impactPattern=_thing(id=_TEXT, description=_TEXT, characteristic=Many(of=_CHARACTERISTIC)),
    note=Many(of=NOTE),
    originatorParty=_PARTY,
    parentProblem=Many(of=_REF),
    relatedEntity=Many(of=_ENTITY),
    relatedEvent=Many(of=_REF),
    relatedParty=Many(of=_PARTY),
    responsibleParty=_PARTY,
    rootCauseResource=Many(of=_REF),
    rootCauseService=Many(of=_REF),
    slaViolation=Many(of=_REF),
    status=Word(words=("acknowledged", "rejected", "pending", "held", "inProgress", "resolved", "cancelled", "closed")),
    trackingRecord=Many(of=_thing(id=_TEXT, description=_TEXT, systemId=_TEXT, time=Time(), user=_TEXT)),
    troubleTicket=Many(of=_REF),
    underlyingAlarm=Many(of=_REF),
    underlyingProblem=Many(of=_REF),
)

RESOURCE: Final = _thing(
    "name",
    category=_TEXT,
    description=_TEXT,
    endOperatingDate=Time(),
    name=_TEXT,
    resourceVersion=_TEXT,
    startOperatingDate=Time(),
    activationFeature=Many(
        of=_thing("featureCharacteristic", "name", name=_TEXT, featureCharacteristic=Many(of=_CHARACTERISTIC))
    ),
    administrativeState=Word(words=("locked", "unlocked", "shutdown")),
    attachment=Many(of=_thing(id=_TEXT, href=_TEXT, name=_TEXT, url=_TEXT, mimeType=_TEXT)),
    note=Many(of=NOTE),
    operationalState=Word(words=("enable", "disable")),
    place=_thing("role", **_REFERENCE),
    relatedParty=Many(of=_PARTY),
    resourceCharacteristic=Many(of=_CHARACTERISTIC),
    resourceRelationship=Many(
        of=_thing("relationshipType", "resource", relationshipType=_TEXT, resource=_thing(**_REFERENCE))
    ),
    resourceSpecification=_REF,
    resourceStatus=Word(words=("standby", "alarm", "available", "reserved", "unknown", "suspended")),
    usageState=Word(words=("idle", "active", "busy")),
)

SERVICE: Final = _thing(
    category=_TEXT,
    description=_TEXT,
    endDate=Time(),
    hasStarted=Flag(),
    isBundle=Flag(),
    isServiceEnabled=Flag(),
    isStateful=Flag(),
    name=_TEXT,
    serviceType=_TEXT,
    startDate=Time(),
    startMode=_TEXT,
    feature=Many(of=_thing("featureCharacteristic", "name", "id", featureCharacteristic=Many(of=_CHARACTERISTIC))),
    note=Many(of=_thing("text", id=_TEXT, author=_TEXT, date=Time(), text=_TEXT)),
    place=Many(of=_thing("role", **_REFERENCE)),
    relatedEntity=Many(of=_ENTITY),
    relatedParty=Many(of=_PARTY),
    serviceCharacteristic=Many(of=_CHARACTERISTIC),
    serviceOrderItem=Many(of=_thing("itemId", "serviceOrderId", itemId=_TEXT, serviceOrderId=_TEXT, role=_TEXT)),
    serviceRelationship=Many(of=_thing("relationshipType", "service", relationshipType=_TEXT, service=_REF)),
    serviceSpecification=_REF,
    state=Word(words=("feasibilityChecked", "designed", "reserved", "inactive", "active", "terminated")),
    supportingResource=Many(of=_REF),
    supportingService=Many(of=_REF),
)

OBJECTIVE: Final = _thing(
    *("conformanceComparator", "conformanceTarget", "serviceLevelObjectiveParameter"),
    conformanceComparator=Word(words=("above", "below")),
    conformanceTarget=_TEXT,
    graceTimes=_TEXT,
    name=_TEXT,
    thresholdTarget=_TEXT,
    toleranceTarget=_TEXT,
    conformancePeriod=_ANY,
    serviceLevelObjectiveConsequence=Many(of=_ANY),
    tolerancePeriod=_ANY,
    validFor=_ANY,
    serviceLevelObjectiveParameter=_thing(
        "name", name=_TEXT, parameterType=Word(words=("KPI", "KQI")), serviceParmCategory=_TEXT
    ),
)
"""The published schema has no words for the comparator and the parameter's type; its descriptions have these."""
_INDICATOR: Final = _thing(
    **_REFERENCE,
    collectionType=Word(words=("cumulative", "delta", "discrete_event", "gauge", "status_inspection")),
    indicatorType=Word(words=("string", "int", "float", "double")),
    indicatorUnit=_TEXT,
)

MEASUREMENT_JOB: Final = _thing(
    "fileTransferData",
    consumingApplicationId=_TEXT,
    creationTime=Time(),
    jobId=_TEXT,
    jobPriority=Whole(),
    lastModifiedTime=Time(),
    outputFormat=_TEXT,
    producingApplicationId=_TEXT,
    adminState=Word(words=("locked", "unlocked")),
    executionState=Word(
        words=("acknowledged", "rejected", "pending", "inProgress", "cancelled", "completed", "failed")
    ),
    fileTransferData=Many(
        of=_thing(fileFormat=_TEXT, fileLocation=_TEXT, transportProtocol=_TEXT, compressionType=_ANY, packingType=_ANY)
    ),
    granularity=Word(words=("g_1mn", "g_5mn", "g_15mn", "g_30mn", "g_1h", "g_24h", "g_1m", "g_1y", "na")),
    monitoredClassCriteria=_thing(monitoredObjectClass=_TEXT, objectInstanceFilter=_TEXT),
    monitoredInstancesCriteria=_thing(),
    performanceIndicatorGroupSpecification=Many(of=_ANY),
    performanceIndicatorSpecification=Many(of=_INDICATOR),
    reportingPeriod=Word(words=("r_1mn", "r_5mn", "r_15mn", "r_30mn", "r_1h", "r_24h", "na")),
    scheduleDefinition=_ANY,
    trackingRecord=Many(of=_ANY),
    characteristic=Many(of=_CHARACTERISTIC),
    serviceLevelObjective=Many(of=OBJECTIVE),
)


def parties() -> Many:
    """Give the shape of `relatedParty`, which is the same in all version 4 APIs."""
    return Many(of=_PARTY)


def entities() -> Many:
    """Give the shape of `relatedEntity`, which is the same in all version 4 APIs."""
    return Many(of=_ENTITY)


ACTIVATION: Final = _thing(
    *("state", "serviceSpecification"),
    category=_TEXT,
    description=_TEXT,
    endDate=Time(),
    hasStarted=Flag(),
    isBundle=Flag(),
    isServiceEnabled=Flag(),
    isStateful=Flag(),
    name=_TEXT,
    serviceDate=_TEXT,
    serviceType=_TEXT,
    startDate=Time(),
    startMode=_TEXT,
    feature=Many(
        of=_thing("featureCharacteristic", "name", name=_TEXT, featureCharacteristic=Many(of=_CHARACTERISTIC))
    ),
    note=Many(of=NOTE),
    place=Many(of=_thing("role", **_REFERENCE)),
    relatedEntity=Many(of=_thing("role", **_REFERENCE)),
    relatedParty=Many(of=_PARTY),
    serviceCharacteristic=Many(of=_CHARACTERISTIC),
    serviceOrderItem=Many(of=_thing("itemId", "serviceOrderId", itemId=_TEXT, serviceOrderId=_TEXT, role=_TEXT)),
    serviceRelationship=Many(
        of=_thing("relationshipType", relationshipType=_TEXT, service=_thing(id=_TEXT, href=_TEXT, name=_TEXT))
    ),
    serviceSpecification=_REF,
    state=Word(words=("feasibilityChecked", "designed", "reserved", "inactive", "active", "terminated")),
    supportingResource=Many(of=_REF),
    supportingService=Many(of=_thing(id=_TEXT, href=_TEXT, name=_TEXT)),
)


def check(shape: Shape, body: object) -> dict[str, Any]:
    """Give a body that is as it should be, or raise Malformed with the first member that is not."""
    for fault in faults(shape, body):
        raise Malformed(f"{fault.path or 'The body'} {fault.problem}", hint="By the published schema", field=fault.path)
    assert isinstance(body, dict)
    return body
