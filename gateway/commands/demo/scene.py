"""Where the demonstration takes place, and how it asks: over HTTP, as any client does, until what is waited for is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import orjson

from gateway.commands.demo.neighbours import Neighbours
from gateway.errors import CommandFailed
from gateway.stores import DemoPrincipal

SECONDS: Final = 60.0
"""for each step of the story."""
TIMEOUT: Final = aiohttp.ClientTimeout(total=60)
_STEP: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where the story takes place."""

    base: str
    """the gateway's address."""
    neighbours: Neighbours
    tokens: Mapping[str, str]
    premium: DemoPrincipal
    standard: DemoPrincipal
    seed: int
    session: aiohttp.ClientSession

    async def ask(self, text: str, *, by: str = "operator", **variables: Any) -> Any:
        """Ask the gateway by GraphQL, with somebody's token; raises CommandFailed with the first error."""
        answer = await self.call("POST", f"{self.base}/graphql", {"query": text, "variables": variables}, by=by)
        if answer.get("errors"):
            raise CommandFailed("The gateway answered with an error.", answer["errors"][0]["message"])
        return answer["data"]

    async def call(
        self, method: str, url: str, body: object = None, *, by: str = "", media: str = "application/json"
    ) -> Any:
        """Call anybody; `by` says with whose token. Raises CommandFailed where it is refused."""
        headers = {"Authorization": f"Bearer {self.tokens[by]}"} if by else {}
        data = None if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        headers |= {} if data is None else {"Content-Type": media}
        async with self.session.request(method, url, data=data, headers=headers) as response:
            text = await response.read()
        if response.status >= 400:
            raise CommandFailed(f"{method} {url} was answered {response.status}.", text.decode(errors="replace")[:300])
        return orjson.loads(text) if text else None

    async def until(self, url: str, enough: Callable[[Any], bool], what: str, *, by: str = "") -> Any:
        """Look until it is as it should be; raises CommandFailed where it never is."""
        end = time.monotonic() + SECONDS
        while not enough(found := await self.call("GET", url, by=by)):
            if time.monotonic() > end:
                raise CommandFailed(f"{what} within {SECONDS:.0f} s.", "Look at `trunkline ledger`.")
            await asyncio.sleep(_STEP)
        return found


def soon() -> float:
    """Give the deadline of a step, an absolute `time.monotonic()`."""
    return time.monotonic() + SECONDS


@asynccontextmanager
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Open what all of the story is asked by."""
    async with aiohttp.ClientSession(timeout=TIMEOUT) as found:
        yield found
