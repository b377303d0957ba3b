"""The sandbox that `comptoir serve` runs: where it is, for every other program of the same home."""

import asyncio
import json
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from comptoir.config import Settings

FILE: Final = "sandbox.json"
KEY: Final = "sk_test_sandbox"  # it opens nothing but a pretend Stripe
_SECONDS: Final = 0.5
_TRIES: Final = 200
_PAUSE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sandbox is, and the secret with which it signs."""

    base: str
    secret: str

    def write(self, home: Path) -> None:
        """Let others of the same home find it; for their owner alone."""
        text = json.dumps({"base": self.base, "secret": self.secret})
        path = home / FILE
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)

    @classmethod
    def read(cls, home: Path) -> Self | None:
        """The sandbox of a home; None when there is none that answers."""
        try:
            said = json.loads((home / FILE).read_text("utf-8"))
            found = cls(str(said["base"]), str(said["secret"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if found.answers() else None

    async def wait(self) -> None:
        """Wait until it answers; whoever needs it before that is told so."""
        for _ in range(_TRIES):
            if await asyncio.to_thread(self.answers):
                return
            await asyncio.sleep(_PAUSE)

    def answers(self) -> bool:
        """Whether somebody listens there."""
        parts = urlsplit(self.base)
        try:
            with socket.create_connection((parts.hostname or "", parts.port or 0), _SECONDS):
                return True
        except OSError:
            return False


def forget(home: Path) -> None:
    """Nobody is to look for the sandbox any more."""
    with suppress(OSError):
        (home / FILE).unlink()


def at_sandbox(settings: Settings) -> Settings:
    """The same settings, with the sandbox of their home where nobody has named another Stripe."""
    if settings.stripe_secret_key is not None or settings.is_for_others:
        return settings
    place = Place.read(settings.home_folder)
    if place is None:
        return settings
    return settings.model_copy(
        update={
            "stripe_secret_key": SecretStr(KEY),
            "stripe_api_base": place.base,
            "stripe_webhook_secret": SecretStr(place.secret),
        }
    )


def is_sandbox(settings: Settings) -> bool:
    """Whether the Stripe that is named is the sandbox of a `comptoir serve`."""
    key = settings.stripe_secret_key
    return key is not None and key.get_secret_value() == KEY and bool(settings.stripe_api_base)
