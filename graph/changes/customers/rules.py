"""Who may say that two customers are one, and what a refusal is called."""

from __future__ import annotations

from typing import Final

from graph.errors import Refused
from graph.model.scope import Principal, Role

CUSTOMER_NOT_FOUND: Final = "CUSTOMER_NOT_FOUND"
CUSTOMER_MANAGED: Final = "CUSTOMER_MANAGED"
CUSTOMER_MERGED: Final = "CUSTOMER_MERGED"
SAME_CUSTOMER: Final = "SAME_CUSTOMER"
NOT_MERGED: Final = "NOT_MERGED"
TOO_MANY_MOVED: Final = "TOO_MANY_MOVED"
UNDO_HINDERED: Final = "UNDO_HINDERED"
MATCH_NOT_FOUND: Final = "MATCH_NOT_FOUND"
MATCH_SETTLED: Final = "MATCH_SETTLED"


def check_operator(principal: Principal) -> None:
    """Raise Refused for whoever is no operator."""
    if principal.effective is not Role.OPERATOR:
        raise Refused(
            "Only operators say which customers are the same",
            code="FORBIDDEN",
            hint="Ask with a token that has the role operator",
        )
