"""The sandbox, as its customers and its operator see it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp

from comptoir.app.sandbox import KEY, Place
from comptoir.kit.errors import Unavailable

_SUCCEEDED: Final = "payment_intent.succeeded"
_LATE: Final = 20
_PAUSE: Final = 0.05
_TRIES: Final = 400
_OK: Final = 200
_DECLINED: Final = 402
_GOES_ON: Final = 303


class Bank:
    """The sandbox, as its customers and its operator see it."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def pay(self, page: str) -> None:
        """Pay on a page of the sandbox, as a browser would."""
        said = {"method": "pm_card_visa", "email": "buyer@example.com"}
        async with self._session.post(page, data=said, allow_redirects=False) as answer:
            insist(answer.status == _GOES_ON, f"/pay {answer.status}")

    async def confirm(self, intent: str, method: str) -> None:
        """Pay with a card, as the scripts of a shop's page would; it may be declined."""
        said = {"payment_method": method, "return_url": "http://127.0.0.1/"}
        path, headers = f"/v1/payment_intents/{intent}/confirm", {"Authorization": f"Bearer {KEY}"}
        async with self._session.post(path, data=said, headers=headers) as answer:
            insist(answer.status in {_OK, _DECLINED}, f"{path} {answer.status}")

    async def turn(self, **knobs: object) -> None:
        """Set some of its knobs."""
        async with self._session.post("/_sandbox/chaos", json=knobs) as answer:
            insist(answer.status == _OK, f"/_sandbox/chaos {answer.status}")

    async def still(self) -> None:
        """Wait until nothing is to be delivered any more."""
        for _ in range(_TRIES):
            if not (await self._read("/_sandbox"))["waiting"]:
                return
            await asyncio.sleep(_PAUSE)
        raise Unavailable("demo-seed", reason="the sandbox does not come to rest")

    async def event(self, purchase: str) -> bytes:
        """The event of a payment that has come, for a purchase of late."""
        found = await self._read(f"/v1/events?{urlencode({'type': _SUCCEEDED, 'limit': _LATE})}")
        texts = (json.dumps(each) for each in found["data"])
        text = next((text for text in texts if purchase in text), "")
        insist(bool(text), "the sandbox has no event")
        return text.encode()

    async def _read(self, path: str) -> dict[str, Any]:
        async with self._session.get(path, headers={"Authorization": f"Bearer {KEY}"}) as answer:
            insist(answer.status == _OK, f"{path} {answer.status}")
            return await answer.json()


@asynccontextmanager
async def opened(place: Place) -> AsyncGenerator[Bank]:
    """The sandbox of a place, while the block runs.

    Raises:
        Unavailable: it cannot be reached.
    """
    try:
        async with aiohttp.ClientSession(place.base) as session:
            yield Bank(session)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable("demo-seed", reason=f"{type(error).__name__} at the sandbox") from error


def insist(is_right: bool, reason: str) -> None:  # noqa: FBT001  # what is insisted on
    """See to it that the sandbox does what it should.

    Raises:
        Unavailable: it does not.
    """
    if not is_right:
        raise Unavailable("demo-seed", reason=reason)
