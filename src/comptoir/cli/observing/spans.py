"""OpenTelemetry's SDK, set up in each process that serves, as its standard variables say."""

from collections.abc import Callable

from comptoir import __version__
from comptoir.config import Settings, lend_to_sdk
from comptoir.store.tracing import is_on, look


def begin(settings: Settings) -> Callable[[], None] | None:
    """Send spans from now on, if the settings ask for it.

    A queue in memory keeps what is to be sent, and a thread sends it: what the collector does, or
    fails to do, no request ever notices. What does not fit into the queue is lost.

    Returns:
        What sends the rest and ends, which may take long; None when nothing is sent, or by an SDK
        that somebody else has set up before.
    """
    if not settings.wants_spans or is_on():
        return None
    lend_to_sdk()
    # Optional packages, and slow to load.
    from opentelemetry import trace  # noqa: PLC0415  # optional
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415  # optional
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415  # optional
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  # optional
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  # optional

    ours = Resource.create({"service.name": settings.otel_name, "service.version": __version__})
    provider = TracerProvider(
        resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    look()
    return provider.shutdown
