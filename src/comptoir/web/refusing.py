"""What a refusal becomes: a problem document and its headers, in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from comptoir.domains.stock.model import InsufficientStock
from comptoir.guards.quotas import QuotaReached
from comptoir.kit.errors import ComptoirError, Invalid, Unavailable
from comptoir.kit.limits import SECOND
from comptoir.web.auth import Unauthorized
from comptoir.web.complaints import Unfit, complaints
from comptoir.web.languages import negotiate
from comptoir.web.problems import document
from comptoir.web.replies import PROBLEM, REPLAYED, Header, Reply, encode

_CLOSE: Final[Header] = (b"connection", b"close")
_NO_STORE: Final[Header] = (b"cache-control", b"no-store")
_LABELS: Final = {("ai-calls", "fr"): "IA", ("ai-calls", "en"): "AI"}
"""How the seeds call a metric."""


class Reader(Protocol):
    """Whoever is told."""

    @property
    def language(self) -> str:
        """In which language."""
        ...

    @property
    def instance(self) -> str:
        """What it happened to: the address, without its query."""
        ...

    @property
    def now(self) -> int:
        """Microseconds since 1970."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """Whoever sends a request to an application that is not ours."""

    language: str
    instance: str
    now: int


def reader_of(scope: Mapping[str, Any], locale: str, now: int) -> Reading:
    """Who reads the answer to an ASGI request."""
    asked = next((value for name, value in scope["headers"] if name == b"accept-language"), b"")
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return Reading(negotiate(asked.decode("latin-1"), locale), raw.decode("ascii", "replace"), now)


def problem(reader: Reader, code: str, figures: dict[str, object]) -> Reply:
    """A problem document in the reader's language."""
    return _reply(reader, document(code, reader.language, figures, reader.instance))


def _reply(reader: Reader, content: dict[str, Any]) -> Reply:
    headers: list[Header] = [
        (b"content-language", reader.language.encode()),
        (b"vary", b"Accept-Language"),
        _NO_STORE,
    ]
    return Reply(content["status"], encode(content), PROBLEM, headers)


def refused(reader: Reader, error: ComptoirError) -> Reply:
    """What an error with a code becomes."""
    if isinstance(error, Invalid) and "field" in error.figures:
        figures = dict(error.figures)
        name = str(figures.pop("field"))
        return unfit(reader, Unfit.field(name, error.code, **figures))
    if isinstance(error, QuotaReached):
        error = _quota_reached(reader, error)
    figures = {name: value for name, value in error.figures.items() if name != "retry_after"}
    reply = problem(reader, error.code, figures)
    if isinstance(error, InsufficientStock) and error.replayed:
        reply.headers.append(REPLAYED)
    if isinstance(error, Unauthorized):
        reply.headers.append((b"www-authenticate", b'Bearer realm="comptoir"'))
    if error.code == "payload-too-large":
        reply.headers.append(_CLOSE)
    wait = error.retry_after if isinstance(error, Unavailable) else error.figures.get("retry_after")
    if isinstance(wait, int):
        reply.headers.append((b"retry-after", b"%d" % wait))
    return reply


def unfit(reader: Reader, error: Unfit) -> Reply:
    """422 with a list of what is wrong; the detail says the first."""
    listed = complaints(error.errors, reader.language)
    content = document("validation-failed", reader.language, {"errors": listed}, reader.instance)
    content["detail"] = f"{listed[0]['field']}: {listed[0]['message']}"
    return _reply(reader, content)


def _quota_reached(reader: Reader, error: QuotaReached) -> ComptoirError:
    figures = dict(error.figures)
    resets_at, metric = figures.pop("resets_at"), str(figures["metric"])
    assert isinstance(resets_at, datetime), "the database says when"
    return ComptoirError(
        error.code,
        **figures,
        label=_LABELS.get((metric, reader.language), metric),
        resets_at=moment(resets_at),
        retry_after=max(1, int(resets_at.timestamp()) - reader.now // SECOND + 1),
    )


def moment(of: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return of.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
