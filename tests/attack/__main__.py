"""All attacks at once for a time, and a table at the end: `python -m tests.attack --seconds 3600 --store embedded`."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
import click

from tests.attack.documents import DOCUMENTS
from tests.attack.place import Place, Product, attacked
from tests.attack.sockets import SOCKETS, Held
from tests.attack.witness import Memory, Witness

MOST_MEGABYTES: Final = 600
"""of a process of the gateway (docs/security.md)."""
SLOWEST_MS: Final = 500.0
"""99 of 100 answers of another customer (docs/security.md)."""
_WARM_SECONDS: Final = 3.0
_GIVES_WAY: Final = 5
"""of niceness: an attacker has a computer of its own, and here takes what the others leave."""
_AT_ONCE: Final = 4
"""requests that each attack by documents has under way."""
_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)


@dataclass(slots=True)
class Seen:
    """What became of the attacks."""

    answers: dict[str, Counter[str]] = field(default_factory=dict)

    def count(self, attack: str, what: str) -> None:
        """Note one."""
        self.answers.setdefault(attack, Counter())[what] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """How long it goes on, how hard, and what became of it."""

    seen: Seen
    until: float
    """`time.monotonic()` seconds."""
    pause: float
    """seconds between an answer and the next request of the same client."""


@click.command(help="Do the worst that a customer's token can, and look what another customer notices.")
@click.option("--seconds", type=click.IntRange(min=5), default=3_600, show_default=True)
@click.option("--store", type=click.Choice(["embedded", "neo4j"]), default="embedded", show_default=True)
@click.option("--scale", type=click.IntRange(min=1), default=20_000, show_default=True, help="Nodes of the network.")
@click.option("--only", multiple=True, help="One attack by its name; may be given again.")
@click.option(
    "--pause", default=0.0, show_default=True, help="Seconds between an answer and the attacker's next request."
)
def main(seconds: int, store: Product, scale: int, only: tuple[str, ...], pause: float) -> None:
    """Attack, and print what came of it."""
    sys.exit(asyncio.run(_run(seconds, store, scale, set(only) or {*DOCUMENTS, *SOCKETS}, pause)))


async def _run(seconds: int, store: Product, scale: int, names: set[str], pause: float) -> int:
    with (
        tempfile.TemporaryDirectory(prefix="trunkline-attack-") as directory,
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as elsewhere,
    ):
        async with attacked(store, Path(directory), scale=scale, seconds=seconds) as place:
            click.echo(f"attacker has {place.attacker.services} services, witness {place.witness.services}", err=True)
            calm = Witness(place.gateway.address, place.witness.token)
            await calm.apart(elsewhere, _WARM_SECONDS)
            os.nice(_GIVES_WAY)  # the gateway, the database and the witness have begun, and keep their priority
            witness, memory, seen = Witness(place.gateway.address, place.witness.token), Memory(), Seen()
            until = time.monotonic() + seconds
            async with asyncio.TaskGroup() as group:
                group.create_task(witness.apart(elsewhere, seconds))
                group.create_task(memory.watch(place.processes, until))
                _begin(group, place, names, Attack(seen=seen, until=until, pause=pause))
            return _told(calm, witness, memory, seen)


def _begin(group: asyncio.TaskGroup, place: Place, names: set[str], attack: Attack) -> None:
    for name in names & DOCUMENTS.keys():
        requests = DOCUMENTS[name]()
        for _ in range(_AT_ONCE):
            group.create_task(_ask(place, name, requests, attack))
    for name in names & SOCKETS.keys():
        held, count = SOCKETS[name]
        for _ in range(count):
            group.create_task(_hold(place, name, held, attack))


async def _ask(place: Place, name: str, requests: Iterator[bytes], attack: Attack) -> None:
    headers = {"Authorization": f"Bearer {place.attacker.token}", "Content-Type": "application/json"}
    async with aiohttp.ClientSession(headers=headers, timeout=_TIMEOUT) as session:
        while time.monotonic() < attack.until:
            try:
                async with session.post(f"{place.gateway.address}/graphql", data=next(requests)) as answer:
                    await answer.read()
                    attack.seen.count(name, str(answer.status))
                    wait = float(answer.headers.get("Retry-After", 0)) if answer.status == 429 else attack.pause
            except (aiohttp.ClientError, TimeoutError) as error:
                attack.seen.count(name, type(error).__name__)
                wait = 0.1
            await asyncio.sleep(min(wait, max(0.0, attack.until - time.monotonic())))


async def _hold(place: Place, name: str, held: Held, attack: Attack) -> None:
    loop = asyncio.get_running_loop()
    while (left := attack.until - time.monotonic()) > 0:
        with contextlib.suppress(OSError):
            await held(place.port, place.attacker.token, loop.time() + left)
        attack.seen.count(name, "connections")
        await asyncio.sleep(min(0.1, left))


def _told(calm: Witness, witness: Witness, memory: Memory, seen: Seen) -> int:
    """Print the table, and give the exit code."""
    for name, counts in sorted(seen.answers.items()):
        click.echo(f"{name:18} {dict(sorted(counts.items()))}")
    click.echo(f"most memory, MB    {memory.most}")
    for who, asked in (("before", calm), ("meanwhile", witness)):
        figures = " ".join(f"p{percent} {asked.milliseconds(percent):.0f} ms" for percent in (50, 99, 100))
        click.echo(f"another customer, {who}: {figures}, {dict(sorted(asked.statuses.items()))}")
    broken = [
        said
        for said, is_broken in (
            (f"the gateway had more than {MOST_MEGABYTES} MB", memory.most.get("gateway", 0) > MOST_MEGABYTES),
            (f"another customer waited more than {SLOWEST_MS:.0f} ms", witness.milliseconds(99) > SLOWEST_MS),
            (f"{witness.failures} questions of another customer failed", witness.failures > 0),
        )
        if is_broken
    ]
    for each in broken:
        click.echo(f"BROKEN: {each}")
    return 1 if broken else 0


if __name__ == "__main__":
    main()
