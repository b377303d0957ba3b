"""What is asked beside the database: Redis, the e-mail server, and proxies."""

import asyncio
from collections.abc import Iterator
from typing import Any, Final

from comptoir.app.parts import Told, link_of, post_of
from comptoir.cli.failures import explain
from comptoir.cli.say import Say
from comptoir.config import Environment, Settings
from comptoir.domains.notifications.post import SmtpPost
from comptoir.guards.redis.link import Link, Mode
from comptoir.kit.errors import ComptoirError
from comptoir.store.checkup import Finding
from comptoir.web.limits import read_rates

_REFUSES: Final = "noeviction"


def neighbours(say: Say, settings: Settings) -> Iterator[Finding]:
    """Look at what the server would ask beside its database."""
    yield _redis(say, settings)
    yield _email(say, settings)
    yield _rates(say, settings)


def _redis(say: Say, settings: Settings) -> Finding:
    try:
        link = link_of(settings, Told())
    except ComptoirError as error:
        return Finding("redis", "redis-wrong", {"reason": explain(say, error)[0]})
    if link is None:
        return Finding("redis", "redis-none")
    mode, said = asyncio.run(_asked(link))
    if mode is not Mode.UP:
        reason = next(iter(link.figures.kinds), "TimeoutError")
        return Finding("redis", "redis-away", {"reason": reason})
    refuses = bool(said.get("maxmemory")) and said.get("maxmemory_policy") == _REFUSES
    figures = {"version": said.get("version", "?")}
    return Finding("redis", "redis-refuses" if refuses else "redis", figures)


async def _asked(link: Link) -> tuple[Mode, dict[str, Any]]:
    async with link:
        return link.mode, await link.look()


def _email(say: Say, settings: Settings) -> Finding:
    try:
        post = post_of(settings, Told())
    except ComptoirError as error:
        return Finding("email", "email-wrong", {"reason": explain(say, error)[0]})
    if not isinstance(post, SmtpPost):
        is_there = settings.may_write_letters_to_files
        return Finding("email", "email-files" if is_there else "email-none")
    try:
        asyncio.run(post.reach())
    except ComptoirError as error:
        return Finding("email", "email-away", {"reason": error.figures.get("reason", error.code)})
    return Finding("email", "email" if settings.email_from else "email-nobody")


def _rates(say: Say, settings: Settings) -> Finding:
    try:
        rates = read_rates(
            settings.rate_limit_client, settings.rate_limit_keys, settings.trusted_proxies
        )
    except ComptoirError as error:
        return Finding("rates", "proxies-wrong", {"reason": explain(say, error)[0]})
    is_production = settings.env is Environment.PRODUCTION
    if is_production and rates.client is None:
        return Finding("rates", "rates-off")
    if is_production and not rates.addresses.trusted:
        return Finding("rates", "proxies-none")
    return Finding("rates", "rates")
