"""What bandwidth costs may be kept in a product catalog; the operator says where that is, and how long its last answer counts.

The section `catalog` of the settings; `gateway/settings/settings.py` says where settings come from. Which product offering has the
prices of which contracts is in `bandwidth.tariffs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import ConfigDict, Field

from gateway.settings.system import Address, Credited


class Catalog(Credited):
    """The product catalog that prices are read from (TMF620)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[Address, Field(min_length=1)]
    """what TMF620 is below, such as https://HOST for https://HOST/tmf-api/..."""
    name: Annotated[str, Field(min_length=1, pattern="^[^#:]+$")] = "catalog"
    characteristic: Annotated[str, Field(min_length=1, max_length=100)] = "bandwidth"
    """the name of the characteristic that says for which rates a price is."""
    sold_in: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)] = ("Active", "Launched")
    """the values of `lifecycleStatus` in which offerings and prices are sold; what has none, is."""
    refresh_seconds: Annotated[float, Field(ge=1, le=86_400)] = 300.0
    """between looks at the prices."""
    keep_hours: Annotated[float, Field(gt=0, le=8_784)] = 24.0
    """for how long prices are sold by that cannot be read again."""
    request_seconds: Annotated[float, Field(gt=0, lt=60)] = 5.0
    """for all that is asked about one product offering."""

    def _misfits(self) -> Iterator[str]:
        yield from super()._misfits()
        if self.refresh_seconds >= self.keep_hours * 3_600:
            yield "has refresh_seconds that are not below keep_hours: nothing would be sold in between"
