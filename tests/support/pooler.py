"""A pooler before PostgreSQL, by transactions, that knows nothing of prepared statements.

It has one connection to the server. Clients take turns: whoever begins a transaction has it until
the server says that no transaction is open.
"""

import asyncio
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

_SOCKET: Final = ".s.PGSQL.5432"
_PROTOCOL: Final = 196_608
_READY: Final = b"Z"
_END: Final = b"X"
_NOT_OURS: Final = 12_345
"""The process number that every client is told."""

_HELLO: Final = (
    b"R" + struct.pack("!ii", 8, 0)
    + b"".join(
        b"S" + struct.pack("!i", 4 + len(pair)) + pair
        for pair in (b"client_encoding\0UTF8\0", b"server_version\x0018.4\0")
    )
    + b"K" + struct.pack("!iii", 12, _NOT_OURS, 1)
    + _READY + struct.pack("!i", 5) + b"I"
)  # fmt: skip


class _Pooler:
    def __init__(self, user: str, database: str) -> None:
        self._startup = f"user\0{user}\0database\0{database}\0\0".encode()
        self._turn = asyncio.Lock()

    async def connect(self, address: str) -> None:
        self._reader, self._writer = await asyncio.open_unix_connection(address)
        length = 8 + len(self._startup)
        self._writer.write(struct.pack("!ii", length, _PROTOCOL) + self._startup)
        while (await self._message(self._reader))[0] != _READY:  # bounded by the server's greeting
            pass

    def close(self) -> None:
        self._writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            [length] = struct.unpack("!i", await reader.readexactly(4))
            await reader.readexactly(length - 4)
            writer.write(_HELLO)
            while True:  # until the client goes away
                first = await self._message(reader)
                if first[0] == _END:
                    break
                async with self._turn:
                    await self._have_turn(first, reader, writer)
        writer.close()

    async def _have_turn(
        self, first: tuple[bytes, bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        kind, rest = first
        while True:  # until the server says that no transaction is open
            self._writer.write(kind + rest)
            if kind in {b"Q", b"S"} and await self._answered(writer) == b"I":
                return
            kind, rest = await self._message(reader)

    async def _answered(self, writer: asyncio.StreamWriter) -> bytes:
        while True:  # the server ends each answer
            kind, rest = await self._message(self._reader)
            writer.write(kind + rest)
            if kind == _READY:
                return rest[-1:]

    async def _message(self, reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
        kind, size = await reader.readexactly(1), await reader.readexactly(4)
        return kind, size + await reader.readexactly(struct.unpack("!i", size)[0] - 4)


@contextmanager
def pooled(url: str, folder: Path) -> Iterator[str]:
    """The address of a pooler before the database of that address, while the block runs."""
    parts = conninfo_to_dict(url)
    server = str(Path(str(parts["host"])) / _SOCKET)
    ready, stop = threading.Event(), threading.Event()

    async def run() -> None:
        pooler = _Pooler(str(parts["user"]), str(parts["dbname"]))
        await pooler.connect(server)
        listener = await asyncio.start_unix_server(pooler.serve, folder / _SOCKET)
        async with listener:
            ready.set()
            await asyncio.to_thread(stop.wait)
        pooler.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        assert ready.wait(10), "the pooler did not start"
        changed = make_url(url).update_query_dict({"host": str(folder), "port": "5432"})
        yield changed.render_as_string(hide_password=False)
    finally:
        stop.set()
        thread.join(10)
