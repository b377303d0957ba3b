"""Taking a backup: one snapshot of everything, into a file that is complete or not there."""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from comptoir.kit.secret import SecretIs
from comptoir.store import archive
from comptoir.store.archive import Label, Manifest
from comptoir.store.copying import CopyError, Report, connect, snapshot

_AT: Final = """
SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


def backup(
    url: str, file: BinaryIO, version: str, secret: tuple[SecretIs, str | None], report: Report
) -> Manifest:
    """Copy everything, as it is at one moment, into a file.

    Servers go on writing meanwhile. The snapshot is held for as long as the copy takes: PostgreSQL
    keeps dead rows until then, and locks nothing.

    Raises:
        CopyError: there are no books, or they are not here any more.
        Unavailable: the database cannot be reached.
    """
    with connect(url) as connection, snapshot(connection) as source:
        row = connection.execute(_AT).fetchone()
        assert row is not None, "it has no condition"
        return archive.write(file, source, Label(version, row[0], *secret), report)


@contextmanager
def new_file(path: Path, *, force: bool) -> Generator[BinaryIO]:
    """A file for its owner alone, which has its name only once it is written and on disk.

    Raises:
        CopyError: there is a file of that name.
        OSError: the file cannot be written.
    """
    if path.exists() and not force:
        raise CopyError("backup-exists", file=str(path))
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _name(draft, path, force=force)
    finally:
        draft.unlink(missing_ok=True)


def _name(draft: Path, path: Path, *, force: bool) -> None:
    if force:
        draft.replace(path)
    else:
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            raise CopyError("backup-exists", file=str(path)) from None
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
