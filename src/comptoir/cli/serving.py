"""`comptoir serve`: guards, migrations, and the HTTP server in one process or in several."""

import asyncio
import errno
import logging
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

import typer
import uvicorn
import uvloop
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from comptoir.app import database, read_settings, refuse_embedded, remember_environment
from comptoir.app.secret import load_secret
from comptoir.cli import observing
from comptoir.cli.desk import Desk, Exit, desk_of
from comptoir.cli.draining import IDLE_SECONDS, Draining
from comptoir.cli.loading import load_jobs
from comptoir.cli.login import first_login
from comptoir.cli.observing.reports import Reports
from comptoir.cli.opening import check, migrated
from comptoir.cli.serving_demo import Backstage
from comptoir.cli.serving_jobs import Beside
from comptoir.cli.serving_sandbox import sandboxed
from comptoir.cli.stocking import stocked
from comptoir.config import (
    Environment,
    Settings,
    inherited_sockets,
    share_with_children,
)
from comptoir.kit.errors import ComptoirError, Unavailable
from comptoir.web.server import build

_BACKLOG: Final = 2_048
_DRAIN_SECONDS: Final = 10
"""How long answers and connections that rest may take to end: longer than any may rest."""

_READY_SECONDS: Final = 30
_STOP: Final = (signal.SIGTERM, signal.SIGINT)


def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option("--host", metavar="HOST", help="option.host")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", min=0, max=65_535, help="option.port")
    ] = 8000,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, max=64, help="option.workers")
    ] = 1,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="option.no-worker")] = False,
    jobs: Annotated[str, typer.Option("--jobs", metavar="MODULE[:NAME]", help="option.jobs")] = "",
    no_migrate: Annotated[bool, typer.Option("--no-migrate", help="option.no-migrate")] = False,
    force: Annotated[bool, typer.Option("--force", help="option.force")] = False,
    with_parent: Annotated[bool, typer.Option("--exit-with-parent", hidden=True)] = False,
    demo: Annotated[Path | None, typer.Option("--demo", hidden=True)] = None,
) -> Exit:
    """Serve the API until SIGTERM or SIGINT, then finish what is under way."""
    desk = desk_of(ctx)
    if jobs:
        load_jobs(jobs)  # whatever is wrong with them is said before it serves
    Beside(jobs, not no_worker).share()
    inherited = _inherited(inherited_sockets())
    if inherited is not None:
        host = inherited.getsockname()[0]
    environment = guard(desk.settings(), host)
    observing.check(desk.settings())
    if with_parent:
        _end_after(_end_of_stdin)
    with observing.reporting(desk.settings()) as told, inherited or _bound(host, port) as listener:
        plan = _Plan(desk, listener, host, workers, told, demo=staged(demo, environment, workers))
        how = _How(environment, migrates=not no_migrate, forced=force)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            try:
                return runner.run(_serve(plan, how))
            except SystemExit as stopped:
                if stopped.code != STARTUP_FAILURE:
                    raise
                return Exit.DEPENDENCY


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to serve: where it listens, in how many processes, and where errors are reported.

    Attributes:
        login: signs an operator in, once; empty where nobody reads along.
        demo: where the demo beside it listens.
    """

    desk: Desk
    listener: socket.socket
    host: str
    workers: int
    told: Reports
    login: str = ""
    demo: Path | None = None

    @property
    def url(self) -> str:
        """Where people of this machine find it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.listener.getsockname()[1]}"

    def say_ready(self) -> None:
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.desk.note("serve.ready", host=host, port=self.listener.getsockname()[1])
        if self.login:
            self.desk.note("serve.login", address=self.login)

    def uvicorn(self, factory: Callable[[], ASGIApp] | str) -> uvicorn.Config:
        return uvicorn.Config(
            factory,
            factory=True,
            workers=self.workers,
            loop="uvloop",
            http=Draining,
            ws="none",
            lifespan="on",
            backlog=_BACKLOG,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
            timeout_worker_healthcheck=_READY_SECONDS,
        )


def guard(settings: Settings, host: str) -> Environment:
    """The environment to serve in, which must be said wherever others can reach the host.

    Raises:
        ComptoirError: nobody said it, or the embedded database is refused here.
    """
    if settings.database_url is None:
        refuse_embedded(settings, host)
    environment = settings.environment_on(host)
    if environment is None:
        raise ComptoirError("environment-unsaid", host=host)
    return environment


def staged(demo: Path | None, environment: Environment, workers: int) -> Path | None:
    """Where the demo is whose pages are shown: only ever beside a throw-away shop."""
    return demo if environment is Environment.DEVELOPMENT and workers == 1 else None


