"""What is over is kept for as long as somebody may ask for it: a bill is disputed, a contract's availability is proven.

The section `retention` of the settings. Each time counts from when the thing was over. What has not ended, and what a
surrounding system is still to be told of, is kept however old it is (graph/ledger/retention.py).
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Days: TypeAlias = Annotated[float, Field(ge=1, le=36_500)]


class Retention(BaseModel):
    """For how long each kind is kept after it is over."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sequence_hours: Annotated[float, Field(ge=72, le=876_000)] = 72.0
    """for how long a subscriber may resume after an event; events are kept as long at least."""
    events_days: Days = 400.0
    """events and deliveries, once everybody has been told: a year, and the time to ask about it."""
    alarms_days: Days = 800.0
    """cleared alarms, with the tickets that were opened for them: two years."""
    tickets_days: Days = 800.0
    """closed tickets that others have opened."""
    downtime_days: Days = 1_100.0
    """ended downtime: a contract is mostly for up to three years."""
    usage_days: Days = 1_100.0
    """usage of services, once billing has been told: bills may be disputed for up to three years."""
    differences_days: Days = 400.0
    """settled differences to inventories."""
    boosts_days: Days = 1_100.0
    """boosts that are over, with their steps: no longer than `usage_days`, but 84 at least, and as long as a rule for leads looks back."""
    tasks_days: Days = 400.0
    """settled tasks: as long as the events that tell who settled them."""
    leads_days: Days = 400.0
    """leads that sales has decided, since they were opened; as long as their rule looks back at least."""
    feeds_days: Days = 400.0
    """what is known of inventory feeds; until then the same feed is not taken twice."""
