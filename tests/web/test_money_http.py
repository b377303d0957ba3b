"""The margin, tokens and outgoing webhooks over HTTP."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from comptoir.app import Urls, open_app
from comptoir.flows import stocking
from tests.support.postgres import Cluster
from tests.support.site import Site, fresh, serving

pytestmark = pytest.mark.pg


@pytest.fixture(scope="module")
def shop(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home: Path = tmp_path_factory.mktemp("home")
    with cluster.database() as database, serving(database, home) as up:
        asyncio.run(seed(up, Urls(database.app_url, database.owner_url)))
        yield up


async def seed(at: Site, urls: Urls) -> None:
    async with open_app(at.app.settings, urls) as app:
        await stocking.seed(app.till, 1, stocking.read())


def test_the_two_endpoints_at_the_price_of_a_pack(shop: Site) -> None:
    found = shop.get("/api/credits/margin").json()["actions"]
    by = {(each["action"], each["pack"]): each for each in found}
    ai, render = by["ai.generate", "100"], by["3d.render-highres", "100"]
    assert (Decimal(ai["price"]), Decimal(ai["real_cost"])) == (Decimal("0.95"), Decimal("0.04"))
    assert ai["margin_percent"] == "2275"
    assert Decimal(render["price"]) == Decimal("1.52")
    assert Decimal(render["real_cost"]) == Decimal("0.02")
    assert render["margin_percent"] == "7500"


def test_what_was_burnt_and_what_it_has_cost(shop: Site) -> None:
    customer = shop.rich("100")
    spent = {"customer": customer, "action": "ai.generate"}
    for _ in range(2):
        assert shop.post("/api/credits/spend", spent).status_code in {200, 201}
    [line] = shop.get("/api/credits/margin").json()["items"]
    assert (line["key"], line["times"], line["credits"]) == ("ai.generate", 2, "10")
    assert (line["unpaid_credits"], line["cost"]) == ("10", "0.08")


def tokens(shop: Site, customer: str, verb: str, body: object = None, **more: Any) -> Any:  # noqa: ANN401
    if verb == "stats":
        return shop.get(f"/api/tokens/{customer}/stats").json()
    done = shop.post(f"/api/tokens/{customer}/{verb}", body, **more)
    assert done.status_code in {200, 201}, done.text
    return done.json()


def test_the_four_functions_of_tokens(shop: Site) -> None:
    customer = fresh("reader")
    added = tokens(shop, customer, "add", {"amount": 100, "reason": "start"})
    assert added["token_balance"] == 100
    first = tokens(shop, customer, "generations", {"cost": 30}, key=fresh())
    assert (first["token_balance"], first["tokens_spent"], first["generations"]) == (70, 30, 1)
    key = fresh()
    for _ in range(3):
        again = tokens(shop, customer, "generations", {"cost": 5}, key=key)
        assert (again["token_balance"], again["tokens_spent"]) == (65, 35)
    refused = shop.post(f"/api/tokens/{customer}/generations", {"cost": 66})
    assert refused.status_code == 402
    stats = tokens(shop, customer, "stats")
    assert (stats["token_balance"], stats["tokens_spent"], stats["generations"]) == (65, 35, 2)
    assert stats["current_period"]["spent"] == 35
    reset = tokens(shop, customer, "reset")
    assert (reset["token_balance"], reset["tokens_spent"], reset["generations"]) == (100, 0, 0)
    found = shop.get(f"/api/tokens/{customer}/statements").json()
    assert found == {"items": [], "next_cursor": None}


def test_a_secret_is_shown_once(shop: Site) -> None:
    said = {"url": "https://others.test/hear", "types": ["credits.low"]}
    made = shop.post("/api/hooks", said).json()
    secret = made["secret"]
    assert secret.startswith("whsec_")
    listed = shop.get("/api/hooks")
    assert made["id"] in listed.text
    assert secret not in listed.text
    rolled = shop.post(f"/api/hooks/{made['id']}/roll").json()["secret"]
    assert rolled.startswith("whsec_")
    assert rolled != secret
    assert rolled not in shop.get("/api/hooks").text
    assert secret.removeprefix("whsec_") not in str(shop.sql("SELECT * FROM comptoir.hooks"))
    assert shop.call("DELETE", f"/api/hooks/{made['id']}").status_code == 200
    assert made["id"] not in shop.get("/api/hooks").text


@pytest.mark.parametrize(
    "said",
    [
        {"url": "ftp://a.test", "types": ["*"]}, {"url": "https://", "types": ["*"]},
        {"url": "https://[a.test", "types": ["*"]}, {"url": "https://a.test:x", "types": ["*"]},
        {"url": "https://u:p@a.test", "types": ["*"]}, {"url": "https://a.test", "types": []},
        {"url": "https://a.test", "types": ["credits.high"]},
    ],
    ids=["ftp", "nowhere", "bracket", "port", "password", "nothing", "unknown"],
)  # fmt: skip
def test_where_nobody_can_hear(shop: Site, said: dict[str, Any]) -> None:
    assert shop.post("/api/hooks", said).status_code == 422
