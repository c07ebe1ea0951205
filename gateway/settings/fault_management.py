"""A central fault management system is told of alarms; the operator says where it is, how it speaks, and what it hears.

The section `fault_management` of the settings; `gateway/settings/settings.py` says where settings come from.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import ConfigDict, Field, SecretStr

from gateway.settings.system import Address, Credited

AlarmEvent = Literal[
    "AlarmRaised",
    "AlarmUpdated",
    "AlarmCleared",
    "AlarmReopened",
    "AlarmEffectChanged",
    "AlarmAcknowledged",
    "AlarmUnacknowledged",
    "AlarmCommented",
]
"""What happens to an alarm; `graph.changes.policy.HEARABLE`."""


class FaultManagement(Credited):
    """The central fault management system that is told of alarms and of what they do to customers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[Address, Field(min_length=1)]
    """what its API is below (tmf642: https://HOST/tmf-api/alarmManagement/v4; alerta: https://HOST/api), or where it hears
    notifications (mtosi)."""
    name: Annotated[str, Field(min_length=1, pattern="^[^#:]+$")] = "fault-management"
    """what deliveries call it, and `system:<name>` in its tokens; `systems` says for which sources it speaks itself."""
    dialect: Literal["tmf642", "mtosi", "alerta"] = "tmf642"
    bearer: SecretStr = SecretStr("")
    """for alerta: the API key."""
    environment: Annotated[str, Field(min_length=1)] = "Production"
    """of alerta's alerts."""
    events: Annotated[tuple[AlarmEvent, ...], Field(min_length=1)] = get_args(AlarmEvent)
    """what it is told of."""
    callback: Address = ""
    """tmf642: where it can reach us, such as https://HOST/tmf-api/alarmManagement/v4; empty: it is only looked at."""
    poll_seconds: Annotated[float, Field(gt=0)] = 60.0
    """between looks at what its people have taken note of."""
    requests: Annotated[int, Field(gt=0, le=256)] = 16
    """at the same time."""
    request_seconds: Annotated[float, Field(gt=0, lt=7)] = 5.0
    processing_seconds: Annotated[float, Field(ge=0, le=300)] = 5.0
    """what it may take at most for a request whose answer was lost."""
