"""Help pages and usage errors in the reader's language, readable without colour."""

from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any, Final

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from comptoir.cli.desk import desk_of
from comptoir.cli.say import Say

_WIDTH: Final = 96
_USAGE: Final = {
    "MissingParameter": "usage.missing",
    "NoSuchOption": "usage.no-option",
    "BadOptionUsage": "usage.no-value",
    "BadParameter": "usage.bad-value",
}
Rows = Sequence[tuple[str, str]]
_Option = TyperOption | TyperArgument


class Page(TyperCommand):
    """A command whose help is a key of the table of texts."""

    def get_help(self, ctx: Any) -> str:  # noqa: ANN401  # typer's own context is private
        """The help page of the command."""
        say = desk_of(ctx).say
        usage = " ".join([ctx.command_path, *_arguments(self, ctx), say("help.options-word")])
        return _page(say, usage, self.help, [("help.options", _options(say, self, ctx))])


class Contents(TyperGroup):
    """A group of commands, with one line about each."""

    def get_help(self, ctx: Any) -> str:  # noqa: ANN401  # typer's own context is private
        """The help page of the group."""
        say = desk_of(ctx).say
        usage = f"{ctx.command_path} {say('help.command-word')}"
        commands = [
            (name, say(command.help or name))
            for name, command in self.commands.items()
            if not command.hidden
        ]
        sections = [("help.commands", commands), ("help.options", _options(say, self, ctx))]
        return _page(say, usage, self.help, sections)


def _arguments(command: TyperCommand, ctx: typer.Context) -> list[str]:
    every = command.get_params(ctx)
    return [each.metavar or each.opts[0] for each in every if isinstance(each, TyperArgument)]


def _options(say: Say, command: TyperCommand | TyperGroup, ctx: typer.Context) -> Rows:
    return list(_described(say, command, ctx))


def _described(
    say: Say, command: TyperCommand | TyperGroup, ctx: typer.Context
) -> Iterator[tuple[str, str]]:
    for option in command.get_params(ctx):
        if not isinstance(option, TyperOption) or option.hidden:
            continue
        name = ", ".join((*option.opts, *option.secondary_opts))
        if not option.is_flag:
            name = f"{name} {option.metavar or option.display_type(ctx)}"
        about = say("help.help") if option.name == "help" else say(option.help or "")
        if option.required:
            about = f"{about} {say('help.required')}"
        elif option.show_default and option.default is not None and not option.is_flag:
            about = f"{about} {say('help.default', value=option.default)}"
        yield name, about


def _page(say: Say, usage: str, about: str | None, sections: Sequence[tuple[str, Rows]]) -> str:
    console = Console(width=_WIDTH, file=StringIO(), highlight=False, markup=False)
    console.print(Text.assemble((say("help.usage"), "bold"), " ", usage), soft_wrap=True)
    if about is not None:
        console.print(Padding(say(about), (1, 2, 0, 2)))
    for heading, rows in sections:
        if not rows:
            continue
        table = Table.grid(padding=(0, 2))
        for name, text in rows:
            table.add_row(Text(name, no_wrap=True), text)
        console.print()
        console.print(Text(say(heading), "bold"))
        console.print(Padding(table, (0, 0, 0, 2)))
    written = console.file
    assert isinstance(written, StringIO), "it was made above"
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines())


def explain_usage(say: Say, error: typer.TyperException) -> str:
    """A line that says what is wrong with the command as it was typed, and where to look."""
    ctx: typer.Context | None = getattr(error, "ctx", None)
    where = ctx.command_path if ctx is not None else "comptoir"
    key = _USAGE.get(type(error).__name__, "usage.wrong")
    option = getattr(error, "param", None)
    figures: dict[str, object] = {"option": getattr(error, "option_name", "")}
    if isinstance(option, TyperOption | TyperArgument):
        name = option.metavar if isinstance(option, TyperArgument) else None
        figures = {"option": name or option.opts[0], "form": _form(say, option, ctx)}
    elif key == "usage.bad-value":
        key = "usage.wrong"
    return f"{say(key, **figures)} {say('usage.see', command=where)}"


def _form(say: Say, option: _Option, ctx: Any) -> str:  # noqa: ANN401  # as above
    if option.min is not None and option.max is not None:
        return say("form.range", least=option.min, most=option.max)
    form = option.display_type(ctx).strip("<>")
    return say("form.int") if form == "int" else form
