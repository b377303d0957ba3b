"""Log lines: one a request, structured, without keys, bodies or query strings."""

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import structlog

Report = Callable[[BaseException, Mapping[str, str]], None]
"""Tells whoever keeps errors of one that nobody expected, and where it came up."""

_encode: Final = msgspec.json.Encoder(enc_hook=repr).encode


def _json(_logger: object, _method: str, event: Mapping[str, Any]) -> bytes:
    return _encode(dict(event))


def keep_to_oneself(_error: BaseException, _where: Mapping[str, str]) -> None:
    """The report of whoever has nobody to tell."""


class Log:
    """Where log lines go: JSON or, on a terminal, readable text, on standard error.

    What nobody expected goes to `report` too.
    """

    def __init__(self, form: str = "json", report: Report = keep_to_oneself) -> None:
        self._report = report
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

    def unexpected(self, error: BaseException, where: Mapping[str, str]) -> None:
        """Something that nobody expected, with where it came from."""
        self._logger.error(
            "unexpected", exc_info=(type(error), error, error.__traceback__), **where
        )
        try:
            self._report(error, where)
        except Exception as failure:  # noqa: BLE001  # nobody's answer may depend on who is told
            self.event("report-failed", error=type(failure).__name__)
