"""The ASGI application: routes, middleware in order, and what runs while the server does."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Match, Route
from starlette.types import Scope

from comptoir import app as composition
from comptoir.app import App
from comptoir.web import assets, embed, guide, openapi, reference, webhooks
from comptoir.web.api import (
    batch,
    billing,
    books,
    cache,
    checkout,
    cron,
    customers,
    explaining,
    guards,
    hooks,
    identity,
    inbox,
    jobs,
    leased_jobs,
    ledger,
    once,
    operations,
    orders,
    payments,
    portal_links,
    reading,
    reservations,
    selling,
    stats,
    stock,
    stream,
    tokens,
)
from comptoir.web.api import credits as writing
from comptoir.web.auth import Doorman
from comptoir.web.background import work
from comptoir.web.dashboard import pages
from comptoir.web.limits import OwnLimits
from comptoir.web.logs import Log, Report, keep_to_oneself
from comptoir.web.metrics import Metrics
from comptoir.web.middleware import Around
from comptoir.web.portal import pages as portal
from comptoir.web.routing import Operation, Path, Site, Unrouted

_UNHEARD: Final[dict[str, Any]] = {
    "telemetry": {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
}
"""FastAPI's own spans and logs have addresses, queries and exceptions in them: who, and what."""

ENDING: Final = "comptoir.ending"
"""What a server calls as soon as it is asked to end, in the state of its application: streams end
then, for which it would wait else."""

Make = Callable[[], AbstractAsyncContextManager[App]]
Beside = Callable[[App, Log, Metrics], AbstractAsyncContextManager[None]]
"""What runs beside the server in its process, as its jobs do."""


@asynccontextmanager
async def nothing(_app: App, _log: Log, _metrics: Metrics) -> AsyncGenerator[None]:
    """What runs beside a server that only serves."""
    yield


DOCUMENTED: Final[tuple[Operation, ...]] = (
    *writing.OPERATIONS,
    *batch.OPERATIONS,
    *checkout.OPERATIONS,
    *webhooks.OPERATIONS,
    *selling.OPERATIONS,
    *stock.OPERATIONS,
    *reservations.OPERATIONS,
    *orders.OPERATIONS,
    *tokens.OPERATIONS,
    *billing.OPERATIONS,
    *payments.OPERATIONS,
    *hooks.OPERATIONS,
    *reading.OPERATIONS,
    *stream.OPERATIONS,
    *ledger.OPERATIONS,
    *explaining.OPERATIONS,
    *customers.OPERATIONS,
    *identity.OPERATIONS,
    *portal_links.OPERATIONS,
    *books.OPERATIONS,
    *guards.OPERATIONS,
    *once.OPERATIONS,
    *cache.OPERATIONS,
    *leased_jobs.OPERATIONS,
    *jobs.OPERATIONS,
    *cron.OPERATIONS,
    *inbox.OPERATIONS,
    *stats.OPERATIONS,
)
"""The API, with the busiest routes first: they are tried in this order."""


@dataclass(frozen=True, slots=True)
class Options:
    """What must be known before the settings' App is open.

    Attributes:
        locale: the language of whoever does not say which one he wants.
        log: json, or console for people.
        origins: web origins whose scripts may call.
        report: is told of errors that nobody expected.
        beside: entered once the App is open, and left before it closes.
    """

    locale: str = "en"
    log: str = "json"
    origins: Sequence[str] = ()
    report: Report = keep_to_oneself
    beside: Beside = nothing


