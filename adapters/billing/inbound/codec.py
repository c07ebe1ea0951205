"""A usage record (TMF635 v4) has no place of its own for what is billed: all of it stands in characteristics, by name.

Which names those are is ours to say, and here it is said, with what each may hold. `decode` makes a Usage value of a body,
or says all that is wrong with it; `encode` makes a TMF635 usage of what the graph holds: the record as it came, with what
is known over it. What we tell to billing in this protocol has the same names (`adapters.billing.tmf635_resource`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from adapters.billing.tmf635_resource import KIND, SPECIFICATION, characteristic
from adapters.endpoint.errors import MalformedBody
from adapters.tmf.shape import Fault, Many, Shape, Text, Thing, Time, Whole, Word, faults
from adapters.tmf.tmf630 import read_time
from graph.model.mapping import enum_name
from graph.model.model import LABELS
from graph.model.usage import Usage
from graph.model.vocabulary import USAGE_STATES

MOST_MBPS: Final = 2**31 - 1
_TEXT: Final = Text()
_KEY: Final = Text(least=1, most=255)
_REFERENCE: Final = Thing(fields=MappingProxyType({"id": _TEXT, "href": _TEXT, "name": _TEXT}), required=("id",))
CHARACTERISTIC: Final = Thing(
    fields=MappingProxyType({"id": _TEXT, "name": Text(least=1, most=255), "valueType": _TEXT}),
    required=("name", "value"),
)
USAGE: Final = Thing(
    fields=MappingProxyType(
        {
            "description": _TEXT,
            "usageDate": Time(),
            "usageType": _KEY,
            "status": Word(words=USAGE_STATES),
            "relatedParty": Many(of=Thing(fields=MappingProxyType({"id": _TEXT, "name": _TEXT, "role": _TEXT}))),
            "ratedProductUsage": Many(of=Thing()),
            "usageCharacteristic": Many(of=CHARACTERISTIC, least=1, most=100),
            "usageSpecification": _REFERENCE,
        }
    ),
    required=("usageSpecification", "usageCharacteristic"),
)
"""The published shape, as far as we take it."""
_NAMED: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "externalId": _KEY,
        "sourceSystemId": _KEY,
        "service": Text(least=1, most=1_024),
        "startDateTime": Time(),
        "endDateTime": Time(),
        "octets": Whole(),
        "mbps": Whole(most=MOST_MBPS),
    }
)
CHARACTERISTICS: Final = Thing(fields=_NAMED, required=("externalId", "service"))
"""What the characteristics hold, by name; others are kept and mean nothing here. What was measured may come later."""
_SPAN: Final = ("startDateTime", "endDateTime")
WORDS: Final = {enum_name(word): word for word in LABELS["Usage"].property("state").words}


def decode(body: object, sources: Sequence[str]) -> Usage:
    """Make usage of a body that has been read as JSON; raises MalformedBody with every fault.

    `sources` are those that the caller speaks for: where there is one, it need not be named.
    """
    found = faults(USAGE, body)
    if found or not isinstance(body, dict):
        raise MalformedBody(found)
    given, found = _characteristics(body["usageCharacteristic"])
    if "sourceSystemId" not in given and len(sources) == 1:
        given["sourceSystemId"] = sources[0]
    found = (*found, *_faults(given))
    if found:
        raise MalformedBody(found)
    return Usage(
        source=given["sourceSystemId"],
        external_id=given["externalId"],
        service=given["service"],
        start=_span(given)[0],
        end=_span(given)[1],
        at=read_time(body["usageDate"], "usageDate") if "usageDate" in body else None,
        octets=_whole(given, "octets"),
        mbps=_whole(given, "mbps"),
        kind=body.get("usageType", KIND),
        state=body.get("status", "received"),
        record=body,
    )


def measured(given: Sequence[Mapping[str, Any]]) -> tuple[dict[str, int], tuple[Fault, ...]]:
    """Read what was measured from characteristics, by the names of a Usage node, and what is wrong with them."""
    known, found = _characteristics(given)
    found = (*found, *_faults_in(known, Thing(fields=_NAMED)))
    if found:
        return {}, found
    start, end = _span(known)
    values = {"from": start, "to": end, "octets": _whole(known, "octets"), "mbps": _whole(known, "mbps")}
    return {name: value for name, value in values.items() if value is not None}, ()


def encode(row: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Write usage as TMF635 does; `row` has the fields of the GraphQL type Usage that the caller may see."""
    record = row.get("record") or {}
    service = row.get("service")
    start, end, octets = row["from"], row["to"], row["octets"]
    named = {
        "externalId": row.get("externalId"),
        "sourceSystemId": row.get("source"),
        "service": service["id"] if service else row.get("serviceRef"),
        "startDateTime": start if start != end else None,
        "endDateTime": end if start != end else None,
        "octets": None if octets is None else str(octets),
        "mbps": row["mbps"],
    }
    kept = [each for each in record.get("usageCharacteristic", ()) if each["name"] not in _NAMED]
    shown = {
        **record,
        **({} if end is None else {"usageDate": end}),
        "usageType": row["kind"],
        "usageSpecification": record.get("usageSpecification") or dict(SPECIFICATION),
        "usageCharacteristic": [characteristic(*each) for each in named.items() if each[1] is not None] + kept,
    }
    if row.get("state") is not None:
        shown["status"] = WORDS[row["state"]]
    customer = service.get("customer") if service else None
    if customer:
        party = {"id": customer["id"], "name": customer["name"], "role": "customer", "@referredType": "Customer"}
        shown["relatedParty"] = [party]
    return {**shown, "id": row["id"], "href": f"{place}/{row['id']}"}


def _characteristics(given: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    """Give the characteristics that mean something here, by name, and what is wrong with them as a list."""
    known: dict[str, Any] = {}
    found = []
    for number, each in enumerate(given):
        if each["name"] not in _NAMED:
            continue
        if each["name"] in known:
            found.append(Fault(path=f"usageCharacteristic[{number}]", problem=f"names {each['name']} a second time"))
        known[each["name"]] = each["value"]
    return known, tuple(found)


def _faults(given: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _faults_in(given, CHARACTERISTICS)
    if "sourceSystemId" not in given:
        yield Fault(path="usageCharacteristic.sourceSystemId", problem="is missing")


def _faults_in(given: Mapping[str, Any], shape: Thing) -> Iterator[Fault]:
    wrong = faults(shape, given)
    yield from (Fault(path=f"usageCharacteristic.{each.path}", problem=each.problem) for each in wrong)
    if not any(each.path in _SPAN for each in wrong):
        start, end = _span(given)
        if start is not None and end is not None and end <= start:
            yield Fault(path="usageCharacteristic.endDateTime", problem="is not after startDateTime")


def _span(given: Mapping[str, Any]) -> tuple[int, int] | tuple[None, None]:
    """Give both ends of the interval; a record with one of them has no interval, and keeps the one as it came."""
    if any(name not in given for name in _SPAN):
        return None, None
    start, end = (read_time(given[name], name) for name in _SPAN)
    return start, end


def _whole(given: Mapping[str, Any], name: str) -> int | None:
    return int(given[name]) if name in given else None
