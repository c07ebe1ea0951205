"""Serving has no mode without tokens: whoever has no issuer yet is told how to get one."""

from __future__ import annotations

from functools import partial

import click

from gateway.collector import paused
from gateway.commands.options import override, store_option
from gateway.errors import SettingsBroken
from gateway.http.announcing import announced, numbers_line
from gateway.http.numbers import numbers_served
from gateway.http.serving import bound, bound_for_metrics, bounds_of, serve_here, serve_with_workers
from gateway.settings.settings import load_settings
from gateway.stores import check_address, hold
from gateway.telemetry.log import configure_log
from gateway.telemetry.tracing import require


@click.command(help="Serve the gateway until interrupted.")
@store_option
@click.option("--listen", metavar="HOST:PORT", help="Where to listen.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes that serve.")
def command(store: str | None, listen: str | None, workers: int | None) -> None:
    """Serve."""
    override(store=store, listen=listen, workers=workers)
    settings = load_settings()
    if not settings.issuers:
        raise SettingsBroken(
            "issuers: there is none, and nothing is served without tokens; to try things out, "
            "`trunkline token --setting` prints one for TRUNKLINE_ISSUERS."
        )
    require(settings.traces)
    configure_log(settings.log_level)
    check_address(settings)
    sock, metrics = bound(settings), bound_for_metrics(settings)
    with announced(sock, partial(click.echo, err=True), *numbers_line(metrics)):
        if settings.workers == 1:
            # Whoever watches over workers needs none of it: neither the two seconds, nor the memory.
            with paused():
                from gateway.app import application  # noqa: PLC0415

                app = application(settings)
            with numbers_served(metrics, app.state.metrics.text):
                serve_here(app, sock, bounds_of(settings))
        else:
            serve_with_workers("gateway.app:worker", sock, settings, partial(hold, settings), metrics)
