"""Who carries orders out, or waits for one, looks at a terminal: what is open, and how far one of them is.

Without an order it lists those that are not over, the longest waiting first; with one, by our id or by what whoever has placed it calls
it, it tells all of it. The gateway is asked as any client asks it, so that each caller is shown what is its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click
import orjson

from gateway.commands.asking import Caller, ask, caller_options
from gateway.commands.options import json_option
from gateway.errors import CommandFailed

OVER: Final = ("COMPLETED", "FAILED", "PARTIAL", "REJECTED", "CANCELLED")
OPEN: Final = ("ACKNOWLEDGED", "PENDING", "HELD", "IN_PROGRESS", "ASSESSING_CANCELLATION", "PENDING_CANCELLATION")
_LISTED: Final = """
fragment Listed on OrderConnection {
  totalCount
  nodes {
    id externalId system kind state orderedAt requestedCompletionAt
    customer { id name }
    items(first: 1) { totalCount }
  }
}
"""
_LIST: Final = f"""{_LISTED}
query Orders($states: [OrderState!]!, $most: Int!) {{
  orders(filter: {{ state: {{ in: $states }} }}, orderBy: [{{ field: ID }}], first: $most) {{ ...Listed }}
}}
"""
_LIST_OF: Final = f"""{_LISTED}
query OrdersOfCustomer($customer: ID!, $states: [OrderState!]!, $most: Int!) {{
  customer(id: $customer) {{
    orders(filter: {{ state: {{ in: $states }} }}, orderBy: [{{ field: ID }}], first: $most) {{ ...Listed }}
  }}
}}
"""
_ONE: Final = """
query Order($name: String!, $id: ID!) {
  orders(filter: { or: [{ id: { eq: $id } }, { externalId: { eq: $name } }] }, first: 5) {
    nodes {
      id externalId system kind state description category priority orderedAt requestedStartAt requestedCompletionAt expectedCompletionAt
      startedAt completedAt cancelledAt cancellationReason
      customer { id name }
      items(orderBy: [{ field: ID }], first: 50) {
        totalCount
        nodes { externalId state action product offering quantity failure service { id name state } steps(first: 10) { nodes { name system boundary state receipt } } }
      }
      cancellations(first: 5) { nodes { id state reason askedAt effectiveAt } }
    }
  }
}
"""
_DATES: Final = {
    "orderedAt": "ordered",
    "requestedStartAt": "wanted from",
    "requestedCompletionAt": "wanted by",
    "expectedCompletionAt": "expected by",
    "startedAt": "begun",
    "completedAt": "completed",
    "cancelledAt": "cancelled",
}


@click.command(help="See which orders are open, or how far one of them is.")
@click.argument("order", required=False)
@click.option(
    "--state",
    "states",
    type=click.Choice([*OPEN, *OVER], case_sensitive=False),
    multiple=True,
    help="Only those in this state; without it all that are not over.",
)
@click.option("--all", "everything", is_flag=True, help="Those that are over too.")
@click.option("--customer", metavar="ID", help="Only the orders of this customer.")
@click.option("--most", type=click.IntRange(1, 1_000), default=100, show_default=True, help="Orders to list.")
@click.option("--why", is_flag=True, help="With an order: why items have failed, in full; for operators and analysts.")
@caller_options
@json_option
def command(  # noqa: PLR0913 - one for each option
    order: str | None,
    states: tuple[str, ...],
    customer: str | None,
    most: int,
    *,
    everything: bool,
    why: bool,
    as_json: bool,
    **who: Any,
) -> int:
    """List, or tell one."""
    caller = Caller(**who)
    if order is not None:
        if states or customer or everything:
            raise click.UsageError("Give either an order, or which of them to list.")
        return _tell(asyncio.run(_one(caller, order, why=why)), as_json=as_json)
    if states and everything:
        raise click.UsageError("Give either --state or --all.")
    wanted = states or ((*OPEN, *OVER) if everything else OPEN)
    found = asyncio.run(_listed(caller, customer, wanted, most))
    click.echo(orjson.dumps(found) if as_json else "\n".join(lines(found)))
    return 0


async def _listed(caller: Caller, customer: str | None, states: Sequence[str], most: int) -> dict[str, Any]:
    given = {"states": list(states), "most": most}
    if customer is None:
        found: dict[str, Any] = (await ask(caller, _LIST, given))["orders"]
        return found
    of = (await ask(caller, _LIST_OF, {**given, "customer": customer}))["customer"]
    if of is None:
        raise CommandFailed(f"There is no customer {customer}")
    listed: dict[str, Any] = of["orders"]
    return listed


async def _one(caller: Caller, name: str, *, why: bool) -> list[dict[str, Any]]:
    document = _ONE.replace("failure ", "failure failureDetail ") if why else _ONE
    found: list[dict[str, Any]] = (await ask(caller, document, {"name": name, "id": name}))["orders"]["nodes"]
    if not found:
        raise CommandFailed(f"There is no order {name}", "trunkline orders --all lists what there is.")
    return found


def _tell(found: list[dict[str, Any]], *, as_json: bool) -> int:
    if as_json:
        click.echo(orjson.dumps(found))
    else:
        click.echo("\n\n".join("\n".join(story(each)) for each in found))
    return 0


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Tell of some orders, a line each; and how many more there are."""
    orders = found["nodes"]
    if not orders:
        yield "There is none."
    for each in orders:
        count = each["items"]["totalCount"]
        wanted = f", wanted by {_time(each['requestedCompletionAt'])}" if each["requestedCompletionAt"] else ""
        items = f"{count} item" + "s" * (count != 1)
        yield f"{each['id']}  {_name(each)}: {_word(each['state'])}, {items} for {_whose(each)}, ordered {_time(each['orderedAt'])}{wanted}"
    if (more := found["totalCount"] - len(orders)) > 0:
        yield f"and {more} more (--most)"


