"""The sandbox as an ASGI application: the API under /v1, pages for people, and its own knobs."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.routing import Route

from comptoir_sandbox import control, pages
from comptoir_sandbox.api import Api, nothing
from comptoir_sandbox.sandbox import Options, Sandbox
from comptoir_sandbox.world import World

_VERBS: Final = ["GET", "POST", "DELETE"]


def create_app(options: Options | None = None) -> Starlette:
    """The application; `app.state.sandbox` is what it works on."""
    said = options or Options()
    sandbox = Sandbox(said, World(said.clock, said.randomness, said.base))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with sandbox.running():
            yield

    app = Starlette(
        routes=[
            Route("/v1/{rest:path}", Api(sandbox).call, methods=_VERBS),
            *control.routes_of(sandbox),
            *pages.routes_of(sandbox),
        ],
        lifespan=lifespan,
        exception_handlers={404: nothing},
    )
    app.state.sandbox = sandbox
    return app
