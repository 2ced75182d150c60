"""Traces by OpenTelemetry where ``KEZHI_OTLP_ENDPOINT`` says so; elsewhere nothing is recorded and nothing is loaded.

The trace context itself always travels: what comes in with a request goes out with the events that it causes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Request

    from chassis.messaging.event import Event
    from chassis.web.work import Desk

_tracer: Any = None
_carried: ContextVar[str | None] = ContextVar("kezhi_traceparent", default=None)
_OFF: AbstractContextManager[None] = nullcontext()


def configure(service: str, endpoint: str) -> None:
    """Switch tracing on for this process, once."""
    global _tracer  # noqa: PLW0603 - one tracer per process is what OpenTelemetry means
    if not endpoint or _tracer is not None:
        return
    from opentelemetry import trace  # noqa: PLC0415 - off means not even loaded
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": f"kezhi-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces")))
    trace.set_tracer_provider(provider)
    _tracer = trace.get_tracer("kezhi")


def current_traceparent() -> str | None:
    """The W3C trace context at hand, for whatever leaves this process."""
    if _tracer is not None:
        from opentelemetry import trace  # noqa: PLC0415

        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    return _carried.get()


def request_span(request: Request, desk: Desk) -> AbstractContextManager[Any]:
    """Around one request."""
    if _tracer is None and desk.traceparent is None:
        return _OFF
    return span(f"{request.method} {request.endpoint}", desk.traceparent)


@contextmanager
def span(name: str, parent: str | None = None) -> Iterator[None]:
    """One span, continuing ``parent`` (a traceparent) where given."""
    token = _carried.set(parent or _carried.get())
    try:
        if _tracer is None:
            yield
            return
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        context = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
        with _tracer.start_as_current_span(name, context=context):
            yield
    finally:
        _carried.reset(token)


def span_from(event: Event, name: str) -> AbstractContextManager[Any]:
    """Around the handling of an event, continuing the trace in which it was announced."""
    return _OFF if _tracer is None and event.traceparent is None else span(name, event.traceparent)