def story(order: Mapping[str, Any]) -> Iterator[str]:
    """Tell all of an order."""
    kind = f"{_word(order['kind'])} order " if order["kind"] else "order "
    yield f"{kind}{order['id']}  {_name(order)}: {_word(order['state'])}"
    yield f"  for {_whose(order)}"
    yield from (f"  {name}: {order[name]}" for name in ("description", "category", "priority") if order[name])
    yield from (f"  {said} {_time(order[name])}" for name, said in _DATES.items() if order[name])
    yield from (f"  because: {each}" for each in [order["cancellationReason"]] if each)
    items = order["items"]
    yield from (f"  {line}" for each in items["nodes"] for line in _item(each))
    if (more := items["totalCount"] - len(items["nodes"])) > 0:
        yield f"  and {more} more items"
    for each in order["cancellations"]["nodes"]:
        reason = f": {each['reason']}" if each["reason"] else ""
        yield f"  {_time(each['askedAt'])} somebody asked to cancel it ({_word(each['state'])}){reason}"


def _item(item: Mapping[str, Any]) -> Iterator[str]:
    of = item["product"] or item["offering"] or ""
    quantity = f" x {item['quantity']}" if (item["quantity"] or 1) > 1 else ""
    service = item["service"]
    about = f", {service['name']} ({service['id']}, {_word(service['state'])})" if service else ""
    why = f" ({item.get('failureDetail') or item['failure']})" if item["failure"] else ""
    done = f"{_word(item['action'] or 'ADD')} {of}{quantity}".rstrip()
    yield f"item {item['externalId']}: {done}, {_word(item['state'])}{why}{about}"
    for step in item["steps"]["nodes"]:
        receipt = f": {step['receipt']}" if step["receipt"] else ""
        undo = "undo " if step["boundary"] == "RETURN" else ""
        yield f"  {undo}{step['name']}, {_word(step['system'])}: {_word(step['state'])}{receipt}"


def _name(order: Mapping[str, Any]) -> str:
    named = "" if order["externalId"] == order["id"] else f"{order['externalId']} "
    return f"{named}from {order['system']}"


def _whose(order: Mapping[str, Any]) -> str:
    customer = order["customer"]
    return f"{customer['name']} ({customer['id']})" if customer else "nobody"


def _word(name: str) -> str:
    return name.lower().replace("_", " ")


def _time(text: str | None) -> str:
    """Shorten to the minute: 2026-12-01T14:02:33.120Z is 2026-12-01 14:02Z."""
    return f"{text[:16].replace('T', ' ')}Z" if text else "at some time"
