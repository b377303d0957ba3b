"""`comptoir worker`: does the jobs of an application, until it is asked to end."""

import asyncio
from typing import Annotated

import typer

from comptoir import Comptoir
from comptoir.cli.desk import Desk, desk_of
from comptoir.cli.loading import load_jobs
from comptoir.cli.running import cancel_on_signals
from comptoir.jobs.worker import Ended, Pace
from comptoir.library.jobs import Jobs
from comptoir.library.working import at_work


def worker(
    ctx: typer.Context,
    jobs: Annotated[str, typer.Option("--jobs", metavar="MODULE[:NAME]", help="option.jobs")] = "",
    concurrency: Annotated[
        int, typer.Option("--concurrency", metavar="N", min=1, max=1_000, help="option.concurrency")
    ] = 10,
    book: Annotated[str, typer.Option("--book", metavar="live|test", help="option.book")] = "live",
) -> None:
    """Do jobs until SIGTERM or SIGINT; what is being done may end first."""
    desk = desk_of(ctx)
    found = load_jobs(jobs) if jobs else Jobs()
    settings = desk.settings()
    url = None if settings.database_url is None else settings.database_url.get_secret_value()
    asyncio.run(_work(desk, found, url, book, concurrency))


async def _work(desk: Desk, jobs: Jobs, url: str | None, book: str, concurrency: int) -> None:
    cancel_on_signals()

    def told(ended: Ended) -> None:
        figures = {"type": ended.type, "id": ended.job, "attempt": ended.attempt}
        if ended.error is None:
            desk.note("worker.done", **figures)
        elif ended.is_dead:
            desk.note("worker.dead", **figures, error=ended.error)
        else:
            desk.note("worker.failed", **figures, error=ended.error)

    def failed(error: Exception) -> None:
        desk.note("worker.away", error=type(error).__name__)

    async with Comptoir.open(url, home=desk.settings().home, book=book) as books:
        duties = books.app.duties.plus(jobs.bound(books, books.book))
        books.app.told.of_letter = lambda path: desk.note("worker.letter", file=path)
        async with at_work(books.app, duties, Pace(concurrency=concurrency), told, failed):
            desk.note("worker.ready", types=", ".join(sorted(duties.handlers)))
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                task = asyncio.current_task()
                assert task is not None, "a coroutine runs in a task"
                task.uncancel()
                desk.note("worker.ending")
