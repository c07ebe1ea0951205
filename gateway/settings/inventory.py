"""The inventory that is told where the graph is right has an address and a way to speak; feeds come in without any setting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from gateway.settings.system import Address, Credited

_TMF: Final = "/tmf-api/"
"""What all of TM Forum's APIs of one system are below."""


class Inventory(Credited):
    """The inventory that is told of what differs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[Address, Field(min_length=1)]
    """what its API is below: https://HOST/tmf-api/resourceInventoryManagement/v4, or where MTOSI's services are."""
    name: Annotated[str, Field(min_length=1, pattern="^[^#:]+$")] = "inventory"
    """the source of its feeds, what deliveries call it, and `system:<name>` in its tokens."""
    dialect: Literal["tmf639", "mtosi"] = "tmf639"
    services: Address = ""
    """what TMF638 is below, such as https://HOST/tmf-api/serviceInventory/v4, where the rates of services are told; empty: beside the
    address of tmf639, and with mtosi nobody is told."""
    keeps_services: bool = True
    """whether it is told of the rates of services at all."""
    requests: Annotated[int, Field(gt=0, le=256)] = 8
    """at the same time."""
    request_seconds: Annotated[float, Field(gt=0, lt=7)] = 5.0
    processing_seconds: Annotated[float, Field(ge=0, le=300)] = 5.0
    """what it may take at most for a request whose answer was lost."""

    def _misfits(self) -> Iterator[str]:
        yield from super()._misfits()
        if self.services and not self.keeps_services:
            yield "has services, and keeps_services is false"

    @property
    def services_address(self) -> str:
        """Give what TMF638 is below; empty where nobody is told of services."""
        before, tmf, _ = self.address.partition(_TMF)
        beside = f"{before}{tmf}serviceInventory/v4" if tmf and self.dialect == "tmf639" else ""
        return (self.services or beside) if self.keeps_services else ""
