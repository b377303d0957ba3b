"""`comptoir backup`, `comptoir restore` and `comptoir move`: the books as a whole."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from comptoir import __version__
from comptoir.app import located
from comptoir.app.secret import keep_secret, kept_secret
from comptoir.cli.bar import bar
from comptoir.cli.desk import Desk, Exit, desk_of, print_json
from comptoir.config import Environment, Settings
from comptoir.kit.ids import uuid7
from comptoir.kit.secret import SecretIs
from comptoir.store import archive
from comptoir.store.archive import Archive, Manifest
from comptoir.store.backup import backup as write_backup
from comptoir.store.backup import new_file
from comptoir.store.copying import CopyError, Unbalanced
from comptoir.store.embedded import has_cluster
from comptoir.store.here import check_here
from comptoir.store.moving import Moved, Progress, Step
from comptoir.store.moving import move as move_books
from comptoir.store.restore import Restored
from comptoir.store.restore import restore as write_books

_STDOUT: Final = Path("-")
_ID_BYTES: Final = 10
_SECRETS: Final = {
    SecretIs.INCLUDED: "backup.secret-included",
    SecretIs.ENVIRONMENT: "backup.secret-elsewhere",
    SecretIs.NONE: "backup.secret-none",
}
_STEPS: Final = {
    Step.CLOSING: "move.closing",
    Step.VERIFYING: "move.verifying",
    Step.COPYING: "move.copying",
    Step.OPENING: "move.opening",
}
# Whatever the settings say of where the books are to go, or of the environment there.
_HERE: Final = {
    "database_url": None,
    "database_direct_url": None,
    "env": Environment.DEVELOPMENT,
    "stripe_secret_key": None,
}

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="option.json")]


def backup(
    ctx: typer.Context,
    file: FileArgument,
    force: Annotated[bool, typer.Option("--force", help="option.overwrite")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write everything into a file, as it is at one moment; `-` is stdout."""
    desk = desk_of(ctx)
    settings = desk.settings()
    with located(settings) as urls, _written(file, force=force) as out, bar() as report:
        check_here(urls.owner)
        secret = kept_secret(settings)
        manifest = write_backup(urls.owner, out, __version__, secret, report)
    if file == _STDOUT:
        return
    if as_json:
        print_json({"file": str(file), **_shown(manifest)})
        return
    desk.tell(
        "backup.done",
        file=file,
        movements=desk.say.number(manifest.rows["movements"]),
        size=desk.say.number(file.stat().st_size),
        at=manifest.at,
    )
    desk.note(_SECRETS[manifest.secret])


def restore(
    ctx: typer.Context,
    file: FileArgument,
    as_json: JsonOption = False,
) -> Exit:
    """Put the books of a backup into an empty database."""
    desk = desk_of(ctx)
    settings = desk.settings()
    with archive.opened(file) as source:
        notes: list[tuple[str, str]] = []
        with located(settings) as urls, bar() as report:
            try:
                done = write_books(
                    urls.owner,
                    source,
                    report=report,
                    last=lambda _: notes.append(_keep_secret(settings, source)),
                )
            except Unbalanced as error:
                return _unbalanced(desk, error)
    if as_json:
        print_json({"file": str(file), "balanced": True, **_counted(done)})
    else:
        _tell(desk, "restore.done", done, at=source.manifest.at)
    for key, path in notes:
        desk.note(key, path=path)
    return Exit.DONE


def move(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="DATABASE_URL", show_default=False)],
    as_json: JsonOption = False,
) -> Exit:
    """Move the books of the embedded database to another PostgreSQL, for good."""
    desk = desk_of(ctx)
    here = desk.settings().model_copy(update=_HERE)
    if not has_cluster(here.home_folder):
        raise CopyError("move-no-home", home=here.home_folder)
    with located(here) as urls, bar() as report:
        name = uuid7(desk.clock(), desk.randomness(_ID_BYTES)).hex
        progress = Progress(lambda step: desk.note(_STEPS[step]), report)
        try:
            done = move_books(urls.owner, url, name, progress)
        except Unbalanced as error:
            return _unbalanced(desk, error)
    if as_json:
        counted = _counted(done.restored) if done.restored is not None else {}
        print_json({"place": done.place, "balanced": True, **counted})
    else:
        _tell_moved(desk, done)
    if here.secret is None:
        desk.note("move.secret", path=here.home_folder / "secret")
    return Exit.DONE


@contextmanager
def _written(file: Path, *, force: bool) -> Generator[BinaryIO]:
    """Where to write to."""
    if file != _STDOUT:
        with new_file(file, force=force) as out:
            yield out
        return
    if sys.stdout.isatty():
        raise CopyError("backup-terminal")
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


def _keep_secret(settings: Settings, source: Archive) -> tuple[str, str]:
    """Put the secret where it was; returns what to say about it."""
    text = source.secret()
    if settings.secret is not None:
        return "restore.secret-set", ""
    if text is None:
        is_elsewhere = source.manifest.secret is SecretIs.ENVIRONMENT
        return ("restore.secret-elsewhere" if is_elsewhere else "restore.secret-none"), ""
    before = keep_secret(settings, text)
    if before is None:
        return "restore.secret-kept", str(settings.home_folder / "secret")
    return "restore.secret-replaced", str(before)


def _tell(desk: Desk, key: str, done: Restored, **figures: object) -> None:
    rows = sum(done.counts.values())
    desk.tell(
        key,
        movements=desk.say.number(done.movements),
        rows=desk.say.number(rows),
        revision=done.revision,
        **figures,
    )


def _tell_moved(desk: Desk, done: Moved) -> None:
    if done.restored is None:
        desk.tell("move.finished", place=done.place)
    else:
        _tell(desk, "move.done", done.restored, place=done.place)


def _unbalanced(desk: Desk, error: Unbalanced) -> Exit:
    desk.tell("copy.unbalanced")
    rows = [(each.table, each.row, f"{each.check}: {each.detail}") for each in error.drift]
    desk.table(("column.table", "column.row", "column.fault"), rows)
    return Exit.NOT_BALANCED


def _shown(manifest: Manifest) -> dict[str, object]:
    return {
        "revision": manifest.revision,
        "at": manifest.at,
        "secret": manifest.secret,
        "tables": dict(manifest.rows),
    }


def _counted(done: Restored) -> dict[str, object]:
    return {"revision": done.revision, "tables": done.counts}
