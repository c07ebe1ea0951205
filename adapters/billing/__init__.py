"""Billing: who must know what a service has carried and for how long it suffered, and who alone knows what it costs.

Billing systems differ in protocol, and what is owed to them is the same: each record of usage and each interval of downtime
once, under our id, with the account that pays. `Billing` says that much; each dialect says it to one kind of system. What
customers are billed is only read there (`Bills`), and so may be what is charged for bandwidth (`Prices`).

In: a `Record`, what billing should have. Out: the other system's name for it; `Bill`s and `Rate`s; a `PricedOffering`; or an
`adapters.errors.AdapterError`.

Files, in order of flow: `telling.py` (a delivery becomes a record there) · this one (what every dialect does) · `outbound/`
(the dialects) · `tmf635_resource.py` (TMF635's usage and TMF656's problem: what we write into them, what we believe of
them) · `ipdr_names.py` (the two namespaces of IPDR) · `inbound/` (what meters and mediation systems call on us).

Invariants
1. A record bears our id there from its first moment on. Whoever does not know whether it was heard looks for the id before
   telling again, or puts it where it already is: the other system is not trusted to notice.
2. No method tries twice. When and whether to ask again is the ledger's business.
3. An answer that is not about the record or the account that was asked for is `Nonsense`, never believed.

Telling what may be there already:

    await billing.tell(record, again=True, delivery_id="event-9:billing:service-3", deadline=soon)    # "USG-00000017"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol, TypeAlias, TypeVar

from adapters.errors import Nonsense
from graph.capacity.tariff import Tier
from graph.model.vocabulary import EFFECTS, USAGE_STATES

BILL_STATES: Final = ("new", "onHold", "validated", "sent", "settled", "partiallyPaid")
"""of a bill, in the words of TMF678."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRef:
    """Of which service something is."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRef:
    """Whose a service is."""

    id: str
    name: str
    account: str
    """what billing knows the customer by; empty where it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord:
    """What a service has carried in an interval. Times are epoch milliseconds UTC."""

    id: str
    """ours, and so their external id."""
    source: str
    external_id: str
    """the source's own."""
    service: ServiceRef
    customer: CustomerRef | None
    start: int
    end: int
    octets: int | None
    """None where nobody has counted them: what is charged is the rate, as of a boost."""
    mbps: int
    kind: str
    state: str
    """one of `graph.model.vocabulary.USAGE_STATES`."""
    is_changed: bool = False
    """whether it was told before, and has another state now."""

    def __post_init__(self) -> None:
        if self.state not in USAGE_STATES:
            raise ValueError(f"{self.state!r} is no state of usage")


@dataclass(frozen=True, slots=True, kw_only=True)
class DowntimeRecord:
    """For how long a service suffered, and what it was promised. Times are epoch milliseconds UTC."""

    id: str
    """ours, and so their external id."""
    service: ServiceRef
    customer: CustomerRef | None
    effect: str
    """one of `graph.model.vocabulary.EFFECTS`."""
    start: int
    end: int | None
    """None while it lasts."""
    alarms: tuple[str, ...]
    target: float | None
    """the availability in percent that the contract promises; None where there is no contract."""

    def __post_init__(self) -> None:
        if self.effect not in EFFECTS:
            raise ValueError(f"{self.effect!r} is no effect")


Record: TypeAlias = UsageRecord | DowntimeRecord


T = TypeVar("T")
Read: TypeAlias = T | Nonsense | None
"""What was read of one value: it, why it cannot be read, or None where nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount of a currency (ISO 4217), exactly as billing has it: a rate may be less than a cent."""

    value: Decimal
    currency: str
    digits: int
    """of the currency's smallest unit behind the point: 2 for cents."""

    @property
    def minor(self) -> int | None:
        """The amount in the currency's smallest unit, such as cents; None where that is no whole number."""
        scaled = self.value.scaleb(self.digits)
        return int(scaled) if scaled == scaled.to_integral_value() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What an account is to pay, by billing's own account of it. Times are epoch milliseconds UTC.

    Whose it is, is sure; any other value may be one that cannot be read, and costs the rest nothing.
    """

    id: str
    """billing's own."""
    account: str
    number: Read[str]
    state: Read[str]
    """one of `BILL_STATES`."""
    dated_at: Read[int]
    due_at: Read[int]
    start: Read[int]
    end: Read[int]
    """the period that is billed."""
    amount_due: Read[Money]
    remaining: Read[Money]
    tax_excluded: Read[Money]
    tax_included: Read[Money]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What a bill is made of; each value by itself, as in a bill."""

    id: str
    bill: str
    name: Read[str]
    kind: Read[str]
    at: Read[int]
    start: Read[int]
    end: Read[int]
    tax_excluded: Read[Money]
    tax_included: Read[Money]


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedOffering:
    """What a product offering charges for bandwidth, by ascending rate."""

    currency: str
    tiers: tuple[Tier, ...]
    """none: it is not sold."""
    until: int | None
    """when that changes, as far as the catalog says: epoch milliseconds UTC."""


class Billing(Protocol):
    """One billing system that is told. Every method raises `AdapterError` and nothing else of its own."""

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now. Until then each one is Unreachable."""
        ...

    async def tell(self, record: Record, *, again: bool, delivery_id: str, deadline: float) -> str:
        """See to it that billing has this record as it says, once; gives what it is called there.

        With `again` it may have been heard of before: look first.
        """
        ...


class Bills(Protocol):
    """Who knows what is billed. Every method raises `AdapterError` and nothing else of its own."""

    async def bills(self, accounts: Sequence[str], *, deadline: float) -> Mapping[str, Sequence[Bill]]:
        """Give the bills of those accounts that have any, the latest first; one that is nobody's is passed over."""
        ...

    async def rates(self, bills: Sequence[str], *, deadline: float) -> Mapping[str, Sequence[Rate]]:
        """Give what those bills are made of, by bill; in the order of their times."""
        ...


class Prices(Protocol):
    """Who knows what is charged. The method raises `AdapterError` and nothing else of its own."""

    async def priced(self, offering: str, *, step_mbps: int, at: int, deadline: float) -> PricedOffering:
        """Give the prices of a product offering at an instant (epoch milliseconds UTC), for rates that are multiples of a step."""
        ...
