"""Where the command line begins and ends: the commands, and one line for whatever goes wrong."""

import secrets
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated

import typer
from pydantic import ValidationError
from typer.main import get_command

from comptoir import __version__
from comptoir.app import now
from comptoir.cli import (
    balances,
    bench,
    books,
    copies,
    customers,
    demo,
    doctor,
    keys,
    serving,
    testbook,
    torture,
)
from comptoir.cli.desk import INTERRUPTED, Desk, Exit
from comptoir.cli.failures import EXPLAINED, explain, first_cause
from comptoir.cli.pages import Contents, Page, explain_usage
from comptoir.cli.say import Say
from comptoir.config import Settings, system_locale
from comptoir.kit.errors import ComptoirError

app = typer.Typer(cls=Contents, add_completion=False, help="help.comptoir", no_args_is_help=False)
app.command("demo", cls=Page, help="help.demo")(demo.demo)
app.command("serve", cls=Page, help="help.serve")(serving.serve)
app.command("migrate", cls=Page, help="help.migrate")(books.migrate)
app.command("verify", cls=Page, help="help.verify")(books.verify)
app.command("doctor", cls=Page, help="help.doctor")(doctor.doctor)
app.command("backup", cls=Page, help="help.backup")(copies.backup)
app.command("restore", cls=Page, help="help.restore")(copies.restore)
app.command("move", cls=Page, help="help.move")(copies.move)
app.add_typer(keys.app, name="key", help="help.key")
app.add_typer(customers.app, name="customer", help="help.customer")
app.add_typer(testbook.app, name="book", help="help.book")
app.add_typer(balances.app, name="credits", help="help.credits")
app.command("torture", cls=Page, help="help.torture")(torture.torture)
app.command("bench", cls=Page, help="help.bench", context_settings=bench.EXTRA)(bench.bench)


@app.callback(invoke_without_command=True)
def comptoir(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="help.version")] = False,  # noqa: FBT002
) -> Exit:
    """Show the version, or what there is to choose from."""
    if version:
        print(__version__)
        return Exit.DONE
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())
    return Exit.DONE


def main() -> None:
    """Run the command that the arguments of this process name, and end with its exit code."""
    sys.exit(run(sys.argv[1:], new_desk(Settings.read)))


def new_desk(read: Callable[[], Settings]) -> Desk:
    """A desk whose language is the one that the settings or the terminal ask for."""
    remembered = cache(read)
    try:
        settings = remembered()
        said = "locale" in settings.model_fields_set
        locale = settings.locale if said else system_locale()
    except (ValidationError, ComptoirError):
        locale = system_locale()
    return Desk(Say(locale), remembered, now, secrets.token_bytes)


def run(arguments: Sequence[str], desk: Desk) -> int:
    """Run one command; returns its exit code."""
    command = get_command(app)
    try:
        ended = command.main(list(arguments), "comptoir", standalone_mode=False, obj=desk)
    except typer.TyperException as error:
        return _fail(explain_usage(desk.say, error), Exit.USAGE)
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except EXPLAINED as error:
        return _fail(*explain(desk.say, error))
    except ExceptionGroup as group:
        first = first_cause(group)
        if not isinstance(first, EXPLAINED):
            raise
        return _fail(*explain(desk.say, first))
    return Exit.DONE if ended is None else int(ended)


def _fail(line: str, code: int) -> int:
    print(f"comptoir: {line}", file=sys.stderr, flush=True)
    return code
