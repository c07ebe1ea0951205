"""Trouble ticketing, proven on a Request Tracker that Debian ships: an alarm becomes a ticket there, and people come back.

The person who works there is Grace; she has her own token, and what is true over there is asked with it.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from tests.faults.processes import TOP
from tests.proofs.debian import present
from tests.proofs.ours import Ours, Protected, ours
from tests.proofs.request_tracker import KEY_FIELD, PACKAGES, QUEUE, SERVICE_FIELD, RealTracker, request_tracker
from tests.proofs.running import PATIENT, until
from tests.proofs.steps import Say, Steps, Summary

NAME: Final = "request-tracker"
POLL_SECONDS: Final = 1.0
_SECONDS: Final = 240.0
"""for each thing to come to be: on a busy machine requests run out of time, and are made again."""
_FIRST, _SECOND = 1, 2
_TICKETS: Final = """
query ($id: ID!) { customer(id: $id) { tickets(first: 50) { nodes {
  externalId status severity services { nodes { id } }
} } } }
"""
_STORY: Final = """
query ($id: ID!, $number: String!) { customer(id: $id) { tickets(filter: { externalId: { eq: $number } }) { nodes {
  notes { author text } history { status }
} } } }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grace:
    """Works in the Request Tracker, by its own API."""

    client: httpx.AsyncClient

    async def tickets(self, key: str) -> list[dict[str, Any]]:
        """Give the tickets that have this key, as they stand there."""
        query = f"'CF.{{{KEY_FIELD}}}' = '{key}'"
        answer = await self.client.get(
            "/tickets", params={"query": query, "fields": "Status,Priority,Subject,CustomFields"}
        )
        found: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
        return found

    async def reports(self, service: str) -> str:
        """Open a ticket about a service, for a customer who has called; gives its number."""
        body = {"Queue": QUEUE, "Subject": "It is slow", "Priority": 50, "CustomFields": {SERVICE_FIELD: [service]}}
        return str((await self.client.post("/ticket", json=body)).raise_for_status().json()["id"])

    async def deletes(self, ticket: str) -> None:
        """Delete a ticket that should not have been."""
        (await self.client.put(f"/ticket/{ticket}", json={"Status": "deleted"})).raise_for_status()

    async def comments(self, ticket: str) -> int:
        """Count the comments on a ticket."""
        history = (
            await self.client.get(f"/ticket/{ticket}/history", params={"fields": "Type", "per_page": 100})
        ).json()
        return [each["Type"] for each in history["items"]].count("Comment")

    async def stalls(self, ticket: str) -> None:
        """Write to the customer, note something for her colleagues, and stall the ticket."""
        said = {"correspond": "We wait for a permit to dig", "comment": "Their contract ends in May"}
        for kind, text in said.items():
            body = {"Content": text, "ContentType": "text/plain"}
            (await self.client.post(f"/ticket/{ticket}/{kind}", json=body)).raise_for_status()
        (await self.client.put(f"/ticket/{ticket}", json={"Status": "stalled"})).raise_for_status()


async def prove(directory: Path, say: Say) -> Summary:
    """Show that trouble ticketing works on a real system; AssertionError where it does not."""
    versions = present(PACKAGES)
    steps = Steps(say=say)
    tracker_directory, our_directory = directory / "rt", directory / "ours"
    for each in (tracker_directory, our_directory):
        each.mkdir(mode=0o755)
    async with AsyncExitStack() as stack:
        tracker = await stack.enter_async_context(request_tracker(tracker_directory))
        steps.show("a Request Tracker with a queue, two custom fields and two users answers on loopback")
        async with AsyncExitStack() as inner:
            us = await inner.enter_async_context(ours(our_directory, {"ticketing": _settings(tracker)}))
            steps.show("the gateway is ready, on a network that was just loaded")
            headers = {"Authorization": f"token {tracker.hers.read_text()}"}
            client = httpx.AsyncClient(base_url=tracker.address, headers=headers, timeout=30)
            await _journey(us, Grace(client=await inner.enter_async_context(client)), steps)
        passed = await asyncio.to_thread(_contract, tracker)
        steps.show(
            f"the contract that every dialect keeps, as the test suite has it for stand-ins: {passed} tests pass"
        )
    steps.show("everything that was started has ended")
    return Summary(
        name="Trouble ticketing",
        system=f"Request Tracker {versions['request-tracker5']} (Debian, SQLite)",
        steps=tuple(steps.shown),
    )


def _settings(tracker: RealTracker) -> dict[str, Any]:
    return {
        "address": tracker.address,
        "dialect": "rt",
        "bearer_file": str(tracker.ours),
        "poll_seconds": POLL_SECONDS,
        "requests": 4,
        "request_seconds": 6.5,  # a small RT takes a third of a second of a processor for each request
        "rt": {"queue": QUEUE, "key_field": KEY_FIELD, "service_field": SERVICE_FIELD},
    }


