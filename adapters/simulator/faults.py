"""Systems fail in ways that cannot be met by stopping a server: they act and say nothing, or they say half of it.

Each way is a `Kind`; a `Rule` orders it for the next so many requests, or by chance with a seed, for all methods or for
one. The first rule that strikes decides. Rules are given from Python, or over HTTP at `/simulator/faults`, outside of
the paths of the system that is stood in for: PUT a list of rules as JSON, DELETE to behave again, GET what is ordered.

    PUT /simulator/faults   [{"kind": "silent", "times": 1, "method": "POST"}, {"kind": "slow", "seconds": 0.2}]
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final, assert_never

import orjson
from pydantic import TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.simulator.serving import hang_up
from adapters.tmf.tmf630 import error_body

PATH: Final = "/simulator/faults"
JSON: Final = "application/json;charset=utf-8"
FOREIGN: Final = "someone-elses"
_NAMED: Final = re.compile(rb"(<(?:\w+:)?(?:value|ours)>)[^<]*(</)")
"""In XML: the parts of names, and our id."""
_PAGE: Final = "<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>"


class Kind(enum.StrEnum):
    """A way to misbehave."""

    DOWN = "down"
    """the connection is closed at once; nothing is done."""
    SLOW = "slow"
    """it is done, `seconds` late: also when nobody waits for the answer any more."""
    ERROR = "error"
    """500; nothing is done."""
    UNAVAILABLE = "unavailable"
    """503, with Retry-After when there are `seconds`; nothing is done."""
    GATEWAY_TIMEOUT = "gatewayTimeout"
    """504, as a proxy in front answers that cannot reach it; nothing is done."""
    LATE = "late"
    """504, as a proxy in front answers that waits no longer; it is done, `seconds` after that answer."""
    TOO_MANY = "tooMany"
    """429 with Retry-After: `seconds`; nothing is done."""
    SILENT = "silent"
    """it is done, then the connection is closed without an answer."""
    TRUNCATED = "truncated"
    """it is done, and half of the answer comes."""
    UNAUTHORIZED = "unauthorized"
    """401, as when a token has ended; nothing is done."""
    FORBIDDEN = "forbidden"
    """403; nothing is done."""
    NOT_FOUND = "notFound"
    """404, as where nothing is; nothing is done."""
    CONFLICT = "conflict"
    """409; nothing is done."""
    UNPROCESSABLE = "unprocessable"
    """422, as for a text that is not taken; nothing is done."""
    EMPTY = "empty"
    """it is done, and answered 204, without a body."""
    HTML = "html"
    """a page to log in, with 200; nothing is done."""
    FOREIGN = "foreign"
    """it is done, and the answer has the ids of something else."""


@dataclass(slots=True, kw_only=True)
class Rule:
    """When to misbehave, and how. It counts down, so it is not frozen."""

    kind: Kind
    times: int | None = None
    """how many requests more; None: without an end."""
    after: int = 0
    """how many of those that it would strike pass before."""
    method: str = ""
    """empty: any."""
    seconds: float = 0.0
    probability: float = 1.0
    seed: int = 0
    chance: Random = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if (
            not 0 <= self.seconds <= 600
            or not 0 <= self.probability <= 1
            or (self.times is not None and self.times < 0)
            or self.after < 0
        ):
            raise ValueError("seconds are 0 to 600, a probability is 0 to 1, times and after are 0 or more")
        self.chance = Random(self.seed)  # noqa: S311 - chance that can be repeated, not secrets

    def strikes(self, method: str) -> bool:
        """Tell whether this request is struck, and count it."""
        if self.times == 0 or self.method.upper() not in ("", method) or self.chance.random() >= self.probability:
            return False
        if self.after:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ordered:
    """A rule as it comes over HTTP."""

    kind: Kind
    times: int | None = None
    after: int = 0
    method: str = ""
    seconds: float = 0.0
    probability: float = 1.0
    seed: int = 0

    def rule(self) -> Rule:
        return Rule(
            kind=self.kind,
            times=self.times,
            after=self.after,
            method=self.method,
            seconds=self.seconds,
            probability=self.probability,
            seed=self.seed,
        )


_ORDERS: Final = TypeAdapter(list[_Ordered])


class Faults:
    """An ASGI application round another, which is well behaved; `foreign` makes its answers about something else."""

    def __init__(self, app: ASGIApp, *, foreign: Callable[[object], object] | None = None) -> None:
        self._app = app
        self._made_foreign = foreign or _foreign
        self._rules: tuple[Rule, ...] = ()

    def order(self, *rules: Rule) -> None:
        """Misbehave by these rules from now on, and by no others."""
        self._rules = rules

    def behave(self) -> None:
        """Misbehave no more."""
        self._rules = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or fail to."""
        if scope["path"] == PATH:
            response = await self._control(Request(scope, receive))
            await response(scope, receive, send)
            return
        rule = next((each for each in self._rules if each.strikes(scope["method"])), None)
        with contextlib.suppress(ClientDisconnect):  # half a request: nobody is there any more
            if rule is None:
                await self._app(scope, receive, send)
            else:
                await self._fail(rule, scope, receive, send)

    def _foreign(self, answer: Response) -> Response:
        if not answer.headers.get("content-type", JSON).startswith("application/json"):
            return _foreign_document(answer)
        return _json(answer.status_code, self._made_foreign(orjson.loads(answer.body or b"{}")))

    async def _fail(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
        match rule.kind:
            case Kind.DOWN:
                await hang_up(scope, receive)
            case Kind.SLOW | Kind.LATE:
                await self._later(rule, scope, receive, send)
            case Kind.ERROR | Kind.UNAVAILABLE | Kind.TOO_MANY | Kind.GATEWAY_TIMEOUT:
                await _refusal(_REFUSALS[rule.kind], rule)(scope, receive, send)
            case Kind.UNAUTHORIZED | Kind.FORBIDDEN | Kind.NOT_FOUND | Kind.CONFLICT | Kind.UNPROCESSABLE:
                await _refusal(_REFUSALS[rule.kind], rule)(scope, receive, send)
            case Kind.EMPTY:
                await _emptied(await self._answer(scope, receive))(scope, receive, send)
            case Kind.SILENT:
                await self._answer(scope, receive)
                await hang_up(scope, receive)
            case Kind.TRUNCATED:
                await _half(await self._answer(scope, receive), send)
                await hang_up(scope, receive)
            case Kind.HTML:
                await HTMLResponse(_PAGE)(scope, receive, send)
            case Kind.FOREIGN:
                await self._foreign(await self._answer(scope, receive))(scope, receive, send)
            case _:
                assert_never(rule.kind)

    async def _later(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
        heard = await _whole(receive)  # what has not been read by then is gone when the caller is
        if rule.kind is Kind.LATE:
            await _json(504, error_body("ordered", "It was told to", status=504))(scope, receive, send)
        await asyncio.sleep(rule.seconds)
        await (self._answer(scope, heard) if rule.kind is Kind.LATE else self._app(scope, heard, send))

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        """Let it be done, and keep the answer back."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        body = b"".join(each.get("body", b"") for each in messages[1:])
        response = Response(body, messages[0]["status"])
        response.raw_headers = list(messages[0]["headers"])
        return response

    async def _control(self, request: Request) -> Response:
        match request.method:
            case "PUT":
                try:
                    rules = [each.rule() for each in _ORDERS.validate_json(await request.body())]
                except (ValidationError, ValueError) as exc:
                    reason = exc.errors()[0]["msg"] if isinstance(exc, ValidationError) else str(exc)
                    return _json(400, error_body("badRules", reason, status=400))
                self.order(*rules)
            case "DELETE":
                self.behave()
            case "GET":
                return _json(200, [_shown(each) for each in self._rules])
            case _:
                return _json(405, error_body("notAllowed", "GET, PUT or DELETE", status=405))
        return Response(status_code=204)


async def _whole(receive: Receive) -> Receive:
    """Take a request in to its end, so that it can be read later."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())

    async def again() -> Message:
        return messages.pop(0) if messages else await receive()

    return again


def _shown(rule: Rule) -> dict[str, object]:
    return {
        "kind": rule.kind.value,
        "times": rule.times,
        "after": rule.after,
        "method": rule.method,
        "seconds": rule.seconds,
        "probability": rule.probability,
        "seed": rule.seed,
    }


def _json(status: int, body: object, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type=JSON)


def _refusal(status: int, rule: Rule) -> Response:
    headers = {"Retry-After": str(math.ceil(rule.seconds))} if rule.seconds or status == 429 else {}
    return _json(status, error_body("ordered", "It was told to", status=status), headers)


_REFUSALS: Final = {
    Kind.UNAUTHORIZED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.UNPROCESSABLE: 422,
    Kind.TOO_MANY: 429,
    Kind.ERROR: 500,
    Kind.UNAVAILABLE: 503,
    Kind.GATEWAY_TIMEOUT: 504,
}


def _emptied(answer: Response) -> Response:
    """Take the body out of an answer that says that it is done."""
    location = answer.headers.get("location")
    if answer.status_code >= 300:
        return answer
    return Response(status_code=204, headers={"Location": location} if location else None)


async def _half(answer: Response, send: Send) -> None:
    body = bytes(answer.body)
    if len(body) > 1:
        await send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})


def _foreign_document(answer: Response) -> Response:
    body = _NAMED.sub(rf"\1{FOREIGN}\2".encode(), bytes(answer.body))
    return Response(body, answer.status_code, media_type=answer.headers["content-type"])


def _foreign(told: object) -> object:
    for each in _resources(told):
        each |= {"id": FOREIGN, "externalId": FOREIGN, "externalAlarmId": FOREIGN, "attributes": {"alarmId": FOREIGN}}
        for one in _characteristics(each):
            if one["name"] == "externalId":
                one["value"] = FOREIGN
    return told


def _resources(told: object) -> list[dict[str, object]]:
    """Give what an answer is about: itself, the items of a list, or what stands in an envelope."""
    if isinstance(told, list):
        return [each for each in told if isinstance(each, dict)]
    if not isinstance(told, dict):
        return []
    inside = told.get("alerts", [told["alert"]] if "alert" in told else None)
    return [told] if inside is None else _resources(inside)


def _characteristics(resource: dict[str, object]) -> list[dict[str, object]]:
    found = resource.get("resourceCharacteristic")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
