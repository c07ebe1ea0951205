"""A service inventory that speaks TMF638, version 4: when a service's rate is another, its characteristic `bandwidth` is.

Services are the other system's own: none is made there, and one that is not there is refused. PATCH replaces lists, so the service is
looked at before it is changed: what others have in `serviceCharacteristic` stays, and so does what else they say of `bandwidth`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adapters.errors import Nonsense
from adapters.inventory import ServiceRate
from adapters.tmf_client.client import TmfClient
from adapters.transport.transport import Transport

RESOURCE: Final = "service"
BANDWIDTH: Final = "bandwidth"
"""The name of the characteristic; its value is a whole number of Mbit/s."""
_CHARACTERISTICS: Final = "serviceCharacteristic"


class Tmf638:
    """`adapters.inventory.ServiceInventory` over a transport whose address ends in `/tmf-api/serviceInventory/v4`."""

    def __init__(self, transport: Transport) -> None:
        self._client = TmfClient(transport)

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


def _patch(there: Mapping[str, Any], rate: ServiceRate) -> dict[str, Any]:
    """Make the merge patch that brings a service to the rate; empty: it says so already."""
    found = there.get(_CHARACTERISTICS)
    held = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    said = next((each for each in held if each.get("name") == BANDWIDTH), {})
    wanted = {**said, "name": BANDWIDTH, "valueType": "integer", "value": rate.mbps}
    if said == wanted:
        return {}
    return {_CHARACTERISTICS: [*(each for each in held if each.get("name") != BANDWIDTH), wanted]}
