"""Who is calling, and what part of the graph that lets them see.

`Principal` is made once per request by the gateway's authentication. `scope_of` turns it into the `Scope` without which
no read can be compiled. The compiler knows only the *kind* of scope (it is part of the cache key); the customer ids
travel as the parameter `$scope`, so that all customers share one statement text.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import assert_never


class Role(enum.Enum):
    """What a token may be; `roles` claim, system as `system:<name>`."""

    OPERATOR = "operator"
    ANALYST = "analyst"
    CUSTOMER = "customer"
    SYSTEM = "system"
    ROUTER = "router"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The caller: exactly one role, the customers it stands for, and the system's name or source ids."""

    subject: str
    """`iss` and `sub` of the token, length-prefixed: unique over issuers; the scope of idempotency keys."""
    role: Role
    customers: tuple[str, ...] = ()
    """customer ids, sorted; empty unless the role is customer, or router acting for a customer."""
    system: str = ""
    acts_for: Role | None = None
    """for a router: the role of the user whose request it forwards; None when it speaks for itself."""

    @property
    def effective(self) -> Role:
        """The role that decides what is read: a router acts with its user's."""
        return self.acts_for or self.role


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
