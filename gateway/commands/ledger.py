"""What other systems are still to be told, and what is parked, on the terminal; and the way to send what is parked again.

Without a command it lists: a line for each system, one for each lane that has anything, a few for each parked delivery. That
is also what `replay` with the same options would send. Each replay is a change like any other: once, and with an event that says
who made it.
"""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, Final, TypeVar

import click
import orjson

from gateway.commands.options import json_option, override, store_option
from gateway.errors import CommandFailed
from gateway.settings.settings import Settings, load_settings
from gateway.stores import (
    PARKING_REASONS,
    LaneState,
    ParkedDelivery,
    Replayed,
    SystemBacklog,
    Which,
    check_address,
    look_at_ledger,
    replay_parked,
)
from graph.model.scope import Principal, Role

F = TypeVar("F", bound=Callable[..., Any])
_MOST: Final = 200


def _which_options(command: F) -> F:
    """Add the options that choose among parked deliveries."""
    reason = click.Choice(PARKING_REASONS)
    for add in (
        click.option("--reason", type=reason, help="Only what is parked for this reason."),
        click.option("--system", metavar="NAME", help="Only what this system was to be told."),
    ):
        command = add(command)
    return command


@click.group(invoke_without_command=True, help="See what other systems are still to be told, and what is parked.")
@_which_options
@click.option("--most", type=click.IntRange(1, 10_000), default=_MOST, show_default=True, help="Parked ones to list.")
@store_option
@json_option
@click.pass_context
def command(
    context: click.Context, system: str | None, reason: str | None, most: int, store: str | None, *, as_json: bool
) -> int:
    """Look at the ledger, unless a command follows."""
    override(store=store)
    if context.invoked_subcommand:
        return 0
    systems, lanes, parked = asyncio.run(look_at_ledger(_settings(), _which(system, reason), most))
    if system and not systems:
        raise CommandFailed(f"No system {system!r} was ever told anything.", "Without --system all of them are listed.")
    if as_json:
        told = {
            "systems": [asdict(each) for each in systems],
            "lanes": [asdict(each) for each in lanes],
            "parked": [asdict(each) for each in parked],
        }
        click.echo(orjson.dumps(told))
    else:
        click.echo("\n".join(sentences(systems, lanes, parked)))
    return 0


@command.command(
    help=(
        "Send parked deliveries again: those with these IDs, or all of --system, or for --reason, or --all. "
        "Mend first what was wrong. What is not parked stays as it is."
    )
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@_which_options
@click.option("--all", "everything", is_flag=True, help="All that is parked.")
@click.option("--dry-run", is_flag=True, help="Only say what would be sent again.")
@store_option
@json_option
def replay(  # noqa: PLR0913  # an option each
    ids: tuple[str, ...],
    system: str | None,
    reason: str | None,
    store: str | None,
    *,
    everything: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Replay, in the name of whoever is logged in here."""
    chosen = bool(system or reason)
    if bool(ids) + chosen + everything != 1:
        raise click.UsageError("Give either IDs, or --system and --reason, or --all.")
    override(store=store)
    who = Principal(subject=f"terminal:{getpass.getuser()}", role=Role.OPERATOR)
    which = _which(system, reason, tuple(dict.fromkeys(ids)))
    done = asyncio.run(replay_parked(_settings(), who, which, dry_run=dry_run))
    if as_json:
        click.echo(orjson.dumps({"dryRun": dry_run, "replayed": done.ids, "notParked": done.not_parked}))
    elif told := list(_replayed(done, dry_run=dry_run)):
        click.echo("\n".join(told))
    if done.unknown:
        raise CommandFailed(f"There is no delivery {', '.join(done.unknown)}.", "trunkline ledger lists those parked.")
    return 0


def sentences(systems: list[SystemBacklog], lanes: list[LaneState], parked: list[ParkedDelivery]) -> Iterator[str]:
    """Tell what waits, and what is parked."""
    if not systems:
        yield "No system was ever told anything."
    for each in systems:
        held = f", {each.held} held behind" if each.held else ""
        age = f"the oldest for {each.oldest_seconds:.0f} s"
        if each.suspended:
            age += f", {each.suspended} suspended there for {each.suspended_seconds:.0f} s"
        paused = "; paused, since it does not let us in" if each.is_paused else ""
        yield f"{each.system}: {each.waiting} waiting, {age}; {each.parked} parked{held}{paused}"
        for lane in lanes:
            if lane.system == each.system and (lane.waiting or lane.parked):
                yield from _lane(lane)
    for one in parked:
        yield from _parked(one)


def _lane(lane: LaneState) -> Iterator[str]:
    told_by = f"told by {lane.owner}" if lane.owner else "told by nobody"
    yield f"  {lane.id}: {lane.waiting} waiting, {lane.parked} parked, {told_by}"
    if lane.last_error:
        yield f"    the oldest was tried {lane.attempts} times: {lane.last_error}"


def _parked(one: ParkedDelivery) -> Iterator[str]:
    held = f", {one.held} held behind it" if one.held else ""
    yield f"parked ({one.reason or 'unknown'}): {one.id}"
    yield f"  {one.system}, {one.order_key}, after {one.attempts} attempts{held}"
    if one.error:
        yield f"  {one.error}"
    if one.answer:
        yield f"  it said: {one.answer}"


def _replayed(done: Replayed, *, dry_run: bool) -> Iterator[str]:
    verb = "would be sent again" if dry_run else "is sent again"
    for each in done.ids:
        yield f"{each} {verb}"
    for each in done.not_parked:
        yield f"{each} is not parked"
    if not (done.ids or done.not_parked or done.unknown):
        yield "Nothing is parked that this names."


def _settings() -> Settings:
    settings = load_settings()
    check_address(settings)
    return settings


def _which(system: str | None, reason: str | None, ids: tuple[str, ...] = ()) -> Which:
    return Which(system=system or "", reason=reason or "", ids=ids)
