"""The sandbox in a thread of the test process, called by the SDK; and who hears its events."""

import json
import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import stripe
import uvicorn

from comptoir_sandbox.sandbox import Options, Sandbox
from comptoir_sandbox.server import create_app

KEY = "sk_test_sandbox"
DAY = 86_400


@dataclass(slots=True)
class Provider:
    """A running sandbox."""

    base: str
    sandbox: Sandbox
    stripe: stripe.StripeClient
    http: httpx2.Client

    @property
    def v1(self) -> Any:  # noqa: ANN401  # the SDK's types are more than tests want
        return self.stripe.v1

    def turn(self, what: str, **said: Any) -> Any:  # noqa: ANN401  # JSON
        """One of the sandbox's own routes."""
        answer = self.http.post(f"{self.base}/_sandbox/{what}", json=said)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def price(self, amount: int = 1900, **more: Any) -> Any:  # noqa: ANN401
        """A price of a product of its own."""
        product = self.v1.products.create({"name": "Pack"})
        return self.v1.prices.create(
            {"product": product.id, "currency": "eur", "unit_amount": amount} | more
        )

    def monthly(self, amount: int = 2900) -> Any:  # noqa: ANN401
        return self.price(amount, recurring={"interval": "month"})

    def paid(self, method: str = "pm_card_visa", amount: int = 1900, **more: Any) -> Any:  # noqa: ANN401
        """An intent that has been confirmed."""
        said = {"amount": amount, "currency": "eur", "payment_method": method, "confirm": True}
        return self.v1.payment_intents.create(said | {"return_url": "http://shop.test/"} | more)


@contextmanager
def provider(options: Options | None = None) -> Generator[Provider]:
    """A sandbox while the block runs."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    said = options or Options()
    app = create_app(Options(base, said.keys, said.file, said.seed or 1, said.retries, said.clock))
    config = uvicorn.Config(app, ws="none", lifespan="on", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    client = stripe.StripeClient(
        KEY,
        base_addresses={"api": base},
        max_network_retries=0,
        http_client=stripe.RequestsClient(),
    )
    with httpx2.Client(timeout=30) as http:
        while not server.started:
            assert thread.is_alive(), "the sandbox did not start"
            thread.join(0.01)
        try:
            yield Provider(base, app.state.sandbox, client, http)
        finally:
            server.should_exit = True
            thread.join(15)


@dataclass(slots=True)
class Heard:
    """What an endpoint has been sent, and how it answers.

    Attributes:
        bodies: raw, with their signatures.
        answers: statuses of the next answers; then 200.
    """

    url: str = ""
    bodies: list[tuple[bytes, str]] = field(default_factory=list[tuple[bytes, str]])
    answers: list[int] = field(default_factory=list[int])

    @property
    def events(self) -> list[Any]:
        return [json.loads(body) for body, _ in self.bodies]

    @property
    def types(self) -> list[str]:
        return [each["type"] for each in self.events]


@contextmanager
def listening() -> Iterator[Heard]:
    """Somebody who hears events while the block runs."""
    heard = Heard()

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.bodies.append((body, self.headers["stripe-signature"]))
            self.send_response(heard.answers.pop(0) if heard.answers else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401  # the library's
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ear)
    heard.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
