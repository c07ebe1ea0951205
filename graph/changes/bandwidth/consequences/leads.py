"""A customer who boosts a service again and again needs a larger contract: sales hears of it once, with the evidence.

A rule of the policy says how many boosts within how many days make a lead. Boosts count that the network has confirmed. How often and
for how long its load is too high are other reasons (crossings.py). There is one lead for a service and a reason: no other one is opened
until sales has decided it and as many days have passed since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
import uuid_utils

from graph.changes.bandwidth.boosts import Service
from graph.changes.bandwidth.policy import AnyLeadRule, BandwidthPolicy, LeadRule
from graph.changes.events import Event, append
from graph.ledger.outbox import Told, write_down
from graph.model.model import LABELS
from graph.store.boost_marks import key_of
from graph.store.store import Transaction

DECIDED: Final = ("accepted", "rejected", "cancelled")
_DAY_MS: Final = 86_400_000
SHOWN: Final = 20
"""boosts, or crossings, that are named as evidence."""

# Under the lock of the service.
_COUNT: Final = """
MATCH (b:Boost) WHERE b.activatedOf >= $from AND b.activatedOf <= $to
RETURN b.id, b.mbps, b.startAt, b.endAt ORDER BY b.activatedOf DESC LIMIT $most
"""
_KNOWN: Final = """
MATCH (l:Lead {key: $key}) WHERE l.at >= $since OR NOT coalesce(l.state, '') IN $decided
RETURN l.id LIMIT 1
"""
_MAKE: Final = """
MATCH (s:Service {id: $service})
MATCH (c:Customer {id: $customer})
CREATE (l:Lead {id: $id, reason: $reason, at: $now, key: $key, evidence: $evidence})
CREATE (l)-[:SUGGESTED_FOR]->(s)
CREATE (l)-[:ABOUT]->(c)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """A service that is locked, and whose it is."""

    id: str
    name: str
    customer: str
    """empty where it is not one customer's: then there is nobody to sell to."""
    customer_name: str
    now: int
    """epoch milliseconds by the database's clock."""


async def open_leads(transaction: Transaction, policy: BandwidthPolicy, service: Service, *, subject: str) -> None:
    """Open a lead for each rule that the boosts of a service fulfil, unless there is one; the service is locked."""
    customer = service.customer
    prospect = Prospect(
        id=service.id, name=service.name, customer=customer.id, customer_name=customer.name, now=service.now
    )
    for rule in (each for each in policy.leads if isinstance(each, LeadRule)):
        span = {"from": key_of(service.id, since(rule, service.now)), "to": key_of(service.id, service.now)}
        given = {**span, "most": max(rule.boosts, SHOWN)}
        found = cast("list[tuple[str, int, int, int]]", await transaction.run(_COUNT, given))
        if len(found) >= rule.boosts:
            await open_lead(transaction, policy, prospect, rule, _evidence(rule, found), subject=subject)


def since(rule: AnyLeadRule, now: int) -> int:
    """Give from when on a rule looks."""
    return now - rule.days * _DAY_MS


async def open_lead(
    transaction: Transaction,
    policy: BandwidthPolicy,
    prospect: Prospect,
    rule: AnyLeadRule,
    evidence: Sequence[object],
    *,
    subject: str,
) -> None:
    """Open a lead for a service and a reason, unless there is one or nobody to sell to; tell sales."""
    given = {"key": f"{prospect.id}:{rule.reason}", "since": since(rule, prospect.now), "decided": list(DECIDED)}
    if prospect.customer and not await transaction.run(_KNOWN, given):
        _open(transaction, policy, prospect, rule, evidence, subject=subject)


def _evidence(rule: LeadRule, found: Sequence[tuple[str, int, int, int]]) -> list[object]:
    boosts: list[object] = [
        {"boost": boost, "mbps": mbps, "startAt": start, "endAt": end} for boost, mbps, start, end in found[:SHOWN]
    ]
    return [f"{len(found)} boosts in {rule.days} days", *boosts]


def _open(
    transaction: Transaction,
    policy: BandwidthPolicy,
    prospect: Prospect,
    rule: AnyLeadRule,
    evidence: Sequence[object],
    *,
    subject: str,
) -> None:
    lead = f"{LABELS['Lead'].id_prefix}{uuid_utils.uuid7()}"
    made: dict[str, Any] = {
        "id": lead,
        "service": prospect.id,
        "customer": prospect.customer,
        "reason": rule.reason,
        "now": prospect.now,
        "key": f"{prospect.id}:{rule.reason}",
        "evidence": orjson.dumps(evidence).decode(),
    }
    transaction.later(_MAKE, made)
    event = Event(
        type="LeadOpened",
        aggregate_id=lead,
        aggregate_version=1,
        at=prospect.now,
        principal=subject,
        payload={"lead": lead, "reason": rule.reason, "service": prospect.id, "customer": prospect.customer},
        customers=(),
    )
    append(transaction, event)
    if policy.sales:
        said = {
            "telling": "lead",
            "id": lead,
            "reason": rule.reason,
            "evidence": evidence,
            "customer": {"id": prospect.customer, "name": prospect.customer_name},
            "service": {"id": prospect.id, "name": prospect.name},
            "at": prospect.now,
        }
        told = Told(event=event.id, system=policy.sales, subject=lead, order_key=lead, payload=said)
        write_down(transaction, [told])
