"""Browsers of operators, without scripts: cookies, forms and where they come from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID

import httpx2

from comptoir.domains.identity.operators import hash_secret
from tests.support.site import Site

_NUMBERS = count(1)


def new_login(site: Site, role: str = "admin", minutes: int = 30) -> str:
    """The secret of an address, made behind the server's back."""
    number = next(_NUMBERS)
    secret = f"{number:043d}"
    site.sql(
        "INSERT INTO comptoir.operator_logins (book_id, id, hash, name, role, expires_at)"
        " VALUES (1, %s, %s, 'Ann', %s, now() + make_interval(mins => %s))",
        UUID(int=number), hash_secret(secret), role, minutes,
    )  # fmt: skip
    return secret


@dataclass(slots=True)
class Browser:
    """Somebody's browser, without scripts."""

    site: Site
    http: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=60))

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return self.http.get(self.site.url + path, headers=headers)

    def send(self, path: str, form: Mapping[str, str], **headers: str) -> httpx2.Response:
        usual = {"Origin": self.site.url, "Sec-Fetch-Site": "same-origin"}
        sent = {name: value for name, value in (usual | headers).items() if value}
        return self.http.post(self.site.url + path, data={"sent": "", **form}, headers=sent)

    def sign_in(self, role: str = "admin") -> "Browser":
        done = self.send(f"/login/{new_login(self.site, role)}", {})
        assert done.status_code == 303, done.text
        return self

    def form(self, path: str) -> dict[str, str]:
        """What the first form of a page that acts has in it, unseen."""
        page = self.get(path).text
        assert 'name="key"' in page, page
        return {
            name: re.findall(f'name="{name}" value="([^"]+)"', page)[-1] for name in ("csrf", "key")
        }

    def made_up(self, path: str) -> dict[str, str]:
        """What a form would have in it, for whoever is shown none: he may only look."""
        page = self.get(path).text
        assert 'name="key"' not in page
        return {"csrf": re.findall('name="csrf" value="([^"]+)"', page)[-1], "key": "k" * 20}


def new_id() -> UUID:
    """An id that no other test has."""
    return UUID(int=next(_NUMBERS))
