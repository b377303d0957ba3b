"""Whose address it is: what a client says himself is believed of proxies only."""

from typing import Any

import pytest

from comptoir.kit.errors import ComptoirError
from comptoir.web.addresses import Addresses

PROXIES = Addresses.read("10.0.0.0/8, 192.0.2.1,fd00::/8")


def scope(peer: str | None, *forwarded: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    return {"client": None if peer is None else (peer, 1), "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.5", [], "203.0.113.5"),
        ("203.0.113.5", ["1.2.3.4"], "203.0.113.5"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6", "1.2.3.4, 192.0.2.1"], "1.2.3.4"),
        ("10.0.0.1", ["1.2.3.4, 10.9.9.9, 192.0.2.1"], "1.2.3.4"),
        ("10.0.0.1", ["1.2.3.4:5678"], "1.2.3.4"),
        ("10.0.0.1", ["[2001:db8::1]:80"], "2001:db8::/64"),
        ("::ffff:10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("fd00::1", ["2001:db8::1:2:3"], "2001:db8::/64"),
        ("10.0.0.1", ["rubbish"], "unknown"),
        ("10.0.0.1", [", ,"], "10.0.0.1"),
        ("10.0.0.1", [",".join(["1.1.1.1"] * 500 + ["10.0.0.2"] * 30)], "10.0.0.2"),
        (None, ["1.2.3.4"], "unknown"),
    ],
)
def test_the_client_is_whoever_no_trusted_proxy_is(
    peer: str | None, forwarded: list[str], found: str
):
    assert PROXIES.client(scope(peer, *forwarded)) == found


def test_nobody_is_trusted_by_default():
    assert Addresses.read("").client(scope("127.0.0.1", "1.2.3.4")) == "127.0.0.1"


@pytest.mark.parametrize("said", ["localhost", "10.0.0.1/8", "10.0.0.0/33", "1.2.3.4;5.6.7.8"])
def test_what_is_no_network_is_refused(said: str):
    with pytest.raises(ComptoirError, match="trusted-proxies-invalid"):
        Addresses.read(said)
