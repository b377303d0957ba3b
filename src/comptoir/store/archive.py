"""A backup: one zip file, which holds each table as PostgreSQL's own text, and what must be in it.

`unzip` and `COPY ... FROM` read it without any of our code. The list of what it holds comes last,
so that a file which was cut off has none and is refused.
"""

import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, BinaryIO, Final, cast
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import msgspec

from comptoir.kit.secret import SecretIs
from comptoir.store.copying import (
    BLOCK,
    CopyError,
    Report,
    Source,
    Table,
    Tally,
    blocks,
    tallied,
)

_FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"
_SECRET: Final = "secret"  # noqa: S105  # the name of a file
_MANIFEST_BYTES: Final = 1024 * 1024
_SECRET_BYTES: Final = 4096
_LINE_BYTES: Final = 64 * 1024 * 1024
"""No row is nearly as long; a file that is not ours must not fill the memory."""

_LEVEL: Final = 1
"""Nearly as small as zlib's usual level, and three times as fast."""

_BROKEN: Final = (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, KeyError,
                  ValueError, OSError)  # fmt: skip
"""What reading a damaged file, or one of another kind, may end with: a place in it that cannot be
is refused by the system itself."""


@dataclass(frozen=True, slots=True)
class _Head:
    """What a backup of any format says."""

    format: int
    comptoir: str


@dataclass(frozen=True, slots=True)
class Member:
    """A table of a backup, as it must be found there."""

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    Attributes:
        format: of the file itself.
        comptoir: the version of the program that made it.
        revision: of the schema.
        at: when the snapshot was taken, by the database's clock, in RFC 3339.
        secret: whether the home's secret is in it.
        sequences: by "table.column", the highest number that was ever given.
        tables: each after those that it refers to.
    """

    format: int
    comptoir: str
    revision: str
    at: str
    secret: SecretIs
    sequences: Mapping[str, int]
    tables: Sequence[Member]

    @property
    def rows(self) -> Mapping[str, int]:
        """Rows by table."""
        return {table.name: table.rows for table in self.tables}


@dataclass(frozen=True, slots=True)
class Label:
    """What a backup says of itself beside the books.

    Attributes:
        comptoir: the version of the program.
        at: when the snapshot was taken, in RFC 3339.
        secret_is: where the secret is.
        secret: the home's secret, if it is to be kept with the books.
    """

    comptoir: str
    at: str
    secret_is: SecretIs
    secret: str | None


def write(file: BinaryIO, source: Source, label: Label, report: Report) -> Manifest:
    """Write a backup; the file need not be seekable."""
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        tables = [_write_table(archive, source, table, report) for table in source.tables]
        if label.secret is not None:
            archive.writestr(_SECRET, label.secret)
        manifest = Manifest(
            _FORMAT,
            label.comptoir,
            source.revision,
            label.at,
            label.secret_is,
            source.sequences,
            tables,
        )
        archive.writestr(_MANIFEST, msgspec.json.format(msgspec.json.encode(asdict(manifest))))
    return manifest


def _write_table(archive: ZipFile, source: Source, table: Table, report: Report) -> Member:
    tally = Tally()
    with archive.open(_member(table.name), "w", force_zip64=True) as member:
        for block in blocks(tallied(source, table, tally, report)):
            member.write(block)
    return Member(table.name, table.columns, table.types, tally.rows, tally.digest)


@contextmanager
def opened(path: Path) -> Generator["Archive"]:
    """A backup to read from, while the block runs.

    Raises:
        CopyError: the file is no backup, is cut off, or was made by a later version.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        try:
            archive = ZipFile(file)
            head, manifest = _read_manifest(archive)
        except _BROKEN as error:
            raise CopyError("backup-unreadable", file=str(path)) from error
        if head.format != _FORMAT or manifest is None:
            raise CopyError("backup-newer", version=head.comptoir)
        with archive:
            yield Archive(archive, manifest)


class Archive:
    """A backup that is being read: a source of books."""

    def __init__(self, archive: ZipFile, manifest: Manifest) -> None:
        self._archive = archive
        self.manifest = manifest
        self._tables = {table.name: table for table in manifest.tables}

    @property
    def revision(self) -> str:
        """The revision of the schema that the rows have."""
        return self.manifest.revision

    @property
    def sequences(self) -> Mapping[str, int]:
        """By "table.column", the highest number that was ever given."""
        return self.manifest.sequences

    @property
    def tables(self) -> Sequence[Table]:
        """All tables."""
        return [Table(each.name, each.columns, each.types) for each in self.manifest.tables]

    def secret(self) -> str | None:
        """The home's secret, if it was kept with the books."""
        if self.manifest.secret is not SecretIs.INCLUDED:
            return None
        with _damage(_SECRET), self._archive.open(_SECRET) as member:
            return member.read(_SECRET_BYTES).decode().strip()

    def count(self, table: str) -> int:
        """How many rows the table has."""
        return self._tables[table].rows

    def lines(self, table: Table) -> Iterator[bytes]:
        """The rows of the table."""
        with _damage(table.name), self._archive.open(_member(table.name)) as member:
            yield from _lines(member, table.name)

    def check(self, table: str, tally: Tally) -> None:
        """Compare what was read with what was written.

        Raises:
            CopyError: it is not the same.
        """
        member = self._tables[table]
        if (tally.rows, tally.digest) != (member.rows, member.digest):
            raise CopyError("copy-damaged", table=table)


def _lines(member: IO[bytes], table: str) -> Iterator[bytes]:
    buffered = BufferedReader(cast("BinaryIO", member), BLOCK)  # pyright: ignore[reportArgumentType]  # it reads like a raw file
    while line := buffered.readline(_LINE_BYTES):
        if not line.endswith(b"\n"):
            raise CopyError("copy-damaged", table=table)
        yield line


def _read_manifest(archive: ZipFile) -> tuple[_Head, Manifest | None]:
    """What the file says it is, and what it holds, as far as this program knows its format."""
    with archive.open(_MANIFEST) as member:
        text = member.read(_MANIFEST_BYTES)
    try:
        head = msgspec.json.decode(text, type=_Head)
        known = head.format == _FORMAT
        return head, msgspec.json.decode(text, type=Manifest) if known else None
    except msgspec.DecodeError as error:
        raise BadZipFile(_MANIFEST) from error


@contextmanager
def _damage(table: str) -> Generator[None]:
    """Say in our words that a file is damaged.

    Raises:
        CopyError: it is.
    """
    try:
        yield
    except _BROKEN as error:
        raise CopyError("copy-damaged", table=table) from error


def _member(table: str) -> str:
    return f"{table}.copy"
