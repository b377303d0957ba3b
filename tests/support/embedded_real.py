"""A Comptoir that serves, with its sandbox, and shops beside it at origins of their own."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from comptoir.app.sandbox import FILE, KEY
from tests.support.embedding import Shop, shop
from tests.support.postgres import Cluster
from tests.support.relay import Relay, relay
from tests.support.servers import Server, add_keys, free_ports


@dataclass(slots=True)
class Real:
    """Where everything is, and who is signed in at the shops.

    Attributes:
        relay: through which pages ask, and which knows their streams.
        shops: two whose origins are configured, and a stranger.
        lives: seconds that the next tokens live; the last one for all that follow.
        refused: how many of the next tokens are none.
    """

    server: Server
    relay: Relay
    shops: list[Shop]
    bearer: str = ""
    customer: str = "ada"
    lives: list[int] = field(default_factory=lambda: [900])
    refused: int = 0
    _keys: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def shop(self) -> Shop:
        """The first of them."""
        return self.shops[0]

    @property
    def sandbox(self) -> str:
        """Where the pretend Stripe is."""
        return json.loads((self.server.folder / FILE).read_text())["base"]

    def ask(self, path: str, body: dict[str, Any], **headers: str) -> Any:  # noqa: ANN401  # JSON
        """What a POST is answered; each has an idempotency key of its own."""
        key = {"Idempotency-Key": f"asked-{next(self._keys)}"}
        sent = {"Authorization": f"Bearer {self.bearer}", "Content-Type": "application/json"}
        return _json(
            Request(self.server.url + path, json.dumps(body).encode(), key | sent | headers)
        )

    def grant(self, amount: str) -> int:
        """Give credits to whoever is signed in; the version that this has made."""
        given = {"customer": self.customer, "amount": amount, "reason": "test"}
        return self.ask("/api/credits/grant", given)["balance"]["version"]

    def spend(self, amount: str) -> None:
        """Take credits from him."""
        self.ask("/api/credits/spend", {"customer": self.customer, "amount": amount})

    def checkouts(self) -> list[dict[str, Any]]:
        """The checkout sessions that the sandbox has made."""
        request = Request(f"{self.sandbox}/v1/checkout/sessions?limit=100")
        request.add_header("Authorization", f"Bearer {KEY}")
        return _json(request)["data"]

    def token(self) -> tuple[int, dict[str, Any]]:
        """What the shops' endpoint answers."""
        life = self.lives.pop(0) if len(self.lives) > 1 else self.lives[0]
        given = self.ask("/api/customer-tokens", {"customer": self.customer, "ttl_seconds": life})
        if self.refused:
            self.refused -= 1
            given["token"] = "ct_1.2.3.4"  # nobody signed it
        return 200, given


def _json(request: Request) -> Any:  # noqa: ANN401  # JSON
    with urlopen(request, timeout=20) as reply:
        return json.load(reply)


@contextmanager
def really(cluster: Cluster, folder: Path) -> Iterator[Real]:
    """All of that while the block runs."""
    [port] = free_ports(1)
    here: list[Real] = []
    with cluster.database() as database, ExitStack() as stack:
        give = lambda: here[0].token()  # noqa: E731, PLW0108  # it is made only afterwards
        before = stack.enter_context(relay(port, b"GET /api/stream"))
        shops = [stack.enter_context(shop(give, lambda: before.url)) for _ in range(3)]
        said = {
            "CORS_ORIGINS": f"{shops[0].url}, {shops[1].url}",
            "COMPTOIR_SANDBOX": "auto",
        }
        server = Server(folder, database, port, environment=said)
        try:
            server.start().wait_until_ready()
            here.append(Real(server, before, shops, add_keys(database)[1]))
            yield here[0]
        finally:
            server.stop()
