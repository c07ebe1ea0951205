"""A customer who boosts a service again and again needs a larger contract: sales hears of it once, with the evidence.

A rule of the policy says how many boosts within how many days make a lead. Boosts count that the network has confirmed. There is one
lead for a service and a reason: no other one is opened until sales has decided it and as many days have passed since.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

import orjson
import uuid_utils

from graph.changes.bandwidth.boosts import Service
from graph.changes.bandwidth.policy import BandwidthPolicy, LeadRule
from graph.changes.events import Event, append
from graph.ledger.outbox import Told, write_down
from graph.model.model import LABELS
from graph.store.boost_marks import key_of
from graph.store.store import Transaction

DECIDED: Final = ("accepted", "rejected", "cancelled")
_DAY_MS: Final = 86_400_000
_SHOWN: Final = 20
"""boosts that are named as evidence."""

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


async def open_leads(transaction: Transaction, policy: BandwidthPolicy, service: Service, *, subject: str) -> None:
    """Open a lead for each rule that the boosts of a service fulfil, unless there is one; the service is locked."""
    for rule in policy.leads:
        since = service.now - rule.days * _DAY_MS
        key = f"{service.id}:{rule.reason}"
        span = {"from": key_of(service.id, since), "to": key_of(service.id, service.now)}
        given = {**span, "most": max(rule.boosts, _SHOWN)}
        found = cast("list[tuple[str, int, int, int]]", await transaction.run(_COUNT, given))
        if len(found) < rule.boosts or not service.customer.id:
            continue
        if await transaction.run(_KNOWN, {"key": key, "since": since, "decided": list(DECIDED)}):
            continue
        _open(transaction, policy, service, rule, _evidence(rule, found), subject=subject)


def _evidence(rule: LeadRule, found: Sequence[tuple[str, int, int, int]]) -> list[object]:
    boosts: list[object] = [
        {"boost": boost, "mbps": mbps, "startAt": start, "endAt": end} for boost, mbps, start, end in found[:_SHOWN]
    ]
    return [f"{len(found)} boosts in {rule.days} days", *boosts]


def _open(  # what a lead is made of
    transaction: Transaction,
    policy: BandwidthPolicy,
    service: Service,
    rule: LeadRule,
    evidence: list[object],
    *,
    subject: str,
) -> None:
    lead, customer = f"{LABELS['Lead'].id_prefix}{uuid_utils.uuid7()}", service.customer
    made: dict[str, Any] = {
        "id": lead,
        "service": service.id,
        "customer": customer.id,
        "reason": rule.reason,
        "now": service.now,
        "key": f"{service.id}:{rule.reason}",
        "evidence": orjson.dumps(evidence).decode(),
    }
    transaction.later(_MAKE, made)
    event = Event(
        type="LeadOpened",
        aggregate_id=lead,
        aggregate_version=1,
        at=service.now,
        principal=subject,
        payload={"lead": lead, "reason": rule.reason, "service": service.id, "customer": customer.id},
        customers=(),
    )
    append(transaction, event)
    if policy.sales:
        said = {
            "telling": "lead",
            "id": lead,
            "reason": rule.reason,
            "evidence": evidence,
            "customer": {"id": customer.id, "name": customer.name},
            "service": {"id": service.id, "name": service.name},
            "at": service.now,
        }
        told = Told(event=event.id, system=policy.sales, subject=lead, order_key=lead, payload=said)
        write_down(transaction, [told])
