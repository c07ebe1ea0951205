"""Each example is a program of another world; here each is started, and what it has shown is read as the same lines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final, TypeAlias

from tests.examples import browser, runtimes
from tests.examples.runtimes import SOURCE
from tests.faults.processes import started

SHOWN: Final = "[...document.querySelectorAll('#alerts li')].map(each => each.textContent)"
Shown: TypeAlias = Callable[[], Awaitable[list[dict[str, Any]]]]


@asynccontextmanager
async def program(command: list[str], gateway: str, token: str, folder: Path) -> AsyncIterator[Shown]:
    """Run a program that writes a line of JSON for each alert."""
    lines = folder / "shown"

    async def shown() -> list[dict[str, Any]]:
        whole = lines.read_text().rpartition("\n")[0]
        return [json.loads(each) for each in whole.splitlines()]

    given = {**os.environ, "GATEWAY": gateway, "TOKEN": token}
    with lines.open("wb") as out, (folder / "errors").open("wb") as errors:
        process = started(command, stdout=out, stderr=errors, env=given)
    try:
        yield shown
        assert process.poll() is None, (folder / "errors").read_text()
    finally:
        process.kill()
        process.wait()


def python(gateway: str, token: str, folder: Path) -> Any:
    """Run the example in Python."""
    return program([sys.executable, str(SOURCE / "alerts.py")], gateway, token, folder)


def node(gateway: str, token: str, folder: Path) -> Any:
    """Run the example in Node."""
    return program([runtimes.node(), str(runtimes.installed() / "alerts.mjs")], gateway, token, folder)


@asynccontextmanager
async def page(gateway: str, token: str, folder: Path, base: str) -> AsyncIterator[Shown]:
    """Open the page, which is served at `base`."""
    async with browser.opened(runtimes.browser(), f"{base}/alerts.html?gateway={gateway}#{token}", folder) as opened:

        async def shown() -> list[dict[str, Any]]:
            ended = await opened.evaluate("document.querySelector('#end')?.textContent")
            assert not ended, ended
            return [json.loads(each) for each in await opened.evaluate(SHOWN) or ()]

        yield shown


@asynccontextmanager
async def pages(folder: Path) -> AsyncIterator[str]:
    """Serve a folder to browsers."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""
