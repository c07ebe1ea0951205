"""A TMF688 event carries a thing of another of TM Forum's APIs, as that API shows it: here the envelope and the things are made.

Swaggers: TMF688 v4.0.0 `Event` and `Event_Create`; TMF638 v4.0.0 `Service`, TMF639 v4.0.0 `Resource`, TMF621 v4.0.0 `TroubleTicket`.
What services suffer has no place in TMF638: it is the characteristic `effect`; and their rates are characteristics too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, cast

from adapters.event_words import EventNotice
from adapters.tmf.tmf630 import write_time
from graph.model.event_kinds import About

REPORTER: Final[Mapping[str, str]] = MappingProxyType({"id": "trunkline", "@referredType": "System"})
NO_EFFECT: Final = "none"
"""The value of `effect` of a service that suffers nothing."""
_REFERRED: Final[Mapping[About, str]] = MappingProxyType(
    {"alarm": "Alarm", "service": "Service", "resource": "Resource", "ticket": "TroubleTicket"}
)
_OPERATIONAL: Final = {"enabled": "enable", "disabled": "disable"}
_ADMINISTRATIVE: Final = {"shuttingDown": "shutdown"}
_OF_THE_RESOURCE: Final = ("name", "operationalState", "administrativeState")


def event_body(notice: EventNotice) -> dict[str, Any]:
    """Make the event of a service, of equipment or of a ticket, as it is given to a system (`Event_Create`)."""
    return {**event_of(notice, _THINGS[notice.kind.about](notice)), "title": notice.sentence}


def event_of(notice: EventNotice, thing: Mapping[str, Any]) -> dict[str, Any]:
    """Make the event of a thing that is shown already."""
    at = write_time(notice.at)
    return {
        "eventId": notice.id,
        "eventTime": at,
        "timeOccurred": at,
        "eventType": notice.words.tmf,
        "domain": notice.member,
        "event": {notice.member: thing},
        "source": {"id": notice.about, "name": notice.name, "@referredType": _REFERRED[notice.kind.about]},
        "reportingSystem": dict(REPORTER),
    }


def _service(notice: EventNotice) -> dict[str, Any]:
    values = notice.values
    return {
        "id": notice.about,
        "@type": "Service",
        "name": notice.name,
        **({"state": values["state"]} if values.get("state") else {}),
        "serviceCharacteristic": [*_effect(values), *(_characteristic(*each) for each in notice.rates.items())],
        "relatedParty": [_customer(values["customer"])] if values.get("customer") else [],
    }


def _effect(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_characteristic("effect", values["effect"] or NO_EFFECT)] if "effect" in values else []


def _resource(notice: EventNotice) -> dict[str, Any]:
    values = notice.values
    kind, properties = str(values["resource"]), cast("Mapping[str, Any]", values["properties"])
    states = {
        "operationalState": _OPERATIONAL.get(str(properties.get("operationalState"))),
        "administrativeState": _administrative(properties.get("administrativeState")),
    }
    return {
        "id": notice.about,
        "href": _resource_address(notice.about),
        "@type": "LogicalResource" if kind == "Trunk" else "PhysicalResource",
        "@baseType": "Resource",
        "category": kind[0].lower() + kind[1:],
        "name": str(properties.get("name") or notice.name),
        **{name: word for name, word in states.items() if word},
        "resourceCharacteristic": [
            _characteristic(name, value)
            for name, value in properties.items()
            if name not in _OF_THE_RESOURCE and value is not None
        ],
        **_whereabouts(kind, [str(each) for each in values.get("place") or ()]),
    }


def _whereabouts(kind: str, place: Sequence[str]) -> dict[str, Any]:
    """Say what a thing lies in, or ends on, where its event says it: our ids."""
    if kind == "NetworkElement":
        return {"place": {"id": place[0], "role": "site", "@referredType": "Site"}} if place else {}
    related = zip(("aEnd", "zEnd") if kind == "Trunk" else ("isContainedIn",), place, strict=False)
    found = [
        {"relationshipType": how, "resource": {"id": each, "href": _resource_address(each)}} for how, each in related
    ]
    return {"resourceRelationship": found} if found else {}


def _resource_address(resource_id: str) -> str:
    return f"/tmf-api/resourceInventoryManagement/v4/resource/{resource_id}"


def _administrative(state: object) -> str | None:
    return None if state is None else _ADMINISTRATIVE.get(str(state), str(state))


def _ticket(notice: EventNotice) -> dict[str, Any]:
    values = notice.values
    return {
        "id": notice.about,
        "@type": "TroubleTicket",
        **{name: values[name] for name in ("status", "severity", "externalId") if values.get(name)},
        "relatedParty": [_customer(each) for each in values["customers"]],
        "relatedEntity": [{**each, "role": "service", "@referredType": "Service"} for each in values["services"]],
    }


_THINGS: Final[Mapping[About, Callable[[EventNotice], dict[str, Any]]]] = MappingProxyType(
    {"service": _service, "resource": _resource, "ticket": _ticket}
)


def _characteristic(name: str, value: Any) -> dict[str, Any]:
    return {"name": name, "valueType": "number" if isinstance(value, int | float) else "string", "value": value}


def _customer(customer: Mapping[str, Any]) -> dict[str, Any]:
    return {**customer, "role": "customer", "@referredType": "Customer"}
