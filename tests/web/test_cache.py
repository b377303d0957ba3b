"""The cache over HTTP: what a program in another language remembers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.postgres import Cluster
from tests.support.redis import RedisServer, redis_server
from tests.support.site import Site, fresh, serving


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as found:
        yield found


@pytest.fixture(scope="module")
def shop(
    cluster: Cluster, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A server that has a Redis."""
    home = tmp_path_factory.mktemp("home")
    with cluster.database() as database, serving(database, home, REDIS_URL=redis.url) as up:
        yield up


def keep(site: Site, key: str, value: object, **more: object) -> Any:  # noqa: ANN401
    body = {"key": key, "value": value, "ttl_seconds": 60} | more
    return site.call("PUT", "/api/cache", body, who="svc")


def look(site: Site, key: str, group: str | None = None, who: str = "svc") -> dict[str, Any]:
    path = f"/api/cache?key={key}" + (f"&group={group}" if group else "")
    return site.call("GET", path, who=who).json()


@pytest.mark.parametrize("value", [{"name": "Ada"}, [1, None], "x", 0, None])
def test_what_is_kept_is_found(shop: Site, value: object) -> None:
    key = fresh("profile")
    before = look(shop, key)
    assert (before["found"], before["value"]) == (False, None)
    assert keep(shop, key, value).json() == {"key": key, "kept": True}
    found = look(shop, key)
    assert (found["found"], found["value"]) == (True, value)
    assert look(shop, key, who="test_svc")["found"] is False, "books do not mix"


def test_a_group_is_forgotten(shop: Site) -> None:
    group, keys = fresh("user"), [fresh("key") for _ in range(3)]
    for key in keys:
        keep(shop, key, 1, group=group)
    alone = fresh("key")
    keep(shop, alone, 1)
    assert shop.call("POST", "/api/cache/invalidate", {"group": group}).json() == {"group": group}
    assert [look(shop, key, group)["found"] for key in keys] == [False] * 3
    assert look(shop, alone)["found"]
    shop.call("POST", "/api/cache/invalidate", {"group": alone})
    assert not look(shop, alone)["found"]


def test_what_was_worked_out_from_an_old_row_is_not_found(shop: Site) -> None:
    key, group = fresh("key"), fresh("user")
    missed = look(shop, key, group)  # and reads the old row
    shop.call("POST", "/api/cache/invalidate", {"group": group})
    keep(shop, key, "old", group=group, generation=missed["generation"])
    again = look(shop, key, group)
    assert not again["found"]
    keep(shop, key, "new", group=group, generation=again["generation"])
    assert look(shop, key, group)["value"] == "new"


def test_an_operator_sweeps_by_pattern(shop: Site) -> None:
    name = fresh("sweep")
    for n in range(3):
        keep(shop, f"{name}:{n}", n)
    body = {"pattern": f"{name}:*"}
    assert shop.call("POST", "/api/cache/sweep", body, who="svc").status_code == 403
    assert shop.call("POST", "/api/cache/sweep", body).json() == {"swept": 3}
    assert not look(shop, f"{name}:1")["found"]


@pytest.mark.parametrize(
    "body",
    [
        {"key": "a", "value": 1},
        {"key": "a", "value": 1, "ttl_seconds": 0},
        {"key": "a", "value": 1, "ttl_seconds": 8 * 86_400},
        {"key": "", "value": 1, "ttl_seconds": 1},
        {"key": "x" * 10_000, "value": 1, "ttl_seconds": 1},
        {"key": "a\n", "value": 1, "ttl_seconds": 1},
        {"key": "a", "ttl_seconds": 1},
        {"key": "a", "value": 1, "ttl_seconds": 1, "generation": "zz"},
    ],
)
def test_what_cannot_be_kept_is_refused(shop: Site, body: dict[str, Any]) -> None:
    refused = shop.call("PUT", "/api/cache", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "validation-failed")


def test_without_redis_nothing_is_kept_and_nothing_fails(site: Site) -> None:
    key = fresh("key")
    assert keep(site, key, 1).json() == {"key": key, "kept": False}
    assert look(site, key) == {"found": False, "value": None, "generation": None}
    assert site.call("POST", "/api/cache/invalidate", {"group": key}).status_code == 200
    assert site.call("POST", "/api/cache/sweep", {"pattern": "*"}).json() == {"swept": 0}


def test_while_redis_is_down_nothing_is_kept_and_the_sweep_says_so(
    cluster: Cluster, tmp_path: Path
) -> None:
    with (
        cluster.database() as database,
        serving(database, tmp_path, REDIS_URL="redis://127.0.0.1:1") as up,
    ):
        assert keep(up, "key", 1).json() == {"key": "key", "kept": False}
        assert look(up, "key")["found"] is False
        assert up.call("POST", "/api/cache/invalidate", {"group": "key"}).status_code == 200
        refused = up.call("POST", "/api/cache/sweep", {"pattern": "*"})
        assert (refused.status_code, refused.json()["code"]) == (503, "redis-down")
