"""What a resolver knows of the request it runs in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graph.changes.policy import AlarmPolicy
from graph.model.scope import Principal
from graph.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request: who asks, until when, and what its changes returned so far."""

    store: Store
    principal: Principal
    deadline: float
    """`time.monotonic()` seconds."""
    policy: AlarmPolicy
    outcomes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """response key of a mutation's root field -> payload field -> id."""