def _contract(tracker: RealTracker) -> int:
    """Run the contract's tests on it; gives how many have passed."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "tests/adapters/ticketing/test_dialects.py",
        "-k",
        "real-rt",
        "-p",
        "no:cacheprovider",
    ]
    environment = {**os.environ, "TRUNKLINE_TEST_RT": f"{tracker.address} {tracker.ours} {tracker.hers}", **PATIENT}
    done = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, check=False)
    passed = re.search(r"(\d+) passed", done.stdout)
    assert done.returncode == 0, done.stdout[-3_000:]
    assert passed is not None, done.stdout[-3_000:]
    return int(passed[1])


async def _journey(us: Ours, grace: Grace, steps: Steps) -> None:
    chosen = await us.protected_service()
    alarm = await us.breaks(chosen.working, _FIRST)
    key = f"{alarm}:{chosen.customer}"
    number = await _is_opened(us, grace, chosen, key)
    steps.show(
        "a trunk fails: the ticket is there, once, with our key, priority 75 and the service; the customer sees it"
    )
    await us.breaks(chosen.protecting, _SECOND)
    await _there(grace, key, lambda ticket: ticket["Priority"] == "100", "the ticket has got worse")
    assert await until(lambda: grace.comments(number), "our note is there", _SECONDS) == 1
    steps.show("the other way fails too: the same ticket has priority 100, and one comment says why")
    await grace.stalls(number)
    await _is_heard(us, chosen, number)
    steps.show("a person stalls it and writes to the customer, who sees both, but not what she told her colleagues")
    await us.is_mended(_SECOND)
    await us.is_mended(_FIRST)
    await _there(grace, key, lambda ticket: ticket["Status"] == "resolved", "the ticket is resolved")
    await until(lambda: _status(us, chosen.customer, number, "RESOLVED"), "the customer sees it resolved", _SECONDS)
    steps.show("both are mended: the ticket is resolved there, and the customer sees that")
    assert len(await grace.tickets(key)) == 1
    await _is_reported(us, grace, chosen)
    steps.show(
        "a person opens a ticket about the service: its customer sees it, nobody else; she deletes it: it is cancelled"
    )


async def _is_opened(us: Ours, grace: Grace, chosen: Protected, key: str) -> str:
    ticket = await _there(grace, key, lambda _: True, "the alarm has a ticket there")
    assert (ticket["Status"], ticket["Priority"]) == ("new", "75"), ticket
    fields = {each["name"]: each["values"] for each in ticket["CustomFields"]}
    assert chosen.service in fields[SERVICE_FIELD], fields
    number = str(ticket["id"])
    await until(lambda: _status(us, chosen.customer, number, "ACKNOWLEDGED"), "the customer sees it", _SECONDS)
    assert await _seen(us, chosen.other, number) is None, "another customer sees it"
    return number


async def _is_heard(us: Ours, chosen: Protected, number: str) -> None:
    await until(lambda: _status(us, chosen.customer, number, "PENDING"), "the customer sees it pending", _SECONDS)
    asked = {"id": chosen.customer, "number": number}
    [seen] = (await us.as_customer(chosen.customer, _STORY, asked))["customer"]["tickets"]["nodes"]
    texts = {each["text"]: each["author"] for each in seen["notes"]}
    assert texts.get("We wait for a permit to dig") == "grace", texts
    assert not any("May" in text for text in texts), texts
    statuses = [each["status"] for each in seen["history"]]
    assert (statuses[0], statuses[-1]) == ("ACKNOWLEDGED", "PENDING"), statuses
    assert await _seen(us, chosen.other, number) is None, "another customer sees it"


async def _is_reported(us: Ours, grace: Grace, chosen: Protected) -> None:
    unknown, reported = await grace.reports("service-none"), await grace.reports(chosen.service)
    await until(lambda: _status(us, chosen.customer, reported, "ACKNOWLEDGED"), "the customer sees hers", _SECONDS)
    seen = await _seen(us, chosen.customer, reported)
    assert seen is not None
    assert [each["id"] for each in seen["services"]["nodes"]] == [chosen.service], seen
    assert seen["severity"] == "MINOR", seen
    assert await _seen(us, chosen.other, reported) is None, "another customer sees hers"
    assert await _seen(us, chosen.customer, unknown) is None, "what names nothing is a customer's"
    await grace.deletes(reported)
    await until(lambda: _status(us, chosen.customer, reported, "CANCELLED"), "the customer sees it cancelled", _SECONDS)


async def _there(grace: Grace, key: str, holds: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
    """Wait until the one ticket with this key is as it should be over there."""

    async def asked() -> dict[str, Any] | None:
        found = await grace.tickets(key)
        assert len(found) <= 1, f"several tickets have one key: {found}"
        return found[0] if found and holds(found[0]) else None

    found: dict[str, Any] = await until(asked, what, _SECONDS)
    return found


async def _status(us: Ours, customer: str, number: str, status: str) -> bool:
    seen = await _seen(us, customer, number)
    return seen is not None and seen["status"] == status


async def _seen(us: Ours, customer: str, number: str) -> dict[str, Any] | None:
    """Give a ticket as a customer sees it among its own."""
    told = await us.as_customer(customer, _TICKETS, {"id": customer})
    return next((each for each in told["customer"]["tickets"]["nodes"] if each["externalId"] == number), None)
