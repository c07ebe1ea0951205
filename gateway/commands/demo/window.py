"""Somebody has a second window open, subscribed: it hears the card fail, is cut off, comes back, and hears it mended.

It asks as `trunkline watch` does, with the customer's token, and goes on after the last cursor that it was sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.commands.demo.scene import SECONDS, Scene
from gateway.commands.demo.story import own_word
from gateway.commands.watch import Cut, Wanted, answers
from gateway.errors import CommandFailed

BY: Final = "premium"
ALERTS: Final = "subscription { alerts { kind severity services { effect service { name } } } }"


@dataclass(slots=True, kw_only=True)
class Window:
    """A subscription, and how far it has come."""

    scene: Scene
    cursor: str | None = None
    _coming: AsyncGenerator[tuple[str | None, dict[str, Any] | None], None] | None = None

    async def open(self) -> None:
        """Subscribe, and wait for the cursor at which the stream begins."""
        await self._until(lambda _: True, "The subscription did not begin")

    async def hear(self, kind: str) -> Mapping[str, Any]:
        """Give the next alert of a kind, over another connection where it was cut off; raises CommandFailed."""

        def is_it(answer: Mapping[str, Any] | None) -> bool:
            return answer is not None and answer["data"]["alerts"]["kind"] == kind

        alert: Mapping[str, Any] = (await self._until(is_it, f"The subscriber did not hear {kind}"))["data"]["alerts"]
        return alert

    async def cut(self) -> None:
        """Lose the connection."""
        if self._coming is not None:
            await self._coming.aclose()
            self._coming = None

    async def _until(self, is_it: Any, what: str) -> Any:
        try:
            async with asyncio.timeout(SECONDS):
                while True:
                    try:
                        answer = await self._next()
                    except Cut:
                        await self.cut()
                    else:
                        if is_it(answer):
                            return answer
        except TimeoutError as error:
            raise CommandFailed(f"{what} within {SECONDS:.0f} s.", "This is a fault of ours.") from error

    async def _next(self) -> dict[str, Any] | None:
        if self._coming is None:
            self._coming = answers(self.scene.session, self._wanted(), self.cursor)
        cursor, answer = await anext(self._coming)
        self.cursor = cursor or self.cursor
        return answer

    def _wanted(self) -> Wanted:
        url, token = f"{self.scene.base}/graphql", self.scene.tokens[BY]
        return Wanted(url=url, document=ALERTS, variables={}, token=token, token_file=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What was heard in the window."""

    began: Mapping[str, Any]
    ended: Mapping[str, Any]


def began_as_text(alert: Mapping[str, Any]) -> str:
    """Tell of the alert that the window shows."""
    lines = ["In a second window, subscribed with its token, the customer hears it by itself:"]
    lines += [f"  {each['service']['name']}: {own_word(each['effect'])}" for each in alert["services"][:3]]
    return "\n".join([*lines, "  Then the window is cut off."])


def ended_as_text(alert: Mapping[str, Any]) -> str:
    """Tell of the alert that it hears after it has come back."""
    services = len(alert["services"])
    return f"The second window comes back after its cursor, and hears what happened meanwhile: {services} services work again."


def as_object(heard: Heard) -> dict[str, Any]:
    """Give it for programs."""
    return {"began": dict(heard.began), "ended": dict(heard.ended)}
