"""Errors that nobody expected, for Sentry: where in the program they came up, and no more.

An event is made anew from a list of what may leave, not stripped of what may not: whatever a later
version of the SDK begins to collect stays here. The message of an exception may quote a customer,
so that it stays here too; the log has it, under the same request id.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from comptoir import __version__
from comptoir.config import Settings
from comptoir.web.logs import Report, keep_to_oneself

_FLUSH_SECONDS: Final = 2.0

_OF_EVENT: Final = (
    "event_id", "timestamp", "level", "platform", "release", "environment", "server_name", "tags",
)  # fmt: skip
_OF_EXCEPTION: Final = ("type", "module", "mechanism")
_OF_MECHANISM: Final = ("type", "handled", "exception_id", "parent_id", "is_exception_group")
_OF_FRAME: Final = (
    "filename", "function", "module", "lineno", "in_app", "pre_context", "context_line",
    "post_context",
)  # fmt: skip

Event = Mapping[str, Any]


def _nothing() -> None:
    """What there is to flush when nothing is sent."""


@dataclass(frozen=True, slots=True)
class Reports:
    """Where unexpected errors go.

    Attributes:
        tell: sends one, in the background.
        flush: waits two seconds at most for what is still to be sent.
    """

    tell: Report = keep_to_oneself
    flush: Callable[[], None] = _nothing


def begin(settings: Settings) -> Reports:
    """Send them to Sentry from now on, if the settings name a project there."""
    if settings.sentry_dsn is None:
        return Reports()
    import sentry_sdk  # noqa: PLC0415  # an optional package, and slow to load

    sentry_sdk.init(
        dsn=settings.sentry_dsn.get_secret_value(),
        release=f"comptoir@{__version__}",
        environment=settings.env or "development",
        default_integrations=False,
        auto_enabling_integrations=False,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        enable_backpressure_handling=False,
        spotlight=False,
        before_send=lambda event, _hint: fit_to_leave(event),
    )

    def tell(error: BaseException, where: Mapping[str, str]) -> None:
        with sentry_sdk.new_scope() as scope:
            for name, value in where.items():
                scope.set_tag(name, value)
            scope.capture_exception(error)

    return Reports(tell, lambda: sentry_sdk.flush(timeout=_FLUSH_SECONDS))


def fit_to_leave(event: Event) -> Any:  # noqa: ANN401  # what Sentry calls an Event
    """What of an event may leave this machine."""
    values = event.get("exception", {}).get("values", ())
    return _only(event, _OF_EVENT) | {"exception": {"values": [_exception(one) for one in values]}}


def _exception(one: Event) -> dict[str, Any]:
    kept = _only(one, _OF_EXCEPTION)
    if kept.get("mechanism"):
        kept["mechanism"] = _only(kept["mechanism"], _OF_MECHANISM)
    stack: Event = one.get("stacktrace") or {}
    frames: Sequence[Event] = stack.get("frames", ())
    return kept | {"stacktrace": {"frames": [_only(frame, _OF_FRAME) for frame in frames]}}


def _only(of: Event, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: of[name] for name in names if name in of}
