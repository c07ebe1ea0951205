"""Who is calling, and what part of the graph that lets them see.

`Principal` is made once per request by the gateway's authentication. `scope_of` turns it into the `Scope` without which
no read can be compiled. The compiler knows only the *kind* of scope (it is part of the cache key); the customer ids
travel as the parameter `$scope`, so that all customers share one statement text.
"""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass
from typing import Final, assert_never

from graph.model.mapping import Hop
from graph.model.model import RELATIONSHIPS, Inside

STORED: Final = "_sliceStored"
"""The property of a customer whose shared nodes are stored as memberships, all of them and no other; absent otherwise."""

_WHOLE_HISTORY: Final = frozenset({"Event"})
"""Shared labels whose nodes are not looked for in a slice: a customer's events have no bound, and an index finds them."""


CLAIMABLE: Final = (
    "reportProblem",
    "commentTicket",
    "reopenTicket",
    "closeTicket",
    "boostBandwidth",
    "approveBoost",
    "placeOrder",
    "changeOrder",
    "cancelOrder",
)
"""The changes that a customer may make where the token names them, each for its own services, tickets and orders."""


class Role(enum.Enum):
    """What a token may be; `roles` claim, system as `system:<name>`."""

    OPERATOR = "operator"
    ANALYST = "analyst"
    CUSTOMER = "customer"
    SYSTEM = "system"
    ROUTER = "router"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The caller: exactly one role, and the customers or sources it stands for."""

    subject: str
    """`iss` and `sub` of the token, length-prefixed: unique over issuers; the scope of idempotency keys."""
    role: Role
    customers: tuple[str, ...] = ()
    """customer ids, sorted; empty unless the role is customer, or router acting for a customer."""
    system: str = ""
    """the name of a surrounding system; empty for every other role."""
    sources: tuple[str, ...] = ()
    """for a surrounding system: the source ids that it may speak for, as the settings say; sorted."""
    changes: tuple[str, ...] = ()
    """for a customer: what the token says that it may change, sorted; of these, `CLAIMABLE` mean something."""
    acts_for: Role | None = None
    """for a router: the role of the user whose request it forwards; None when it speaks for itself."""

    @property
    def effective(self) -> Role:
        """The role that decides what is read: a router acts with its user's."""
        return self.acts_for or self.role

    def may(self, change: str) -> bool:
        """Tell whether this caller may make one of the `CLAIMABLE` changes."""
        match self.effective:
            case Role.OPERATOR:
                return True
            case Role.CUSTOMER:
                return change in self.changes and change in CLAIMABLE
            case _:
                return False


class ScopeKind(enum.Enum):
    """What the compiler may know of a caller: it decides the text of a statement."""

    EVERYTHING = "everything"
    CUSTOMERS = "customers"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A kind, and for CUSTOMERS their ids."""

    kind: ScopeKind
    customers: tuple[str, ...] = ()


def scope_of(principal: Principal) -> Scope:
    """Give the slice that a principal may read. Deny by default: a system reads nothing over GraphQL yet."""
    match principal.effective:
        case Role.OPERATOR | Role.ANALYST:
            return Scope(kind=ScopeKind.EVERYTHING)
        case Role.CUSTOMER:
            return Scope(kind=ScopeKind.CUSTOMERS, customers=principal.customers)
        case Role.SYSTEM | Role.ROUTER:
            return Scope(kind=ScopeKind.NOTHING)
        case never:
            assert_never(never)


@functools.cache
def slice_paths(label: str) -> tuple[tuple[Hop, ...], ...]:
    """Give the ways from Customer to a label that stay inside a slice, shortest first; none: customers never see it.

    Derived from `Relationship.inside`, so a new relationship is in the slice, or out of it, by its own row in the model.

    >>> [[hop.type for hop in path] for path in slice_paths("Port")]
    [['SUBSCRIBES_TO', 'ACCESSED_AT'], ['SUBSCRIBES_TO', 'ROUTED_OVER', 'TERMINATES_ON']]
    """
    found: list[tuple[Hop, ...]] = []
    frontier: list[tuple[Hop, ...]] = [()]
    while frontier:
        path = frontier.pop(0)
        here = path[-1].label if path else "Customer"
        if here == label:
            found.append(path)
            continue
        seen = {"Customer", *(hop.label for hop in path)}
        frontier += [(*path, hop) for hop in _steps_inside(here) if hop.label not in seen]
    return tuple(found)


def _steps_inside(label: str) -> list[Hop]:
    steps = []
    for each in RELATIONSHIPS.values():
        if each.inside is Inside.FORWARD and label in each.starts:
            steps += [Hop(type=each.type, reverse=False, label=end) for end in each.ends]
        if each.inside is Inside.REVERSE and label in each.ends:
            steps += [Hop(type=each.type, reverse=True, label=start) for start in each.starts]
    return steps


@functools.cache
def is_exclusive(label: str) -> bool:
    """Tell whether a node of a label is in the slice of one customer at most, by the cardinalities of the model.

    >>> is_exclusive("Service"), is_exclusive("Trunk")
    (True, False)
    """
    paths = slice_paths(label)
    return bool(paths) and all(_has_one_origin(hop) for path in paths for hop in path)


def _has_one_origin(hop: Hop) -> bool:
    known = RELATIONSHIPS[hop.type]
    return known.one_end if hop.reverse else known.one_start


@functools.cache
def is_shared(label: str) -> bool:
    """Tell whether several customers may see a node of a label, so that what is found around it depends on all of them.

    >>> is_shared("Trunk"), is_shared("Service"), is_shared("Event"), is_shared("Lead")
    (True, False, False, False)
    """
    return bool(slice_paths(label)) and not is_exclusive(label) and label not in _WHOLE_HISTORY
