"""A service inventory that speaks TMF638, version 4: a new service is made there, and its characteristic `bandwidth` is its rate.

A service that is made bears our id as its characteristic `trunkline`, by which it is looked for before it is made: whoever does not know
whether it was heard makes it once. All others are the other system's own: one that is not there is refused. PATCH replaces lists, so the service is
looked at before it is changed: what others have in `serviceCharacteristic` stays, and so does what else they say of `bandwidth`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adapters.errors import Nonsense
from adapters.inventory import NewService, ServiceRate
from adapters.tmf.tmf630 import quote_value
from adapters.tmf_client.client import TmfClient
from adapters.transport.transport import Transport

RESOURCE: Final = "service"
BANDWIDTH: Final = "bandwidth"
"""The name of the characteristic; its value is a whole number of Mbit/s."""
OURS: Final = "trunkline"
"""The name of the characteristic that holds our id of a service that we have made there."""
_PAGE: Final = 50
_CHARACTERISTICS: Final = "serviceCharacteristic"


class Tmf638:
    """`adapters.inventory.ServiceInventory` over a transport whose address ends in `/tmf-api/serviceInventory/v4`."""

    def __init__(self, transport: Transport) -> None:
        self._client = TmfClient(transport)

    async def add_service(self, new: NewService, *, delivery_id: str, deadline: float) -> str:
        """Look for it by its name, and POST it where none bears our id."""
        query = (("name", quote_value(new.name)),)
        listed = await self._client.listed((RESOURCE,), query, size=_PAGE, deadline=deadline)
        found = next((each for _, each in listed if _bears(each, new.ours)), None)
        if found is None:
            found = await self._client.created((RESOURCE,), _body(new), key=delivery_id, deadline=deadline)
        their_id = found.get("id") if isinstance(found, dict) else None
        if not isinstance(their_id, str) or not their_id:
            raise Nonsense(f"{self._client.name} answered with no service that has an id", where="id")
        return their_id

    async def set_rate(self, rate: ServiceRate, *, delivery_id: str, deadline: float) -> None:
        """GET it, and PATCH the characteristic where it says something else."""
        path = (RESOURCE, rate.name)

        def patch(there: object) -> Mapping[str, object]:
            return _patch(self._same(there, rate), rate)

        self._same(await self._client.revised(path, patch, key=delivery_id, deadline=deadline), rate)

    def _same(self, found: object, rate: ServiceRate) -> Mapping[str, Any]:
        """Give the service that was asked for, or raise Nonsense."""
        if not isinstance(found, dict) or found.get("id") != rate.name:
            raise Nonsense(f"{self._client.name} answered with another service", where="id")
        return found


def _bears(found: object, ours: str) -> bool:
    """Tell whether a service of a list is the one that was made for ours."""
    held = found.get(_CHARACTERISTICS) if isinstance(found, dict) else None
    every = held if isinstance(held, list) else []
    return any(isinstance(each, dict) and each.get("name") == OURS and each.get("value") == ours for each in every)


def _body(new: NewService) -> dict[str, Any]:
    """Make the service (Service_Create)."""
    ports = [{"id": each, "name": each, "@referredType": "Port"} for each in new.ports]
    trunks = [{"id": each, "name": each, "@referredType": "Trunk"} for each in new.trunks]
    return {
        "name": new.name,
        "state": "active",
        "serviceSpecification": {"id": new.specification, "name": new.specification},
        _CHARACTERISTICS: [
            {"name": BANDWIDTH, "valueType": "integer", "value": new.mbps},
            {"name": OURS, "valueType": "string", "value": new.ours},
        ],
        "relatedParty": [
            {"id": new.customer, "name": new.customer_name, "role": "customer", "@referredType": "Customer"}
        ],
        "supportingResource": [*ports, *trunks],
    }


def _patch(there: Mapping[str, Any], rate: ServiceRate) -> dict[str, Any]:
    """Make the merge patch that brings a service to the rate; empty: it says so already."""
    found = there.get(_CHARACTERISTICS)
    held = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    said = next((each for each in held if each.get("name") == BANDWIDTH), {})
    wanted = {**said, "name": BANDWIDTH, "valueType": "integer", "value": rate.mbps}
    if said == wanted:
        return {}
    return {_CHARACTERISTICS: [*(each for each in held if each.get("name") != BANDWIDTH), wanted]}
