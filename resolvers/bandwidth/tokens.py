"""A quote is stored nowhere: what it promises is in its id, sealed, so that nobody can make or change one.

The id is encrypted deterministically (AES-SIV, as cursors are, and with their key), so that every process opens what another has
sealed. It is authenticated with the principal it was made for: another's opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from graph.changes.bandwidth.offers import Slot
from graph.compiler.cursor import CursorKey
from graph.errors import Refused

_VERSION: Final = "quote 1"
_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedQuote:
    """What a quote promises. Times are epoch milliseconds UTC."""

    service: str
    mbps: int
    start: int | None
    """None: when it is booked."""
    length: int
    """in milliseconds."""
    price: int
    """in minor units of the currency."""
    currency: str
    tier: str | None
    """of the contract, by whose tariff it is priced."""
    firm_until: int


class QuoteTokens:
    """Seals and opens quotes."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        """Take the key of cursors."""
        self._key = CursorKey(key)

    def seal(self, service: str, slot: Slot, tier: str | None, *, firm_until: int, subject: str) -> str:
        """Make the id of a quote for a principal."""
        start = slot.start
        length = slot.end - slot.begins
        promised = [service, slot.mbps, start, length, slot.price.minor, slot.price.currency, tier, firm_until]
        return self._key.seal(promised, _context(subject))

    def open(self, text: str, subject: str) -> SealedQuote | None:
        """Read an id; None for one that was not made here for this principal."""
        if len(text) > _LONGEST:
            return None
        try:
            values = self._key.open(text, _context(subject))
        except Refused:
            return None
        service, mbps, start, length, price, currency, tier, firm_until = values
        return SealedQuote(
            service=service,
            mbps=mbps,
            start=start,
            length=length,
            price=price,
            currency=currency,
            tier=tier,
            firm_until=firm_until,
        )


def _context(subject: str) -> str:
    return f"{_VERSION} {subject}"