class Counter(FastAPI):
    """The application. Its OpenAPI document is made of the operations themselves."""

    def __init__(self, served: Sequence[Operation], **more: Any) -> None:  # noqa: ANN401  # FastAPI's
        super().__init__(
            title="Comptoir",
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            **_UNHEARD,
            **more,
        )
        self.served = served

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document."""
        return openapi.document(self.served)


def create_app(make: Make, options: Options | None = None) -> FastAPI:
    """The application around whatever `make` opens when the server starts.

    Leaving the server flushes what is queued, before the App closes.
    """
    options = options or Options()
    site, metrics, log = Site(), Metrics(), Log(options.log, options.report)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[dict[str, Any]]:
        async with make() as app:
            site.app, site.doorman, site.limits = app, Doorman(app), OwnLimits(app)
            await app.batch(1)
            running = _running(app, site.doorman, metrics, log)
            async with running, options.beside(app, log, metrics):
                yield {ENDING: app.live.close}
        metrics.close()

    documented = (*DOCUMENTED, *operations.operations())
    counter = Counter(documented, lifespan=lifespan, redirect_slashes=False)
    counter.router.routes.extend(_routes((*documented, *_undocumented(counter, metrics)), site))
    counter.router.default = Unrouted(site)
    if options.origins:
        counter.add_middleware(CORSMiddleware, **_cors(options.origins))
    counter.add_middleware(
        Around,
        log=log,
        metrics=metrics,
        clock=composition.now,
        randomness=composition.randomness,
        locale=options.locale,
    )
    return counter


@asynccontextmanager
async def _running(app: App, doorman: Doorman, metrics: Metrics, log: Log) -> AsyncGenerator[None]:
    """Work in the background while the block runs."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work(app, doorman, metrics, log))
        yield
        task.cancel()


def _routes(served: Sequence[Operation], site: Site) -> list[Route]:
    paths: dict[str, list[Operation]] = {}
    for operation in served:
        paths.setdefault(operation.path, []).append(operation)
    return [_Route(path, Path(path, own, site)) for path, own in paths.items()]


class _Route(Route):
    """A route whose customer may have any name, slashes included.

    What follows the customer must stand in the address as it is: of a customer called "a/export"
    every slash is escaped there, and his address is not the one of an export of "a".
    """

    def __init__(self, path: str, endpoint: Path) -> None:
        super().__init__(path.replace("{customer}", "{customer:path}"), endpoint)
        self._rest = path.partition("{customer}")[2].encode()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if self._rest and not scope.get("raw_path", b"").endswith(self._rest):
            return Match.NONE, {}
        return super().matches(scope)


def _cors(origins: Sequence[str]) -> dict[str, Any]:
    return {
        "allow_origins": origins,
        "allow_methods": ("GET", "POST", "PUT", "DELETE"),
        "allow_headers": (
            "Authorization",
            "Content-Type",
            "Idempotency-Key",
            "If-None-Match",
            "Last-Event-ID",
            "X-Request-Id",
        ),
        "expose_headers": (
            "ETag",
            "Idempotent-Replayed",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "X-Request-Id",
        ),
    }


def _undocumented(counter: Counter, metrics: Metrics) -> tuple[Operation, ...]:
    return (
        *operations.figures(metrics),
        *assets.OPERATIONS,
        *embed.OPERATIONS,
        *pages.OPERATIONS,
        *guide.OPERATIONS,
        *portal.OPERATIONS,
        *reference.operations(counter.openapi, counter.served),
    )


@dataclass(frozen=True, slots=True)
class Watch:
    """Who watches a process that serves.

    Attributes:
        report: is told of errors that nobody expected.
        around: entered before anything is opened, and left once all is closed.
        beside: entered once the App is open, and left before it closes.
    """

    report: Report = keep_to_oneself
    around: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    beside: Beside = nothing


NOBODY: Final = Watch()


def build(watch: Watch = NOBODY) -> FastAPI:
    """The application as the environment says; what each process that serves calls."""
    settings = composition.read_settings()
    origins = [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]
    options = Options(settings.locale, settings.log_format, origins, watch.report, watch.beside)

    @asynccontextmanager
    async def opened() -> AsyncGenerator[App]:
        async with watch.around(), composition.open_served(settings) as app:
            yield app

    return create_app(opened, options)
