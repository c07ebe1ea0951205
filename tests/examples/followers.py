"""Each example is a program of another world; here each is started, and what it has shown is read as the same lines."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final, TypeAlias

import pytest

from benchmarks.npm import packages
from tests.examples import browser
from tests.faults.processes import TOP, started

SOURCE: Final = TOP / "docs" / "examples"
SHOWN: Final = "[...document.querySelectorAll('#alerts li')].map(each => each.textContent)"
Shown: TypeAlias = Callable[[], Awaitable[list[dict[str, Any]]]]


def need(*programs: str) -> str:
    """Give the first program that is there; skip the test where none is, and fail it in CI."""
    for each in programs:
        if found := shutil.which(each):
            return found
    missing = f"{' or '.join(programs)} is not on the path, and is needed for an example"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


def installed() -> Path:
    """Give a folder with the examples, and what they need of npm beside them."""
    need("npm")
    return packages(SOURCE, "examples", ("alerts.mjs", "alerts.html"))


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
    return program([need("node"), str(installed() / "alerts.mjs")], gateway, token, folder)


@asynccontextmanager
async def page(gateway: str, token: str, folder: Path, base: str) -> AsyncIterator[Shown]:
    """Open the page, which is served at `base`."""
    program = need("chromium", "chromium-browser", "google-chrome")
    async with browser.opened(program, f"{base}/alerts.html?gateway={gateway}#{token}", folder) as opened:

        async def shown() -> list[dict[str, Any]]:
            ended = await opened.evaluate("document.querySelector('#end')?.textContent")
            assert not ended, ended
            return [json.loads(each) for each in await opened.evaluate(SHOWN) or ()]

        yield shown


@asynccontextmanager
async def pages() -> AsyncIterator[str]:
    """Serve the examples to browsers."""
    handler = partial(_Quiet, directory=str(installed()))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""
