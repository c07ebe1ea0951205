"""What is written into TMF635 usage and TMF657 objectives, and what is believed of those that come back.

Neither has a field for the other side's id. So ours is a characteristic of usage, under a name of ours, and the name of an
objective: both can be asked for, and both are looked at in the answer, since a system may ignore what it was asked for.

Pure: bodies out of records, their ids out of answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from adapters.billing import CustomerRef, DowntimeRecord, Record, ServiceRef, UsageRecord
from adapters.errors import Nonsense
from adapters.tmf.tmf630 import write_time

KIND: Final = "bandwidth"
EXTERNAL_ID: Final = "externalId"
SPECIFICATION: Final = MappingProxyType(
    {"id": "bandwidthInterval", "name": "What a service has carried in an interval"}
)
AVAILABILITY: Final = "availability"


def characteristic(name: str, value: object) -> dict[str, object]:
    """Make a UsageCharacteristic."""
    kind = "integer" if isinstance(value, int) else "string"
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
        "octets": str(record.octets),  # as a string: not every reader keeps 64 bits
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


def objective_body(record: DowntimeRecord) -> dict[str, object]:
    """Make the body that tells of downtime (ServiceLevelObjective_Create): the promise, and the interval that counts.

    A `conformanceTarget` is mandatory there: without a promise there is no objective, and ValueError is raised.
    """
    if record.target is None:
        raise ValueError("an objective needs a target")
    promise = {"name": record.id, "conformanceComparator": ">=", "conformanceTarget": str(record.target)}
    return {**promise, **objective_patch(record)}


def objective_patch(record: DowntimeRecord) -> dict[str, object]:
    """Make the merge patch that brings an objective to what the record says (ServiceLevelObjective_Update)."""
    parameter = {"name": AVAILABILITY, "parameterType": record.effect, "relatedEntity": _entities(record)}
    return {"serviceLevelObjectiveParameter": parameter, "conformancePeriod": _period(record)}


def an_object(answer: object, where: str = "") -> Mapping[str, Any]:
    """Take what must be a JSON object."""
    if not isinstance(answer, dict):
        raise Nonsense("Billing answered what is no record", where=where or "body")
    return answer


def a_list(answer: object) -> list[object]:
    """Take what must be a JSON array."""
    if not isinstance(answer, list):
        raise Nonsense("Billing answered what is no list", where="body")
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
            return answer.get("name") == record.id


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


def _period(record: DowntimeRecord) -> dict[str, str]:
    begun = {"startDateTime": write_time(record.start)}
    return begun if record.end is None else {**begun, "endDateTime": write_time(record.end)}


def _entities(record: DowntimeRecord) -> list[dict[str, str]]:
    entities = [_service(record.service, record.effect)]
    if record.customer:
        entities += _parties(record.customer)
    return entities + [{"id": each, "role": "cause", "@referredType": "Alarm"} for each in record.alarms]


def _service(service: ServiceRef, role: str) -> dict[str, str]:
    return {"id": service.id, "name": service.name, "role": role, "@referredType": "Service"}


def _parties(customer: CustomerRef) -> list[dict[str, str]]:
    found = [{"id": customer.id, "name": customer.name, "role": "customer", "@referredType": "Customer"}]
    if customer.account:
        found.append({"id": customer.account, "role": "payer", "@referredType": "BillingAccount"})
    return found
