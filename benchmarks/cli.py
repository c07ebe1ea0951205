"""The commands: `reads` and `federation` compare, the others measure one thing each.

`slice-scale`, `large-slice` and `planning` ask what grows with the network, the slice and the question, `alarms` how many alarms
go through, `streams` how soon subscribers hear of them, and `timing` what a clock tells; `capacity` decides bookings beside brute force, and `bookings` real ones; `feasibility` designs services in a large network,
and `orders` has them carried out.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import orjson
from rich.console import Console

from benchmarks import capacity, planning, schedules
from benchmarks.alarms import Plan as AlarmPlan
from benchmarks.alarms import measure_alarms
from benchmarks.bookings import Plan as BookingPlan
from benchmarks.bookings import measure_bookings
from benchmarks.databases import PRODUCTS, Product
from benchmarks.errors import BenchmarkFailed
from benchmarks.feasibility import Plan as FeasibilityPlan
from benchmarks.feasibility import measure_feasibility
from benchmarks.federation import comparing
from benchmarks.federation.gateways import NAMES
from benchmarks.large_slice import large_slice
from benchmarks.measure import Plan
from benchmarks.news import news
from benchmarks.orders import Plan as OrderPlan
from benchmarks.orders import measure_orders
from benchmarks.report import as_json, as_markdown, as_table, misses
from benchmarks.run import Wanted, run
from benchmarks.slice_scale import MOST_RATIO, slice_scale
from benchmarks.streams import SHARE, as_objects, measure_streams, sentences
from benchmarks.streams import Plan as StreamPlan
from benchmarks.timing import timing

T = TypeVar("T")

FULL: Final = Plan(blocks=15, seconds=0.6, connections=(1, 16))
QUICK: Final = Plan(blocks=3, seconds=0.1, connections=(1, 4))
FULL_SCALE: Final = 100_000
FULL_EFFORT: Final = comparing.Effort(rounds=4, seconds=3.0, connections=(1, 50))
BESIDE_EFFORT: Final = comparing.Effort(rounds=25, seconds=0.8, connections=(1, 50))
QUICK_EFFORT: Final = comparing.Effort(rounds=1, seconds=0.3, connections=(4,))
QUICK_SCALE: Final = 10_000

store_option = click.option("--store", "stores", multiple=True, type=click.Choice(PRODUCTS), help="Only this database.")


@click.group()
def main() -> None:
    """Measure what answers cost."""


@main.command()
@store_option
@click.option("--case", "names", multiple=True, help="Only this case.")
@click.option("--scale", type=click.IntRange(min=1_000), help=f"Nodes in the network; {FULL_SCALE} by default.")
@click.option("--quick", is_flag=True, help="See whether it all works; the figures mean nothing.")
@click.option("--json", "form", flag_value="json", help="Print a list of rows.")
@click.option("--markdown", "form", flag_value="markdown", help="Print a table for a document.")
def reads(
    stores: tuple[Product, ...], names: tuple[str, ...], scale: int | None, *, quick: bool, form: str | None
) -> None:
    """Compare reads with three references."""
    wanted = Wanted(
        stores=stores or PRODUCTS,
        cases=names,
        scale=scale or (QUICK_SCALE if quick else FULL_SCALE),
        plan=QUICK if quick else FULL,
    )
    rows = _run(run(wanted))
    match form:
        case "json":
            click.echo(as_json(rows))
        case "markdown":
            click.echo(as_markdown(rows))
        case _:
            Console(width=150).print(as_table(rows))
    for each in () if quick else misses(rows):
        news.print(f"missed: {each}", highlight=False)


@main.command()
@store_option
@click.option(
    "--scale", type=click.IntRange(min=1_000), default=100_000, show_default=True, help="Nodes in the network."
)
@click.option("--seconds", type=click.FloatRange(min=0.1), default=10.0, show_default=True, help="Of each measurement.")
@click.option("--json", "as_json_", is_flag=True, help="Print a list of rows.")
def alarms(stores: tuple[Product, ...], scale: int, seconds: float, *, as_json_: bool) -> None:
    """See how many alarms a second go through, and how soon tickets are there."""
    rows = _run(measure_alarms(stores or PRODUCTS, AlarmPlan(scale=scale, seconds=seconds)))
    if as_json_:
        click.echo(orjson.dumps([each.as_object() for each in rows], option=orjson.OPT_INDENT_2))
        return
    for each in rows:
        for sentence in each.sentences():
            click.echo(sentence)


@main.command("streams")
@store_option
@click.option(
    "--subscribers",
    multiple=True,
    type=click.IntRange(min=SHARE),
    default=StreamPlan().subscribers,
    show_default=True,
    help="On one process.",
)
@click.option("--rate", type=click.FloatRange(min=0.1), default=20.0, show_default=True, help="Alarms a second.")
@click.option("--seconds", type=click.FloatRange(min=0.1), default=10.0, show_default=True, help="Of each measurement.")
@click.option("--json", "as_json_", is_flag=True, help="Print a list of rows.")
def streams_command(
    stores: tuple[Product, ...], subscribers: tuple[int, ...], rate: float, seconds: float, *, as_json_: bool
) -> None:
    """See how soon subscribers hear of an event, and what memory each takes, beside a floor."""
    plan = StreamPlan(subscribers=subscribers, seconds=seconds, rate=rate)
    rows = _run(measure_streams(stores or PRODUCTS, plan))
    if as_json_:
        click.echo(orjson.dumps(as_objects(rows), option=orjson.OPT_INDENT_2))
        return
    for each in sentences(rows):
        click.echo(each)


@main.command("slice-scale")
@store_option
@click.option("--small", type=click.IntRange(min=1_000), default=10_000, show_default=True)
@click.option("--large", type=click.IntRange(min=1_000), default=1_000_000, show_default=True)
@click.option("--json", "as_json_", is_flag=True, help="Print a list of rows.")
def slice_scale_command(stores: tuple[Product, ...], small: int, large: int, *, as_json_: bool) -> None:
    """Compare one customer's slice in a small and in a large network; takes minutes to load."""
    rows = _run(slice_scale(stores or PRODUCTS, small, large))
    if as_json_:
        click.echo(orjson.dumps([each.as_object() for each in rows], option=orjson.OPT_INDENT_2))
        return
    for each in rows:
        click.echo(each.sentence())
        if each.ratio.median > MOST_RATIO:
            news.print(f"missed: {each.store}: the aim is at most {MOST_RATIO}", highlight=False)


