"""Somebody who looks at a page or sends its form, and the page that he gets."""

import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeVar
from urllib.parse import urlencode

from comptoir.kit.errors import ComptoirError, is_bug
from comptoir.web.call import Call
from comptoir.web.complaints import Unfit
from comptoir.web.limits import RateLimited
from comptoir.web.pages.look import Look
from comptoir.web.refusing import Reading, problem, refused, unfit
from comptoir.web.replies import Reply

_KEY: Final = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_KEY_BYTES: Final = 18


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who is known by the cookie of his session, and what he wants.

    Attributes:
        PURPOSE: what the token of his forms is signed for: no other kind of page takes it.
        KEYS: how the idempotency keys of his forms begin.
        token: the cookie of his session.
        query: of the address.
        form: what he has sent; empty for a page that is only read.
    """

    PURPOSE: ClassVar[str]
    KEYS: ClassVar[str]

    call: Call
    look: Look
    token: str
    query: Mapping[str, str]
    form: Mapping[str, str]

    @property
    def csrf(self) -> str:
        """What only pages of his session know."""
        purpose = f"{self.PURPOSE}\n{self.token}".encode()
        return hmac.new(self.call.app.secret, purpose, "sha256").hexdigest()

    @property
    def is_own(self) -> bool:
        """Whether his form is of a page of his session."""
        said = self.form.get("csrf", "")
        return hmac.compare_digest(said.encode(), self.csrf.encode())

    @property
    def key(self) -> str:
        """The idempotency key that our own page has put into the form.

        Raises:
            Unfit: there is none.
        """
        said = self.form.get("key", "")
        if not _KEY.fullmatch(said):
            raise Unfit.field("key", "missing")
        return f"{self.KEYS}-{said}"

    def fresh_key(self) -> str:
        """A key for one form."""
        return urlsafe_b64encode(self.call.app.randomness(_KEY_BYTES)).decode()

    def page(self, template: str, status: int = 200, **figures: Any) -> Reply:  # noqa: ANN401  # whatever the template shows
        """A page as an answer; its address may name what has just been done."""
        done = f"done.{self.query.get('done', '')}"
        return self.look.page(
            template, status, visit=self, csrf=self.csrf,
            done=done if self.look.has(done) else None, **figures,
        )  # fmt: skip

    def here(self, **changed: str | None) -> str:
        """The address of this page with other filters."""
        said = {**self.query, **changed}
        said.pop("done", None)
        rest = urlencode({name: value for name, value in said.items() if value})
        return f"{self.look.path}?{rest}" if rest else self.look.path


V = TypeVar("V", bound=Visit)


async def answer(visit: V, handler: Callable[[V], Awaitable[Reply]]) -> Reply:
    """What the page says; a page too when it refuses, or fails."""
    try:
        return await handler(visit)
    except (ComptoirError, Unfit) as error:
        return refusal(visit.call, visit.look, error)
    except Exception as error:  # noqa: BLE001  # the last resort, as a page: it is logged all the same
        visit.call.scope["comptoir.error"] = error
        reader = Reading(visit.look.language, visit.look.path, visit.call.now)
        return refused_page(visit.look, problem(reader, "internal", {}))


def refusal(call: Call, look: Look, error: ComptoirError | Unfit) -> Reply:
    """A refusal, in the words that the API has for it."""
    reader = Reading(look.language, look.path, call.now)
    if isinstance(error, Unfit):
        return refused_page(look, unfit(reader, error))
    if is_bug(error):
        call.scope["comptoir.error"] = error
    if isinstance(error, RateLimited):
        call.limits = error.headers
    return refused_page(look, refused(reader, error))


def refused_page(look: Look, reply: Reply) -> Reply:
    """A problem document as a page."""
    problem = json.loads(reply.body)
    page = look.page("problem.html", reply.status, problem=problem)
    page.headers += [header for header in reply.headers if header[0] == b"retry-after"]
    return page
