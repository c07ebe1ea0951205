"""An inventory that speaks TMF639, version 4: each thing that is owed to it is one HTTP exchange, or two.

Its POST does not notice that it was heard before, so `find` asks by our id first. Its PATCH replaces lists, so `amend`
looks at the resource before it changes it: what others have in the lists stays there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.errors import Nonsense, Rejected
from adapters.inventory import ResourceOrder
from adapters.inventory.tmf639_resource import A_END, CONTAINED, OURS, Z_END, characteristic, write
from adapters.tmf.tmf630 import quote_value
from adapters.transport.transport import Call, Transport

RESOURCE: Final = "resource"
_GONE: Final = 404
_PLACED: Final = frozenset({CONTAINED.lower(), "containedin", A_END.lower(), Z_END.lower()})


class Tmf639:
    """`adapters.inventory.Inventory` over a transport whose address ends in `/tmf-api/resourceInventoryManagement/v4`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now."""
        return self._transport.breaker.retry_at

    async def find(self, order: ResourceOrder, *, deadline: float) -> str | None:
        """Ask by our id; where several bear it, the one with the least name is meant."""
        query = (("resourceCharacteristic.value", quote_value(order.ours)),)
        answer = await self._transport.exchange(Call(method="GET", path=(RESOURCE,), query=query), deadline=deadline)
        found = answer.json()
        if not isinstance(found, list):
            raise Nonsense("The inventory answered no list", where="body")
        return min((_name(each, order.ours) for each in found), default=None)

    async def create(self, order: ResourceOrder, *, delivery_id: str, deadline: float) -> str:
        """POST it."""
        body = write(order.resource)
        body.setdefault("name", order.resource.name)
        body["resourceCharacteristic"] = [*body["resourceCharacteristic"], characteristic(OURS, order.ours)]
        call = Call(method="POST", path=(RESOURCE,), body=body, headers=_key(delivery_id))
        return _name((await self._transport.exchange(call, deadline=deadline)).json(), order.ours)

    async def amend(self, order: ResourceOrder, *, delivery_id: str, deadline: float) -> None:
        """GET it, and PATCH what is different."""
        path = (RESOURCE, order.resource.name)
        there = self._same(await self._transport.exchange(Call(method="GET", path=path), deadline=deadline), order)
        call = Call(method="PATCH", path=path, body=_patch(there, order), headers=_key(delivery_id))
        self._same(await self._transport.exchange(call, deadline=deadline), order)

    async def remove(self, order: ResourceOrder, *, delivery_id: str, deadline: float) -> None:
        """DELETE it."""
        call = Call(method="DELETE", path=(RESOURCE, order.resource.name), headers=_key(delivery_id))
        try:
            await self._transport.exchange(call, deadline=deadline)
        except Rejected as rejected:
            if rejected.status != _GONE:
                raise

    def _same(self, answer: Any, order: ResourceOrder) -> Mapping[str, Any]:
        """Give the resource that was asked for, or raise Nonsense."""
        found = answer.json()
        if not isinstance(found, dict) or found.get("id") != order.resource.name:
            raise Nonsense(f"{self._transport.name} answered with another resource", where="id")
        return found


def _patch(there: Mapping[str, Any], order: ResourceOrder) -> dict[str, Any]:
    """Make the merge patch that brings a resource, as it stands there now, to what the order says."""
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
    return patch


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


def _key(delivery_id: str) -> dict[str, str]:
    return {"Idempotency-Key": delivery_id}
