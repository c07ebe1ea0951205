"""Whoever tells the gateway something tells it until there is an answer: the next attempt is the same request again."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Final

import httpx

_TELL_SECONDS: Final = 900.0
"""in which everything must be heard, whatever dies meanwhile: on a busy machine a gateway is hardly up between two kills."""
_PAUSES: Final = (0.1, 2.0)
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(slots=True, kw_only=True)
class Until:
    """Asks somebody until there is an answer."""

    client: httpx.AsyncClient
    acknowledged: int = 0
    repeated: int = 0

    async def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Give the first answer that is one; raises what a refusal is."""
        end, pause = time.monotonic() + _TELL_SECONDS, _PAUSES[0]
        while True:
            answer = await self._once(method, path, **request)
            if answer is not None and answer.status_code not in _AGAIN and not _is_in_doubt(answer):
                self.acknowledged += 1
                return answer.raise_for_status()
            if time.monotonic() > end:
                raise TimeoutError(f"{method} {path} was not heard within {_TELL_SECONDS:.0f} s")
            self.repeated += 1
            await asyncio.sleep(pause)
            pause = min(pause * 2, _PAUSES[1])

    async def _once(self, method: str, path: str, **request: Any) -> httpx.Response | None:
        try:
            return await self.client.request(method, path, **request)
        except httpx.HTTPError:
            return None


def _is_in_doubt(answer: httpx.Response) -> bool:
    """Tell whether a GraphQL answer has errors: nothing of what is asked here is wrong by itself."""
    if not answer.headers.get("content-type", "").startswith("application/graphql-response+json"):
        return False
    return bool(answer.json().get("errors"))
