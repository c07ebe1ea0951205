"""Sales: who is told that a customer may want more, and decides what to do about it.

Such systems differ in protocol, and what is owed to them is the same: one lead for each of ours, under our id, with the evidence, and
without a second one when an answer was lost. What becomes of it is theirs, and is read back. `Sales` says that much; each dialect
says it to one kind of system.

In: a `LeadOrder`, what is suggested and why. Out: a `TheirLead`, what sales calls it and its state; or an
`adapters.errors.AdapterError`.

Files, in order of flow: `delivery_handler.py` (a delivery becomes a lead there; what became of leads is looked at) · this one (what every
dialect does) · `outbound/` (the dialects).

Invariants
1. A lead bears our id there from its first moment on. Whoever does not know whether it was heard looks for the id first.
2. What sales makes of a lead is never changed by us.
3. No method tries twice. When and whether to ask again is the ledger's business.

Example:
    their = await sales.tell(order, again=True, delivery_id="event-9:sales:lead-3", deadline=soon)
    their.id, their.state        # "LEAD-00000017", "acknowledged"
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

US: Final = "trunkline"
"""How we call ourselves: the owner of our ids there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A service, or a customer."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadOrder:
    """What sales should know. Times are epoch milliseconds UTC."""

    id: str
    """ours, and so their external id."""
    reason: str
    """why it is suggested, in a word."""
    evidence: tuple[str, ...]
    """what has happened, a sentence each."""
    service: Named
    customer: Named | None
    at: int
    """when it was found."""
    until: int
    """from when on it is of no use any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TheirLead:
    """What sales has of a lead of ours."""

    id: str
    """theirs."""
    ours: str
    """our id."""
    state: str | None
    """one of `graph.model.vocabulary.LEAD_STATES`; None: their word is none of these, or they say none."""


class Sales(Protocol):
    """One sales system. Every method raises `AdapterError` and nothing else of its own."""

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now. Until then each one is Unreachable."""
        ...

    async def tell(self, order: LeadOrder, *, again: bool, delivery_id: str, deadline: float) -> TheirLead:
        """See to it that sales has this lead, once. With `again` it may have been heard of before: look first."""
        ...

    async def leads(self, ours: Sequence[str], *, deadline: float) -> Sequence[TheirLead]:
        """Give what they have of leads of ours, by our ids; one that is gone there is left out."""
        ...
