"""Large answers: made as a whole before the first byte goes out, in a file that has no name.

So the database is asked at its own pace, whatever goes wrong is a problem document and never a
broken answer, and a slow client keeps a file open, not a connection and its snapshot.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import IO, Final

from comptoir.web.replies import Reply, Send

IN_MEMORY: Final = 1024 * 1024
"""Bytes up to which no file is needed."""

PIECE: Final = 256 * 1024
STALL_SECONDS: Final = 30.0
"""How long a client may take for each piece of that size; then the connection is broken off."""


async def spool(pieces: AsyncIterator[bytes]) -> IO[bytes]:
    """A file with all the pieces, to be read from its beginning; whoever gets it closes it."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # see above
    try:
        async for piece in pieces:
            await asyncio.to_thread(file.write, piece)
    except BaseException:
        file.close()
        raise
    return file


@dataclass(slots=True, kw_only=True)
class SpooledReply(Reply):
    """An answer from a file, of which it tells the length: a client notices when some is missing.

    Attributes:
        file: what is answered; closed afterwards.
        ended: called afterwards, however it ended.
        stall: seconds that a client may take for a piece.
    """

    file: IO[bytes]
    ended: Callable[[], None]
    body: bytes = b""
    stall: float = field(default=STALL_SECONDS)

    async def __call__(self, _scope: object, _receive: object, send: Send) -> None:
        """Give the answer to the server; break off when the client does not take it."""
        try:
            await self._send(send)
        except TimeoutError:
            return  # the server closes a connection whose answer is not complete
        finally:
            self.file.close()
            self.ended()

    async def _send(self, send: Send) -> None:
        length = self.file.tell()
        self.file.seek(0)
        headers = [
            (b"content-type", self.kind),
            *self.headers,
            (b"content-length", b"%d" % length),
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        left = length
        while left:  # bounded by the length of the file
            piece = await asyncio.to_thread(self.file.read, PIECE)
            left -= len(piece)
            async with asyncio.timeout(self.stall):
                await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
