"""What is asked of Stripe, and of what it has told us; nothing is changed there."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from comptoir.app import Urls, open_app
from comptoir.app.parts import access_of
from comptoir.app.sandbox import is_sandbox
from comptoir.config import Environment, Settings
from comptoir.domains.payments.stripe import Access, Stripe
from comptoir.flows import stocking
from comptoir.flows.settling import EVENTS
from comptoir.flows.stocking import Compared
from comptoir.kit.books import LIVE
from comptoir.kit.errors import ComptoirError, Unavailable
from comptoir.store import inbox
from comptoir.store.checkup import Finding
from comptoir.store.inbox import State
from comptoir.web.replies import write_time
from comptoir.web.webhooks import PATHS

ANSWERS: Final = frozenset({"stripe", "stripe-sandbox", "stripe-test-in-production"})
"""Findings after which there is somebody to ask."""

LATE: Final = 600.0
"""Seconds after which an event that is not done yet makes the doctor speak."""

_SECONDS: Final = 5.0
_KEYS: Final = ("sk_test_", "rk_test_", "sk_live_", "rk_live_")
_SIGNING: Final = "whsec_"
_ANY: Final = "*"
_WAITING: Final = (State.RECEIVED, State.DEFERRED, State.FAILED)

Endpoints = Sequence[Mapping[str, Any]]


def stripe(settings: Settings) -> list[Finding]:
    """The key, the secret, and where Stripe sends its events."""
    access = access_of(settings)
    if access is None:
        code = "stripe-none" if settings.is_for_others else "stripe-later"
        return [Finding("stripe", code)]
    is_live = settings.has_live_stripe_key
    if not access.key.startswith(_KEYS):
        return [Finding("stripe", "stripe-no-key"), _signing(settings)]
    if is_live and settings.env is not Environment.PRODUCTION:
        return [Finding("stripe", "stripe-live-here"), _signing(settings)]
    try:
        endpoints = asyncio.run(_endpoints(access))
    except Unavailable:
        return [Finding("stripe", "stripe-away"), _signing(settings)]
    except ComptoirError:
        return [Finding("stripe", "stripe-refused"), _signing(settings)]
    return [_key(settings, access), _signing(settings), *_sent(settings, endpoints)]


def selling(settings: Settings, urls: Urls) -> list[Finding]:
    """What Stripe says of what is for sale, and when we have heard of it."""
    return asyncio.run(_selling(settings, urls))


def _key(settings: Settings, access: Access) -> Finding:
    if is_sandbox(settings):
        return Finding("stripe", "stripe-sandbox", {"base": access.base})
    if settings.env is Environment.PRODUCTION and not settings.has_live_stripe_key:
        return Finding("stripe", "stripe-test-in-production")
    return Finding("stripe", "stripe", {"mode": "live" if settings.has_live_stripe_key else "test"})


def _signing(settings: Settings) -> Finding:
    secrets = settings.webhook_secrets
    if not secrets:
        return Finding("signing", "signing-none")
    if not all(each.startswith(_SIGNING) for each in secrets):
        return Finding("signing", "signing-odd")
    return Finding("signing", "signing", {"count": len(secrets)})


async def _endpoints(access: Access) -> Endpoints:
    async with Stripe(replace(access, timeout=_SECONDS, retries=0)) as provider:
        found: Endpoints = (await provider.endpoints())["data"]
        return found


def _sent(settings: Settings, endpoints: Endpoints) -> Iterable[Finding]:
    """Whether some endpoint of ours is told of all that we want to know."""
    ours = [each for each in endpoints if urlsplit(str(each["url"])).path in PATHS]
    wanted = (settings.public_url or "").rstrip("/")
    here = [each for each in ours if not wanted or str(each["url"]).startswith(f"{wanted}/")]
    figures = {
        "wanted": f"{wanted or 'https://…'}{PATHS[0]}",
        "there": ", ".join(sorted(str(each["url"]) for each in ours)),
    }
    if not ours:
        code = "endpoint-none" if settings.is_for_others else "endpoint-none-here"
        yield Finding("endpoint", code, figures)
        return
    if not here:
        yield Finding("endpoint", "endpoint-elsewhere", figures)
        return
    enabled = [each for each in here if each["status"] == "enabled"]
    if not enabled:
        yield Finding("endpoint", "endpoint-off", figures)
        return
    yield Finding("endpoint", "endpoint", {"url": enabled[0]["url"]})
    told = {name for each in enabled for name in each["enabled_events"]}
    missing = [] if _ANY in told else [name for name in EVENTS if name not in told]
    if missing:
        yield Finding("events", "events-missing", {"names": ", ".join(missing)})
    else:
        yield Finding("events", "events", {"count": len(EVENTS)})


async def _selling(settings: Settings, urls: Urls) -> list[Finding]:
    async with open_app(settings, urls) as app:
        try:
            prices = _prices(await stocking.compare(app.till, LIVE))
        except ComptoirError:
            prices = Finding("prices", "prices-unknown")
        last = await inbox.last(app.pool, LIVE)
        counts = await inbox.counts(app.pool, LIVE)
    return [prices, _heard(settings, last, counts)]


def _prices(found: Compared) -> Finding:
    if found.wrong:
        return Finding("prices", "prices-differ", {"items": ", ".join(found.wrong)})
    if found.missing:
        return Finding("prices", "prices-missing", {"items": ", ".join(found.missing)})
    if not found.items:
        return Finding("prices", "prices-none")
    return Finding("prices", "prices", {"count": found.items})


def _heard(
    settings: Settings, last: int | None, counts: Mapping[str, tuple[int, float]]
) -> Finding:
    if last is None:
        return Finding("heard", "heard-later" if is_sandbox(settings) else "heard-nothing")
    dead, _ = counts.get(State.DEAD, (0, 0.0))
    if dead:
        return Finding("heard", "heard-dead", {"count": dead})
    waiting = [counts[state] for state in _WAITING if state in counts]
    oldest = max((seconds for _, seconds in waiting), default=0.0)
    if oldest > LATE:
        figures = {"count": sum(count for count, _ in waiting), "minutes": int(oldest // 60)}
        return Finding("heard", "heard-late", figures)
    return Finding("heard", "heard", {"at": write_time(last)})
