"""Where the command line begins and ends: the commands, and one line for whatever goes wrong."""

import secrets
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from pydantic import ValidationError
from typer.main import get_command

from comptoir import __version__
from comptoir.app import now
from comptoir.cli.desk import INTERRUPTED, Desk, Exit
from comptoir.cli.failures import EXPLAINED, explain, first_cause
from comptoir.cli.pages import Contents, Page, explain_usage
from comptoir.cli.say import Say
from comptoir.config import Settings, system_locale
from comptoir.kit.errors import ComptoirError

_COMMANDS: Final = {
    "demo": "demo:demo",
    "serve": "serving:serve",
    "worker": "working:worker",
    "migrate": "books:migrate",
    "verify": "books:verify",
    "doctor": "doctor:doctor",
    "backup": "copies:backup",
    "restore": "copies:restore",
    "move": "copies:move",
    "login": "login:login",
    "portal": "portal:portal",
    "key": "keys:app",
    "customer": "customers:app",
    "book": "testbook:app",
    "credits": "balances:app",
    "stock": "stock:app",
    "job": "jobs:app",
    "pack": "packs:app",
    "price": "prices:app",
    "webhook": "webhooks:app",
    "reconcile": "reconciling:reconcile",
    "trigger": "trigger:trigger",
    "torture": "torture:torture",
    "sandbox": "sandbox:sandbox",
    "bench": "bench:bench",
}
"""Where each command or group is. Only the one that is asked for is loaded: what some need (the
web server, Alembic, aiohttp) takes longer to load than others take to do their work."""

_PASSED_ON: Final = {"allow_extra_args": True, "ignore_unknown_options": True}
"""The bench has options of its own."""


def application(only: str | None = None) -> typer.Typer:
    """The command line with all commands, or with one of them."""
    app = typer.Typer(cls=Contents, add_completion=False, help="help.comptoir")
    app.callback(invoke_without_command=True)(comptoir)
    for name in _wanted(only):
        file, _, found = _COMMANDS[name].partition(":")
        command: Any = getattr(import_module(f"comptoir.cli.{file}"), found)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, help=f"help.{name}")
            continue
        options = _PASSED_ON if name == "bench" else None
        app.command(name, cls=Page, help=f"help.{name}", context_settings=options)(command)
    return app


def _wanted(only: str | None) -> Iterable[str]:
    if only == "--version":
        return ()
    return [only] if only in _COMMANDS else _COMMANDS


def comptoir(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="help.version")] = False,
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
    command = get_command(application(arguments[0] if arguments else None))
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
