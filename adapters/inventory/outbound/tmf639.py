"""An inventory that speaks TMF639, version 4: each thing that is owed to it is one HTTP exchange, or two.

Its POST does not notice that it was heard before, so `find` asks by our id first. Its PATCH replaces lists, so `amend`
looks at the resource before it changes it: what others have in the lists stays there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.errors import Nonsense
from adapters.inventory import ResourceOrder
from adapters.inventory.tmf639_resource import A_END, CONTAINED, OURS, Z_END, characteristic, write
from adapters.tmf.tmf630 import quote_value
from adapters.tmf_client.client import TmfClient
from adapters.transport.transport import Transport

RESOURCE: Final = "resource"
_PAGE: Final = 50
_LISTS: Final = frozenset({"resourceCharacteristic", "resourceRelationship"})
_PLACED: Final = frozenset({CONTAINED.lower(), "containedin", A_END.lower(), Z_END.lower()})


class Tmf639:
    """`adapters.inventory.Inventory` over a transport whose address ends in `/tmf-api/resourceInventoryManagement/v4`."""

    def __init__(self, transport: Transport) -> None:
        self._client = TmfClient(transport)

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now."""
        return self._client.retry_at

    async def find(self, order: ResourceOrder, *, deadline: float) -> str | None:
        """Ask by our id; where several bear it, the one with the least name is meant."""
        query = (("resourceCharacteristic.value", quote_value(order.ours)),)
        found = await self._client.listed((RESOURCE,), query, size=_PAGE, deadline=deadline)
        return min((_name(each, order.ours) for _, each in found), default=None)

    async def create(self, order: ResourceOrder, *, delivery_id: str, deadline: float) -> str:
        """POST it; where the answer does not say what came of it, ask by our id."""
        body = write(order.resource)
        body.setdefault("name", order.resource.name)
        body["resourceCharacteristic"] = [*body["resourceCharacteristic"], characteristic(OURS, order.ours)]
        made = await self._client.created((RESOURCE,), body, key=delivery_id, deadline=deadline)
        if made is not None:
            return _name(made, order.ours)
        found = await self.find(order, deadline=deadline)
        if found is None:
            raise Nonsense(f"{self._client.name} does not show what it has made", where="resourceCharacteristic")
        return found

    async def amend(self, order: ResourceOrder, *, delivery_id: str, deadline: float) -> None:
        """GET it, and PATCH what is different."""
        path = (RESOURCE, order.resource.name)

        def patch(there: object) -> Mapping[str, object]:
            return _patch(self._same(there, order), order)

        self._same(await self._client.revised(path, patch, key=delivery_id, deadline=deadline), order)

    async def remove(self, order: ResourceOrder, *, delivery_id: str, deadline: float) -> None:
        """DELETE it."""
        await self._client.removed((RESOURCE, order.resource.name), key=delivery_id, deadline=deadline)

    def _same(self, found: object, order: ResourceOrder) -> Mapping[str, Any]:
        """Give the resource that was asked for, or raise Nonsense."""
        if not isinstance(found, dict) or found.get("id") != order.resource.name:
            raise Nonsense(f"{self._client.name} answered with another resource", where="id")
        return found


def _patch(there: Mapping[str, Any], order: ResourceOrder) -> dict[str, Any]:
    """Make the merge patch that brings a resource, as it stands there now, to what the order says; empty: it is so already."""
    told = write(order.resource)
    patch: dict[str, Any] = {
        name: told[name] for name in ("name", "operationalState", "administrativeState", "place") if name in told
    }
    mine = [*told["resourceCharacteristic"], characteristic(OURS, order.ours)]
    names = {each["name"] for each in mine}
    patch["resourceCharacteristic"] = [
        *(each for each in _list(there, "resourceCharacteristic") if each.get("name") not in names),
        *mine,
    ]
    if told["resourceRelationship"]:
        theirs = [each for each in _list(there, "resourceRelationship") if not _places(each)]
        patch["resourceRelationship"] = [*theirs, *told["resourceRelationship"]]
    # A list that is as it should be is left alone: who writes into it meanwhile loses nothing.
    return {name: value for name, value in patch.items() if name not in _LISTS or there.get(name) != value}


def _places(relationship: Mapping[str, Any]) -> bool:
    return str(relationship.get("relationshipType")).lower() in _PLACED


def _list(there: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
    found = there.get(name)
    return (each for each in (found if isinstance(found, list) else ()) if isinstance(each, dict))


def _name(answer: object, ours: str) -> str:
    """Give the name of a resource that bears our id, or raise Nonsense."""
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), str) or not answer["id"]:
        raise Nonsense("The inventory answered with a resource without an id", where="id")
    if not any(each.get("value") == ours for each in _list(answer, "resourceCharacteristic")):
        raise Nonsense("The inventory answered with a resource that is not ours", where="resourceCharacteristic")
    return str(answer["id"])
