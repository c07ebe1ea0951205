"""Where an inventory and the graph differ, on the terminal, and the way to take a side: what a screen does, without one."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Iterator
from typing import Any, Final

import click
import orjson

from gateway.commands.options import json_option, override, store_option
from gateway.errors import CommandFailed
from gateway.policies import policy_of
from gateway.settings.settings import load_settings
from gateway.stores import check_address, inventory_differences, settle_inventory
from graph.model.scope import Principal, Role

STATES: Final = ("open", "held", "taken", "told", "gone")


@click.group(help="See where inventories and the graph differ, and take a side.")
@store_option
def command(store: str | None) -> None:
    """Group what is done about inventories; the store may also be said before the command, as of the ledger."""
    override(store=store)


@command.command(help="List differences: held ones are settled by no feed.")
@click.option("--state", type=click.Choice(STATES), multiple=True, default=("held", "open"), show_default=True)
@click.option("--most", type=click.IntRange(1, 10_000), default=200, show_default=True, help="Of each state.")
@store_option
@json_option
def differences(state: tuple[str, ...], most: int, store: str | None, *, as_json: bool) -> int:
    """List."""
    override(store=store)
    settings = load_settings()
    check_address(settings)
    found, cut = list[dict[str, Any]](), list[str]()
    for each in state:
        some = asyncio.run(inventory_differences(settings, each, most + 1))
        found += some[:most]
        cut += [each] if len(some) > most else []
    if as_json:
        click.echo(orjson.dumps({"differences": found, "more": cut}))
    else:
        click.echo("\n".join([*sentences(found), *(f"There are more in state {each}: --most." for each in cut)]))
    return 0


@command.command(
    help="Take a side in a DIFFERENCE: with inventory the graph changes, with graph the inventory is told."
)
@click.argument("difference")
@click.option("--side", type=click.Choice(("inventory", "graph")), required=True)
@store_option
@json_option
def settle(difference: str, side: str, store: str | None, *, as_json: bool) -> int:
    """Take a side, in the name of whoever is logged in here."""
    override(store=store)
    settings = load_settings()
    check_address(settings)
    who = Principal(subject=f"terminal:{getpass.getuser()}", role=Role.OPERATOR)
    outcome = asyncio.run(settle_inventory(settings, who, policy_of(settings), difference, side))
    if outcome.user_errors:
        error = outcome.user_errors[0]
        raise CommandFailed(f"{error.message} ({error.code}).", "trunkline inventory differences lists those open.")
    done = "the graph is as the inventory says" if side == "inventory" else "the inventory will be told"
    click.echo(orjson.dumps({"difference": difference, "side": side}) if as_json else f"Settled: {done}.")
    return 0


def sentences(found: list[dict[str, Any]]) -> Iterator[str]:
    """Tell a line for each difference."""
    if not found:
        yield "Inventories and the graph do not differ."
    for each in found:
        held = f" [{each['state']}]" if each["state"] != "open" else ""
        why = f" ({each['reason']})" if each["reason"] and each["kind"] != "notTaken" else ""
        yield f"{each['id']}{held} {each['resourceType']} {each['name']} of {each['system']}: {_what(each)}{why}"


def _what(each: dict[str, Any]) -> str:
    match each["kind"]:
        case "missingHere":
            return "is missing here"
        case "missingThere":
            return "is missing there"
        case "notTaken":
            return f"has no place in the graph: {each['reason']}"
        case _:
            return f"{each['property']} is {each['theirs']} there, {each['ours'] or 'nothing'} here"
