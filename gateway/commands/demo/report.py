"""A customer reports a problem by itself, and sees what the people of the ticketing system answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.commands.demo.scene import Scene, soon
from gateway.commands.demo.story import own_word
from gateway.errors import CommandFailed

BY: Final = "premium"
ANSWER: Final = "We measure it now."
_SERVICES: Final = "{ customers(first: 1) { nodes { name } } services(first: 1) { nodes { id name } } }"
_REPORT: Final = """
mutation Report($id: ID!, $problem: String!, $key: String!) {
  reportProblem(serviceId: $id, description: $problem, idempotencyKey: $key) { ticket { id } userErrors { message } }
}
"""
_TICKET: Final = "query Ticket($id: ID!) { ticket(id: $id) { externalId status notes { author text } } }"
_STEP: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of it."""

    customer: str
    service: str
    ticket: Mapping[str, Any]
    """as the customer sees it at last."""


async def look(scene: Scene) -> Report:
    """Report a problem as a customer; answer in the ticketing system; wait until the customer sees the answer."""
    found = await scene.ask(_SERVICES, by=BY)
    [customer], [service] = found["customers"]["nodes"], found["services"]["nodes"]
    given = {"id": service["id"], "problem": "It is slow since noon.", "key": f"demo-report-{scene.seed}"}
    made = (await scene.ask(_REPORT, by=BY, **given))["reportProblem"]
    if errors := made["userErrors"]:
        raise CommandFailed("The problem could not be reported.", errors[0]["message"])
    known = await _ticket(scene, made["ticket"]["id"], "externalId")
    url = f"{scene.neighbours.ticketing}/troubleTicket/{known['externalId']}"
    answer = {"status": "inProgress", "note": [{"author": "the desk", "text": ANSWER}]}
    await scene.call("PATCH", url, answer)
    ticket = await _ticket(scene, made["ticket"]["id"], "notes")
    return Report(customer=customer["name"], service=service["name"], ticket=ticket)


async def _ticket(scene: Scene, ticket_id: str, wanted: str) -> Mapping[str, Any]:
    """Ask for a ticket, as the customer, until it has what is wanted, and its status is the ticketing system's."""
    end = soon()
    while time.monotonic() < end:
        ticket: Mapping[str, Any] = (await scene.ask(_TICKET, by=BY, id=ticket_id))["ticket"]
        if ticket[wanted] and (wanted != "notes" or ticket["status"] == "IN_PROGRESS"):
            return ticket
        await asyncio.sleep(_STEP)
    raise CommandFailed("The customer does not see what became of its ticket.", "Look at `trunkline ledger`.")


def as_text(report: Report) -> str:
    """Tell it."""
    note, known = report.ticket["notes"][-1], report.ticket["externalId"]
    return (
        f"{report.customer} reports by itself that {report.service} is slow. The ticketing system has {known},\n"
        f'  and {report.customer} reads there: {own_word(report.ticket["status"])}, {note["author"]}: "{note["text"]}"'
    )


def as_object(report: Report) -> dict[str, Any]:
    """Give it for programs."""
    return dict(report.ticket)
