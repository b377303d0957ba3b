"""Statements over libpq's own pipeline, without a cursor for each of them.

The group commit sends the same few statements for ever. Through psycopg's public wrapper of libpq
(`psycopg.pq`) a round of them costs a fifth of the CPU time that cursors cost, which is what a
small commit is made of. Errors are psycopg's own; rows are decoded by psycopg's own loaders.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import ProgrammingError, error_from_result
from psycopg.pq import ExecStatus, PipelineStatus
from psycopg.pq.abc import PGresult

from comptoir.store.pool import Borrowed
from comptoir.store.rows import Row, Statement

_FAILED: Final = (ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED)

_PLAIN: Final = frozenset({str, int, type(None)})

_WORTH_SENDING: Final = 16 * 1024
"""Bytes after which PostgreSQL is given what there is, while the next statement is made."""

_Key = tuple[str, tuple[int, ...]]
_Encoded = Sequence[bytes | bytearray | memoryview | None]


def nothing() -> None:
    """What there is to do while statements run, usually."""


class Wire:
    """One connection's statements, prepared at their first use, unless its session is borrowed.

    Used by one task at a time; nothing else may use the connection meanwhile.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self._connection = connection.pgconn
        self._names: dict[_Key, bytes] = {}
        self._made = 0
        self._prepares = not isinstance(connection, Borrowed)

    async def run(
        self, wanted: Iterable[Statement], meanwhile: Callable[[], None] = nothing
    ) -> list[list[Row]]:
        """Send statements through one pipeline and fetch what they select.

        Args:
            wanted: statements with `%s` for their parameters; each is asked for when the one
                before it is on its way.
            meanwhile: called once all of them are on their way.

        Raises:
            psycopg.Error: of the first statement that failed; the others did nothing.
        """
        self._connection.enter_pipeline_mode()
        sent: list[_Key | None] = []
        try:
            try:
                await self._send(wanted, sent)
            except Exception:
                # A statement could not even be spelled: what went before it is answered first.
                await self._end(sent)
                raise
            meanwhile()
            results = await self._end(sent)
        except BaseException:
            if self._connection.pipeline_status != PipelineStatus.OFF:
                # What is still on its way could not be told from what comes next.
                await self.connection.close()
            raise
        failed = [each for each in results if each.status in _FAILED]
        if failed:
            raise error_from_result(failed[0])
        return [self._rows(each) for each in results]

    async def _send(self, wanted: Iterable[Statement], sent: list[_Key | None]) -> None:
        """Notes in `sent`, for every expected answer, the statement that it prepares, or None."""
        unsent = 0
        for text, parameters in wanted:
            values, types = _encode(self.connection, parameters)
            key = (text, types)
            if self._prepares:
                name = self._names.get(key) or self._prepare(key, len(parameters), sent)
                self._connection.send_query_prepared(name, values)
            else:
                self._connection.send_query_params(
                    _checked(text, len(parameters)), values, types or None
                )
            sent.append(None)
            unsent += sum(map(len, filter(None, values)))
            if unsent > _WORTH_SENDING:
                await self._flush()
                unsent = 0

    def _prepare(self, key: _Key, count: int, sent: list[_Key | None]) -> bytes:
        text, types = key
        name, numbered = self._new_name(), _checked(text, count)
        self._connection.send_prepare(name, numbered, types)
        self._names[key] = name
        sent.append(key)
        return name

    async def _flush(self) -> None:
        while self._connection.flush():  # bounded: the connection breaks or takes it all
            await self._ready(and_writable=True)
            self._connection.consume_input()

    async def _end(self, sent: list[_Key | None]) -> list[PGresult]:
        """End the pipeline and fetch the answer of every statement in it."""
        self._connection.pipeline_sync()
        await self._flush()
        results: list[PGresult] = []
        is_busy, get_result = self._connection.is_busy, self._connection.get_result
        for key in sent:
            if is_busy():
                await self._answer()
            result = get_result()
            assert result is not None, "every statement has an answer"
            if key is None or result.status in _FAILED:
                results.append(result)
            if key is not None and result.status in _FAILED:
                self._names.pop(key, None)
            if is_busy():
                await self._answer()
            end = get_result()
            assert end is None, "statements that give several answers are not for this"
        if is_busy():
            await self._answer()
        sync = get_result()
        assert sync is not None, "a pipeline ends with its own sync"
        self._connection.exit_pipeline_mode()
        return results

    async def _answer(self) -> None:
        """Wait for the next answer; usually all are there when the first is."""
        while self._connection.is_busy():  # bounded: the connection breaks or answers
            await self._ready(and_writable=False)
            self._connection.consume_input()

    async def _ready(self, *, and_writable: bool) -> None:
        loop = asyncio.get_running_loop()
        socket = self._connection.socket
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(socket, _set, ready)
        if and_writable:
            loop.add_writer(socket, _set, ready)
        try:
            await ready
        finally:
            loop.remove_reader(socket)
            if and_writable:
                loop.remove_writer(socket)

    def _rows(self, result: PGresult) -> list[Row]:
        if result.status != ExecStatus.TUPLES_OK or result.ntuples == 0:
            return []
        transformer = Transformer(self.connection)
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    def _new_name(self) -> bytes:
        self._made += 1
        return b"comptoir_%d" % self._made


def _set(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


def _encode(
    connection: AsyncConnection, parameters: Sequence[Any]
) -> tuple[_Encoded, tuple[int, ...]]:
    """Our own parameters are texts, whole numbers and nulls; a caller's own may be anything.

    PostgreSQL finds the types of the former by itself, for every one is cast or compared.
    """
    if _PLAIN.issuperset(map(type, parameters)):
        return [None if each is None else str(each).encode() for each in parameters], ()
    transformer = Transformer(connection)
    values = transformer.dump_sequence(parameters, [PyFormat.TEXT] * len(parameters))
    return values, tuple(transformer.types or ())


def _checked(text: str, count: int) -> bytes:
    """A statement for so many parameters, as libpq wants it.

    Raises:
        ProgrammingError: it has another number of placeholders.
    """
    if text.count("%s") != count:
        raise ProgrammingError("as many parameters as placeholders are needed")
    return _numbered(text)


def _numbered(text: str) -> bytes:
    """A statement with `%s` as libpq wants it, with numbered parameters."""
    first, *rest = text.split("%s")
    parts = [first, *(f"${number}{part}" for number, part in enumerate(rest, 1))]
    return "".join(parts).encode()
