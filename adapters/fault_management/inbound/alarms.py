"""Fault managers, operators and customers call one address for alarms, each with other rights, and all read one protocol.

TMF642 v4 under `/tmf-api/alarmManagement/v4`: `alarm`, `ackAlarms`, `unAckAlarms`, `clearAlarms`, `commentAlarms`, `hub`,
and the schema of our extension. `alarm_routes` makes the routes; behind the gates of edge.py each request is a read in the
caller's scope, or a change.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from adapters.endpoint.body import JSON, PATCH
from adapters.endpoint.edge import READERS, WRITERS, Action, Call, Edge, Resources, answer, routes
from adapters.endpoint.errors import Refusal
from adapters.endpoint.hub import hub_resources
from adapters.endpoint.listing import Listing, Part, answer_list, orders_of
from adapters.fault_management.alarms.x733 import SCHEMA, SCHEMA_FILE
from adapters.fault_management.inbound.changes import Changing
from adapters.fault_management.inbound.codec import encode
from adapters.fault_management.inbound.events import listen
from adapters.fault_management.inbound.hub import ALARMS
from adapters.fault_management.inbound.query import ORDERS, filter_of, filterable, is_told
from adapters.fault_management.inbound.reads import AlarmReads
from adapters.fault_management.inbound.shape import FIELDS
from adapters.fault_management.inbound.tasks import ACK, CLEAR, COMMENT, UN_ACK, Task, perform
from adapters.tmf.tmf630 import Filter, Sort, read_query, select

BASE: Final = "/tmf-api/alarmManagement/v4"


def alarm_routes(edge: Edge) -> list[Route]:
    """Make the routes, relative to `BASE`."""
    resources: Resources = {
        "/alarm": {
            "GET": Action(name="listAlarm", roles=READERS, run=_list),
            "POST": Action(name="createAlarm", roles=WRITERS, run=_create, is_work=True),
        },
        "/alarm/{id}": {
            "GET": Action(name="retrieveAlarm", roles=READERS, run=_retrieve),
            "PATCH": Action(name="patchAlarm", roles=WRITERS, run=_patch, is_work=True),
        },
        **{path: actions for task in (ACK, UN_ACK, CLEAR, COMMENT) for path, actions in _of_task(task).items()},
        **hub_resources(ALARMS),
        "/listener/{event}": {"POST": Action(name="listenToAlarm", roles=WRITERS, run=listen)},
        SCHEMA.removeprefix(BASE): {"GET": Action(name="retrieveSchema", roles=READERS, run=_schema)},
    }
    return routes(edge, resources)


def _of_task(task: Task) -> dict[str, dict[str, Action]]:
    async def run(call: Call) -> Response:
        done = await perform(task, _reads(call), await call.body(JSON), call.key)
        href = f"{BASE}/{task.name}/{done['id']}"
        return answer(201, {**done, "href": href}, {"Location": href})

    create = Action(name=f"create{task.name[0].upper()}{task.name[1:]}", roles=WRITERS, run=run)
    gone = Action(name=f"retrieve{create.name.removeprefix('create')}", roles=READERS, run=_gone)
    return {f"/{task.name}": {"GET": gone, "POST": create}, f"/{task.name}/{{id}}": {"GET": gone}}


def _reads(call: Call) -> AlarmReads:
    return AlarmReads(port=call.port, principal=call.principal, deadline=call.deadline, place=f"{BASE}/alarm")


async def _list(call: Call) -> Response:
    reads = _reads(call)

    async def load(filters: Sequence[Filter], sorts: Sequence[Sort], offset: int, limit: int) -> Part:
        wanted = filter_of(filters, customer=reads.is_customer)
        found = await reads.page(wanted, offset, limit, orders=orders_of(sorts, ORDERS))
        return Part(total=found.total, resources=[encode(each) for each in found.alarms])

    return await answer_list(call, _listing(customer=reads.is_customer), load)


def _listing(*, customer: bool) -> Listing:
    return Listing(
        place=f"{BASE}/alarm",
        published=FIELDS,
        is_told=partial(is_told, customer=customer),
        told=filterable(customer=customer),
        orders=ORDERS,
        narrowed_by="alarmRaisedTime.gt",
    )


async def _retrieve(call: Call) -> Response:
    asked = read_query([pair for pair in call.pairs if pair[0] == "fields"])
    seen = await _reads(call).one(call.id)
    if seen is None:
        raise Refusal("NOT_FOUND")
    return answer(200, select(encode(seen), asked.fields))


async def _create(call: Call) -> Response:
    changing = Changing(reads=_reads(call), most_bytes=call.most_bytes)
    alarm = await changing.create(await call.body(JSON), call.key)
    return answer(201, alarm, {"Location": alarm["href"]})


async def _patch(call: Call) -> Response:
    changing = Changing(reads=_reads(call), most_bytes=call.most_bytes)
    return answer(200, await changing.amend(call.id, await call.body(PATCH)))


async def _schema(_: Call) -> Response:
    return Response(SCHEMA_FILE.read_bytes(), 200, {"Content-Type": "application/schema+json"})


async def _gone(_: Call) -> Response:
    raise Refusal("NOT_FOUND")
