"""How the process is: health for orchestrators, figures for Prometheus."""

import hmac
from collections.abc import Callable
from typing import Final

from comptoir.kit.errors import Unavailable
from comptoir.store.revision import newest_revision, schema_seen
from comptoir.web import shapes
from comptoir.web.auth import Unauthorized
from comptoir.web.call import Call
from comptoir.web.metrics import TEXT, Metrics
from comptoir.web.replies import Reply, ok
from comptoir.web.reserved import page_of, reserved
from comptoir.web.routing import PUBLIC, Handler, Operation
from comptoir.web.watching import Remembered, coming_in

_NO_STORE: Final = (b"cache-control", b"no-store")
_BEARER: Final = b"bearer "


async def live(_call: Call) -> Reply:
    """GET /health/live: the process answers; it asks nobody."""
    return ok({"status": "live"}, _NO_STORE)


def ready(newest: Callable[[], str] = newest_revision) -> Handler:
    """GET /health/ready: the database answers and has a schema that this version works on."""
    known = newest()

    async def is_ready(call: Call) -> Reply:
        if call.app.moved:
            raise Unavailable("books-moved")
        found = await schema_seen(call.app.pool)
        if not found.suits(known):
            raise Unavailable("migrations-behind")
        content = {
            "status": "ready",
            "database": "up",
            "redis": call.app.redis_mode,
            "migration": found.revision,
        }
        return ok(content, _NO_STORE)

    return is_ready


def figures(metrics: Metrics) -> tuple[Operation, ...]:
    """GET /metrics: guarded by METRICS_TOKEN when that is set."""
    money, aside = Remembered(coming_in), Remembered(reserved)

    async def handler(call: Call) -> Reply:
        expected = call.app.settings.metrics_token
        given = call.headers.get(b"authorization", b"")
        if expected is not None and not _is(expected.get_secret_value(), given):
            raise Unauthorized
        metrics.look(call.app.batches, call.app.redis_mode)
        now = call.app.clock()
        page = metrics.page(await money.read(call.app, now))
        held = await aside.read(call.app, now)
        return Reply(200, page if held is None else page + page_of(held), TEXT, [_NO_STORE])

    return (
        Operation(
            method="GET",
            path="/metrics",
            handler=handler,
            summary=("Figures for Prometheus", "Chiffres pour Prometheus"),
            tag="operations",
            roles=PUBLIC,
            answer=shapes.Status,
        ),
    )


def _is(expected: str, authorization: bytes) -> bool:
    given = authorization[len(_BEARER) :].strip()
    is_bearer = authorization[: len(_BEARER)].lower() == _BEARER
    return is_bearer and hmac.compare_digest(expected.encode(), given)


def operations() -> tuple[Operation, ...]:
    """The health of the process."""
    return (
        Operation(
            method="GET",
            path="/health/live",
            handler=live,
            summary=("Is the process alive?", "Le processus est-il en vie ?"),
            tag="operations",
            roles=PUBLIC,
            answer=shapes.Status,
        ),
        Operation(
            method="GET",
            path="/health/ready",
            handler=ready(),
            summary=("Can it serve?", "Peut-il servir ?"),
            tag="operations",
            roles=PUBLIC,
            answer=shapes.Status,
            codes=("database-down", "migrations-behind", "books-moved"),
        ),
    )
