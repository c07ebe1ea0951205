"""Whoever writes a client needs the schema as a file, without a running gateway."""

from __future__ import annotations

import click

from gateway.areas import product_sdl


@click.command(help="Print the schema that clients see, as SDL.")
def command() -> None:
    """Print it."""
    click.echo(product_sdl())
