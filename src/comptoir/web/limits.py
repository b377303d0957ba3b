"""How often our own routes may be called, and the headers that say so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from comptoir.app import App
from comptoir.guards.limits.limiter import Policies
from comptoir.guards.limits.ring import Policy, Verdict
from comptoir.guards.limits.stores import Question
from comptoir.kit.actor import Actor, Role
from comptoir.kit.errors import ComptoirError
from comptoir.kit.limits import SECOND
from comptoir.web.addresses import Addresses
from comptoir.web.replies import Header

_NAME: Final = "api"
_OFF: Final = "off"
_LIVE: Final = 1
_EXEMPT: Final = ("/api/cron/", "/api/webhooks/", "/api/checkout/webhook", "/api/billing/webhooks")
_HOW: Final = Policies()
_MILLI: Final = 1_000
_LOGIN: Final = Policy("login", 60, 60 * SECOND)
"""Secrets cannot be guessed; this spares the database whoever tries."""


class RateLimited(ComptoirError):
    """Too many requests; `headers` say when there may be more."""

    def __init__(self, verdict: Verdict, headers: Sequence[Header]) -> None:
        policy, wait = verdict.policy, _seconds(verdict.wait)
        super().__init__(
            "rate-limited",
            limit=policy.limit,
            window=policy.window // SECOND,
            wait=wait,
            retry_after=wait,
        )
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Rates:
    """What the settings say.

    Attributes:
        client: of an address without a key, and of a customer's token; None for no limit.
        keys: of an API key; None for no limit.
    """

    client: Policy | None
    keys: Policy | None
    addresses: Addresses


def read_rates(client: str, keys: str, trusted_proxies: str) -> Rates:
    """The rates of the settings.

    Raises:
        ComptoirError: a proxy is no address and no network.
    """
    return Rates(_policy(client), _policy(keys), Addresses.read(trusted_proxies))


class OwnLimits:
    """The limits of our own routes. Shared by all tasks of one event loop."""

    def __init__(self, app: App) -> None:
        said = app.settings
        self._app = app
        self._rates = read_rates(said.rate_limit_client, said.rate_limit_keys, said.trusted_proxies)

    async def admit(
        self, scope: Mapping[str, Any], actor: Actor | None, credential: bytes
    ) -> Sequence[Header]:
        """The headers of a request that may go on.

        Args:
            scope: of the request.
            actor: who sends it; None for somebody without a key.
            credential: what he has shown.

        Raises:
            RateLimited: he sends too many.
            Unavailable: it cannot be decided.
        """
        policy = self._policy(actor)
        if policy is None or scope["path"].startswith(_EXEMPT):
            return ()
        book = _LIVE if actor is None else actor.book
        question = Question(self._subject(scope, actor, credential), (policy,))
        guards = await self._app.guards(book)
        # What this process has let through is enough to say no: a flood stays here.
        [verdict] = guards.local.peek(question)
        if verdict.is_admitted:
            answer = await guards.limiter.ask(question, _HOW)
            [verdict] = answer.verdicts
            if verdict.is_admitted and answer.by != "local":
                guards.local.note(question)
        headers = headers_of([verdict], self._app.clock())
        if not verdict.is_admitted:
            raise RateLimited(verdict, headers)
        return headers

    async def admit_login(self, scope: Mapping[str, Any]) -> None:
        """Let an address of the network try one-time addresses, but not many of them.

        Raises:
            RateLimited: it tries too many.
            Unavailable: it cannot be decided.
        """
        question = Question(f"address:{self.address(scope)}", (_LOGIN,))
        guards = await self._app.guards(_LIVE)
        [verdict] = (await guards.limiter.ask(question, _HOW)).verdicts
        if not verdict.is_admitted:
            raise RateLimited(verdict, headers_of([verdict], self._app.clock()))

    def address(self, scope: Mapping[str, Any]) -> str:
        """Where a request comes from, past the proxies that are trusted."""
        return self._rates.addresses.client(scope)

    def _policy(self, actor: Actor | None) -> Policy | None:
        is_client = actor is None or actor.role is Role.CUSTOMER
        return self._rates.client if is_client else self._rates.keys

    def _subject(self, scope: Mapping[str, Any], actor: Actor | None, credential: bytes) -> str:
        if actor is None:
            return f"address:{self.address(scope)}"
        if actor.role is Role.CUSTOMER:
            return f"customer:{actor.customer}"
        return f"key:{blake2b(credential, digest_size=12).hexdigest()}"


def headers_of(verdicts: Sequence[Verdict], now: int) -> list[Header]:
    """RateLimit fields as the IETF's draft 11 has them, and those that came before it.

    Args:
        verdicts: what each policy said.
        now: microseconds since 1970.
    """
    policies = ", ".join(
        f'"{each.policy.name}";q={each.policy.limit};w={_seconds(each.policy.window)}'
        for each in verdicts
    )
    left = ", ".join(
        f'"{each.policy.name}";r={each.remaining};t={_seconds(_until(each))}' for each in verdicts
    )
    tightest = min(verdicts, key=lambda each: (each.is_admitted, each.remaining))
    reset = now // _MILLI + _until(tightest) // _MILLI
    return [
        (b"ratelimit-policy", policies.encode()),
        (b"ratelimit", left.encode()),
        (b"x-ratelimit-limit", b"%d" % tightest.policy.limit),
        (b"x-ratelimit-remaining", b"%d" % tightest.remaining),
        (b"x-ratelimit-reset", b"%d" % reset),
    ]


def _until(verdict: Verdict) -> int:
    """When there is more: for somebody who was denied enough for his call, else all of it."""
    return verdict.resets if verdict.is_admitted else verdict.wait


def _seconds(micros: int) -> int:
    return -(-micros // SECOND)


def _policy(said: str) -> Policy | None:
    if said == _OFF:
        return None
    limit, _, window = said.partition("/")
    return Policy(_NAME, int(limit), int(window) * SECOND)
