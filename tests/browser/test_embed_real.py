"""The components beside a Comptoir that serves; where they lie, and what they weigh."""

import gzip
import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256, sha384
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, expect

from comptoir.web import assets
from tests.docs.test_pages import BADGE as GUIDE
from tests.docs.test_pages import ROOT, blocks
from tests.support.embedded_pages import BADGE, DIALOG, EVENTS, WATCH, heard, refresh, state
from tests.support.embedding import Shop, shop
from tests.support.postgres import Cluster
from tests.support.servers import Server, add_keys, free_ports

pytestmark = [pytest.mark.browser, pytest.mark.pg]

LIGHT_BYTES = 8 * 1024


@dataclass(slots=True)
class Real:
    """A Comptoir that serves, with its sandbox, and a shop beside it."""

    server: Server
    bearer: str
    shop: Shop

    def ask(self, path: str, body: dict[str, Any], **headers: str) -> Any:  # noqa: ANN401  # JSON
        sent = {"Authorization": f"Bearer {self.bearer}", "Content-Type": "application/json"}
        request = Request(self.server.url + path, json.dumps(body).encode(), sent | headers)
        with urlopen(request, timeout=20) as reply:
            return json.load(reply)


@pytest.fixture(scope="module")
def real(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    [port] = free_ports(1)
    here: list[Real] = []
    ask = {"customer": "ada", "ttl_seconds": 900}
    give = lambda: (200, here[0].ask("/api/customer-tokens", ask))  # noqa: E731  # it is one line
    folder = tmp_path_factory.mktemp("real")
    with cluster.database() as database, shop(give, lambda: f"http://127.0.0.1:{port}") as beside:
        said = {"CORS_ORIGINS": beside.url, "COMPTOIR_SANDBOX": "auto"}
        server = Server(folder, database, port, environment=said)
        try:
            server.start().wait_until_ready()
            here.append(Real(server, add_keys(database)[1], beside))
            yield here[0]
        finally:
            server.stop()


def test_buying_until_the_badge_changes(real: Real, chromium: Browser) -> None:
    with chromium.new_context(locale="fr-FR") as context:
        context.set_default_timeout(5_000)
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto(real.shop.page("/", BADGE + DIALOG) + "?lang=fr")
        state(page, "empty")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Acheter des crédits")
        page.get_by_role("radio", name="500").check()
        page.get_by_role("button", name="Continuer vers le paiement").dblclick()
        page.wait_for_url("**/pay/**")
        page.locator("form button").first.click()
        page.wait_for_url(f"{real.shop.url}/**")
        state(page, "success", "upsell-dialog")
        expect(dialog).to_contain_text("C’est fait. Vous avez 500 crédits.")
        expect(page.locator("credits-badge")).to_contain_text("500 crédits")
        [done] = heard(page, "upsell:success")
        assert done["available"] == "500"
        assert page.evaluate("refused") == []
        spent = {"customer": "ada", "amount": 410}
        real.ask("/api/credits/spend", spent, **{"Idempotency-Key": "spent"})
        refresh(page)
        state(page, "low")


def test_where_the_module_is(real: Real) -> None:
    with urlopen(f"{real.server.url}/embed.json", timeout=20) as reply:
        pinned = json.load(reply)
    found = {}
    for path in ("/embed.js", pinned["src"], "/embed.d.ts", "/custom-elements.json"):
        with urlopen(real.server.url + path, timeout=20) as reply:
            found[path] = reply.read()
            lasting = "immutable" if path == pinned["src"] else "max-age=300"
            assert lasting in reply.headers["Cache-Control"]
            assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert found["/embed.js"] == found[pinned["src"]]
    digest = b64encode(sha384(found["/embed.js"]).digest()).decode()
    assert pinned["integrity"] == f"sha384-{digest}"
    elements = json.loads(found["/custom-elements.json"])["modules"][0]["declarations"]
    source = assets.assets()["embed.js"].content.decode()
    for each in elements:
        for kind in ("attributes", "members"):
            assert [one["name"] for one in each[kind] if one["name"] not in source] == []
    assert [one["name"] for each in elements for one in each["events"]] == EVENTS


def test_the_guide_shows_what_runs(real: Real) -> None:
    shown: dict[str, str] = dict.fromkeys(("html", "python", "ts"), "")
    for kind, text, _ in blocks(GUIDE):
        shown[kind] += text
    page = (ROOT / "examples" / "embed" / "plain.html").read_text()
    assert [line for line in shown["html"].splitlines() if line not in page] == []
    assert shown["ts"] == (ROOT / "examples/embed/react/src/useCredits.ts").read_text()
    names: dict[str, Any] = {"KEY": real.bearer, "COMPTOIR": real.server.url}
    exec(compile(shown["python"], str(GUIDE), "exec"), names)
    given = names["billing_token"]()
    assert given["token"].startswith("ct_")
    assert given["expires_at"]


# What it weighs.


def test_both_weigh_less_than_8_kb() -> None:
    assert len(gzip.compress(assets.assets()["embed.min.js"].content, 9, mtime=0)) <= LIGHT_BYTES


def test_what_is_served_is_made_of_what_is_read() -> None:
    """Run scripts/minify_embed.py after a change of embed.js."""
    digest = sha256(assets.assets()["embed.js"].content).hexdigest()[:16]
    assert assets.assets()["embed.min.js"].content.startswith(f"/* Made of {digest} */".encode())
