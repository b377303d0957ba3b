"""What the settings ask to be sent, and whether that can be done: said before anything is served.

Whoever has set an address counts on what is to arrive there, and looks for it on the worst of
days. So a server that cannot send it does not start, and says how to have it, or do without.
"""

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Final
from urllib.parse import urlsplit

from comptoir.config import Settings
from comptoir.kit.errors import ComptoirError

_SENTRY: Final = ("sentry_sdk",)
_OTEL: Final = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")
_EXPORTER: Final = "otlp"
_PROTOCOL: Final = "http/protobuf"


def check(settings: Settings) -> None:
    """See to it that what the settings ask for can be sent.

    Raises:
        ComptoirError: a package lacks, or a variable says what this program cannot do.
    """
    if settings.sentry_dsn is not None:
        _require("SENTRY_DSN", "sentry", _SENTRY)
        if not _is_dsn(settings.sentry_dsn.get_secret_value()):
            raise ComptoirError("sentry-dsn-invalid")
    if not settings.wants_spans:
        return
    if settings.otel_traces_exporter not in (None, _EXPORTER):
        raise ComptoirError("traces-exporter-unknown", said=settings.otel_traces_exporter)
    protocol = settings.otel_traces_protocol or settings.otel_protocol
    if protocol not in (None, _PROTOCOL):
        raise ComptoirError("traces-protocol-unknown", said=protocol)
    asking = "OTEL_TRACES_EXPORTER" if settings.otel_traces_exporter else "OTEL_EXPORTER_OTLP_*"
    _require(asking, "otel", _OTEL)


def _require(variable: str, extra: str, modules: Iterable[str]) -> None:
    if not all(_is_there(module) for module in modules):
        raise ComptoirError("extra-missing", variable=variable, extra=extra)


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False  # nor is the package that it would be in


def _is_dsn(text: str) -> bool:
    """Whether it has the parts of an address of Sentry's: https://KEY@HOST/PROJECT."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    project = parts.path.rpartition("/")[2]
    return bool(
        parts.scheme in {"http", "https"}
        and parts.hostname
        and parts.username
        and project.isascii()
        and project.isdigit()
    )
