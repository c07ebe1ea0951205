"""What a page shows can be told only by a browser: Chromium without a screen, asked by its own protocol (DevTools)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.faults.processes import started

_SWITCHES = (
    "--headless",
    "--no-sandbox",  # CI is root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # it asks nobody else
    "--remote-debugging-port=0",
)
_SECONDS = 240.0


@dataclass(slots=True, kw_only=True)
class Page:
    """A page that is open."""

    session: aiohttp.ClientSession
    address: str
    """where the browser can be asked about it."""

    async def evaluate(self, expression: str) -> Any:
        """Give the value of an expression in the page."""
        asked = {"id": 1, "method": "Runtime.evaluate", "params": {"expression": expression, "returnByValue": True}}
        async with self.session.ws_connect(self.address, max_msg_size=0) as socket:
            await socket.send_json(asked)
            answer = await socket.receive_json(timeout=_SECONDS)
        return answer["result"]["result"].get("value")


@asynccontextmanager
async def opened(program: str, url: str, folder: Path) -> AsyncIterator[Page]:
    """Open a page in a browser of its own, with its data in a folder."""
    with (folder / "browser.log").open("wb") as log:
        process = started([program, *_SWITCHES, f"--user-data-dir={folder}", url], stdout=log, stderr=log)
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(_SECONDS):
            address = await _address(session, folder, url)
        async with aiohttp.ClientSession() as session:
            yield Page(session=session, address=address)
    finally:
        process.kill()
        process.wait()


async def _address(session: aiohttp.ClientSession, folder: Path, url: str) -> str:
    port_file = folder / "DevToolsActivePort"
    while True:
        if port_file.exists() and (lines := port_file.read_text().split()):
            async with session.get(f"http://127.0.0.1:{lines[0]}/json/list") as response:
                pages = json.loads(await response.text())
            for each in pages:
                if each["type"] == "page" and each["url"] == url:
                    return str(each["webSocketDebuggerUrl"])
        await asyncio.sleep(0.1)
