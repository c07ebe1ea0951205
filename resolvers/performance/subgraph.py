"""Performance monitoring as a subgraph: whatever happens over there, an operation gets an answer.

Strawberry executes here, since nothing can be compiled: the data is in another system. What is asked about several services for the same
time is one call (`DataLoader`); what is asked for another time is another, and fails by itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from strawberry.dataloader import DataLoader

from adapters.errors import AdapterError, Unreachable
from adapters.performance_management import Measurement, MeasurementRequest, Measurements
from graph.model.scope import Principal
from resolvers.elsewhere import Area, Operation
from resolvers.performance.schema import performance_schema
from resolvers.performance.types import Desk, Wanted


class PerformanceSubgraph:
    """Answers what the gateway asks about services that its caller sees."""

    name = "performance"

    def __init__(self, *, seconds: float) -> None:
        """Take how long performance monitoring may take; 0: there is none that can be asked."""
        self._seconds = seconds
        self._measurements: Measurements | None = None
        self._area = Area(name=self.name, called="Performance monitoring", schema=performance_schema())
        self.sdl = self._area.schema.as_str()

    @contextmanager
    def reaching(self, measurements: Measurements) -> Iterator[None]:
        """Ask this system while the block runs."""
        self._measurements = measurements
        try:
            yield
        finally:
            self._measurements = None

    async def execute(
        self,
        operation: Operation,
        variables: Mapping[str, Any],
        principal: Principal,  # noqa: ARG002 - the graph has shown the service to the caller, or it has no name here
        deadline: float,
    ) -> dict[str, Any]:
        """Answer within `deadline`, an absolute `time.monotonic()`."""
        # The rest of the answer waits for this: not longer than this system gets for anything else, all calls together.
        soon = min(deadline, time.monotonic() + self._seconds)
        desk = Desk(
            is_known=self._seconds > 0,
            measurements=DataLoader(load_fn=lambda wanted: self._load(wanted, soon)),
        )
        return await self._area.answer(operation, variables, desk)

    async def _load(self, wanted: Sequence[Wanted], deadline: float) -> list[list[Measurement] | Exception]:
        found: dict[Wanted, list[Measurement] | Exception] = {}
        for request in _requests(wanted):
            try:
                measured = await self._reached().measured(request, deadline=deadline)
            except AdapterError as error:
                found |= dict.fromkeys(_asked_by(request), error)
            else:
                found |= {each: list(measured.get(each.service, ())) for each in _asked_by(request)}
        return [found[each] for each in wanted]

    def _reached(self) -> Measurements:
        if self._measurements is None:
            raise Unreachable("No performance monitoring system is connected")
        return self._measurements


def _requests(wanted: Sequence[Wanted]) -> list[MeasurementRequest]:
    """Give one request for all services that are asked about alike."""
    groups: dict[Wanted, list[str]] = {}
    for each in wanted:
        groups.setdefault(replace(each, service=""), []).append(each.service)
    return [
        MeasurementRequest(
            services=tuple(services), indicator=alike.indicator, start=alike.start, end=alike.end, most=alike.most
        )
        for alike, services in groups.items()
    ]


def _asked_by(request: MeasurementRequest) -> list[Wanted]:
    return [
        Wanted(service=each, indicator=request.indicator, start=request.start, end=request.end, most=request.most)
        for each in request.services
    ]
