"""What a plan cannot do must be told apart: the supergraph lacks a way, or the operation asks for too much.

Exception
└── PlanningFailed     there is no plan
    ├── NotServed      a subscription that no single subgraph can begin
    ├── Unreachable    a field that no subgraph can be asked for from where it stands
    └── PlanTooLarge   more steps, or a larger plan, than is allowed
"""

from __future__ import annotations


class PlanningFailed(Exception):
    """There is no plan; the message says why, in words that a client may read."""


class NotServed(PlanningFailed):
    """A subscription whose root no single subgraph has."""


class Unreachable(PlanningFailed):
    """A field has no way to it."""


class PlanTooLarge(PlanningFailed):
    """Planning was stopped by its budget."""
