"""A thousand kills take hours, and a run that was cut must not begin anew.

A run is a row of histories of some kills each. What came of each is a line in a file, so that the same command goes on
where it was cut; one that is complete prints its sum again. The last line is that sum, as one JSON object.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Literal

import click
import orjson

from tests.faults.processes import TOP, Victim
from tests.faults.round import Place, Result, play
from tests.servers.neo4j_server import Neo4jServer

PROGRESS: Final = TOP / ".cache" / "faults"


@click.command(help="Kill processes while alarms flow, and look whether anything was lost or doubled.")
@click.option("--kills", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--seed", default="1", show_default=True)
@click.option("--at-once", type=click.IntRange(min=1), default=20, show_default=True, help="Kills of one history.")
@click.option("--store", type=click.Choice(["embedded", "neo4j"]), default="embedded", show_default=True)
@click.option("--keep", is_flag=True, help="Keep the files of histories in which something was wrong.")
def main(kills: int, seed: str, at_once: int, store: Literal["embedded", "neo4j"], *, keep: bool) -> None:
    """Run what is not done yet, and print the sum."""
    progress = PROGRESS / f"{store}-seed{seed}-kills{kills}by{at_once}.jsonl"
    progress.parent.mkdir(parents=True, exist_ok=True)
    done = _read(progress)
    for number, each in enumerate(_shares(kills, at_once)):
        if number >= len(done):
            result = asyncio.run(_history(store, f"{seed}.{number}", each, keep=keep))
            with progress.open("ab") as file:
                file.write(orjson.dumps(asdict(result)) + b"\n")
            done.append(asdict(result))
    click.echo(orjson.dumps(_sum(done, store)).decode())
    sys.exit(1 if any(each["violations"] for each in done) else 0)


def _shares(kills: int, at_once: int) -> list[int]:
    """Part the kills into histories."""
    whole, rest = divmod(kills, at_once)
    return [at_once] * whole + [rest] * bool(rest)


def _read(progress: Path) -> list[dict[str, Any]]:
    """Read what is done; a line that was cut off is not."""
    lines = progress.read_bytes().split(b"\n")[:-1] if progress.exists() else []
    if progress.exists():
        progress.write_bytes(b"".join(each + b"\n" for each in lines))
    return [orjson.loads(each) for each in lines]


async def _history(store: str, seed: str, kills: int, *, keep: bool) -> Result:
    directory = Path(tempfile.mkdtemp(prefix="trunkline-faults-"))
    server = Neo4jServer.start() if store == "neo4j" else None
    began = time.monotonic()

    def say(text: str) -> None:
        click.echo(f"{seed} {time.monotonic() - began:6.1f} s  {text}", err=True)

    whole = False
    try:
        address = server.address if server else f"embedded:{directory / 'graph'}"
        result = await play(Place(store=address, directory=directory), seed=seed, kills=kills, say=say)
        whole = not result.violations
    finally:
        if server:
            server.stop()
        if whole or not keep:
            shutil.rmtree(directory, ignore_errors=True)
        else:
            say(f"its files are in {directory}")
    for each in result.violations:
        say(each)
    say(f"{sum(result.kills.values())} kills, {result.alarms} alarms, {len(result.violations)} violations")
    return result


def _sum(done: Sequence[dict[str, Any]], store: str) -> dict[str, Any]:
    kills: Counter[str] = Counter()
    wire: Counter[str] = Counter()
    for each in done:
        kills.update(each["kills"])
        wire.update(each["wire"])
    received: Counter[str] = Counter()
    for each in done:
        received.update(each["received"])
    cuts: Counter[str] = Counter()
    for each in done:
        cuts.update(each["cuts"])
    boosts, bookings = (_added(each[name] for each in done) for name in ("boosts", "bookings"))
    counted = ("acknowledged", "repeated", "alarms", "tickets", "usage", "downtime", "settled", "deliveries", "heard")
    return {
        "store": store,
        "histories": len(done),
        "kills": dict(sorted(kills.items())),
        "wire": dict(sorted(wire.items())),
        **{name: sum(each[name] for each in done) for name in counted},
        "boosts": boosts,
        "bookings": bookings,
        "connections": sum(cuts.values()),
        "cuts": dict(sorted(cuts.items())),
        "milliseconds": {name: _times(done, name) for name in ("0", "1")},
        "received": dict(sorted(received.items())),
        "takeoverSeconds": {victim.value: _spread(done, victim) for victim in (Victim.WORKER, Victim.SUPERVISOR)},
        "violations": sum(len(each["violations"]) for each in done),
        "seconds": round(sum(each["seconds"] for each in done), 1),
    }


def _added(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    return dict(sorted(sum((Counter(each) for each in counts), Counter[str]()).items()))


def _times(done: Sequence[dict[str, Any]], replica: str) -> dict[str, int]:
    """Tell how long events were on their way to clients of a replica."""
    found = sorted(each for history in done for each in history["milliseconds"].get(replica, ()))
    if not found:
        return {"count": 0}
    shares = {"median": 0.5, "p90": 0.9, "p99": 0.99}
    return {"count": len(found), **{name: found[int(share * len(found))] for name, share in shares.items()}}


def _spread(done: Sequence[dict[str, Any]], victim: Victim) -> dict[str, float]:
    found = sorted(second for each in done for second in each["takeovers"].get(victim.value, ()))
    return {"count": len(found), "median": found[len(found) // 2], "longest": found[-1]} if found else {"count": 0}


if __name__ == "__main__":
    main()
