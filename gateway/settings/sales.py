"""Sales is told of leads; the operator says where it is, and for how long a lead is of use.

The section `sales` of the settings; `gateway/settings/settings.py` says where settings come from.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from gateway.settings.system import Address, Credited


class Sales(Credited):
    """The sales system that is told of leads."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[Address, Field(min_length=1)]
    """what its API is below: https://HOST/tmf-api/sales/v4."""
    name: Annotated[str, Field(min_length=1, pattern="^[^#:]+$")] = "sales"
    """what deliveries call it."""
    dialect: Literal["salesLead"] = "salesLead"
    valid_days: Annotated[int, Field(gt=0, le=3_650)] = 90
    """for how long a lead is of use."""
    poll_seconds: Annotated[float, Field(gt=0)] = 300.0
    """between looks at what became of leads."""
    requests: Annotated[int, Field(gt=0, le=256)] = 4
    """at the same time."""
    request_seconds: Annotated[float, Field(gt=0, lt=7)] = 5.0
    processing_seconds: Annotated[float, Field(ge=0, le=300)] = 5.0
    """what it may take at most for a request whose answer was lost."""
