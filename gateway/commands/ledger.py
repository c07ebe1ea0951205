"""What other systems are still to be told, on the terminal: a line for each system, one for each lane that has anything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict

import click
import orjson

from gateway.commands.options import json_option, override, store_option
from gateway.settings.settings import load_settings
from gateway.stores import LaneState, SystemBacklog, check_address, look_at_ledger


@click.command(help="See what other systems are still to be told, and what is parked.")
@store_option
@json_option
def command(store: str | None, *, as_json: bool) -> int:
    """Look at the ledger."""
    override(store=store)
    settings = load_settings()
    check_address(settings)
    systems, lanes = asyncio.run(look_at_ledger(settings))
    if as_json:
        told = {"systems": [asdict(each) for each in systems], "lanes": [asdict(each) for each in lanes]}
        click.echo(orjson.dumps(told))
    else:
        click.echo("\n".join(sentences(systems, lanes)))
    return 0


def sentences(systems: list[SystemBacklog], lanes: list[LaneState]) -> Iterator[str]:
    """Tell what waits."""
    if not systems:
        yield "No system was ever told anything."
    for each in systems:
        yield f"{each.system}: {each.waiting} waiting, the oldest for {each.oldest_seconds:.0f} s; {each.parked} parked"
        for lane in lanes:
            if lane.system == each.system and (lane.waiting or lane.parked):
                yield from _lane(lane)


def _lane(lane: LaneState) -> Iterator[str]:
    told_by = f"told by {lane.owner}" if lane.owner else "told by nobody"
    yield f"  {lane.id}: {lane.waiting} waiting, {lane.parked} parked, {told_by}"
    if lane.last_error:
        yield f"    the oldest was tried {lane.attempts} times: {lane.last_error}"
    for key in lane.parked_keys:
        yield f"    parked: {key}"
