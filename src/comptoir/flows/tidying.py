"""Tidying up: a job takes away what has ended and is asked for no more.

Nothing depends on its being on time: whoever asks a guard sees for himself what has ended.
"""

from typing import Final

from comptoir.domains.identity import sql_visitors
from comptoir.guards import sql
from comptoir.jobs.model import Job, Result
from comptoir.store import sql_inbox
from comptoir.store.pool import Pool, begin
from comptoir.store.sql_inbox import FORGOTTEN

TYPE: Final = "comptoir.tidy"
CRON: Final = "17 * * * *"

_STATEMENTS: Final = (
    *((statement, sql.TIDIED) for statement in sql.TIDY),
    (sql_inbox.FORGET_BODIES, FORGOTTEN),
    (sql_inbox.FORGET_HAPPENINGS, FORGOTTEN),
    (sql_visitors.TIDY, sql_visitors.TIDIED),
)
_ROUNDS: Final = 500
"""Of a table at most: the next hour goes on."""


async def tidy(pool: Pool, _: Job) -> Result:
    """Take away what has ended, of all books; says how many rows.

    Of events that came long ago only the text goes.
    """
    gone = 0
    for statement, most in _STATEMENTS:
        gone += await _empty(pool, statement, most)
    return {"gone": gone}


async def _empty(pool: Pool, statement: str, most: int) -> int:
    gone = 0
    for _ in range(_ROUNDS):
        async with begin(pool) as tx:
            count = (await tx.execute(statement.encode())).rowcount
        gone += count
        if count < most:
            break
    return gone
