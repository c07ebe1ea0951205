"""The inventory that is told where the graph is right has an address and a way to speak; feeds come in without any setting."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from gateway.settings.system import Address, Credited


class Inventory(Credited):
    """The inventory that is told of what differs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[Address, Field(min_length=1)]
    """what its API is below: https://HOST/tmf-api/resourceInventoryManagement/v4, or where MTOSI's services are."""
    name: Annotated[str, Field(min_length=1, pattern="^[^#:]+$")] = "inventory"
    """the source of its feeds, what deliveries call it, and `system:<name>` in its tokens."""
    dialect: Literal["tmf639", "mtosi"] = "tmf639"
    requests: Annotated[int, Field(gt=0, le=256)] = 8
    """at the same time."""
    request_seconds: Annotated[float, Field(gt=0, lt=7)] = 5.0
    processing_seconds: Annotated[float, Field(ge=0, le=300)] = 5.0
    """what it may take at most for a request whose answer was lost."""
