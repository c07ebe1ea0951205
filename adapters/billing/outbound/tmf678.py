"""Bills are billing's alone: they are read there (TMF678 v4), for many accounts at once, and nothing of them is kept here.

A system may ignore what it was asked for, so each bill is looked at for whose it is; one that is of somebody who was not
asked for spoils the whole answer, since the next may be wrong too. One of which nobody can say whose it is, is passed over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from adapters.billing import Bill, Rate, Read
from adapters.billing.outbound.tmf678_resource import FIELDS, RATE_FIELDS, bill_of, rate_of
from adapters.errors import Nonsense
from adapters.passed_over import PassedOver, known_as
from adapters.tmf.tmf630 import quote_value
from adapters.tmf_client.client import TmfClient
from adapters.transport.transport import Transport

BASE: Final = ("tmf-api", "customerBillManagement", "v4")
BILL: Final = "customerBill"
RATE: Final = "appliedCustomerBillingRate"
CHUNK: Final = 50
"""How many accounts, or bills, are asked about at once."""
_PAGE: Final = 100


class Tmf678:
    """`adapters.billing.Bills` over a transport whose address is what `/tmf-api` is below."""

    def __init__(self, transport: Transport, passed_over: PassedOver | None = None) -> None:
        self._client = TmfClient(transport)
        self._passed_over = passed_over or PassedOver(transport.name)

    async def bills(self, accounts: Sequence[str], *, deadline: float) -> Mapping[str, Sequence[Bill]]:
        """GET them, some accounts at a time."""
        found = defaultdict[str, list[Bill]](list)
        for where, each, asked in await self._all(BILL, "billingAccount.id", accounts, FIELDS, deadline):
            try:
                bill = bill_of(each, where)
            except Nonsense as nonsense:  # of this bill, which costs the others nothing
                self._passed_over.note(known_as(each, where), str(nonsense))
                continue
            self._check(bill.account, asked, f"{where}.billingAccount.id")
            found[bill.account].append(bill)
        return {account: sorted(bills, key=_latest_first) for account, bills in found.items()}

    async def rates(self, bills: Sequence[str], *, deadline: float) -> Mapping[str, Sequence[Rate]]:
        """GET them, some bills at a time."""
        found = defaultdict[str, list[Rate]](list)
        for where, each, asked in await self._all(RATE, "bill.id", bills, RATE_FIELDS, deadline):
            try:
                rate = rate_of(each, where)
            except Nonsense as nonsense:
                self._passed_over.note(known_as(each, where), str(nonsense))
                continue
            self._check(rate.bill, asked, f"{where}.bill.id")
            found[rate.bill].append(rate)
        return {bill: sorted(rates, key=lambda each: (_moment(each.at), each.id)) for bill, rates in found.items()}

    async def _all(
        self, resource: str, attribute: str, values: Sequence[str], fields: Sequence[str], deadline: float
    ) -> list[tuple[str, object, Sequence[str]]]:
        """Give what has one of these values, each with its place in the list and with what was asked for."""
        wanted = list(dict.fromkeys(values))
        found: list[tuple[str, object, Sequence[str]]] = []
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            query = ((attribute, ",".join(map(quote_value, chunk))), ("fields", ",".join(fields)))
            items = await self._client.listed((*BASE, resource), query, size=_PAGE, deadline=deadline)
            found += [(where, each, chunk) for where, each in items]
        return found

    def _check(self, whose: str, asked: Sequence[str], where: str) -> None:
        if whose not in asked:
            raise Nonsense(f"{self._client.name} answered what is of nobody who was asked for", where=where)


def _latest_first(bill: Bill) -> tuple[int, str]:
    return -_moment(bill.dated_at), bill.id


def _moment(at: Read[int]) -> int:
    """Give a time to sort by; one that is not there, or cannot be read, is the first."""
    return at if isinstance(at, int) else 0
