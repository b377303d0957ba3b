"""A pretend Comptoir that does what a test says, and a shop's page, strict, at another origin."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from comptoir.web import assets

POLICY: Final = (
    "default-src 'none'; script-src {api}; style-src 'self'; connect-src 'self' {api}; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
PACKS: Final = [
    {
        "id": name, "name": f"{name} credits", "asset": "credits", "credits": name,
        "price": {"amount": amount, "currency": "eur"}, "unit_price": unit,
        "tax": {"percent": "20", "included": True, "without_tax": 1, "with_tax": 2},
    }
    for name, amount, unit in (
        ("100", 1900, "0.19"), ("500", 7900, "0.158"), ("1000", 13900, "0.139"),
    )
]  # fmt: skip
STYLE: Final = b"""
html { color-scheme: light dark; background: Canvas; }
body { font: 16px/1.5 system-ui; margin: 24px; }
h1 { margin: 0 0 16px; }
"""


@dataclass(slots=True)
class Fake:
    """What the pretend Comptoir answers, and what it was asked.

    Attributes:
        status: of balances, when it is not 200.
        streams: whether there are streams.
        gate: what answers wait for.
    """

    balance: dict[str, Any] = field(default_factory=dict[str, Any])
    packs: list[dict[str, Any]] = field(default_factory=lambda: list(PACKS))
    status: int = 200
    buying: int = 201
    bought: str = "granted"
    token_status: int = 200
    streams: bool = False
    gate: threading.Event = field(default_factory=threading.Event)
    asked: Counter[str] = field(default_factory=Counter[str])
    keys: list[str] = field(default_factory=list[str])
    open_streams: int = 0
    most_streams: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)
    generation: int = 0

    def put(self, available: str, version: int, customer: str = "ada") -> None:
        """A balance, of 1000 once; whoever listens hears of it."""
        with self.changed:
            self.balance = {
                "customer": customer, "asset": "credits", "balance": available, "held": "0",
                "available": available, "debt": "0", "low": float(available) < 200,
                "low_threshold": "200", "version": version, "updated_at": "2026-11-20T20:41:00Z",
            }  # fmt: skip
            self.changed.notify_all()

    def kill_streams(self) -> None:
        """End every stream, and have no more of them."""
        with self.changed:
            self.streams = False
            self.generation += 1
            self.changed.notify_all()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def reply(self, status: int, content: bytes, kind: str, **more: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def json(self, content: object, status: int = 200, **more: str) -> None:
        self.reply(status, json.dumps(content).encode(), "application/json", **more)

    def body(self) -> Any:  # noqa: ANN401  # JSON
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")


class _Api(_Handler):
    """The pretend Comptoir."""

    @property
    def fake(self) -> Fake:
        return self.server.fake

    def reply(self, status: int, content: bytes, kind: str, **more: str) -> None:
        open_to = {
            "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*, Authorization",
            "Access-Control-Expose-Headers": "*", "X-Request-Id": "req-1",
        }  # fmt: skip
        super().reply(status, content, kind, **open_to, **more)

    def do_OPTIONS(self) -> None:
        self.reply(204, b"", "text/plain", Access_Control_Max_Age="600")

    def do_GET(self) -> None:
        fake, path = self.fake, urlsplit(self.path).path
        fake.asked[path] += 1
        if path == "/embed.js":
            self.reply(200, assets.assets()["embed.min.js"].content, "text/javascript")
        elif path == "/api/stream":
            self.stream()
        elif path == "/api/credits/balance":
            self.balance()
        elif path == "/api/credits/packs":
            fake.gate.wait(20)
            self.json({"items": fake.packs})
        elif path.startswith("/api/credits/purchases/"):
            fake.gate.wait(20)
            more = {"balance": fake.balance} if fake.bought == "granted" else {}
            self.json({"id": path.rpartition("/")[2], "status": fake.bought, **more})
        else:
            self.json({"code": "not-found"}, 404)

    def do_POST(self) -> None:
        fake = self.fake
        said, key = self.body(), self.headers["Idempotency-Key"]
        fake.asked[self.path] += 1
        fake.keys.append(key)
        fake.gate.wait(20)
        if fake.buying != 201:
            self.json({"code": "provider-down", "detail": "Stripe does not answer."}, fake.buying)
            return
        url = f"{self.server.host}/paying?{said['pack']}"
        self.json({"purchase": f"purchase-{key}", "checkout_url": url, "status": "pending"}, 201)

    def balance(self) -> None:
        fake = self.fake
        fake.gate.wait(20)
        etag = f'"{fake.balance["version"]}"'
        if fake.status != 200:
            problem = {"code": "busy", "detail": "Not now."}
            self.reply(fake.status, json.dumps(problem).encode(), "application/problem+json")
        elif self.headers.get("If-None-Match") == etag:
            fake.asked["304"] += 1
            self.reply(304, b"", "application/json", ETag=etag)
        else:
            self.json(fake.balance, ETag=etag, Cache_Control="private, no-cache")

    def stream(self) -> None:
        fake = self.fake
        if not fake.streams:
            self.json({"code": "not-found"}, 404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Connection", "close")
        self.end_headers()
        with fake.changed:
            fake.open_streams += 1
            fake.most_streams = max(fake.most_streams, fake.open_streams)
            generation, shown = fake.generation, None
            fake.changed.notify_all()
            try:
                while fake.generation == generation:
                    if shown is fake.balance:
                        text = ": alive\n\n"
                    else:
                        shown = fake.balance
                        text = (
                            f"event: balance\nid: {shown['version']}\ndata: {json.dumps(shown)}\n\n"
                        )
                    self.wfile.write(text.encode())
                    fake.changed.wait(0.2)
            except OSError:
                pass
            finally:
                fake.open_streams -= 1
                self.close_connection = True


class _Host(_Handler):
    """The shop: one page, whose body the test says, and the endpoint that gives tokens."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path in self.server.files:
            content, kind, policy = self.server.files[url.path]
            self.reply(200, content.encode(), kind, Content_Security_Policy=policy)
            return
        if url.path == "/style.css":
            self.reply(200, STYLE, "text/css")
            return
        if url.path == "/favicon.ico":
            self.reply(204, b"", "image/png")
            return
        said = {name: values[0] for name, values in parse_qs(url.query).items()}
        api = self.server.api()
        page = (
            f'<!doctype html><html lang="{said.get("lang", "en")}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width"><title>A shop</title>'
            f'<link rel="stylesheet" href="/style.css"></head><body><main><h1>A shop</h1>'
            f"{self.server.pages[url.path]}</main>"
            f'<script type="module" src="{api}/embed.js" crossorigin></script></body></html>'
        )
        self.reply(
            200, page.encode(), "text/html; charset=utf-8",
            Content_Security_Policy=POLICY.format(api=api),
        )  # fmt: skip

    def do_POST(self) -> None:
        self.body()
        self.server.tokens += 1
        status, said = self.server.token()
        self.json(said, status)


