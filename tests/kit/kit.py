"""A kit is a collection of requests with assertions, which newman runs against an address; tokens are not foreseen in it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

COLLECTION: Final = Path("ctk") / "TMF642-Alarm-v4.0.0.testkit.json"
_VARIABLE: Final = "Alarm"
"""the kit's name for the address of the API."""


class Missing(Exception):
    """There is no kit, or nothing that runs it; the text says what to install."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request of the kit, and what became of it."""

    name: str
    status: int | None
    """None: there was no answer."""
    assertions: int
    failed: tuple[str, ...]
    """what was expected and is not so."""

    def __str__(self) -> str:
        line = f"{self.status or '---'}  {self.name}: {self.assertions} assertions, {len(self.failed)} failed"
        return "\n".join([line, *(f"     {each}" for each in self.failed)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a kit."""

    exchanges: tuple[Exchange, ...]
    failures: int
    """assertions that failed, scripts that broke, requests without an answer."""

    def __str__(self) -> str:
        assertions = sum(each.assertions for each in self.exchanges)
        total = f"{len(self.exchanges)} requests, {assertions} assertions, {self.failures} failed"
        return "\n".join([*map(str, self.exchanges), total])


def run(kit: Path, address: str, token: str, directory: Path) -> Result:
    """Run a kit against an API; `directory` is for what newman reads and writes. Raises Missing."""
    program = shutil.which("newman")
    if program is None:
        raise Missing("The kit is run by newman: npm install --global newman@6")
    collection, report = directory / "collection.json", directory / "report.json"
    collection.write_text(json.dumps(bearing(_published(kit), token)), encoding="utf-8")
    variable = f"{_VARIABLE}={address}/"
    command = [
        program,
        "run",
        str(collection),
        "--env-var",
        variable,
        "-r",
        "json",
        "--reporter-json-export",
        str(report),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not report.exists():
        raise Missing(f"newman has written no report:\n{done.stdout}{done.stderr}")
    return read_report(json.loads(report.read_text(encoding="utf-8")))


def bearing(collection: Mapping[str, Any], token: str) -> dict[str, Any]:
    """Let each request of a collection bear a token.

    >>> bearing({"item": []}, "t")["auth"]["bearer"]
    [{'key': 'token', 'value': 't', 'type': 'string'}]
    """
    return {**collection, "auth": {"type": "bearer", "bearer": [{"key": "token", "value": token, "type": "string"}]}}


def read_report(report: Mapping[str, Any]) -> Result:
    """Read what newman wrote.

    >>> execution = {"request": {"method": "GET"}, "item": {"name": "/Alarm"}, "response": {"code": 200}}
    >>> wrong = {"assertion": "has an id", "error": {"message": "expected undefined to exist"}}
    >>> checked = {**execution, "assertions": [{"assertion": "is 200"}, wrong]}
    >>> print(read_report({"run": {"executions": [checked, {**execution, "response": {}}], "failures": [{}, {}]}}))
    200  GET /Alarm: 2 assertions, 1 failed
         has an id: expected undefined to exist
    ---  GET /Alarm: 0 assertions, 0 failed
    2 requests, 2 assertions, 2 failed
    """
    ran = report["run"]
    return Result(exchanges=tuple(_exchanges(ran["executions"])), failures=len(ran["failures"]))


def _published(kit: Path) -> Mapping[str, Any]:
    if not (kit / COLLECTION).is_file():
        raise Missing(f"There is no {COLLECTION} in {kit}: docs/proofs.md says where the kit is")
    collection: Mapping[str, Any] = json.loads((kit / COLLECTION).read_text(encoding="utf-8"))
    return collection


def _exchanges(executions: Sequence[Mapping[str, Any]]) -> Iterator[Exchange]:
    for each in executions:
        assertions = each.get("assertions", [])
        failed = tuple(f"{a['assertion']}: {a['error']['message']}" for a in assertions if a.get("error"))
        name = f"{each['request']['method']} {each['item']['name']}"
        status = each.get("response", {}).get("code")
        yield Exchange(name=name, status=status, assertions=len(assertions), failed=failed)
