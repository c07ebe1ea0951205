"""Customer management says who customers are; the operator says where it is, and how often all of it is looked at.

The section `customers` of the settings; `gateway/settings/settings.py` says where settings come from.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from gateway.settings.system import Address, Credited


class Customers(Credited):
    """The system that customers are kept in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[Address, Field(min_length=1)]
    """what its API is below: https://HOST/tmf-api/customerManagement/v4."""
    name: Annotated[str, Field(min_length=1, pattern="^[^#:]+$")] = "customer-management"
    """the source of its names for customers, and `system:<name>` in its tokens."""
    dialect: Literal["tmf629"] = "tmf629"
    segment: Annotated[str, Field(min_length=1)] = "segment"
    """the characteristic of a customer that is its segment."""
    callback: Address = ""
    """where it can reach us, such as https://HOST/tmf-api/customerManagement/v4; empty: it is only looked at."""
    poll_seconds: Annotated[float, Field(gt=0)] = 300.0
    """between looks at all its customers."""
    list_seconds: Annotated[float, Field(gt=0, le=3_600)] = 120.0
    """that the whole list may take."""
    request_seconds: Annotated[float, Field(gt=0, lt=60)] = 10.0
    """that anything else may take."""
