"""A token to try things out, minted with a key of one's own."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from gateway.auth.minting import local_issuer
from graph.model.scope import CLAIMABLE, Role


@click.command(help="Mint a token with a local key, to try things out.")
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    default=Path("trunkline-key.json"),
    show_default=True,
    help="Private key (JWK); made if it is not there, with KEY.jwks.json beside it.",
)
@click.option(
    "--role", default=Role.OPERATOR.value, show_default=True, help="operator, analyst, customer, system:NAME, router."
)
@click.option("--customer", "customers", multiple=True, help="Customer id; may be repeated.")
@click.option(
    "--changes",
    multiple=True,
    type=click.Choice(CLAIMABLE),
    help="What a customer may change; may be repeated. Without it, nothing.",
)
@click.option("--subject", default="local", show_default=True)
@click.option("--seconds", type=click.IntRange(min=1), default=3_600, show_default=True, help="How long it is good.")
@click.option("--setting", is_flag=True, help="Print instead the setting `issuers` that believes these tokens.")
def command(
    key: Path,
    role: str,
    subject: str,
    seconds: int,
    *,
    setting: bool,
    **named: tuple[str, ...],
) -> None:
    """Mint."""
    local = local_issuer(key.absolute())
    if setting:
        click.echo(
            orjson.dumps([local.settings().model_dump(mode="json", include={"issuer", "audience", "jwks_file"})])
        )
        return
    kind, _, system = role.partition(":")
    customers, changes = named["customers"], named["changes"]
    if kind not in {each.value for each in Role} or (kind == Role.SYSTEM.value) != bool(system):
        raise click.BadParameter("is none of operator, analyst, customer, system:NAME, router.", param_hint="--role")
    if (kind == Role.CUSTOMER.value) != bool(customers):
        raise click.BadParameter(
            "is given with the role customer, once for each customer, and with no other role.", param_hint="--customer"
        )
    if changes and kind != Role.CUSTOMER.value:
        raise click.BadParameter("is given with the role customer, and with no other role.", param_hint="--changes")
    click.echo(local.token(subject=subject, role=role, customers=customers, changes=changes, seconds=seconds))
