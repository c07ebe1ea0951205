"""Fill the database: with a topology grown to a size, or with what another system wrote as JSON lines."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click
import orjson
from click.core import ParameterSource

from gateway.commands.options import json_option, override, store_option
from gateway.commands.progress import Bars
from gateway.policies import policy_of
from gateway.settings.settings import load_settings
from gateway.stores import LoadReport, TakenOver, load_graph, load_lines, load_topology

_GROWN = "for a network that is grown: it goes with --topology, not with FILE"


@click.command(help="Load a file of JSON lines, or a network grown from a topology. FILE is - for stdin.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True), required=False)
@click.option("--topology", help="Grow a network from a topology of topohub, such as sndlib/germany50.")
@click.option("--scale", type=click.IntRange(min=1), default=10_000, show_default=True, help="How many nodes it has.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same network.")
@click.option("--alarms", type=click.IntRange(min=0), default=0, show_default=True, help="Its open alarms.")
@store_option
@json_option
def command(  # noqa: PLR0913 - each is an option of the command, by name
    file: Path | None, topology: str | None, scale: int, seed: int, alarms: int, store: str | None, *, as_json: bool
) -> None:
    """Load."""
    _refuse_mixtures(file, topology)
    override(store=store)
    settings = load_settings()
    policy = policy_of(settings)
    with ExitStack() as stack:
        bars = stack.enter_context(Bars())
        if file is None:
            assert topology is not None, "one of the two is given"
            grown = partial(load_topology, topology=topology, scale=scale, seed=seed, alarms=alarms)
            report, after = asyncio.run(load_graph(settings, policy, grown, progress=bars))
        else:
            lines = stack.enter_context(click.open_file(str(file), "rb"))
            report, after = asyncio.run(load_graph(settings, policy, load_lines, lines=lines, progress=bars))
    whole = {**asdict(report), "takenOver": asdict(after)}
    click.echo(orjson.dumps(whole, default=dict) if as_json else told(report, after))


def _refuse_mixtures(file: Path | None, topology: str | None) -> None:
    """Refuse what may be meant in two ways: nobody wants a made-up network in a database because a word was forgotten."""
    if file is None and topology is None:
        raise click.UsageError(
            "There is nothing to load: give FILE (- for stdin), or --topology NAME to grow a network, "
            "such as --topology sndlib/germany50."
        )
    context = click.get_current_context()
    given = [
        name
        for name in ("topology", "scale", "seed", "alarms")
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if file is not None and given:
        raise click.UsageError(f"--{given[0]} is {_GROWN}.")


def told(report: LoadReport, after: TakenOver) -> str:
    """Tell in a few lines what was loaded, and what followed from it."""
    if not (report.nodes or report.relationships):
        return "There is no line in what was given: nothing was loaded."
    first = f"{report.nodes:,} nodes and {report.relationships:,} relationships"
    first += f" in {report.seconds:.1f} s" if report.written else ", all of them there already"
    lines = [first]
    if report.topology is not None:
        facts = report.topology
        lines.append(f"grown from {facts.name}: {facts.cities} cities, {facts.links} links, {facts.bridges} bridges")
    lines.append(", ".join(f"{count:,} {label}" for label, count in sorted(report.labels.items())))
    if after != TakenOver(alarms=0, usage=0, services=0):
        lines.append(
            f"{after.alarms:,} alarms and {after.usage:,} records of usage found what they are about, "
            f"{after.services:,} services have another effect"
        )
    return "\n".join(lines)
