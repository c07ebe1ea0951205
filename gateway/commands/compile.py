"""A query that is slow or wrong is understood by its stages; no database is needed to see them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

import click
import orjson

from gateway.areas import stages_of
from gateway.commands.options import json_object, json_option
from gateway.settings.settings import load_settings
from graph.model.scope import Principal, Role


@click.command(help="Print every stage that a query passes on its way to the database. QUERY is a text, a file, or -.")
@click.argument("query")
@click.option("--variables", metavar="JSON", default="{}", help="The variables, as a JSON object.")
@click.option("--operation", metavar="NAME", help="Which operation, where the document has several.")
@click.option("--customer", "customers", multiple=True, help="Customer id to ask as; without one, an operator asks.")
@json_option
def command(query: str, variables: str, operation: str | None, customers: tuple[str, ...], *, as_json: bool) -> None:
    """Compile."""
    role = Role.CUSTOMER if customers else Role.OPERATOR
    principal = Principal(subject="compile", role=role, customers=tuple(sorted(customers)))
    stages = stages_of(
        load_settings(), _text(query, sys.stdin), json_object(variables, "--variables"), operation, principal
    )
    if as_json:
        click.echo(orjson.dumps(stages))
        return
    for name, text in stages.items():
        click.echo(f"--- {name}\n{text.rstrip()}\n")


def _text(query: str, stdin: TextIO) -> str:
    if query == "-":
        return stdin.read()
    if "{" in query:
        return query
    try:
        return Path(query).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise click.BadParameter("is neither a query nor a file that can be read.", param_hint="QUERY") from None
