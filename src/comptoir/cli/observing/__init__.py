"""Owns what `serve` sends away: spans by OpenTelemetry's SDK, unexpected errors to Sentry.

Both are optional packages, loaded only when the settings ask for them. Does not decide what a span
says: that is `store.tracing` and `web.tracing`.
"""

from comptoir.cli.observing.asked import check
from comptoir.cli.observing.watching import reporting, watched

__all__ = ["check", "reporting", "watched"]
