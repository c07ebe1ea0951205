"""Performance monitoring is told what to measure of each service; the operator says where it is, and what is too much.

The section `performance` of the settings; `gateway/settings/settings.py` says where settings come from.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.settings.system import Address, Credited

_PERIODS: Final = {"g_1mn": 1, "g_5mn": 5, "g_15mn": 15, "g_30mn": 30, "g_1h": 60, "g_24h": 1_440}
"""the minutes of each granularity."""
Percent = Annotated[int, Field(gt=0, le=100)]


class Utilization(BaseModel):
    """The load above which a service is too full, in percent of the rate that the network carries now, by tier."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    premium: Percent = 80
    standard: Percent = 90
    basic: Percent = 95


class Performance(Credited):
    """The performance monitoring system that is told of services and of their rates."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[Address, Field(min_length=1)]
    """what its API is below: https://HOST/tmf-api/performance/v4."""
    name: Annotated[str, Field(min_length=1, pattern="^[^#:]+$")] = "performance"
    """what deliveries call it, and `system:<name>` in its tokens; `systems` says for which sources of alarms it speaks."""
    dialect: Literal["tmf628"] = "tmf628"
    utilization: Utilization = Utilization()
    """what is too much; the threshold moves with the rate."""
    granularity: Literal["g_1mn", "g_5mn", "g_15mn", "g_30mn", "g_1h", "g_24h"] = "g_5mn"
    """how often is measured."""
    reporting: Literal["r_1mn", "r_5mn", "r_15mn", "r_30mn", "r_1h", "r_24h"] = "r_15mn"
    """how often measurements are put into a file."""
    files: Annotated[str, Field(pattern=r"^([a-z][a-z0-9+.-]*://[^\s]+)?$")] = ""
    """where it puts files of measurements, such as sftp://HOST/DIRECTORY; empty: where it likes."""
    measurements: Address = ""
    """what its measurements are below, such as https://HOST/tmf-api/performance/v4; empty: nobody is asked what was measured."""
    requests: Annotated[int, Field(gt=0, le=256)] = 8
    """at the same time."""
    request_seconds: Annotated[float, Field(gt=0, lt=7)] = 5.0
    processing_seconds: Annotated[float, Field(ge=0, le=300)] = 5.0
    """what it may take at most for a request whose answer was lost."""

    @property
    def period_ms(self) -> int:
        """Give how often is measured, in milliseconds."""
        return _PERIODS[self.granularity] * 60_000
