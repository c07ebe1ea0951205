"""Whoever looks for lost time wants to see each stage of a request beside those of other systems: spans, where they are wanted.

OpenTelemetry is an extra (`trunkline[traces]`) and off until the setting `traces` names a collector; until then a span
costs a look at one variable. A caller's `traceparent` is gone on with, and subgraphs get ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import Any, Final, TypeAlias

from gateway.errors import SettingsBroken

TRACEPARENT: Final = "traceparent"
Current: TypeAlias = AbstractContextManager[object]
_NOTHING: Final[Current] = nullcontext()
_tracing: _Tracing | None = None


class _Tracing:
    """Spans on their way to a collector."""

    def __init__(self, exporter: Any) -> None:
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - the extra may not be there
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        self.provider = TracerProvider(resource=Resource.create({"service.name": "trunkline"}))
        self.provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self.provider.get_tracer("trunkline")
        self._propagator = TraceContextTextMapPropagator()

    def span(self, name: str, attributes: Mapping[str, str | int], traceparent: str = "") -> Current:
        context = self._propagator.extract({TRACEPARENT: traceparent}) if traceparent else None
        made: Current = self._tracer.start_as_current_span(name, context=context, attributes=attributes)
        return made

    def header(self) -> dict[str, str]:
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier


def require(endpoint: str) -> None:
    """Say so where spans are wanted and nothing is there that sends them."""
    if endpoint and find_spec("opentelemetry.exporter.otlp.proto.http") is None:
        raise SettingsBroken("traces: OpenTelemetry is not installed; install trunkline[traces].")


def begin(endpoint: str) -> None:
    """Send spans to a collector from now on (OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces); empty: to none."""
    global _tracing  # noqa: PLW0603 - as OpenTelemetry itself: one for the process, looked at everywhere
    end()
    require(endpoint)
    if endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

        _tracing = _Tracing(OTLPSpanExporter(endpoint=endpoint))


def end() -> None:
    """Send what is left."""
    global _tracing  # noqa: PLW0603 - see above
    if _tracing is not None:
        _tracing.provider.shutdown()
        _tracing = None


def span(name: str, **attributes: str | int) -> Current:
    """Measure a block, as a part of the span that it runs in."""
    return _NOTHING if _tracing is None else _tracing.span(name, attributes)


def request_span(headers: Iterable[tuple[bytes, bytes]]) -> Current:
    """Measure a request, as a part of its caller's span if it names one."""
    if _tracing is None:
        return _NOTHING
    return _tracing.span("request", {}, dict(headers).get(TRACEPARENT.encode(), b"").decode("latin-1"))


def onward() -> dict[str, str]:
    """Give the header by which another system can go on with the current span."""
    return {} if _tracing is None else _tracing.header()
