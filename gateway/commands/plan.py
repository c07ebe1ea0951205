"""A plan that is slow or wrong is understood by its stages; no subgraph is needed to see them."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import orjson

from gateway.commands.options import json_object, json_option
from gateway.settings.settings import load_settings
from gateway.standalone import load_supergraph, plan_stages

STAGES = ("normalize", "paths", "fetches", "plan")


@click.command(help="Print every stage of an operation's plan over a supergraph, or one of them.")
@click.option("--supergraph", metavar="FILE", type=click.Path(path_type=Path), help="The supergraph's SDL.")
@click.option("--query", metavar="FILE", required=True, help="The operation; - for stdin.")
@click.option("--stage", type=click.Choice(STAGES), help="Only this one.")
@click.option("--operation", metavar="NAME", help="Which operation, where the document has several.")
@click.option("--variables", metavar="JSON", default="{}", help="For @skip and @include.")
@json_option
def command(
    supergraph: Path | None, query: str, stage: str | None, operation: str | None, variables: str, *, as_json: bool
) -> None:
    """Plan."""
    settings = load_settings()
    read = load_supergraph(supergraph or settings.federation.supergraph)
    stages = plan_stages(read, settings, _text(query), json_object(variables, "--variables"), operation)
    shown = {stage: stages[stage]} if stage else stages
    if as_json:
        click.echo(orjson.dumps(shown))
    elif stage:
        click.echo(stages[stage].rstrip())
    else:
        click.echo("\n".join(f"--- {name}\n{text.rstrip()}\n" for name, text in shown.items()))


def _text(query: str) -> str:
    if query == "-":
        return sys.stdin.read()
    try:
        return Path(query).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise click.BadParameter("is no file that can be read.", param_hint="--query") from None
