"""Billing hears what services have carried and for how long they suffered; what it bills is read beside the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.commands.demo.neighbours import METER
from gateway.commands.demo.scene import Scene

_ACCOUNT: Final = """
query Account($id: ID!) { customer(id: $id) { name accountRef services(first: 1) { nodes { id name } } } }
"""
_USAGE: Final = "/tmf-api/usageManagement/v4/usage"
_PROBLEMS: Final = "/tmf-api/serviceProblemManagement/v4/serviceProblem"
_BILL: Final = {
    "billNo": "2026-01-0042",
    "billDate": "2026-02-01T00:00:00Z",
    "state": "sent",
    "amountDue": {"unit": "EUR", "value": 4711.5},
    "paymentDueDate": "2026-02-15T00:00:00Z",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """What billing has heard."""

    usage: Mapping[str, Any]
    """the record of usage as billing shows it."""
    service: str
    customer: str
    downtime: Sequence[Mapping[str, Any]]
    """the problems of services that suffered, as billing shows them."""


async def make_bill(scene: Scene) -> None:
    """Let billing bill the PREMIUM customer, as it does each month."""
    customer = await _customer(scene)
    body = {"account": customer["accountRef"], "bill": _BILL}
    await scene.call("POST", f"{scene.neighbours.billing}/simulator/bills", body)


async def look(scene: Scene) -> Invoice:
    """Let a meter tell what a service has carried; look what billing has of that, and of the time without service."""
    customer = await _customer(scene)
    service = customer["services"]["nodes"][0]
    told = await scene.call("POST", f"{scene.base}{_USAGE}", _measured(service["id"], scene.seed), by=METER)
    billing = scene.neighbours.billing
    url = f"{billing}{_USAGE}?usageCharacteristic.value={told['id']}"
    found = await scene.until(url, bool, "Billing was not told of the usage")
    downtime = await scene.until(
        f"{billing}{_PROBLEMS}?limit=1000", _all_over, "Billing was not told that all services are well again"
    )
    return Invoice(usage=found[0], service=service["name"], customer=customer["name"], downtime=downtime)


def as_text(invoice: Invoice) -> str:
    """Tell it."""
    said = _named(invoice.usage["usageCharacteristic"])
    party = invoice.usage["relatedParty"][0]["name"]
    downtime = [_named(each["characteristic"]) for each in invoice.downtime]
    down = [each for each in downtime if each["effect"] == "down"]
    return (
        f"A meter has measured {int(said['octets']) / 1e9:.0f} GB on {invoice.service}. Billing has the record, for {party},\n"
        f"  and the {len(invoice.downtime)} intervals in which services suffered, {len(down)} of them down, "
        f"with what was promised: {_promised(down)}."
    )


def _promised(down: Sequence[Mapping[str, Any]]) -> str:
    """List the availabilities in the contracts of these services, the highest first; there may be no contract."""
    percents = sorted({each["availabilityPercent"] for each in down if "availabilityPercent" in each}, reverse=True)
    return f"{', '.join(map(str, percents))} %" if percents else "nothing"


def as_object(invoice: Invoice) -> dict[str, Any]:
    """Give it for programs."""
    return {"usage": dict(invoice.usage), "downtime": [dict(each) for each in invoice.downtime]}


async def _customer(scene: Scene) -> Any:
    (customer,) = scene.premium.customers
    return (await scene.ask(_ACCOUNT, id=customer))["customer"]


def _measured(service: str, number: int) -> dict[str, object]:
    """Say what a meter says: TMF635 usage."""
    values = {
        "externalId": f"CDR-{number:08d}",
        "service": service,
        "startDateTime": "2026-01-31T22:00:00Z",
        "endDateTime": "2026-01-31T23:00:00Z",
        "octets": "45000000000",
        "mbps": 100,
    }
    return {
        "usageSpecification": {"id": "bandwidthInterval"},
        "usageCharacteristic": [{"name": name, "value": value} for name, value in values.items()],
    }


def _named(characteristics: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {each["name"]: each["value"] for each in characteristics}


def _all_over(problems: Sequence[Mapping[str, Any]]) -> bool:
    return bool(problems) and all("resolutionDate" in each for each in problems)
