"""An order as TMF622 or TMF641 shows it: what came, where the caller may read that, and over it what has become of it.

Whoever reads everything, and the system that has placed it, are shown the order as it came: an order management finds again what it has sent.
The order's customer is shown what the graph has of it in its slice.

Pure: rows of a compiled read become resources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from adapters.order_management.api import Api
from graph.model.mapping import enum_name
from graph.model.vocabulary import CANCELLATION_STATES, ORDER_ACTIONS, ORDER_STATES

_WORDS: Final = {enum_name(word): word for word in (*ORDER_STATES, *ORDER_ACTIONS, *CANCELLATION_STATES)}


def encode(api: Api, row: Mapping[str, Any]) -> dict[str, Any]:
    """Show an order; `row` has the fields of the GraphQL type Order that `reads.py` asks for."""
    came = row.get("request") or {}
    items = sorted(row["items"]["nodes"], key=lambda each: each["position"] or 0)
    dates = {
        "orderDate": row["orderedAt"],
        "requestedStartDate": row["requestedStartAt"],
        "requestedCompletionDate": row["requestedCompletionAt"],
        "expectedCompletionDate": row["expectedCompletionAt"],
        "completionDate": row["completedAt"],
        "cancellationDate": row["cancelledAt"],
        "cancellationReason": row["cancellationReason"],
        **({"startDate": row["startedAt"]} if api.kind == "service" else {}),
    }
    wished = {name: row[name] for name in ("description", "category", "priority")}
    fixed = {name: value for name, value in came.items() if name not in {*wished, *dates}}
    return {
        "@type": api.type,
        **fixed,
        "id": row["id"],
        "href": f"{api.place}/{row['id']}",
        "state": _WORDS[row["state"]],
        **_given(externalId=None if row["externalId"] == row["id"] else row["externalId"]),
        **_given(**wished, **dates),
        "relatedParty": _parties(row["customer"], came.get("relatedParty", ())),
        api.item: [_item(api, each) for each in items],
    }


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _parties(customer: Mapping[str, Any] | None, came: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give those that came, and our customer beside them, unless it is one of them."""
    parties = [{"@type": "RelatedParty", **each} for each in came]
    if customer is None or any(each.get("id") == customer["id"] for each in parties):
        return parties
    ours = {"id": customer["id"], "name": customer["name"], "role": "customer", "@referredType": "Customer"}
    return [*parties, {"@type": "RelatedParty", **ours}]


def _item(api: Api, row: Mapping[str, Any]) -> dict[str, Any]:
    came = row.get("request") or {}
    state = _WORDS[row["state"]]
    shown = {
        **came,
        "id": row["externalId"],
        "action": _WORDS[row["action"] or "ADD"],
        "state": state,
        **_given(quantity=row["quantity"], errorMessage=_failure(row)),
        **_thing(api, row, came),
    }
    if api.item in came:
        shown[api.item] = [_within(api, each, state) for each in came[api.item]]
    related = [_relationship(api, each) for each in row["relatesTo"]["nodes"]]
    if related and api.relationship not in came:
        shown[api.relationship] = related
    return shown


def _failure(row: Mapping[str, Any]) -> dict[str, str] | None:
    """Say why an item has failed that was carried out by itself, as TMF641 says it of an order; in full to whoever may read it.

    The `code` there is a number, which we have none of.
    """
    if not row["failure"]:
        return None
    return {"reason": row["failure"], **_given(message=row.get("failureDetail"))}


def _within(api: Api, item: Any, state: str) -> Any:
    """Give an item within another the state of that one: they go together."""
    if not isinstance(item, dict):
        return item
    inner = {api.item: [_within(api, each, state) for each in item[api.item]]} if api.item in item else {}
    return {**item, "state": state, **inner}


def _thing(api: Api, row: Mapping[str, Any], came: Mapping[str, Any]) -> dict[str, Any]:
    """Give what an item is about: as it came, or by the names that are kept of it; with the service that it is."""
    service = row["service"]
    thing = dict(came.get(api.kind) or _given(name=row["product"]))
    if api.kind == "service":
        if row["offering"] and "serviceSpecification" not in thing:
            thing["serviceSpecification"] = {"id": row["offering"], "name": row["offering"]}
        return {"service": {**({"id": service["id"]} if service else {}), **thing}}
    if service and "realizingService" not in thing:
        thing["realizingService"] = [{"id": service["id"], "name": service["name"], "@referredType": "Service"}]
    offering = row["offering"] and "productOffering" not in came and "productOffering" not in thing
    offered = {"productOffering": {"id": row["offering"], "name": row["offering"]}} if offering else {}
    return {**({"product": thing} if thing else {}), **offered}


def _relationship(api: Api, related: Mapping[str, Any]) -> dict[str, Any]:
    kind, other = related["relationshipType"], related["other"]["externalId"]
    said = {"relationshipType": kind} if kind else {}
    if api.kind == "product":
        return {"id": other, **said}
    # The swagger has the property itemId, and requires id.
    return {"orderItem": {"id": other, "itemId": other}, **said}


def encode_cancellation(api: Api, row: Mapping[str, Any]) -> dict[str, Any]:
    """Show a request to cancel an order."""
    order = row["order"]["id"]
    return {
        "@type": f"{api.cancel[0].upper()}{api.cancel[1:]}",
        "id": row["id"],
        "href": f"{api.cancel_place}/{row['id']}",
        "state": _WORDS[row["state"]],
        api.order: {"id": order, "href": f"{api.place}/{order}", "@referredType": api.type},
        **_given(
            cancellationReason=row["reason"],
            requestedCancellationDate=row["requestedFor"],
            effectiveCancellationDate=row["effectiveAt"],
        ),
    }
