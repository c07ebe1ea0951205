"""The floor of subscriptions: the same server over the same sockets, which pushes a constant to whoever has come.

`python -m benchmarks.stream_floor` serves what `stream_client.py` asks and no more: it takes any token, knows no GraphQL, keeps
nothing of a subscriber but how to send to it, and has no task for it but the server's own. POST /push?most=50 sends one event, with
the time of now, to 50 of them in turn; without `most` to all.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.types import Receive, Scope, Send

from gateway.http import transport_ws as ws
from gateway.http.serving import bound, bounds_of, serve_here
from gateway.settings.settings import load_settings


class Floor:
    """The application."""

    def __init__(self) -> None:
        self._sends: dict[Send, None] = {}
        self._after = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve what comes."""
        match scope["type"]:
            case "websocket":
                await self._socket(receive, send)
            case "http":
                if scope["path"] == "/push":
                    await self._push(parse_qs(scope["query_string"].decode()))
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"{}"})
            case _:
                await receive()
                await send({"type": "lifespan.startup.complete"})
                await receive()
                await send({"type": "lifespan.shutdown.complete"})

    async def _socket(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": ws.PROTOCOL})
        while (message := await receive())["type"] != "websocket.disconnect":
            if "connection_init" in message["text"]:
                await send({"type": "websocket.send", "text": '{"type":"connection_ack"}'})
            elif "subscribe" in message["text"]:
                self._sends[send] = None
                await send({"type": "websocket.send", "text": '{"type":"ping"}'})
        self._sends.pop(send, None)

    async def _push(self, asked: dict[str, list[str]]) -> None:
        sends = list(self._sends)
        most = int(asked["most"][0]) if "most" in asked else len(sends)
        chosen = list(itertools.islice(itertools.cycle(sends), self._after, self._after + most)) if sends else []
        self._after = (self._after + most) % max(1, len(sends))
        text = orjson.dumps(_event()).decode()
        for each in chosen:
            await each({"type": "websocket.send", "text": text})


def _event() -> dict[str, Any]:
    """Give an event of the size of those that are measured."""
    services = [{"serviceId": "service-0-0", "effect": "DOWN", "service": {"name": "service 0 0"}}]
    alert = {
        "kind": "BEGAN",
        "at": datetime.now(UTC).isoformat(),
        "alarmId": "alarm-" + "0" * 36,
        "severity": "CRITICAL",
        "services": services,
    }
    return {
        "id": "1",
        "type": "next",
        "payload": {"data": {"alerts": alert}, "extensions": {"cursor": "c" * 64}},
    }


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Serve."""
    settings = load_settings()
    threading.Thread(target=_end_with_input, daemon=True).start()
    serve_here(Floor(), bound(settings), bounds_of(settings))


if __name__ == "__main__":
    main()
