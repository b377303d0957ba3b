"""What operators watch, for Prometheus. With several processes each page covers all of them.

prometheus-client keeps figures in files that the processes share when PROMETHEUS_MULTIPROC_DIR was
set before it was imported; `comptoir serve --workers N` sees to that.
"""

import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from comptoir.guards.redis.link import Mode
from comptoir.kit.books import LIVE, TEST
from comptoir.store import inbox
from comptoir.store.batch import Batch

TEXT: Final = b"text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_REMEMBERED: Final = 5_000
_TRIES: Final = 200


@dataclass(frozen=True, slots=True, eq=False)
class Money(Collector):
    """How the money that comes in is doing, by the number of the book, as the database says.

    It is the same for all processes: whoever is asked has read it, and no file has it.

    Attributes:
        events: not done, by state: how many, and the seconds since the oldest came.
        cases: that are open, by kind.
    """

    events: Mapping[tuple[int, str], tuple[int, float]]
    cases: Mapping[tuple[int, str], int]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures, with noughts where nothing is in the way."""
        books = sorted({LIVE, TEST, *(book for book, _ in (*self.events, *self.cases))})
        events = GaugeMetricFamily(
            "comptoir_inbox_events",
            "Events of the payment provider that are not done, by state; 10,000 at most.",
            labels=("book", "state"),
        )
        oldest = GaugeMetricFamily(
            "comptoir_inbox_oldest_seconds",
            "Since the oldest event came of which something is still to become.",
            labels=("book",),
        )
        for book in books:
            for state in inbox.TROUBLES:
                events.add_metric((str(book), state), self.events.get((book, state), (0, 0.0))[0])
            waited = [self.events.get((book, state), (0, 0.0))[1] for state in inbox.WAITING]
            oldest.add_metric((str(book),), max(waited))
        cases = GaugeMetricFamily(
            "comptoir_cases_open",
            "What needs a human, by kind; 10,000 at most.",
            labels=("book", "kind"),
        )
        for (book, kind), count in sorted(self.cases.items()):
            cases.add_metric((str(book), kind), count)
        yield from (events, oldest, cases)


class Metrics:
    """The figures of one process. Shared by all tasks of one event loop."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "comptoir_http_requests_total",
            "Requests by method, route and status.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "comptoir_http_request_seconds",
            "Time to answer, by route.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._queued = Gauge(
            "comptoir_batch_queued",
            "Requests that wait for the group commit.",
            ("book",),
            multiprocess_mode="livesum",
            registry=self._registry,
        )
        self._lanes = Gauge(
            "comptoir_batch_lanes",
            "Accounts that somebody else keeps locked.",
            ("book",),
            multiprocess_mode="livesum",
            registry=self._registry,
        )
        self._committed = Counter(
            "comptoir_ledger_requests_total",
            "Requests that the ledger has decided.",
            ("book",),
            registry=self._registry,
        )
        self._jobs = Counter(
            "comptoir_jobs_total",
            "Tries of jobs that ended, by type and outcome: done, failed or dead.",
            ("type", "outcome"),
            registry=self._registry,
        )
        self._redis: Gauge | None = None
        self._counted: dict[int, int] = {}
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        children = self._children.get((method, route, status))
        if children is None:
            children = (
                self._requests.labels(method, route, str(status)),
                self._seconds.labels(method, route),
            )
            if len(self._children) < _REMEMBERED:
                self._children[method, route, status] = children
        children[0].inc()
        children[1].observe(seconds)

    def job(self, type_: str, outcome: str) -> None:
        """Count a try of a job that ended."""
        self._jobs.labels(type_, outcome).inc()

    def look(self, batches: dict[int, Batch], mode: Mode = Mode.UNSET) -> None:
        """Take down how the group commits are doing, and Redis."""
        if mode is not Mode.UNSET:
            self._redis = self._redis or Gauge(
                "comptoir_redis_up",
                "Whether Redis answers; without one there is no such figure.",
                multiprocess_mode="livemin",
                registry=self._registry,
            )
            self._redis.set(mode is Mode.UP)
        for book, batch in batches.items():
            self._queued.labels(str(book)).set(batch.queued)
            self._lanes.labels(str(book)).set(batch.lanes)
            before = self._counted.get(book, 0)
            self._committed.labels(str(book)).inc(batch.committed - before)
            self._counted[book] = batch.committed

    def page(self, money: Money | None = None) -> bytes:
        """All figures, of all processes where these share a folder; and those of the database.

        Args:
            money: None when nobody could say.
        """
        if money is None:
            return self._own()
        registry = CollectorRegistry()
        registry.register(money)
        return self._own() + generate_latest(registry)

    def _own(self) -> bytes:
        registry = CollectorRegistry()
        try:
            multiprocess.MultiProcessCollector(registry)
        except ValueError:
            return generate_latest(self._registry)
        for _ in range(_TRIES):
            # The file of a process that has just begun it is empty, for as long as a call takes.
            with suppress(struct.error):
                return generate_latest(registry)
        return generate_latest(registry)

    def close(self) -> None:
        """Take this process out of the gauges of all."""
        try:
            multiprocess.mark_process_dead(os.getpid())  # pyright: ignore[reportUnknownMemberType]  # the library says no types
        except (TypeError, ValueError):
            return  # there is no shared folder
