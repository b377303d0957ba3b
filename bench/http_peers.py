"""The recipes behind the same HTTP: our middleware, keys and validation, another way to spend.

Usage: python -m bench.http_peers WORKERS PORT

`POST /bench/noop` reads what a spend reads and answers a constant of the same shape.
`POST /bench/spend/FORM` does it by one form of a recipe, with a pool of its own in each process.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.routing import Route

from bench.database import connections
from bench.measure import Spend
from bench.peers import Recipe, make_forms
from comptoir import app as composition
from comptoir.config import Settings
from comptoir.kit.errors import ComptoirError
from comptoir.web import shapes
from comptoir.web.api.credits import SpendBody
from comptoir.web.auth import Doorman
from comptoir.web.background import work
from comptoir.web.call import Call
from comptoir.web.limits import OwnLimits
from comptoir.web.logs import Log
from comptoir.web.metrics import Metrics
from comptoir.web.middleware import Around
from comptoir.web.replies import Reply, ok
from comptoir.web.routing import SERVERS, Operation, Path, Site, Unrouted

NOOP: Final = "/bench/noop"
SPEND: Final = "/bench/spend/{form}"
READY: Final = "peer ready"
CONNECTIONS: Final = 64
_CONTENT: Final[dict[str, Any]] = {
    "movement": {
        "id": "mv_17_4", "seq": 4, "kind": "spend", "amount": "-0.000001", "before": "1000",
        "after": "999.999999", "reason": None, "reference": None,
        "at": "2026-01-01T00:00:00.000000Z",
    },
    "balance": {
        "customer": "customer-17", "asset": "credits", "balance": "999.999999", "held": "0",
        "available": "999.999999", "debt": "0", "low": False, "low_threshold": "200",
        "version": 4, "updated_at": "2026-01-01T00:00:00.000000Z",
    },
}  # fmt: skip


def sizes(workers: int) -> tuple[int, ...]:
    """Pools of one process that are tried: together 4 to 64 connections."""
    return tuple(max(1, total // workers) for total in (4, 16, 32, CONNECTIONS))


async def _noop(_call: Call, _body: SpendBody) -> Reply:
    return ok(_CONTENT)


class Recipes:
    """The forms of this process. Only the one that was asked for last keeps its pool."""

    def __init__(self, url: str, forms: list[Recipe]) -> None:
        self._url = url
        self._forms = forms
        self._open: dict[str, Spend] = {}
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()

    async def spend(self, call: Call, body: SpendBody) -> Reply:
        """One credit, whoever the customer is."""
        form = call.part("form")
        spend = self._open.get(form) or await self._change(form)
        if not await spend(int(body.customer.removeprefix("customer-")), call.key):
            raise ComptoirError("insufficient-credits")
        return ok(_CONTENT)

    async def close(self) -> None:
        await self._stack.aclose()

    async def _change(self, form: str) -> Spend:
        async with self._opening:
            if form not in self._open:
                self._open.clear()
                await self._stack.aclose()
                recipe = self._forms[int(form)]
                pool = await self._stack.enter_async_context(connections(self._url, recipe.pool))
                self._open[form] = recipe.make(pool)
        return self._open[form]


def operation(
    path: str,
    handler: Callable[..., Awaitable[Reply]],
    body: type[BaseModel],
    answer: type[BaseModel],
) -> Operation:
    """A route as those of `comptoir serve`, for a recipe."""
    return Operation(
        method="POST", path=path, handler=handler, summary=("", ""), tag="bench", roles=SERVERS,
        answer=answer, body=body, keyed=True,
    )  # fmt: skip


def build() -> FastAPI:
    """The application with the recipes of a spend."""
    settings = composition.read_settings()
    assert settings.database_url is not None, "the bench names the database"
    workers = int(os.environ["BENCH_WORKERS"])
    recipes = Recipes(settings.database_url.get_secret_value(), make_forms(sizes(workers)))
    served = (
        operation(NOOP, _noop, SpendBody, shapes.Moved),
        operation(SPEND, recipes.spend, SpendBody, shapes.Moved),
    )
    return assemble(settings, served, recipes.close)


def assemble(
    settings: Settings, served: Sequence[Operation], close: Callable[[], Awaitable[None]]
) -> FastAPI:
    """The application, as comptoir.web.server makes its own, with these routes."""
    site, metrics, log = Site(), Metrics(), Log("json")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with composition.open_here(settings) as opened, asyncio.TaskGroup() as tasks:
            site.app, site.doorman, site.limits = opened, Doorman(opened), OwnLimits(opened)
            background = tasks.create_task(work(opened, site.doorman, metrics, log))
            print(READY, file=sys.stderr, flush=True)
            yield
            background.cancel()
            await close()

    application = FastAPI(lifespan=lifespan, openapi_url=None, redirect_slashes=False)
    for each in served:
        application.router.routes.append(Route(each.path, Path(each.path, (each,), site)))
    application.router.default = Unrouted(site)
    application.add_middleware(
        Around, log=log, metrics=metrics, clock=composition.now,
        randomness=composition.randomness, locale="en",
    )  # fmt: skip
    return application


def _end_with_parent() -> None:
    while os.read(0, 4096):
        continue
    os.kill(os.getpid(), signal.SIGTERM)


def main(workers: int, port: int, factory: str = "bench.http_peers:build") -> None:
    """Serve with the settings of `comptoir serve` until standard input ends."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    uvicorn.run(
        factory, factory=True, workers=workers, port=port, loop="uvloop",
        http="httptools", ws="none", lifespan="on", backlog=2_048, log_config=None,
        log_level="warning", access_log=False, server_header=False, proxy_headers=False,
    )  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
