"""See it: a database, a network, a gateway, seven other systems, a card that fails, and who learns what of it; then one customer books, and a new one orders.

Everything is made for the occasion and gone afterwards: the database (unless `--store` names another), the issuer's key
pair, the tokens.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import orjson

from gateway.app import application
from gateway.auth.minting import LocalIssuer, local_issuer
from gateway.commands.demo.neighbours import ROLES, connected, neighbours
from gateway.commands.demo.outage import Outage, as_object, play
from gateway.commands.demo.scene import Scene, session
from gateway.commands.demo.story import examples, ready, to_fail, to_follow
from gateway.commands.load import told
from gateway.commands.options import json_option, override, store_option
from gateway.commands.progress import Bars
from gateway.errors import CommandFailed
from gateway.http.serving import bound, bounds_of, listening
from gateway.policies import policy_of
from gateway.settings.settings import Settings, load_settings
from gateway.stores import DemoPrincipal, LoadReport, check_address, filled
from gateway.telemetry.log import configure_log
from graph.model.scope import CLAIMABLE

TOKEN_SECONDS = 12 * 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was typed."""

    topology: str
    scale: int
    seed: int
    once: bool
    as_json: bool


@click.command(help="See it: a network, a card that fails, who is told, what a customer sees. Stays until Ctrl-C.")
@click.option("--once", is_flag=True, help="End after the story.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same network.")
@click.option("--scale", type=click.IntRange(min=1_000), default=10_000, show_default=True, help="How many nodes.")
@click.option("--topology", default="sndlib/germany50", show_default=True, help="A topology of topohub.")
@store_option
@json_option
def command(store: str | None, *, as_json: bool, **given: Any) -> None:
    """Demonstrate."""
    with tempfile.TemporaryDirectory(prefix="trunkline-demo-") as directory:
        place = Path(directory)
        issuer = local_issuer(place / "issuer.json")
        override(
            store=store or f"embedded:{place / 'store'}",
            issuers=orjson.dumps(
                [issuer.settings().model_dump(mode="json", include={"issuer", "audience", "jwks_file"})]
            ).decode(),
            listen="127.0.0.1:0",
        )
        settings = load_settings()
        configure_log("error")
        check_address(settings)
        asyncio.run(_demonstrate(settings, issuer, Wish(as_json=as_json, **given)))


async def _demonstrate(settings: Settings, issuer: LocalIssuer, wish: Wish) -> None:
    note = partial(click.echo, err=wish.as_json)
    async with AsyncExitStack() as stack:
        note(f"Opening the database {settings.store} ...")
        with Bars() as bars:
            grown = {"topology": wish.topology, "scale": wish.scale, "seed": wish.seed, "alarms": 0}
            filling = filled(settings, policy_of(settings), progress=bars, **grown)
            report, after = await stack.enter_async_context(filling)
        note(told(report, after))
        premium, standard = _customers(report)
        tokens = _tokens(issuer, premium, standard)
        sock = bound(settings)
        base = f"http://127.0.0.1:{sock.getsockname()[1]}"
        others = await stack.enter_async_context(neighbours(tokens))
        settings = connected(settings, base, others)
        ended = await stack.enter_async_context(listening(application(settings), sock, bounds_of(settings)))
        await ready(f"{base}/readyz")
        scene = Scene(
            base=base,
            neighbours=others,
            tokens=tokens,
            premium=premium,
            standard=standard,
            seed=wish.seed,
            session=await stack.enter_async_context(session()),
        )
        outage = await play(scene, lambda line: note(f"\n{line}"))
        _print(report, outage, scene, wish)
        if not (outage.slice.hidden and outage.resolved):
            raise CommandFailed("Another customer's token sees what it must not.", "Do not use this.")
        if not wish.once:
            await ended.wait()


def _customers(report: LoadReport) -> tuple[DemoPrincipal, DemoPrincipal]:
    by_tier = {each.tier: each for each in report.principals}
    return by_tier["PREMIUM"], by_tier["STANDARD"]


def _tokens(issuer: LocalIssuer, premium: DemoPrincipal, standard: DemoPrincipal) -> dict[str, str]:
    token = partial(issuer.token, seconds=TOKEN_SECONDS)
    return {
        "operator": token(subject="operator", role="operator"),
        "premium": token(subject="premium", role="customer", customers=premium.customers, changes=CLAIMABLE),
        "standard": token(
            subject="standard", role="customer", customers=standard.customers, changes=("boostBandwidth",)
        ),
        **{name: token(subject=role.removeprefix("system:"), role=role) for name, role in ROLES.items()},
    }


def _print(report: LoadReport, outage: Outage, scene: Scene, wish: Wish) -> None:
    url = f"{scene.base}/graphql"
    curls = examples(url, dict(scene.tokens), scene.premium)
    if wish.as_json:
        loaded = {"nodes": report.nodes, "relationships": report.relationships, "loaded": asdict(report)}
        more = {"url": url, "neighbours": dict(scene.neighbours.shown), "tokens": dict(scene.tokens), "examples": curls}
        click.echo(orjson.dumps({**loaded, **as_object(outage), **more}, default=dict))
        return
    if wish.once:
        return
    click.echo(
        f"\nGraphQL is at {url}, TMF642 at {scene.base}/tmf-api/alarmManagement/v4. The other systems can be asked at\n"
    )
    click.echo("\n".join(f"{name}: {address}" for name, address in scene.neighbours.shown.items()) + "\n")
    for name, token in scene.tokens.items():
        click.echo(f"{name}: {token}\n")
    click.echo("Try:\n\n" + "\n\n".join(curls))
    alarmed = outage.alarm["alarmedObject"]["id"]
    failing = to_fail(scene.base, scene.tokens["fault management"], alarmed)
    click.echo(f"\nFollow alerts in another window:\n\n{to_follow(url, scene.tokens['premium'])}")
    click.echo("\nand let the card fail again, and mend it:\n\n" + "\n\n".join(failing) + "\n\nCtrl-C ends it.")
