"""The post: carries letters by SMTP, or leaves them in a folder where none is configured."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from comptoir.kit.errors import ComptoirError, Unavailable

SECONDS: Final = 30.0
_PORTS: Final = {"smtp": 587, "smtps": 465}
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PERMANENT: Final = 500


class Undeliverable(ComptoirError):
    """The receiving server will not have the letter, now or later."""


class Post(Protocol):
    """Carries letters."""

    async def send(self, message: EmailMessage, sender: str, to: str) -> None:
        """Hand a letter over.

        Raises:
            Undeliverable: it is refused for good.
            Unavailable: it could not be handed over now.
            ComptoirError: nothing is configured.
        """
        ...


@dataclass(frozen=True, slots=True)
class Server:
    """An SMTP server.

    Attributes:
        is_wrapped: TLS from the first byte on; else it begins when the server offers it.
    """

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    is_wrapped: bool = False

    @property
    def must_encrypt(self) -> bool:
        """Whether to do without the server rather than without TLS: a password is said to it."""
        return self.user is not None and self.host not in _HERE


def parse(url: str) -> Server:
    """The server of an address such as smtp://user:password@mail.example.com:587.

    Raises:
        ComptoirError: it is no such address.
    """
    try:
        said = urlsplit(url)
        port = said.port or _PORTS[said.scheme]
    except (KeyError, ValueError):
        raise ComptoirError("email-server-invalid") from None
    if not said.hostname:
        raise ComptoirError("email-server-invalid")
    user = None if said.username is None else unquote(said.username)
    password = None if said.password is None else unquote(said.password)
    return Server(said.hostname, port, user, password, said.scheme == "smtps")


class SmtpPost:
    """Hands letters to an SMTP server, each over a connection of its own."""

    def __init__(self, server: Server, seconds: float = SECONDS) -> None:
        self._server = server
        self._seconds = seconds

    async def reach(self) -> None:
        """See whether the server answers, and takes the password if there is one.

        Raises:
            Unavailable: it does not.
        """
        import aiosmtplib  # noqa: PLC0415  # as in `send`

        client = aiosmtplib.SMTP(**self._how())
        try:
            async with client:
                await client.noop()
        except aiosmtplib.SMTPResponseException as error:
            raise Unavailable("email-not-sent", reason=str(error.code)) from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise Unavailable("email-not-sent", reason=type(error).__name__) from error

    async def send(self, message: EmailMessage, sender: str, to: str) -> None:
        """As `Post.send`."""
        # Loaded when needed: only whoever sends letters waits for it.
        import aiosmtplib  # noqa: PLC0415  # only senders wait

        try:
            await aiosmtplib.send(message, sender=sender, recipients=[to], **self._how())
        except aiosmtplib.SMTPRecipientsRefused as error:
            worst = max(each.code for each in error.recipients)
            raise _refused(worst) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _refused(error.code) from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise Unavailable("email-not-sent", reason=type(error).__name__) from error

    def _how(self) -> dict[str, Any]:
        """The server, as the library wants to be told of it."""
        server = self._server
        return {
            "hostname": server.host,
            "port": server.port,
            "username": server.user,
            "password": server.password,
            "use_tls": server.is_wrapped,
            "start_tls": self._start_tls(),
            "tls_context": ssl.create_default_context(),
            "timeout": self._seconds,
        }

    def _start_tls(self) -> bool | None:
        # A relay on this machine often has a certificate of its own making, and no listeners.
        if self._server.is_wrapped or self._server.host in _HERE:
            return False
        return True if self._server.must_encrypt else None


def _refused(code: int) -> ComptoirError:
    if code >= _PERMANENT:
        return Undeliverable("email-refused", smtp=code)
    return Unavailable("email-not-sent", reason=str(code))


class FilePost:
    """Leaves letters in a folder, for whoever develops; each is one file, whole or not there."""

    def __init__(self, folder: Path, told: Callable[[Path], None]) -> None:
        self._folder = folder
        self._told = told

    async def send(self, message: EmailMessage, sender: str, to: str) -> None:
        """As `Post.send`; it is never refused."""
        del sender, to  # they are in the letter
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = str(message["Message-ID"]).strip("<>").partition("@")[0].replace(":", "-")
        path = self._folder / f"{name}.eml"
        draft = path.with_suffix(".part")
        draft.write_bytes(message.as_bytes())
        draft.replace(path)
        self._told(path)


class NoPost:
    """The post of whoever has not said where it is, where letters are meant."""

    async def send(self, message: EmailMessage, sender: str, to: str) -> None:
        """Refuse it."""
        del message, sender, to
        raise ComptoirError("email-not-configured")
