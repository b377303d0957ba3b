"""The doctor looks at Redis, at the e-mail server and at what is said of proxies."""

import asyncio
from pathlib import Path

import pytest

from tests.cli.conftest import Inside
from tests.cli.test_doctor import LONG, seen
from tests.support.letters import mailbox
from tests.support.redis import redis_server

pytestmark = pytest.mark.pg
PRODUCTION = {"COMPTOIR_ENV": "production", "COMPTOIR_SECRET": LONG, "METRICS_TOKEN": LONG}


def test_redis_answers_or_not(inside: Inside, tmp_path: Path):
    assert seen(inside)["redis"] == "redis-none"
    with redis_server(tmp_path) as redis:
        assert seen(inside, REDIS_URL=redis.url)["redis"] == "redis"
        redis.say("CONFIG", "SET", "maxmemory", "100mb")
        assert seen(inside, REDIS_URL=redis.url)["redis"] == "redis-refuses"
        redis.say("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        assert seen(inside, REDIS_URL=redis.url)["redis"] == "redis"
        redis.say("CONFIG", "SET", "requirepass", "hush")
        assert seen(inside, REDIS_URL=redis.url)["redis"] == "redis-away"
        redis.kill()
        assert seen(inside, REDIS_URL=redis.url)["redis"] == "redis-away"
    assert seen(inside, REDIS_URL="http://h")["redis"] == "redis-wrong"
    assert seen(inside, UPSTASH_REDIS_REST_URL="https://h")["redis"] == "redis-wrong"


async def test_the_email_server_answers_or_not(inside: Inside):
    async def found(**said: str) -> str:
        return (await asyncio.to_thread(seen, inside, **said))["email"]

    async with mailbox(asks_for_password=True) as box:
        url = box.url.replace("//", "//me:hush@")
        assert await found(EMAIL_SERVER=url) == "email-nobody"
        assert await found(EMAIL_SERVER=url, EMAIL_FROM="shop@example.com") == "email"
        assert box.logins[0] == (b"me", b"hush")
        assert box.letters == []
    assert await found(EMAIL_SERVER=url) == "email-away"
    assert await found(EMAIL_SERVER="mail.example.com") == "email-wrong"
    assert await found(**PRODUCTION) == "email-none"
    assert await found() == "email-files"


def test_limits_and_proxies(inside: Inside):
    assert seen(inside)["rates"] == "rates"
    assert seen(inside, TRUSTED_PROXIES="10.0.0.0/8, here")["rates"] == "proxies-wrong"
    assert seen(inside, **PRODUCTION)["rates"] == "proxies-none"
    assert seen(inside, **PRODUCTION, TRUSTED_PROXIES="127.0.0.1")["rates"] == "rates"
    assert seen(inside, **PRODUCTION, RATE_LIMIT_CLIENT="off")["rates"] == "rates-off"


def test_no_password_is_shown(inside: Inside):
    said = {"REDIS_URL": "redis://:hush@127.0.0.1:1", "EMAIL_SERVER": "smtp://me:hush@127.0.0.1:1"}
    ended = inside("doctor", **said)
    assert "Redis does not answer: ConnectionError." in ended.out
    assert "hush" not in ended.out + ended.err
