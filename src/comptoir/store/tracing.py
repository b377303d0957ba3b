"""Spans for whoever listens, by OpenTelemetry's API alone: without an SDK none is ever made.

Attributes are figures, kinds and stable codes. A customer, a key, a text or an amount never
becomes one, nor does the message of an exception, which may quote any of these.
"""

import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import ProxyTracerProvider, Span, StatusCode, Tracer, TracerProvider

from comptoir.kit.errors import ComptoirError, Unavailable, is_bug

Attributes = Mapping[str, str | int | float]

_NAME: Final = "comptoir"


LOOK_SECONDS: Final = 1.0
"""How long it may take to notice an SDK that is set up after the first call."""


class _Ear:
    """Whether anybody listened when somebody last looked, and until when that will do."""

    on = False
    until = 0.0


def is_on() -> bool:
    """Whether anybody listens: an application's SDK, or the one that `serve` sets up.

    Looking takes a microsecond of a busy commit's 60 a call, and is done once a second.
    """
    if time.monotonic() >= _Ear.until:
        look()
    return _Ear.on


def look() -> None:
    """Look whether anybody listens now."""
    _Ear.on = not isinstance(trace.get_tracer_provider(), ProxyTracerProvider)
    _Ear.until = time.monotonic() + LOOK_SECONDS


def tracer() -> Tracer:
    """What makes the spans of this program."""
    return _tracer_of(trace.get_tracer_provider())


@lru_cache(maxsize=1)
def _tracer_of(provider: TracerProvider) -> Tracer:
    return provider.get_tracer(_NAME)


@contextmanager
def spanned(name: str, attributes: Attributes | None = None) -> Generator[Span]:
    """A span that is current while the block runs; an error marks it by its code or type alone."""
    with tracer().start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except Exception as error:
            mark(span, error)
            raise


def mark(span: Span, error: BaseException) -> None:
    """Say what went wrong. A refusal is an answer like any other, and no error of the span."""
    if isinstance(error, ComptoirError):
        span.set_attribute("comptoir.code", error.code)
    if not is_bug(error) and not isinstance(error, Unavailable):
        return
    span.set_attribute("error.type", error_type(error))
    span.set_status(StatusCode.ERROR)


def error_type(error: BaseException) -> str:
    """The stable code of an error of ours, or the name of whatever else."""
    return error.code if isinstance(error, ComptoirError) else type(error).__qualname__


class Waiting:
    """The span of a submit, while its requests go through the group commit."""

    __slots__ = ("_since", "_span")

    def __init__(self, span: Span) -> None:
        self._span = span
        self._since = time.perf_counter()

    def decided(self, commit: Span, began: float, attributes: Attributes) -> None:
        """Tell how long it waited for its commit and what that was; link the two."""
        commit.add_link(self._span.get_span_context())
        if self._span.is_recording():  # else its caller has gone away
            self._span.set_attribute("comptoir.queue_seconds", began - self._since)
            self._span.set_attributes(attributes)


@contextmanager
def submitting(book: int, requests: int) -> Generator[Waiting | None]:
    """The span of a submit while the block runs; None for one that is not sampled."""
    attributes = {"comptoir.book": book, "comptoir.requests": requests}
    with spanned("ledger submit", attributes) as span:
        yield Waiting(span) if span.is_recording() else None


class Committing:
    """The span of a commit. It decides requests of many traces, so it belongs to none of them."""

    def __init__(self, span: Span, attributes: Attributes) -> None:
        self._span = span
        self._attributes = attributes
        self._began = time.perf_counter()

    def decided(self, waiting: Iterable[Waiting | None], failure: BaseException | None) -> None:
        """Link it with what it has decided, or failed to."""
        for each in waiting:
            if each is not None:
                each.decided(self._span, self._began, self._attributes)
        if failure is not None:
            mark(self._span, failure)


@contextmanager
def committing(book: int, lane: str, requests: int) -> Generator[Committing]:
    """The span of a commit, while the block runs.

    Args:
        book: whose ledger it is.
        lane: "writer" or "slow".
        requests: how many share it.
    """
    shared = {"comptoir.lane": lane, "comptoir.commit.requests": requests}
    # An empty context: the writer's task was begun by some request, which is not what it works for.
    span = tracer().start_span(
        "ledger commit", context=Context(), attributes={"comptoir.book": book, **shared}
    )
    try:
        yield Committing(span, shared)
    finally:
        span.end()
