"""Forms that pages of ours have sent, cookies that only we read, and where a browser goes next."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel

from comptoir.kit.errors import ComptoirError, Denied
from comptoir.web import shapes
from comptoir.web.call import Call
from comptoir.web.complaints import Unfit
from comptoir.web.languages import LANGUAGES
from comptoir.web.pages.look import GUARDED, LANGUAGE, THEME, THEMES
from comptoir.web.replies import Header, Reply
from comptoir.web.routing import PUBLIC, Operation

_FIELDS: Final = 50
_FORM: Final = b"application/x-www-form-urlencoded"
_BELOW: Final = re.compile(r"(?:[/?][!#-;=?-\[\]_a-z~%]*)?", re.ASCII)
_YEAR: Final = 365 * 86_400


class Anything(BaseModel, extra="allow"):
    """The query of a page: what a page does not know it does not read."""


def texts_of(query: Anything) -> dict[str, str]:
    """What the query says; what no text of the database can have in it counts as not said."""
    said = {name: str(value) for name, value in (query.model_extra or {}).items()}
    return {name: value for name, value in said.items() if "\0" not in value}


def operation(method: str, path: str, handler: Any) -> Operation:  # noqa: ANN401  # as Operation has it
    """A route of pages: it is no part of the API and of its documentation."""
    return Operation(
        method=method, path=path, handler=handler, summary=("", ""), tag="docs", roles=PUBLIC,
        query=Anything, answer=shapes.Status,
    )  # fmt: skip


def go(address: str, *headers: Header) -> Reply:
    """Send the browser to another page of ours."""
    return Reply(303, b"", b"text/plain", [(b"location", address.encode()), *GUARDED, *headers])


def own_page(home: str, said: str | None) -> str:
    """An address of a page below `home`; the first page when it is of anything else."""
    if not said or not said.startswith(home) or "//" in said:
        return home
    return said if _BELOW.fullmatch(said, len(home)) else home


def is_secure(call: Call) -> bool:
    """Whether browsers reach us over TLS."""
    return (call.app.settings.public_url or "").startswith("https://")


def cookie_name(call: Call, name: str) -> str:
    """What a cookie is called: over TLS no other host of the domain can set it."""
    return f"__Host-{name}" if is_secure(call) else name


def set_cookie(call: Call, name: str, value: str, seconds: int) -> Header:
    """A header that keeps a cookie where no script and no other site reads it."""
    secure = "; Secure" if is_secure(call) else ""
    text = f"{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}"
    return b"set-cookie", text.encode()


def keep_look(call: Call, form: Mapping[str, str]) -> list[Header]:
    """Headers that keep the language, and light or dark, as a form says; else nothing."""
    fields = (("language", LANGUAGE, LANGUAGES), ("theme", THEME, THEMES))
    return [
        set_cookie(call, cookie, form[field], _YEAR)
        for field, cookie, known in fields
        if form.get(field) in known
    ]


def is_own_origin(call: Call) -> bool:
    """Whether a browser sends this from a page of ours. It must say so in one way or the other."""
    site = call.headers.get(b"sec-fetch-site")
    if site is not None and site != b"same-origin":
        return False
    origin = call.headers.get(b"origin")
    if origin is None:
        return site is not None
    said = urlsplit(origin.decode("latin-1"))
    public = urlsplit(call.app.settings.public_url or "")
    host = call.headers.get(b"host", b"").decode("latin-1")
    return bool(said.netloc) and (
        (said.scheme, said.netloc) == (public.scheme, public.netloc) or said.netloc == host
    )


async def own_form(call: Call) -> dict[str, str]:
    """The fields of a form that a page of ours has sent.

    Raises:
        Denied: it comes from elsewhere.
        ComptoirError: it is none.
        Unfit: a field comes twice.
    """
    if not is_own_origin(call):
        raise Denied("forbidden")
    kind = call.headers.get(b"content-type", b"").lower().partition(b";")[0].strip()
    if kind != _FORM:
        raise ComptoirError("bad-request")
    try:
        pairs = parse_qsl(
            (await call.body()).decode("ascii"),
            keep_blank_values=True, errors="strict", max_num_fields=_FIELDS,
        )  # fmt: skip
    except ValueError:
        raise ComptoirError("bad-request") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise Unfit.field(name[:50], "repeated")
        found[name] = value.replace("\r\n", "\n")
    return found
