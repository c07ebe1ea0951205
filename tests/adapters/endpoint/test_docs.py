"""The page about alarms is run from top to bottom, as a fault manager would."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import orjson

from adapters.endpoint.errors import STATUSES
from adapters.fault_management.inbound.alarms import BASE
from tests.gateway.conftest import Mint

PAGE = (Path(__file__).parents[3] / "docs" / "alarms.md").read_text(encoding="utf-8")
PAIR = re.compile(r"```http\n((?:GET|POST|PATCH) .*?)```\s+```http\nHTTP/1.1 (\d+)\n(.*?)```", re.DOTALL)
NAMED = re.compile(r"<(\w+)>")


def parted(text: str) -> tuple[dict[str, str], Any]:
    """The headers and the body of a message without its first line."""
    head, _, body = f"\n{text}".partition("\n\n")
    headers = dict(line.split(": ", 1) for line in head.splitlines() if line)
    return headers, orjson.loads(body) if body.strip() else None


def authorization(mint: Mint, header: str) -> dict[str, str]:
    who = header.removeprefix("Bearer <token of ").removesuffix(">")
    return mint.customer(who) if who.startswith("customer") else mint.bearer(who)


def compare(told: Any, answered: Any, known: dict[str, str]) -> None:
    """All that the page shows is in the answer; what it names is learnt where it comes first."""
    if isinstance(told, dict):
        for name, value in told.items():
            compare(value, answered[name], known)
    elif isinstance(told, list):
        assert len(told) == len(answered)
        for left, right in zip(told, answered, strict=True):
            compare(left, right, known)
    elif isinstance(told, str) and (named := NAMED.fullmatch(told)):
        assert known.setdefault(named[1], answered) == answered
    else:
        assert told == answered


async def test_the_examples_are_true(client: httpx.AsyncClient, mint: Mint) -> None:
    known: dict[str, str] = {}
    pairs = PAIR.findall(PAGE)
    assert len(pairs) == len(re.findall("^HTTP/1.1", PAGE, re.MULTILINE)) >= 6
    for request, status, response in pairs:
        first, _, rest = request.partition("\n")
        method, path = NAMED.sub(lambda match: known[match[1]], first).split(" ")
        headers, body = parted(rest)
        sent = {**headers, **authorization(mint, headers["Authorization"])}
        content = None if body is None else orjson.dumps(body)
        answer = await client.request(method, path.removeprefix(BASE), content=content, headers=sent)
        assert answer.status_code == int(status), answer.text
        shown, told = parted(response)
        compare(shown, {name: answer.headers[name] for name in shown}, known)
        compare(told, answer.json(), known)


def test_every_code_is_on_the_page() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \| (`[A-Z_`, ]+`) \|", PAGE, re.MULTILINE)
    told = {code: status for status, codes in rows for code in re.findall("[A-Z_]+", codes)}
    for code, (status, _) in STATUSES.items():
        if code not in ("INTERNAL_SERVER_ERROR", "COST_LIMIT_EXCEEDED"):
            assert str(status) in told[code]
