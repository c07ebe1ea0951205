"""What is told of a record that is there: that it was rated or billed, by PATCH or in an event (TMF635 v4.0.0).

What was measured stays as it is, so a patch changes the state, and what is told with it (`ratedProductUsage` and extensions), and
says what was not measured before.
An event says which record it is about by our id, or by its source and the source's own id; the id in it is the sender's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from adapters.billing.inbound.codec import CHARACTERISTIC, measured
from adapters.endpoint.errors import MalformedBody
from adapters.tmf.shape import Fault, Many, Text, Thing, Time, Word, faults
from adapters.tmf.tmf630 import read_time
from graph.changes.usage.states import Move
from graph.model.model import LABELS
from graph.model.usage import usage_id
from graph.model.vocabulary import USAGE_STATES

CREATED: Final = "usageCreateEvent"
STATE_EVENTS: Final = (CREATED, "usageAttributeValueChangeEvent", "usageStateChangeEvent")
EVENTS: Final = (
    *STATE_EVENTS,
    "usageDeleteEvent",
    "usageSpecificationCreateEvent",
    "usageSpecificationAttributeValueChangeEvent",
    "usageSpecificationDeleteEvent",
)
"""The listeners of TMF635 v4.0.0; we keep what was deleted elsewhere, and no specifications."""
MEASURED: Final = ("usageCharacteristic", "usageDate", "usageType", "usageSpecification", "relatedParty")
_OWN: Final = ("id", "href")
_CHARACTERISTICS: Final = "usageCharacteristic"
_FIXED: Final = tuple(name for name in MEASURED if name != _CHARACTERISTICS)
_STATUS: Final = Word(words=USAGE_STATES)
_PATCH: Final = Thing(
    fields=MappingProxyType(
        {
            "status": _STATUS,
            "ratedProductUsage": Many(of=Thing()),
            "usageCharacteristic": Many(of=CHARACTERISTIC, least=1, most=100),
        }
    )
)
_NAMED: Final = Thing(fields=MappingProxyType({"name": Text()}))
_USAGE: Final = Thing(fields=MappingProxyType({"status": _STATUS, "usageCharacteristic": Many(of=_NAMED, most=100)}))
_EVENT: Final = Thing(
    fields=MappingProxyType(
        {
            "eventTime": Time(),
            "event": Thing(fields=MappingProxyType({"usage": _USAGE}), required=("usage",)),
        }
    ),
    required=("event",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOf:
    """What an event says of one record."""

    usage: str
    """our id of it; empty where it is not said which one it is."""
    is_ours: bool
    """whether it was named by our id."""
    move: Move | None
    """None: no state is told."""
    body: Mapping[str, Any]


def move_of(patch: object, shown: Mapping[str, Any]) -> Move:
    """Read what a merge patch makes of a record, which is shown as `shown`; raises MalformedBody.

    A patch without a status keeps the state that the record has: the caller need not know it (RFC 7396).
    """
    found = faults(_PATCH, patch)
    if found or not isinstance(patch, dict):
        raise MalformedBody(found)
    fixed = [name for name in (*_OWN, *_FIXED) if name in patch and patch[name] != shown.get(name)]
    new = _new(patch[_CHARACTERISTICS], shown.get(_CHARACTERISTICS, ())) if _CHARACTERISTICS in patch else {}
    if new is None or fixed:
        names = [*fixed, *([_CHARACTERISTICS] if new is None else [])]
        raise MalformedBody([Fault(path=name, problem="cannot be changed") for name in names])
    more = {name: value for name, value in patch.items() if name not in (*_OWN, *MEASURED, "status")}
    kept = {_CHARACTERISTICS: patch[_CHARACTERISTICS]} if new else {}
    return Move(state=patch.get("status"), more={**more, **kept}, measured=new or {})


def _new(given: Sequence[Mapping[str, Any]], shown: Sequence[Mapping[str, Any]]) -> dict[str, int] | None:
    """Give what characteristics say that was not measured before; None where they lack or change what is there, or it is unknown."""
    if not shown or any(each not in given for each in shown):
        return None
    said, found = measured(given)
    if found:
        raise MalformedBody(found)
    before, _ = measured(shown)
    return {name: value for name, value in said.items() if name not in before}


def event_of(document: object) -> ToldOf:
    """Read an event; raises MalformedBody."""
    found = faults(_EVENT, document)
    if found or not isinstance(document, dict):
        raise MalformedBody(found)
    usage = document["event"]["usage"]
    named = {each["name"]: each.get("value") for each in usage.get("usageCharacteristic", ()) if "name" in each}
    at = read_time(document["eventTime"], "eventTime") if "eventTime" in document else None
    ours = next((str(each) for each in (named.get("externalId"), usage.get("id")) if _is_our_id(each)), "")
    source, external_id = named.get("sourceSystemId"), named.get("externalId")
    theirs = usage_id(str(source), str(external_id)) if source and external_id else ""
    state = usage.get("status")
    return ToldOf(
        usage=ours or theirs,
        is_ours=bool(ours),
        move=Move(state=state, at=at, more=_more(usage)) if state else None,
        body=usage,
    )


def _more(usage: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: usage[name] for name in ("ratedProductUsage",) if name in usage}


def _is_our_id(value: object) -> bool:
    return isinstance(value, str) and value.startswith(LABELS["Usage"].id_prefix)