@dataclass(slots=True)
class Shop:
    """A shop's pages beside a Comptoir."""

    url: str
    server: Any

    def file(self, path: str, content: str, kind: str, policy: str = POLICY) -> str:
        """Put something there that is exactly this; its address."""
        self.server.files[path] = (content, kind, policy)
        return f"{self.url}{path}"

    def page(self, path: str, body: str) -> str:
        """Put a page there; its address."""
        self.server.pages[path] = body
        return f"{self.url}{path}"


@contextmanager
def listening(handler: type[_Handler], **state: object) -> Iterator[Any]:
    """A server in a thread while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    for name, value in state.items():
        setattr(server, name, value)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def shop(token: Any, api: Any) -> Iterator[Shop]:  # noqa: ANN401  # callables
    """A shop; `token` says what its endpoint answers, `api` where Comptoir is."""
    with listening(_Host, pages={}, files={}, token=token, api=api, tokens=0) as server:
        yield Shop(f"http://127.0.0.1:{server.server_address[1]}", server)


@contextmanager
def faked() -> Iterator[tuple[Fake, Shop]]:
    """A pretend Comptoir, and a shop beside it."""
    fake = Fake()
    with listening(_Api, fake=fake, host="") as api:
        url = f"http://127.0.0.1:{api.server_address[1]}"
        ticket = {"token": "ct_test", "expires_at": "2099-01-01T00:00:00Z"}
        with shop(lambda: (fake.token_status, ticket), lambda: url) as beside:
            api.host = beside.url
            beside.page("/paying", "<p>Paying</p>")
            yield fake, beside
