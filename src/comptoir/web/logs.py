"""Log lines: one a request, structured, without keys, bodies or query strings."""

import sys
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import structlog

_encode: Final = msgspec.json.Encoder(enc_hook=repr).encode


def _json(_logger: object, _method: str, event: Mapping[str, Any]) -> bytes:
    return _encode(dict(event))


class Log:
    """Where log lines go: JSON or, on a terminal, readable text, on standard error."""

    def __init__(self, form: str = "json") -> None:
        if form == "console":
            renderer: Any = structlog.dev.ConsoleRenderer(colors=False)
            factory: Any = structlog.PrintLoggerFactory(sys.stderr)
        else:
            renderer = _json
            factory = structlog.BytesLoggerFactory(sys.stderr.buffer)
        self._form = form
        self._logger: Any = structlog.wrap_logger(
            factory(),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.format_exc_info,
                renderer,
            ],
            wrapper_class=structlog.BoundLogger,
            cache_logger_on_first_use=True,
        )

    def request(self, line: dict[str, object]) -> None:
        """One request and its answer."""
        self._logger.info(**line)

    def event(self, event: str, **more: object) -> None:
        """Something that happened apart from requests."""
        self._logger.info(event, **more)

    def unexpected(self, error: BaseException, request_id: str | None = None) -> None:
        """Something that nobody expected, with where it came from."""
        self._logger.error(
            "unexpected", request_id=request_id, exc_info=(type(error), error, error.__traceback__)
        )
