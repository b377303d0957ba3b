"""An SMTP server for tests, with whatever is wrong with it said beforehand."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword


@dataclass(slots=True)
class Mailbox:
    """What has arrived, and how the server answers.

    Attributes:
        refusals: answers to the next letters; then they are taken.
        logins: who said which password.
    """

    url: str = ""
    letters: list[EmailMessage] = field(default_factory=list[EmailMessage])
    readers: list[str] = field(default_factory=list[str])
    refusals: list[str] = field(default_factory=list[str])
    logins: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])

    async def take(self, *said: object) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        envelope = cast("Envelope", said[2])
        raw = envelope.original_content or b""
        parsed: Any = message_from_bytes(raw, policy=policy.default)
        self.letters.append(parsed)
        self.readers += envelope.rcpt_tos
        return "250 taken"

    def authenticate(self, *said: object) -> AuthResult:
        given = cast("LoginPassword", said[-1])
        self.logins.append((given.login, given.password))
        return AuthResult(success=True)


@asynccontextmanager
async def mailbox(*, asks_for_password: bool = False) -> AsyncGenerator[Mailbox]:
    """A server while the block runs."""
    box = Mailbox()

    def protocol() -> SMTP:
        return SMTP(
            SimpleNamespace(handle_DATA=box.take),
            loop=asyncio.get_running_loop(),
            hostname="mail.test",
            authenticator=box.authenticate if asks_for_password else None,
            auth_require_tls=False,
        )

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    box.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield box
