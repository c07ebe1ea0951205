"""Every dialect of billing, each with a stand-in that it speaks to, and what that stand-in holds, in words of no dialect."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from lxml import etree
from pydantic import SecretStr

from adapters.billing import Billing, CustomerRef, DowntimeRecord, ServiceRef, UsageRecord
from adapters.billing.ipdr_names import OURS
from adapters.billing.outbound.ipdr import Ipdr
from adapters.billing.outbound.places import Address, Directory
from adapters.billing.outbound.tmf635 import Tmf635
from adapters.simulator.billing.billing import BillingSystem, serving
from adapters.simulator.billing.records import PROBLEM, USAGE
from adapters.tmf.tmf630 import read_time
from adapters.transport.transport import System, opened
from tests.adapters.billing.ipdr import complaints
from tests.adapters.schema import REFERENCE, published

AT = 1_700_000_000_123
HOUR = 3_600_000
ADA = CustomerRef(id="customer-1", name='Ada & <Sons> "Ltd"', account="acc-1")
NAMES = ("tmf635", "ipdr", "spool")


def usage(number: int = 1, **more: Any) -> UsageRecord:
    given: dict[str, Any] = {
        "id": f"usage-{number}",
        "source": "meter",
        "external_id": f"U,{number} 'a' <b>",
        "service": ServiceRef(id="service-1", name="Leitung <1> & 2"),
        "customer": ADA,
        "start": AT,
        "end": AT + HOUR,
        "octets": 2**63 - number,
        "mbps": 100,
        "kind": "boost",
        "state": "rated",
    }
    return UsageRecord(**{**given, **more})


def downtime(number: int = 1, *, end: int | None = None, **more: Any) -> DowntimeRecord:
    given: dict[str, Any] = {
        "id": f"downtime-{number}",
        "service": ServiceRef(id="service-1", name="Leitung <1> & 2"),
        "customer": ADA,
        "effect": "down",
        "start": AT,
        "end": end,
        "alarms": ("alarm-1", "alarm-2"),
        "target": 99.99995,
    }
    return DowntimeRecord(**{**given, **more})


def facts(record: UsageRecord | DowntimeRecord) -> dict[str, Any]:
    """What of a record every dialect must carry."""
    customer = record.customer
    same = {
        "id": record.id,
        "service": record.service.id,
        "customer": customer.id if customer else None,
        "account": (customer.account or None) if customer else None,
        "start": record.start,
        "end": record.end,
    }
    if isinstance(record, UsageRecord):
        more = {"octets": record.octets, "mbps": record.mbps, "kind": record.kind, "state": record.state}
        return {**same, **more, "source": record.source}
    target = record.target
    return {**same, "effect": record.effect, "alarms": list(record.alarms), "target": target}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A dialect, and what its stand-in has been told."""

    billing: Billing
    held: Callable[[], list[dict[str, Any]]]
    system: BillingSystem | None
    """None for what is told without HTTP."""


@asynccontextmanager
async def dialect(
    name: str, path: Path, *, failures: int = 100, bearer: SecretStr | None = None
) -> AsyncIterator[Told]:
    if name == "spool":
        await asyncio.to_thread(path.mkdir, exist_ok=True)
        yield Told(billing=Ipdr(Directory(path)), held=lambda: _documents(_files(path)), system=None)
        return
    async with serving(bearer=bearer) as system:
        address = system.address if name == "tmf635" else system.documents
        async with opened(System(name="billing", address=address, failures=failures)) as transport:
            if name == "tmf635":
                yield Told(billing=Tmf635(transport), held=lambda: _resources(system), system=system)
            else:
                held = system.records.documents
                yield Told(billing=Ipdr(Address(transport)), held=lambda: _documents(held), system=system)


def _files(path: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in sorted(path.iterdir())}


def _documents(documents: dict[str, bytes]) -> list[dict[str, Any]]:
    return [_of_document(name, body) for name, body in documents.items()]


def _of_document(name: str, body: bytes) -> dict[str, Any]:
    _of_the_standard(complaints, body)
    root = etree.fromstring(body)
    [record, _] = root
    told: dict[str, Any] = {"alarm": []}
    for each in record.iterchildren(f"{{{OURS}}}*"):
        tag = etree.QName(each).localname
        if tag == "alarm":
            told["alarm"].append(each.text)
        else:
            told[tag] = each.text
    end = read_time(told["endTime"], "endTime") if "endTime" in told else None
    same = {
        "id": told.get("usageId") or told.get("outageId"),
        "service": told["service"],
        "customer": told.get("customer"),
        "account": told.get("account"),
        "start": read_time(told["startTime"], "startTime"),
        "end": end,
    }
    assert name == f"{same['id']}.xml"
    UUID(root.get("docId"))
    if "usageId" in told:
        octets = int(told["octets"]) if "octets" in told else None
        more = {"octets": octets, "mbps": int(told["mbps"]), "kind": told["kind"], "state": told["state"]}
        return {**same, **more, "source": told["source"]}
    target = float(told["availabilityPercent"]) if "availabilityPercent" in told else None
    return {**same, "effect": told["effect"], "alarms": told["alarm"], "target": target}


def _resources(system: BillingSystem) -> list[dict[str, Any]]:
    usages = [_of_usage(each) for each in system.records.all(USAGE)]
    return usages + [_of_problem(each) for each in system.records.all(PROBLEM)]


def _of_usage(told: dict[str, Any]) -> dict[str, Any]:
    _of_the_standard(lambda value: [*published("Usage", 635).iter_errors(value)], told)
    named = {each["name"]: each["value"] for each in told["usageCharacteristic"]}
    return {
        "id": named["externalId"],
        "service": named["service"],
        **_parties(told.get("relatedParty", [])),
        "start": read_time(named["startDateTime"], "start"),
        "end": read_time(named["endDateTime"], "end"),
        "octets": int(named["octets"]) if "octets" in named else None,
        "mbps": named["mbps"],
        "kind": told["usageType"],
        "state": told["status"],
        "source": named["sourceSystemId"],
    }


def _of_problem(told: dict[str, Any]) -> dict[str, Any]:
    _of_the_standard(lambda value: [*published("ServiceProblem", 656).iter_errors(value)], told)
    said = {each["name"]: each["value"] for each in told["characteristic"]}
    assert (told["status"] == "resolved") == ("resolutionDate" in told)
    return {
        "id": told["externalIdentifier"][0]["id"],
        "service": told["affectedService"][0]["id"],
        **_parties(told.get("relatedParty", [])),
        "start": read_time(told["creationDate"], "start"),
        "end": read_time(told["resolutionDate"], "end") if "resolutionDate" in told else None,
        "effect": said["effect"],
        "alarms": [each["id"] for each in told["underlyingAlarm"]],
        "target": said.get("availabilityPercent"),
    }


def _parties(parties: list[dict[str, Any]]) -> dict[str, Any]:
    by_kind = {each["@referredType"]: each["id"] for each in parties}
    return {"customer": by_kind.get("Customer"), "account": by_kind.get("BillingAccount")}


def _of_the_standard(complain: Callable[[Any], list[Any]], value: Any) -> None:
    """Look into the published schema, where it is at hand; the tests that need it say so by themselves."""
    if os.environ.get(REFERENCE):
        assert complain(value) == []
