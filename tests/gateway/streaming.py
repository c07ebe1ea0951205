"""A subgraph that streams: a log of alerts in memory, replayed and then followed, each customer its own.

It is an implementation of the port (gateway/federation/subgraph.py) like any other, small enough to be seen through, and it does
on demand what a healthy one does rarely: it lags, breaks, ends, floods.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

from graphql import ExecutionResult, execute

from gateway.federation.subgraph import Answer, Heard, Heartbeat, Operation, StreamEnded, StreamEvent
from gateway.operations.schema import read_schema
from graph.model.scope import Principal
from tests.gateway.subgraph import SDL, DictSubgraph, printed, root_fields

STREAM_SDL: Final = (
    SDL.replace("mutation: Mutation }", "mutation: Mutation subscription: Subscription }")
    + """
type Subscription {
  alerts(after: String, least: Int = 0): Alert
  secrets: Alert @operatorOnly
  few(after: String): Alert
  quiet(after: String): Alert
  lagging(after: String): Alert
  breaking(after: String): Alert
  refused(after: String): Alert
  waiting: Alert
  flood: Alert
}
type Alert { number: Int! customer: String severity: Int broken: String text: String }
"""
)
LARGE: Final = "x" * 100_000


def error(code: str, message: str, **more: Any) -> Answer:
    return {"errors": [{"message": message, "extensions": {"code": code, **more}}]}


class StreamSubgraph(DictSubgraph):
    """Answers from a dict, and streams from a log; a cursor is the number of an alert."""

    sdl = STREAM_SDL

    def __init__(self) -> None:
        super().__init__()
        self._schema = read_schema(STREAM_SDL).served
        self.log: list[dict[str, Any]] = []
        self.open = 0
        self.given = 0
        """events that somebody took."""
        self.asked_after: list[str | None] = []
        self._news = asyncio.Condition()

    async def publish(self, customer: str = "customer-1", severity: int = 3) -> None:
        async with self._news:
            self.log.append({"number": len(self.log) + 1, "customer": customer, "severity": severity})
            self._news.notify_all()

    async def subscribe(
        self,
        operation: Operation,
        variables: Mapping[str, Any],
        principal: Principal,
        after: str | None,
        deadline: float,  # noqa: ARG002 - the port's signature
    ) -> AsyncGenerator[Heard, None] | Answer:
        (root,) = root_fields(operation)
        after = after or variables.get("after")
        self.asked_after.append(after)
        if root.name.value == "refused":
            return error("CURSOR_EXPIRED", "The cursor is too old.", cursor="7")
        if root.name.value == "quiet":
            return self._quiet(after)
        if root.name.value == "waiting":
            await self._wait()
        return self._events(operation, variables, principal, after)

    async def _quiet(self, after: str | None) -> AsyncGenerator[Heard, None]:
        """Say how far it has come, and break; to who comes back, lag; then answer."""
        match after:
            case None:
                yield Heartbeat(cursor="0")
                raise RuntimeError("a cut before the first event")
            case "0":
                raise StreamEnded(error("LAGGED", "You are too slow.", **{"from": "7", "to": "9"}))
            case _:
                yield StreamEvent(answer={"data": {"quiet": {"number": 8}}}, cursor="8")

    async def _wait(self) -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def _events(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, after: str | None
    ) -> AsyncGenerator[StreamEvent, None]:
        (root,) = root_fields(operation)
        self.open += 1
        try:
            async for alert in self._alerts(root.name.value, principal, int(after) if after else len(self.log)):
                self.given += 1
                yield StreamEvent(answer=self._answer(operation, variables, alert), cursor=str(alert["number"]))
        finally:
            self.open -= 1

    async def _alerts(self, name: str, principal: Principal, last: int) -> AsyncGenerator[dict[str, Any], None]:
        match name:
            case "few" | "lagging" | "breaking":
                yield {"number": 1, "severity": 1}
                yield {"number": 2, "severity": 2}
                if name == "lagging":
                    raise StreamEnded(error("LAGGED", "You are too slow.", **{"from": "2", "to": "9"}))
                if name == "breaking":
                    raise RuntimeError("a secret of the inside")
            case "flood":
                while True:
                    last += 1
                    yield {"number": last, "text": LARGE}
                    await asyncio.sleep(0)
            case _:
                async for each in self._followed(last):
                    if not principal.customers or each["customer"] in principal.customers:
                        yield each

    async def _followed(self, last: int) -> AsyncGenerator[dict[str, Any], None]:
        while True:
            async with self._news:
                while len(self.log) <= last:
                    await self._news.wait()
            for each in self.log[last:]:
                last = each["number"]
                yield each

    def _answer(self, operation: Operation, variables: Mapping[str, Any], alert: dict[str, Any]) -> Answer:
        def broken(_: Any) -> str:
            raise ValueError("it failed")

        (root,) = root_fields(operation)
        values = {root.name.value: {**alert, "broken": broken}}
        result = execute(self._schema, operation.document, values, variable_values=dict(variables))
        assert isinstance(result, ExecutionResult)
        return printed(result)
