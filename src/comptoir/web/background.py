"""What a server does between requests: settle what is due, note uses of keys, look, add up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from comptoir.app import App
from comptoir.kit.errors import is_bug
from comptoir.store.sweep import due_accounts, have_moved
from comptoir.store.tracing import error_type
from comptoir.web.auth import Doorman
from comptoir.web.dashboard import earning
from comptoir.web.dashboard.owing import OWING
from comptoir.web.logs import Log
from comptoir.web.metrics import Metrics

SWEEP_SECONDS: Final = 5.0
SWEPT_AT_ONCE: Final = 500
"""Accounts that one round settles; the next one goes on."""

NOTE_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 1.0
GATE_SECONDS: Final = 2.0
OWED_SECONDS: Final = 2.0
EARNED_SECONDS: Final = 20.0


async def sweep(app: App) -> None:
    """Write expiries that are due, though nobody has asked about their accounts.

    Several processes may do this at once: whoever comes second finds nothing due.
    """
    due = await due_accounts(app.pool, SWEPT_AT_ONCE)
    for book, account in due:
        batch = await app.batch(book)
        await batch.settle(account)


async def notice_move(app: App) -> None:
    """See whether the books have moved: then nothing here is true any more, not even a balance."""
    app.moved = app.moved or await have_moved(app.pool)


async def _repeat(seconds: float, name: str, work: Callable[[], Awaitable[None]], log: Log) -> None:
    while True:  # until the server stops and cancels it
        await asyncio.sleep(seconds)
        try:
            await work()
        except Exception as error:  # noqa: BLE001  # the next round may find what is wrong gone
            if is_bug(error):
                log.unexpected(error, {"work": name})
            else:
                log.event("background-failed", work=name, code=error_type(error))


async def work(app: App, doorman: Doorman, metrics: Metrics, log: Log) -> None:
    """Everything at its own pace, until cancelled."""

    async def look() -> None:
        metrics.look(app.batches, app.redis_mode)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_repeat(SWEEP_SECONDS, "sweep", lambda: sweep(app), log))
        tasks.create_task(_repeat(NOTE_SECONDS, "note_uses", doorman.note_uses, log))
        tasks.create_task(_repeat(LOOK_SECONDS, "look", look, log))
        tasks.create_task(_repeat(GATE_SECONDS, "notice_move", lambda: notice_move(app), log))
        tasks.create_task(_repeat(OWED_SECONDS, "owed", lambda: OWING.keep_up(app), log))
        tasks.create_task(_repeat(EARNED_SECONDS, "earned", lambda: earning.keep_up(app), log))
