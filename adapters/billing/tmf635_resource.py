"""What is written into TMF635 usage and TMF656 service problems, and what is believed of those that come back.

Usage has no field for the other side's id: ours is a characteristic, under a name of ours. A problem has it as its external
identifier. Both can be asked for, and both are looked at in the answer, since a system may ignore what it was asked for.

Pure: bodies out of records, their ids out of answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from adapters.billing import CustomerRef, DowntimeRecord, Record, UsageRecord
from adapters.errors import Nonsense
from adapters.tmf.tmf630 import write_time

KIND: Final = "bandwidth"
EXTERNAL_ID: Final = "externalId"
SPECIFICATION: Final = MappingProxyType(
    {"id": "bandwidthInterval", "name": "What a service has carried in an interval"}
)
AVAILABILITY: Final = "availabilityPercent"
EFFECT: Final = "effect"
US: Final = "trunkline"
CATEGORY: Final = "serviceProvider.declarer"
"""of a problem that whoever provides the service has declared; TMF656 v4.0.0, ServiceProblem.category."""
PRIORITIES: Final[Mapping[str, int]] = MappingProxyType({"down": 1, "degraded": 4, "atRisk": 7})
"""By effect: from 1, the highest, to 10 (TMF656 v4.0.0, ServiceProblem.priority)."""
_SAID: Final[Mapping[str, str]] = MappingProxyType({"down": "down", "degraded": "degraded", "atRisk": "at risk"})


def characteristic(name: str, value: object) -> dict[str, object]:
    """Make a UsageCharacteristic."""
    kind = "integer" if isinstance(value, int) else "number" if isinstance(value, float) else "string"
    return {"name": name, "valueType": kind, "value": value}


def usage_body(record: UsageRecord) -> dict[str, object]:
    """Make the body that tells of usage (Usage_Create)."""
    named = {
        EXTERNAL_ID: record.id,
        "sourceSystemId": record.source,
        "sourceUsageId": record.external_id,
        "service": record.service.id,
        "serviceName": record.service.name,
        "startDateTime": write_time(record.start),
        "endDateTime": write_time(record.end),
        # As a string: not every reader keeps 64 bits.
        **({} if record.octets is None else {"octets": str(record.octets)}),
        "mbps": record.mbps,
    }
    return {
        "usageDate": write_time(record.end),
        "usageType": record.kind,
        "status": record.state,
        "usageSpecification": dict(SPECIFICATION),
        "usageCharacteristic": [characteristic(*each) for each in named.items()],
        **({"relatedParty": _parties(record.customer)} if record.customer else {}),
    }


def problem_body(record: DowntimeRecord) -> dict[str, object]:
    """Make the body that tells of downtime (ServiceProblem_Create): the service, since when, by which alarms, and the promise."""
    said = {EFFECT: record.effect, **({} if record.target is None else {AVAILABILITY: record.target})}
    return {
        "name": record.id,
        "externalIdentifier": [{"id": record.id, "owner": US, "externalIdentifierType": "downtime"}],
        "category": CATEGORY,
        "priority": PRIORITIES[record.effect],
        "description": f"The service {record.service.name} is {_SAID[record.effect]}",
        "reason": f"Alarms: {', '.join(record.alarms)}" if record.alarms else "Unknown",
        "originatorParty": {"id": US, "name": US, "role": "originator", "@referredType": "Organization"},
        "originatingSystem": US,
        "affectedNumberOfServices": 1,
        "affectedService": [{"id": record.service.id, "name": record.service.name, "@referredType": "Service"}],
        "underlyingAlarm": [{"id": each, "@referredType": "Alarm"} for each in record.alarms],
        "characteristic": [characteristic(*each) for each in said.items()],
        **({"relatedParty": _parties(record.customer)} if record.customer else {}),
        "creationDate": write_time(record.start),
        **_end(record),
    }


def problem_patch(record: DowntimeRecord) -> dict[str, object]:
    """Make the merge patch that brings a problem to what the record says (ServiceProblem_Update)."""
    body = problem_body(record)
    return {name: body[name] for name in ("reason", "underlyingAlarm", "status", *_end(record))}


def usage_patch(record: UsageRecord) -> dict[str, object]:
    """Make the merge patch that gives usage the state that the record has (Usage_Update)."""
    return {"status": record.state}


def an_object(answer: object, where: str = "") -> Mapping[str, Any]:
    """Take what must be a JSON object."""
    if not isinstance(answer, dict):
        raise Nonsense("Billing answered what is no record", where=where or "body")
    return answer


def id_of(answer: object, where: str = "") -> str:
    """Read what a record is called there."""
    found = an_object(answer, where).get("id")
    if not isinstance(found, str) or found in ("", ".", ".."):
        raise Nonsense("A record that billing answered has no id that is a string", where=f"{where}.id".lstrip("."))
    return found


def is_ours(answer: object, record: Record) -> bool:
    """Tell whether a record that was answered bears our id."""
    if not isinstance(answer, dict):
        return False
    match record:
        case UsageRecord():
            held = answer.get("usageCharacteristic")
            named = [each for each in held if isinstance(each, dict)] if isinstance(held, list) else []
            return any(each.get("name") == EXTERNAL_ID and each.get("value") == record.id for each in named)
        case DowntimeRecord():
            held = answer.get("externalIdentifier")
            known = [each for each in held if isinstance(each, dict)] if isinstance(held, list) else []
            return any(each.get("id") == record.id for each in known)


def id_of_ours(answer: object, record: Record) -> str:
    """Read what a record that must be ours is called there."""
    found = id_of(answer)
    if not is_ours(answer, record):
        raise Nonsense(
            "A record that billing answered bears another id than ours: it belongs to someone else",
            hint="Look whether its address leads to the right system",
            where=EXTERNAL_ID,
        )
    return found


def _end(record: DowntimeRecord) -> dict[str, str]:
    """Say how far a problem is, and since when it is over."""
    if record.end is None:
        return {"status": "inProgress"}
    end = write_time(record.end)
    return {"status": "resolved", "resolutionDate": end, "statusChangeDate": end}


def _parties(customer: CustomerRef) -> list[dict[str, str]]:
    found = [{"id": customer.id, "name": customer.name, "role": "customer", "@referredType": "Customer"}]
    if customer.account:
        found.append({"id": customer.account, "role": "payer", "@referredType": "BillingAccount"})
    return found