@main.command("large-slice")
@store_option
@click.option(
    "--scale", type=click.IntRange(min=1_000), default=20_000, show_default=True, help="Nodes in the network."
)
@click.option("--samples", type=click.IntRange(min=2), default=40, show_default=True, help="Of each node in a round.")
@click.option("--json", "as_json_", is_flag=True, help="Print a list of rows.")
def large_slice_command(stores: tuple[Product, ...], scale: int, samples: int, *, as_json_: bool) -> None:
    """Compare reads of single nodes by the largest customer, with its slice walked and stored."""
    rows = _run(large_slice(stores or PRODUCTS, scale, samples))
    if as_json_:
        click.echo(orjson.dumps([asdict(each) for each in rows], option=orjson.OPT_INDENT_2))
    else:
        click.echo("\n".join(each.sentence() for each in rows))


@main.command("timing")
@store_option
@click.option(
    "--scale", type=click.IntRange(min=1_000), default=20_000, show_default=True, help="Nodes in the network."
)
@click.option("--samples", type=click.IntRange(min=2), default=200, show_default=True, help="Of each class.")
@click.option("--json", "as_json_", is_flag=True, help="Print a list of rows.")
def timing_command(stores: tuple[Product, ...], scale: int, samples: int, *, as_json_: bool) -> None:
    """See whether times tell a customer of what is outside its slice; status 1 if they do."""
    rows = _run(timing(stores or PRODUCTS, scale, samples))
    if as_json_:
        click.echo(orjson.dumps([{**asdict(each), "tells": each.tells} for each in rows], option=orjson.OPT_INDENT_2))
    else:
        click.echo("\n".join(each.sentence() for each in rows))
    if any(each.tells for each in rows):
        raise SystemExit(1)


@main.command("federation")
@click.option("--gateway", "names", multiple=True, type=click.Choice(NAMES), help="Only this gateway.")
@click.option("--quick", is_flag=True, help="See whether it all works; the figures mean nothing.")
@click.option(
    "--beside",
    "tree",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Instead: compare with the gateway of another checkout that is set up.",
)
@click.option("--soak", type=click.IntRange(min=1), help="Instead: ask Trunkline's so often, and watch its memory.")
@click.option("--json", "as_json_", is_flag=True, help="Print a list of rows.")
def federation_command(
    names: tuple[str, ...], tree: Path | None, soak: int | None, *, quick: bool, as_json_: bool
) -> None:
    """Compare Trunkline's federation gateway with others over four subgraphs."""
    if tree is not None:
        for connections, found in comparing.beside(tree.absolute(), QUICK_EFFORT if quick else BESIDE_EFFORT):
            click.echo(f"{connections:3} connections: CPU {found.cpu}, requests a second {found.rps} of the other's")
        return
    if soak is not None:
        for asked, mib in comparing.soak(soak):
            click.echo(f"{asked} requests: {mib} MiB")
        return
    try:
        rows = comparing.compare(QUICK_EFFORT if quick else FULL_EFFORT, names or NAMES)
    except BenchmarkFailed as error:
        raise click.ClickException(str(error)) from error
    if as_json_:
        click.echo(orjson.dumps([asdict(each) for each in rows], option=orjson.OPT_INDENT_2))
    else:
        click.echo("\n".join(comparing.sentences(rows)))


@main.command("planning")
@click.option("--audit", metavar="URL", help="The federation gateway audit's server: plan its operations too.")
@click.option("--plot", "file", type=click.Path(path_type=Path), help="Draw time over fields into this SVG file.")
@click.option("--json", "as_json_", is_flag=True, help="Print a list of rows.")
def planning_command(audit: str | None, file: Path | None, *, as_json_: bool) -> None:
    """Measure what planning costs as operations grow."""
    rows = planning.measure(audit)
    if file is not None:
        file.write_text(planning.plot(rows), encoding="utf-8")
    if as_json_:
        click.echo(orjson.dumps([asdict(each) for each in rows], option=orjson.OPT_INDENT_2))
    else:
        click.echo("\n".join(planning.sentences(rows)))


