"""Show that nobody has changed what happened: events are chained by hashes, and here the chain is looked through.

`head` prints where the chain ends, to be noted where nobody of the database can write; `verify --head` says whether that is still
in it. Without it only what is inconsistent in itself is found, not a chain that was written anew from some event on.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import asdict

import click
import orjson

from gateway.commands.options import json_option, override, store_option
from gateway.settings.settings import load_settings
from gateway.stores import AuditReport, Head, check_address, look_at_audit, look_at_head

_HEAD = re.compile("([0-9]{1,18}):([0-9a-f]{64})")


class _Noted(click.ParamType[Head]):
    """A head as `trunkline audit head` prints it."""

    name = "POSITION:HASH"

    def convert(self, value: str | Head, param: click.Parameter | None, ctx: click.Context | None) -> Head:
        if isinstance(value, Head):
            return value
        if (found := _HEAD.fullmatch(value)) is None:
            self.fail("it is not POSITION:HASH, as `trunkline audit head` prints it", param, ctx)
        return Head(position=int(found[1]), hash=found[2])


@click.group(help="Look through the chain of events, which shows whether anybody has changed what happened.")
def command() -> None:
    """Group the commands."""


@command.command(help="Print where the chain ends, as POSITION:HASH: note it where nobody of the database can write.")
@store_option
@json_option
def head(store: str | None, *, as_json: bool) -> int:
    """Print the head."""
    override(store=store)
    settings = load_settings()
    check_address(settings)
    found = asyncio.run(look_at_head(settings))
    click.echo(orjson.dumps(asdict(found)) if as_json else str(found))
    return 0


@command.command(
    help="Look through all events. The exit code is 1 where the chain is broken: an event was changed, removed, added or moved."
)
@click.option("--head", "noted", type=_Noted(), help="A head that was noted before, which must be in the chain.")
@store_option
@json_option
def verify(noted: Head | None, store: str | None, *, as_json: bool) -> int:
    """Verify the chain."""
    override(store=store)
    settings = load_settings()
    check_address(settings)
    report = asyncio.run(look_at_audit(settings, noted))
    if as_json:
        click.echo(orjson.dumps({"whole": not report.faults, **asdict(report)}))
    else:
        click.echo(sentences(report))
    return 1 if report.faults else 0


def sentences(report: AuditReport) -> str:
    """Say what was found."""
    if report.faults:
        return "\n".join(["The chain of events is broken:", *(f"  {each}" for each in report.faults)])
    swept = f"; retention has come to {report.swept:,}" if report.swept else ""
    return f"{report.events:,} events, chained from position {report.first:,} on{swept}: the chain is whole.\nIts head is {report.head}"
