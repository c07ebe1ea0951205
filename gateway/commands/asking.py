"""Commands that look at a gateway from outside ask it as any client does: over HTTP, with a token.

data = asyncio.run(ask(Caller(url=url, token=token, token_file=None), "query Q { orders { totalCount } }", {}))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp
import click
import orjson

from gateway.errors import CommandFailed

F = TypeVar("F", bound=Callable[..., Any])
_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Which gateway is asked, and by whom."""

    url: str
    token: str
    token_file: Path | None

    def headers(self) -> dict[str, str]:
        """Give the head that says who asks; the token's file is read each time."""
        token = self.token_file.read_text(encoding="utf-8").strip() if self.token_file else self.token
        return {"Authorization": f"Bearer {token}"} if token else {}


def caller_options(command: F) -> F:
    """Add `--url`, `--token` and `--token-file`."""
    file = click.Path(path_type=Path, exists=True, dir_okay=False)
    url = click.option(
        "--url", default="http://127.0.0.1:8000/graphql", show_default=True, help="The gateway's address."
    )
    for add in (
        click.option("--token-file", type=file, help="The same from a file, which is read again each time."),
        click.option(
            "--token", default="", help="Who asks; others on this machine can see it in the list of processes."
        ),
        url,
    ):
        command = add(command)
    return command


async def ask(caller: Caller, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Give the data of an answer without errors; raises CommandFailed with the first error and its hint."""
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    asked = {"query": document, "variables": variables}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(caller.url, json=asked, headers=caller.headers()) as response,
        ):
            status, body = response.status, await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise CommandFailed(f"{caller.url} does not answer: {str(error) or 'no answer came in time'}") from error
    if (refused := first_error(body)) or status != HTTPStatus.OK:
        raise CommandFailed(str(refused.get("message", f"The answer's status is {status}")), hint_of(refused))
    try:
        data: dict[str, Any] = orjson.loads(body)["data"]
    except (ValueError, LookupError, TypeError):
        raise CommandFailed(f"{caller.url} is no GraphQL endpoint: its answer has no data") from None
    return data


def first_error(body: bytes) -> dict[str, Any]:
    """Give the first error of an answer; empty where there is none, or no answer."""
    try:
        error = orjson.loads(body)["errors"][0]
    except (ValueError, LookupError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def hint_of(error: Mapping[str, Any]) -> str:
    """Give what an error says that could be done."""
    extensions = error.get("extensions")
    return str(extensions.get("hint", "")) if isinstance(extensions, dict) else ""
