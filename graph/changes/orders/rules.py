"""Who may do what to orders, what a refusal says, and how an event of an order is made: what all changes of orders share.

Rules. 1. Operators do everything. 2. A system that the settings name places orders, and changes and cancels those that it has placed.
3. A customer places, changes and cancels its own, where its token says so. 4. An order of somebody else is one that is not there.
"""

from __future__ import annotations

from typing import Final

from graph.changes.outcome import Outcome, UserError
from graph.changes.policy import AlarmPolicy, Ordering
from graph.errors import Refused
from graph.model.scope import Principal, Role

ORDER_NOT_FOUND: Final = "ORDER_NOT_FOUND"
ORDER_EXISTS: Final = "ORDER_EXISTS"
ORDER_STATE: Final = "ORDER_STATE"
ITEM_NOT_FOUND: Final = "ITEM_NOT_FOUND"
CUSTOMER_NOT_FOUND: Final = "CUSTOMER_NOT_FOUND"
CUSTOMER_MISSING: Final = "CUSTOMER_MISSING"
SERVICE_NOT_FOUND: Final = "SERVICE_NOT_FOUND"
SERVICE_TERMINATED: Final = "SERVICE_TERMINATED"
DATE_IN_THE_PAST: Final = "DATE_IN_THE_PAST"
TOO_MANY_ITEMS: Final = "TOO_MANY_ITEMS"
TOO_MANY_OPEN: Final = "TOO_MANY_OPEN"
NO_ORDERS: Final = "NO_ORDERS"

OPERATORS: Final = "operator"
CUSTOMERS: Final = "customer"
"""What stands as the system of an order that no system has placed."""

WAITS: Final = "orderWaits"
"""The kind of the task that is open until an order is over."""
LEAVES: Final = "orderCancellation"
"""That of the task that is open while somebody has to say whether an order is cancelled."""
KINDS_OF_TASKS: Final = frozenset({WAITS, LEAVES})

FULFILMENT: Final = "fulfilment"
"""The kind of the timer of an order of which something is carried out by itself (graph/changes/fulfilment): armed wherever it has changed."""


def source_of(principal: Principal) -> str:
    """Give what an order of this caller has as its system."""
    match principal.effective:
        case Role.SYSTEM:
            return principal.system
        case Role.CUSTOMER:
            return CUSTOMERS
        case _:
            return OPERATORS


def check_may(principal: Principal, policy: AlarmPolicy, change: str) -> None:
    """Raise Refused where a caller may not make this change of any order."""
    if principal.effective is Role.SYSTEM:
        if principal.system in (policy.ordering or Ordering()).systems:
            return
        raise Refused(
            f"The system {principal.system} places no orders here",
            code="FORBIDDEN",
            hint="The setting orders.systems names those that do",
        )
    if not principal.may(change):
        raise Refused(
            f"This token may not do {change}",
            code="FORBIDDEN",
            hint="Ask as an operator, or as a customer with a token that names it in its claim `changes`",
        )


def check_operator(principal: Principal) -> None:
    """Raise Refused for whoever is no operator."""
    if principal.effective is not Role.OPERATOR:
        raise Refused(
            "Only operators move orders", code="FORBIDDEN", hint="Ask with a token that has the role operator"
        )


def scope_of(principal: Principal) -> dict[str, object]:
    """Give the parameters by which a statement finds what is the caller's: `everyone`, its `customers`, or its `system`."""
    return {
        "everyone": principal.effective is Role.OPERATOR,
        "customers": list(principal.customers),
        "system": principal.system if principal.effective is Role.SYSTEM else "",
    }


def not_done(message: str, code: str, *path: str) -> Outcome:
    """Give the outcome of what was not done, for one reason."""
    return Outcome(ids={}, user_errors=(UserError(message=message, code=code, path=path),))


def no_order() -> Outcome:
    """Say it also of another's order: whoever may not see it must not learn that it exists."""
    return not_done("There is no such order", ORDER_NOT_FOUND, "orderId")
