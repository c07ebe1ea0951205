"""A merge is undone only where nobody is left with a half: what is open, and came since, may not be about both customers' things.

A ticket that was opened after the merge stays with the one customer, and may be about a service that goes back to the other: its
customer could not see it, and it would never be resolved. So it is first to be closed; and so is an order carried out, or cancelled.
"""

from __future__ import annotations

from typing import Final

from graph.changes.customers.moving import trail_ends
from graph.model.vocabulary import ORDER_STATES, TICKET_STATES
from graph.store.store import Transaction

# As those say who decide of them (graph/changes/tickets, graph/changes/orders), which stand above this; a test holds them together.
_OVER_TICKETS: Final = ("rejected", "cancelled", "closed")
_OVER_ORDERS: Final = ("rejected", "cancelled", "completed", "failed", "partial")
OPEN_TICKETS: Final = tuple(each for each in TICKET_STATES if each not in _OVER_TICKETS)
"""A resolved one may be opened again."""
OPEN_ORDERS: Final = tuple(each for each in ORDER_STATES if each not in _OVER_ORDERS)
_SHOWN: Final = 3

_TICKETS: Final = f"""
MATCH (c:Customer {{id: $into}})<-[r:OPENED_FOR]-(t:Ticket)-[:CONCERNS]->(:Service)<-[s:SUBSCRIBES_TO]-(c)
WHERE t.status IN $open AND coalesce({trail_ends("r")}, false) <> coalesce({trail_ends("s")}, false)
RETURN DISTINCT t.id ORDER BY t.id LIMIT $most
"""
_ORDERS: Final = f"""
MATCH (c:Customer {{id: $into}})<-[r:PLACED_BY]-(o:Order)-[:HAS_ITEM]->(:OrderItem)-[:PROVISIONS]->(:Service)<-[s:SUBSCRIBES_TO]-(c)
WHERE o.state IN $open AND coalesce({trail_ends("r")}, false) <> coalesce({trail_ends("s")}, false)
RETURN DISTINCT o.id ORDER BY o.id LIMIT $most
"""


async def hindrance(transaction: Transaction, stub: str, into: str) -> str | None:
    """Say why what was merged into a customer cannot be parted from it now; None: it can."""
    given = {"from": stub, "into": into, "most": _SHOWN}
    tickets = [str(row[0]) for row in await transaction.run(_TICKETS, {**given, "open": list(OPEN_TICKETS)})]
    if tickets:
        return f"Open tickets are about services of both customers: close {', '.join(tickets)} first"
    orders = [str(row[0]) for row in await transaction.run(_ORDERS, {**given, "open": list(OPEN_ORDERS)})]
    if orders:
        return f"Orders under way are about services of both customers: end {', '.join(orders)} first"
    return None
