"""A body of TMF622 or TMF641, which has its shape, becomes the order that `graph/changes/orders/` takes.

An order names parties in several roles; whose it is is said by the role customer, else by a reference to a customer, else by the only party
that there is. An item to change names its service: as the service that realizes its product, as the product, or as the service itself. A new
service has a place for each end, by its role, and its rate in a characteristic.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from adapters.endpoint.errors import MalformedBody
from adapters.order_management.api import Api
from adapters.tmf.shape import Fault
from adapters.tmf.tmf630 import read_time
from graph.changes.orders.requests import ItemRequest, OrderRequest, Party, Relation

CUSTOMER: Final = "Customer"
_A_END: Final = frozenset({"a", "aend", "enda", "asite", "sitea"})
_Z_END: Final = frozenset({"z", "zend", "endz", "zsite", "sitez"})
"""The roles of places, in letters only, that say at which end of a new service a site is."""
OURS: Final = frozenset(
    {
        "id",
        "href",
        "state",
        "orderDate",
        "startDate",
        "completionDate",
        "expectedCompletionDate",
        "cancellationDate",
        "cancellationReason",
    }
)
"""What we say of an order, whatever else somebody sends."""


def order_of(api: Api, body: Mapping[str, Any]) -> OrderRequest:
    """Read a new order; raises MalformedBody, and what a broken value raises."""
    kept = {name: value for name, value in body.items() if name not in OURS and name != api.item}
    return OrderRequest(
        kind=api.kind,
        items=tuple(_item(api, each) for each in body[api.item]),
        external_id=body.get("externalId", ""),
        party=_party(body),
        description=body.get("description", ""),
        category=body.get("category", ""),
        priority=body.get("priority", ""),
        requested_start=_time(body, "requestedStartDate"),
        requested_completion=_time(body, "requestedCompletionDate"),
        request=kept,
    )


def _time(body: Mapping[str, Any], name: str) -> int | None:
    return read_time(body[name], name) if name in body else None


def customer_in(parties: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Give the party whose order it is; None where nobody can tell."""
    by_role = [each for each in parties if str(each.get("role", "")).lower() == CUSTOMER.lower()]
    by_type = [each for each in parties if each.get("@referredType") == CUSTOMER]
    found = by_role or by_type or parties
    return found[0] if len(found) == 1 else None


def _party(body: Mapping[str, Any]) -> Party | None:
    parties = body.get("relatedParty", ())
    if not parties:
        return None
    party = customer_in(parties)
    if party is None:
        said = "names several, and not one of them has the role customer: nobody can tell whose order it is"
        raise MalformedBody([Fault(path="relatedParty", problem=said)])
    return Party(
        id=party["id"],
        name=party.get("name", ""),
        segment=party.get("segment", ""),
        account=body.get("billingAccount", {}).get("id", ""),
        is_reference=party["@referredType"] == CUSTOMER,
    )


def _item(api: Api, item: Mapping[str, Any]) -> ItemRequest:
    thing = item.get(api.kind, {})
    return ItemRequest(
        id=item["id"],
        action=item["action"],
        product=thing.get("name", ""),
        offering=_offering(api, item, thing),
        service="" if item["action"] == "add" else _service(thing),
        quantity=int(item["quantity"]) if "quantity" in item else None,
        relations=tuple(_relation(api, each) for each in item.get(api.relationship, ())),
        size=size_of(api, item),
        site_a=_site(thing, _A_END),
        site_z=_site(thing, _Z_END),
        characteristics=_characteristics(api, thing),
        request={name: value for name, value in item.items() if name != "state"},
    )


def _site(thing: Mapping[str, Any], roles: frozenset[str]) -> str:
    """Give the site that has one of these roles; empty where none has, or several have."""
    found = [each for each in thing.get("place", ()) if _plain(each.get("role", "")) in roles]
    return str(found[0].get("id") or found[0].get("name") or "") if len(found) == 1 else ""


def _plain(role: str) -> str:
    return "".join(each for each in role.lower() if each.isalpha())


def _characteristics(api: Api, thing: Mapping[str, Any]) -> dict[str, object]:
    """Give what is said of it, by its names, as it came: a product says which of it can be read."""
    return {each["name"]: each["value"] for each in thing.get(f"{api.kind}Characteristic", ())}


def _offering(api: Api, item: Mapping[str, Any], thing: Mapping[str, Any]) -> str:
    if api.kind == "product":
        found = item.get("productOffering") or thing.get("productOffering") or {}
    else:
        found = thing.get("serviceSpecification") or {}
    return str(found.get("name") or found.get("id") or "")


def _service(thing: Mapping[str, Any]) -> str:
    realizing = [each["id"] for each in thing.get("realizingService", ()) if each.get("id")]
    return str(next(iter(realizing), thing.get("id", "")))


def _relation(api: Api, relation: Mapping[str, Any]) -> Relation:
    other = relation if api.kind == "product" else relation["orderItem"]
    return Relation(to=other.get("itemId") or other.get("id", ""), kind=relation.get("relationshipType", ""))


def size_of(api: Api, item: Mapping[str, Any]) -> int:
    """Count an item and those within it, however deep; what is no item counts as one."""
    within = item.get(api.item, ())
    inner = within if isinstance(within, list) else ()
    return 1 + sum(size_of(api, each) if isinstance(each, dict) else 1 for each in inner)
