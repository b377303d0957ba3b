"""The pages on proxies and policies: what they show is run, or is what the tests keep to."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from string import Template

import httpx2
import pytest

from comptoir.kit.limits import BODY_BYTES
from tests.docs.test_readme import free_port
from tests.support.embedding import POLICY
from tests.support.postgres import Cluster
from tests.support.site import Site, fresh, serving
from tests.support.telemetry import wait_for

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "operating" / "proxies.md").read_text()
BLOCKS = dict(re.findall(r"^```(nginx|caddy)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
NGINX = Template("""\
daemon off; master_process off; pid $home/pid; error_log $home/errors;
events {}
http {
    access_log off; client_body_temp_path $home/body; proxy_temp_path $home/proxy;
    fastcgi_temp_path $home/fastcgi; uwsgi_temp_path $home/uwsgi; scgi_temp_path $home/scgi;
    $shown
}
""")
CADDY = Template("{\n    admin off\n    auto_https off\n}\n$shown")


@pytest.fixture(scope="module")
def site(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("home")
    with (
        cluster.database() as base,
        serving(base, home, TRUSTED_PROXIES="127.0.0.1", RATE_LIMIT_CLIENT="2/60") as up,
    ):
        yield up


@contextmanager
def nginx(site: Site, home: Path) -> Iterator[str]:
    port = free_port()
    shown = re.sub(r"^ *ssl_certificate.*\n", "", BLOCKS["nginx"], flags=re.MULTILINE)
    shown = shown.replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    text = NGINX.substitute(home=home, shown=shown.replace("127.0.0.1:8000", _place(site)))
    (home / "conf").write_text(text)
    with _running(["nginx", "-p", str(home), "-e", "errors", "-c", "conf"], home, port) as url:
        yield url


@contextmanager
def caddy(site: Site, home: Path) -> Iterator[str]:
    port = free_port()
    shown = BLOCKS["caddy"].replace("127.0.0.1:8000", _place(site))
    text = CADDY.substitute(shown=shown.replace("billing.example.com", f"http://127.0.0.1:{port}"))
    (home / "Caddyfile").write_text(text)
    command = ["caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"]
    with _running(command, home, port) as url:
        yield url


def _place(site: Site) -> str:
    return site.url.removeprefix("http://")


@contextmanager
def _running(command: list[str], home: Path, port: int) -> Iterator[str]:
    path = f"{os.environ['PATH']}:/usr/sbin"
    program = shutil.which(command[0], path=path)
    if program is None:
        pytest.skip(f"there is no {command[0]} here: what the page shows of it was not run")
    url = f"http://127.0.0.1:{port}"
    with (home / "said").open("wb") as said:
        proxy = subprocess.Popen(
            [program, *command[1:]], cwd=home, stdout=said, stderr=said, env={"HOME": str(home)}
        )
    try:
        wait_for(lambda: proxy.poll() is not None or _answers(url))
        assert proxy.poll() is None, (home / "said").read_text()
        yield url
    finally:
        proxy.terminate()
        proxy.wait(20)


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health/live").status_code == 200
    except httpx2.HTTPError:
        return False


Proxy = Callable[[Site, Path], AbstractContextManager[str]]


def client(url: str, address: str = "127.0.0.1") -> httpx2.Client:
    """Somebody who calls from an address of this machine."""
    transport = httpx2.HTTPTransport(local_address=address)
    return httpx2.Client(base_url=url, timeout=60, transport=transport)


@pytest.mark.parametrize(
    ("proxy", "net"), [(nginx, "127.0.1"), (caddy, "127.0.2")], ids=["nginx", "caddy"]
)
def test_a_proxy_passes_on_what_it_must(site: Site, tmp_path: Path, proxy: Proxy, net: str) -> None:
    customer = fresh("ada")
    site.grant(customer, "100")
    key = {"Authorization": f"Bearer {site.keys['svc']}"}
    with proxy(site, tmp_path) as url, client(url) as http:
        assert http.get("/metrics").status_code == 404
        large = b'{"customer": "' + b"x" * (BODY_BYTES - 100) + b'"}'
        said = http.post(
            "/api/credits/spend", content=large,
            headers=key | {"Idempotency-Key": fresh("k"), "Content-Type": "application/json"},
        )  # fmt: skip
        assert said.json()["code"] == "validation-failed"
        path = f"/api/stream?customer={customer}"
        with http.stream("GET", path, headers=key) as stream:
            lines = stream.iter_lines()
            assert '"balance":"100"' in next(each for each in lines if each.startswith("data:"))
            site.grant(customer, "5")
            assert '"balance":"105"' in next(each for each in lines if each.startswith("data:"))
        for address, made_up, admitted in (
            (f"{net}.1", "", [200, 200, 429]),
            (f"{net}.1", "203.0.113.7", [429, 429, 429]),
            (f"{net}.2", "", [200, 200, 429]),
        ):
            headers = {"X-Forwarded-For": made_up} if made_up else {}
            with client(url, address) as guest:
                asked = [guest.get("/api/stock/products", headers=headers) for _ in admitted]
            assert [each.status_code for each in asked] == admitted, address


def test_the_page_has_both_and_names_what_counts() -> None:
    assert BLOCKS.keys() == {"nginx", "caddy"}
    assert f"client_max_body_size {BODY_BYTES // 1024**2}m;" in BLOCKS["nginx"]
    assert "proxy_set_header Host $http_host;" in BLOCKS["nginx"]


def test_the_policy_that_is_shown_is_the_one_that_browsers_are_held_to() -> None:
    page = (DOCS / "guides" / "strict-csp.md").read_text()
    [shown] = re.findall(r"^```text\n(.*?)\n```$", page, re.DOTALL | re.MULTILINE)
    assert " ".join(shown.split()) == POLICY.format(api="https://billing.example.com")