@main.command("capacity")
@click.option("--schedules", "count", type=click.IntRange(min=0), default=1_000_000, show_default=True)
@click.option("--seed", type=int, help="Play the schedules of an earlier run again; else by chance.")
@click.option("--processes", type=click.IntRange(min=1), help="One for each core by default.")
@click.option("--json", "as_json_", is_flag=True, help="Print an object.")
def capacity_command(count: int, seed: int | None, processes: int | None, *, as_json_: bool) -> None:
    """Decide random schedules beside brute force, and measure the curve of what is free; status 1 if one is decided wrongly."""
    lot = random.SystemRandom().randrange(2**32) if seed is None else seed
    news.print(f"seed {lot}", highlight=False)
    rows = capacity.measure()
    counts = schedules.run(count, lot, processes)
    if as_json_:
        told = {"seed": lot, "schedules": asdict(counts), "curves": [asdict(each) for each in rows]}
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    else:
        click.echo("\n".join([*(each.sentence() for each in rows), f"{counts.sentence()}; seed {lot}"]))
    if not counts.is_well:
        raise SystemExit(1)


@main.command("bookings")
@store_option
@click.option("--bookers", multiple=True, type=click.IntRange(min=1), default=(1, 8, 32), show_default=True)
@click.option(
    "--seconds", type=click.FloatRange(min=0.1), default=20.0, show_default=True, help="Of each number of bookers."
)
@click.option("--boundaries", type=click.IntRange(min=0), default=0, help="See also how late so many boundaries are.")
@click.option("--per-second", type=click.FloatRange(min=0.1), default=10.0, show_default=True, help="Boundaries.")
@click.option(
    "--schedules", type=click.IntRange(min=0), default=0, help="First decide so many schedules beside brute force."
)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option("--json", "as_json_", is_flag=True, help="Print an object.")
def bookings_command(stores: tuple[Product, ...], *, as_json_: bool, **chosen: Any) -> None:
    """See how many bookings a second go through, and how late boundaries are; status 1 if one is decided wrongly."""
    rows, late, counts = _run(measure_bookings(stores or PRODUCTS, BookingPlan(**chosen)))
    if as_json_:
        told = {
            "bookings": [asdict(each) for each in rows],
            "late": [asdict(each) for each in late],
            "schedules": {store: asdict(each) for store, each in counts.items()},
        }
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    else:
        played = [f"{store:8} {each.sentence()}" for store, each in counts.items()]
        click.echo("\n".join([*played, *(each.sentence() for each in rows), *(each.sentence() for each in late)]))
    if not all(each.is_well for each in counts.values()):
        raise SystemExit(1)


@main.command("feasibility")
@store_option
@click.option(
    "--scale", type=click.IntRange(min=1_000), default=100_000, show_default=True, help="Nodes in the network."
)
@click.option("--questions", type=click.IntRange(min=1), default=200, show_default=True, help="Of each kind.")
@click.option("--seed", type=int, default=7, show_default=True)
@click.option("--json", "as_json_", is_flag=True, help="Print an object.")
def feasibility_command(stores: tuple[Product, ...], *, as_json_: bool, **chosen: Any) -> None:
    """See how long it takes to say whether a new service could be built."""
    readings, rows = _run(measure_feasibility(stores or PRODUCTS, FeasibilityPlan(**chosen)))
    if as_json_:
        told = {"networks": [asdict(each) for each in readings], "questions": [asdict(each) for each in rows]}
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    else:
        click.echo("\n".join([*(each.sentence() for each in readings), *(each.sentence() for each in rows)]))


@main.command("orders")
@store_option
@click.option(
    "--scale", type=click.IntRange(min=1_000), default=10_000, show_default=True, help="Nodes in the network."
)
@click.option("--orders", type=click.IntRange(min=1), default=100, show_default=True, help="Of each number of people.")
@click.option(
    "--people", multiple=True, type=click.IntRange(min=1), default=(1, 8), show_default=True, help="Side by side."
)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option("--json", "as_json_", is_flag=True, help="Print a list of rows.")
def orders_command(stores: tuple[Product, ...], *, as_json_: bool, **chosen: Any) -> None:
    """See how many orders a second are carried out."""
    rows = _run(measure_orders(stores or PRODUCTS, OrderPlan(**chosen)))
    if as_json_:
        click.echo(orjson.dumps([asdict(each) for each in rows], option=orjson.OPT_INDENT_2))
    else:
        click.echo("\n".join(each.sentence() for each in rows))


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except BenchmarkFailed as error:
        raise click.ClickException(str(error)) from error
    except ExceptionGroup as errors:  # of several that asked at the same time
        failed = [each for each in errors.exceptions if isinstance(each, BenchmarkFailed)]
        if not failed:
            raise
        raise click.ClickException(str(failed[0])) from errors
