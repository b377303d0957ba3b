"""`comptoir migrate` and `comptoir verify`: the schema of the books, and whether they balance."""

from typing import Annotated

import typer

from comptoir.app import database
from comptoir.cli.desk import Desk, Exit, desk_of, print_json
from comptoir.cli.opening import migrated, reading, run_now
from comptoir.store.verify import Verification, stand_alone_sql
from comptoir.store.verify import verify as recompute
from comptoir.web.replies import write_time

SqlOption = Annotated[bool, typer.Option("--sql", help="option.sql")]


def migrate(ctx: typer.Context, as_sql: SqlOption = False) -> None:
    """Bring the database to the revision of this program, or print how."""
    if as_sql:
        # Loaded when needed: Alembic takes longer to load than all the rest.
        from comptoir.store.migrate import statements  # noqa: PLC0415  # slow to load

        print(statements())
        return
    desk = desk_of(ctx)
    desk.tell("migrate.done", revision=run_now(_migrate(desk)))


async def _migrate(desk: Desk) -> str:
    async with database(desk.settings()) as urls:
        return await migrated(urls)


def verify(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="option.json")] = False,
    full: Annotated[bool, typer.Option("--full", help="option.full")] = False,
    as_sql: SqlOption = False,
) -> Exit:
    """Recompute every balance from the journal; print the query instead with --sql."""
    if as_sql:
        print(stand_alone_sql())
        return Exit.DONE
    desk = desk_of(ctx)
    found = run_now(_verify(desk, full=full))
    if as_json:
        print_json(_shown(found))
    else:
        _report(desk, found)
    return Exit.DONE if found.balanced else Exit.NOT_BALANCED


async def _verify(desk: Desk, *, full: bool) -> Verification:
    async with reading(desk.settings()) as app:
        return await recompute(app.pool, None, full=full)


def _shown(found: Verification) -> dict[str, object]:
    return {
        "balanced": found.balanced,
        "accounts": found.accounts,
        "movements": found.movements,
        "drift": [
            {
                "book": each.book,
                "check": each.check,
                "table": each.table,
                "row": each.row,
                "detail": each.detail,
            }
            for each in found.drift
        ],
        "truncated": found.truncated,
        "checked_at": write_time(found.checked_at),
    }


def _report(desk: Desk, found: Verification) -> None:
    if found.balanced:
        desk.tell(
            "verify.balanced",
            accounts=desk.say.number(found.accounts),
            movements=desk.say.number(found.movements),
            at=write_time(found.checked_at),
        )
        return
    desk.tell("verify.unbalanced")
    rows = [(each.table, each.row, f"{each.check}: {each.detail}") for each in found.drift]
    desk.table(("column.table", "column.row", "column.fault"), rows)
    if found.truncated:
        desk.tell("verify.truncated")