def _inherited(numbers: range) -> socket.socket | None:
    """The listener that this process was started with, which others may share; or None.

    Raises:
        ComptoirError: there are several, or it is none.
    """
    if not numbers:
        return None
    listener = socket.socket(fileno=numbers[0])
    is_fit = listener.family in {socket.AF_INET, socket.AF_INET6} and bool(
        listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    )
    if len(numbers) > 1 or not is_fit:
        raise ComptoirError("listener-unfit", count=len(numbers))
    return listener


@contextmanager
def _bound(host: str, port: int) -> Generator[socket.socket]:
    """The address, taken before anything is started, so that a taken one is said at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            code = "port-taken" if error.errno == errno.EADDRINUSE else "address-refused"
            raise Unavailable(code, host=host, port=port, reason=error.strerror) from error
        yield listener


@dataclass(frozen=True, slots=True)
class _How:
    """How to begin: in which environment, and what is to be done first."""

    environment: Environment
    migrates: bool
    forced: bool


async def _serve(plan: _Plan, how: _How) -> Exit:
    settings = plan.desk.settings()
    async with database(settings, plan.host) as urls:
        load_secret(settings)  # whatever is wrong with it is said before it serves
        address = (plan.host, plan.listener.getsockname()[1])
        if settings.public_url is None:
            share_with_children("COMPTOIR_PUBLIC_URL", plan.url)
        with sandboxed(plan.desk, how.environment, address) as place:
            await (migrated(urls) if how.migrates else check(urls))
            there = await remember_environment(urls, how.environment)
            if there != how.environment and not how.forced:
                raise ComptoirError("environment-differs", there=there, here=how.environment)
            await stocked(settings, urls, how.environment)
            signing_in = await first_login(plan.desk, urls, how.environment, plan.url)
            if place is not None:
                await place.wait()
            return await _run(replace(plan, login=signing_in))


async def _run(plan: _Plan) -> Exit:
    if plan.workers == 1:
        server = _Server(plan)
        await server.serve([plan.listener])
        return Exit.DONE
    # Nothing else runs in this loop: the supervisor may have the thread, and its signals.
    return _supervise(plan)


class _Server(uvicorn.Server):
    """The server of a single process: says when it listens, and ends well when asked to end."""

    def __init__(self, plan: _Plan) -> None:
        super().__init__(plan.uvicorn(lambda: _watched(plan.told, plan.demo)))
        self._plan = plan

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._plan.say_ready()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Drain on a signal; uvicorn would raise it again afterwards and so end as if killed."""
        # Not the loop's handlers: a loop that closes puts back what kills, and is not yet the end.
        for number in _STOP:
            signal.signal(number, self.handle_exit)
        try:
            yield
        finally:
            _end_in_peace()


def _end_in_peace() -> None:
    """Ignore a repeated request to end: what is left is closing, and that must not be cut off."""
    for number in _STOP:
        signal.signal(number, signal.SIG_IGN)


def _supervise(plan: _Plan) -> Exit:
    with tempfile.TemporaryDirectory(prefix="comptoir-metrics-") as shared:
        share_with_children("PROMETHEUS_MULTIPROC_DIR", shared)
        supervisor = _Supervisor(plan)
        supervisor.run()
        _end_in_peace()
    failed = any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes)
    return Exit.DEPENDENCY if failed else Exit.DONE


class _Supervisor(Multiprocess):
    """Several processes behind one address; says so when all of them listen."""

    def __init__(self, plan: _Plan) -> None:
        super().__init__(plan.uvicorn("comptoir.cli.serving:build_worker"), [plan.listener])
        self._plan = plan

    def init_processes(self) -> None:
        super().init_processes()
        if all(each.wait_until_ready(_READY_SECONDS, self.should_exit) for each in self.processes):
            self._plan.say_ready()


def build_worker() -> ASGIApp:
    """The application in one of several processes, which ends when their parent has gone."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        _end_after(parent.join)
    return _watched()


def _watched(told: Reports | None = None, demo: Path | None = None) -> ASGIApp:
    # A line a second while the database is away, which is no line of our log; ours says the same.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    watch = replace(observing.watched(read_settings(), told), beside=Beside.shared())
    return build(watch) if demo is None else Backstage(demo).built(watch)


def _end_after(wait: Callable[[], None]) -> None:
    """Ask this process to end, as SIGTERM does, once `wait` returns."""

    def watch() -> None:
        wait()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _end_of_stdin() -> None:
    # Not sys.stdin: a thread that reads it holds a lock which the interpreter wants at its end.
    while os.read(0, 4096):
        continue
