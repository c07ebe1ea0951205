"""A supergraph file and an address are all that a federation gateway needs to be told."""

from __future__ import annotations

from functools import partial

import click
import orjson

from gateway.collector import paused
from gateway.commands.options import override
from gateway.http.announcing import announced, numbers_line
from gateway.http.numbers import numbers_served
from gateway.http.serving import bound, bound_for_metrics, bounds_of, serve_here, serve_with_workers
from gateway.settings.settings import load_settings
from gateway.standalone import application, hold
from gateway.telemetry.log import configure_log
from gateway.telemetry.tracing import require


@click.command(
    help="Serve a supergraph: a federation gateway that needs no database. Without issuers in the settings, on loopback only."
)
@click.option("--supergraph", metavar="FILE", help="The supergraph's SDL.")
@click.option("--listen", metavar="HOST:PORT", help="Where to listen.")
@click.option(
    "--subgraph", "urls", metavar="NAME=URL", multiple=True, help="Where a subgraph is, if not where the file says."
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes that serve.")
def command(supergraph: str | None, listen: str | None, urls: tuple[str, ...], workers: int | None) -> None:
    """Serve."""
    override(federation__supergraph=supergraph, listen=listen, workers=workers, federation__urls=_urls(urls))
    settings = load_settings()
    require(settings.traces)
    with paused():
        app = application(settings)  # whatever is wrong is said now, also where workers will make their own
    configure_log(settings.log_level)
    sock, metrics = bound(settings), bound_for_metrics(settings)
    with announced(sock, partial(click.echo, err=True), *numbers_line(metrics)):
        if settings.workers == 1:
            with numbers_served(metrics, app.state.metrics.text):
                serve_here(app, sock, bounds_of(settings))
        else:
            serve_with_workers("gateway.standalone:worker", sock, settings, hold, metrics)


def _urls(given: tuple[str, ...]) -> str | None:
    pairs = [each.partition("=") for each in given]
    for name, _, url in pairs:
        if not name or not url:
            raise click.BadParameter("is not NAME=URL.", param_hint="--subgraph")
    return orjson.dumps({name: url for name, _, url in pairs}).decode() if pairs else None
