"""`trunkline COMMAND`: whatever goes wrong ends in a sentence and an exit code, never in a traceback.

Exit codes: 0 done; 1 it could not be done; 2 the settings or the arguments are wrong; 130 interrupted.

A command's module is imported when the command is run: `token` need not wait for a database driver.
"""

from __future__ import annotations

import importlib
import os
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import click

from gateway.collector import paused
from gateway.errors import CommandFailed, SettingsBroken
from gateway.settings.unknown import CONFIG_VARIABLE, nearest

COMMANDS: Final = {
    "asyncapi": "Print the AsyncAPI document of the topics of Kafka.",
    "audit": "Look through the chain of events, which shows whether anybody has changed what happened.",
    "check": "Look at settings, database, schema, graph, issuers and surrounding systems, and say what is wrong.",
    "compile": "Print every stage that a query passes on its way to the database.",
    "demo": "See it: a network, a card that fails, who is told, what a customer sees.",
    "gateway": "Serve a supergraph: a federation gateway that needs no database.",
    "inventory": "See where inventories and the graph differ, and take a side.",
    "ledger": "See what other systems are still to be told, and what is parked.",
    "load": "Load a file of JSON lines, or a network grown from a topology.",
    "orders": "See which orders are open, or how far one of them is.",
    "plan": "Print every stage of an operation's plan over a supergraph.",
    "schema": "Print the schema that clients see.",
    "serve": "Serve the gateway until interrupted.",
    "token": "Mint a token with a local key, to try things out.",
    "watch": "Subscribe, and print each event as a line of JSON; after a cut it goes on by itself.",
}


def _choose_file(_context: click.Context, _option: click.Parameter, path: Path | None) -> None:
    """Name the file where worker processes, too, find it; one that is no TOML is told by the option that was typed."""
    if path is not None:
        try:
            tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise click.BadParameter(f"{path} is not TOML: {error}.") from None
        os.environ[CONFIG_VARIABLE] = str(path)


_with_config = click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    expose_value=False,
    callback=_choose_file,
    help="TOML file with settings; TRUNKLINE_* variables win.",
)
"""Whoever types it looks for it at the end of the line as well as after `trunkline`: each command takes it."""


def _taking_config(command: click.Command) -> click.Command:
    if not any(each.name == "config" for each in command.params):
        _with_config(command)
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        _taking_config(below)
    return command


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        with paused():
            command: click.Command = importlib.import_module(f"gateway.commands.{cmd_name}").command
        return _taking_config(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; where there is none of the name, the nearest is told."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            ctx.fail(f"No such command {args[0]!r}{nearest(args[0], COMMANDS)}.")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_Commands)
@click.version_option(package_name="trunkline", message="%(prog)s %(version)s")
@_with_config
def trunkline() -> None:
    """Run Trunkline, the customer-aware layer between a telecom provider's systems."""


def main(arguments: list[str] | None = None) -> None:
    """Run one command and end the process."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None) -> int:
    """Run one command and give its exit code."""
    try:
        result: Any = trunkline.main(arguments, prog_name="trunkline", standalone_mode=False)
    except SettingsBroken as error:
        for fault in error.faults:
            click.echo(fault, err=True)
        return 2
    except CommandFailed as error:
        click.echo(f"{error.message.rstrip('.')}. {error.hint}".strip(), err=True)
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    return result if isinstance(result, int) else 0
