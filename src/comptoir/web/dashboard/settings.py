"""Settings, which pages only show; sessions of operators, which they end; and the audit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby
from typing import Final, get_args
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from pydantic import SecretStr

from comptoir.app.sandbox import is_sandbox
from comptoir.domains.credits import packs
from comptoir.domains.identity import operators, overview, queries
from comptoir.domains.identity.operators import Rank
from comptoir.domains.identity.overview import Line, Sought
from comptoir.domains.notifications import hooks
from comptoir.kit.books import LIVE
from comptoir.kit.errors import Denied, NotFound
from comptoir.store.pool import begin, begin_brief
from comptoir.web.dashboard import tables
from comptoir.web.dashboard.deeds import ReasonForm, deed, fit
from comptoir.web.dashboard.texts import TEXTS
from comptoir.web.dashboard.veils import address, veiled
from comptoir.web.dashboard.visits import COOKIE, HOME, Visit, acting, reading
from comptoir.web.languages import pick
from comptoir.web.meanings import meanings
from comptoir.web.pages.forms import cookie_name, go, set_cookie
from comptoir.web.pages.tables import number_of
from comptoir.web.replies import Reply, write_time

_SETTINGS: Final = f"{HOME}/settings"
_AUDIT: Final = f"{_SETTINGS}/audit"
_HEADINGS: Final = ("id", "at", "who", "action", "subject", "reason", "figures")
_MOST: Final = 100
_COUNTED: Final = 1_000
_NAME: Final = 200
_FIRST: Final = UUID(int=0)
_SECTIONS: Final = {
    "process": ("DATABASE_", "COMPTOIR_HOME", "COMPTOIR_ENV", "COMPTOIR_SECRET", "COMPTOIR_LOCALE",
                "ADMIN_", "COMPTOIR_LOG", "METRICS_", "OTEL_", "SENTRY_"),
    "web": ("COMPTOIR_PUBLIC_URL", "CORS_", "TRUSTED_", "RATE_", "REDIS_", "UPSTASH_"),
    "money": ("STRIPE_", "COMPTOIR_SANDBOX", "COMPTOIR_CURRENCY", "REFUND_", "TOKEN_"),
    "shop": ("STOCK_", "COMPTOIR_GUEST"),
    "letters": ("EMAIL_", "OPERATOR_"),
}  # fmt: skip
_ORDER: Final = (*_SECTIONS, "other")
_ACTION: Final = "deed."


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable as a page shows it.

    Attributes:
        value: None for a secret, whatever it is, and for what is not set.
        is_set: whether it has a value other than the default.
    """

    name: str
    meaning: str
    value: str | None
    is_secret: bool
    is_set: bool

    @property
    def section(self) -> str:
        """Where on the page it is."""
        return next(
            (name for name, begin_ in _SECTIONS.items() if self.name.startswith(begin_)), "other"
        )


async def settings(visit: Visit) -> Reply:
    """GET /dashboard/settings."""
    app, book = visit.call.app, visit.book
    facts = await app.directory.facts(book)
    assets = {asset.id: asset for asset in facts.assets.values()}
    async with begin_brief(app.pool) as tx:
        keys = await queries.keys(tx, book, _FIRST, _MOST + 1)
        open_ = await overview.sessions(tx, _MOST + 1)
        sold = await packs.packs(tx, book)
        places = await _places(tx, book)
    return visit.page(
        "settings.html", sections=_sections(visit), keys=keys[:_MOST], sessions=open_[:_MOST],
        more_keys=len(keys) > _MOST, more_sessions=len(open_) > _MOST, most=_MOST,
        packs=[(each, _called(visit, each), assets[each.asset]) for each in sold], hooks=places,
        mode=_mode(visit), counted=_COUNTED, now=visit.call.now,
        may_end_all=visit.session.rank is Rank.ADMIN,
    )  # fmt: skip


def _sections(visit: Visit) -> list[tuple[str, list[Setting]]]:
    found = sorted(_shown(visit), key=lambda each: _ORDER.index(each.section))
    return [(name, list(each)) for name, each in groupby(found, lambda each: each.section)]


def _shown(visit: Visit) -> Iterator[Setting]:
    settings_ = visit.call.app.settings
    for name, field in type(settings_).model_fields.items():
        value, alias = getattr(settings_, name), str(field.alias)
        is_secret = SecretStr in (field.annotation, *get_args(field.annotation))
        meaning = pick(meanings().get(alias, ("", "")), visit.look.language)
        text = None if is_secret or value in (None, "") else address(_said(value))
        yield Setting(alias, meaning, text, is_secret, value not in (field.default, ""))


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value.value if isinstance(value, Enum) else value)


def _mode(visit: Visit) -> str:
    """Whose money moves: nobody's, pretended, or real."""
    settings_ = visit.call.app.settings
    if settings_.stripe_secret_key is None:
        return "none"
    if is_sandbox(settings_):
        return "sandbox"
    return "live" if settings_.has_live_stripe_key else "test"


def _called(visit: Visit, pack: packs.Pack) -> str:
    return pack.name.get(visit.look.language) or pack.name.get("en") or pack.id


async def _places(tx: AsyncConnection, book: int) -> list[tuple[hooks.Hook, str, int, int]]:
    """Where others hear, without what only they should know, and what they have not heard."""
    unheard = await hooks.unheard(tx, book, _COUNTED + 1)
    return [
        (each, address(each.url), *unheard.get(each.id, (0, 0)))
        for each in await hooks.listed(tx, book)
    ]


async def end(visit: Visit) -> Reply:
    """POST /dashboard/settings/sessions/{id}/end: one's own, or for an admin anybody's."""
    try:
        id_ = UUID(visit.call.part("id"))
    except ValueError:
        raise NotFound("not-found") from None
    is_own = id_ == visit.session.id
    # Two who are called the same may be two: a name proves nothing.
    if not is_own and visit.session.rank is not Rank.ADMIN:
        raise Denied("forbidden")
    reason = fit(ReasonForm, {"reason": visit.form.get("reason", "")}).reason
    line = deed(visit, "end-session", str(id_), reason)
    async with begin(visit.call.app.pool) as tx:
        is_new = await operators.note(tx, replace(line, book=LIVE, key=f"{line.key}-{id_}"))
        if is_new and not await operators.end(tx, id_):
            raise NotFound("not-found")
    if is_own:
        return go(HOME, set_cookie(visit.call, cookie_name(visit.call, COOKIE), "", 0))
    return go(f"{_SETTINGS}?done=ended#sessions")


async def audit(visit: Visit) -> Reply:
    """GET /dashboard/settings/audit: the newest first."""
    at, _, id_ = visit.query.get("after", "").partition(".")
    who, action = _word(visit.query.get("who")), _word(visit.query.get("action"))
    before = (min(number_of(at, overview.FAR), overview.FAR), _uuid(id_)) if id_ else None
    sought = Sought(who, action, before, tables.rows_of(visit))
    async with begin_brief(visit.call.app.pool) as tx:
        page = await overview.lines(tx, visit.book, sought)
    more = "" if page.last is None else visit.here(after=f"{page.last.at}.{page.last.id}")
    if tables.wants_file(visit):
        return tables.file(visit, "audit", _HEADINGS, map(_row, page.lines), more)
    known = {key.removeprefix(_ACTION) for key in TEXTS if key.startswith(_ACTION)}
    actions = sorted(known | {each.action for each in page.lines} | ({action} if action else set()))
    people = sorted({each.who for each in page.lines} | ({who} if who else set()))
    return visit.page(
        "audit.html", found=[(each, _figures(each)) for each in page.lines], actions=actions,
        people=people, who=who or "", action=action or "", looked=page.looked, more=more,
    )  # fmt: skip


def _word(said: str | None) -> str | None:
    return said if said and said.isprintable() and len(said) <= _NAME else None


def _uuid(said: str) -> UUID:
    """An id of the address; what is none comes after all of them."""
    try:
        return UUID(said)
    except ValueError:
        return overview.LAST


def _figures(of: Line) -> str:
    text = ", ".join(f"{name}: {_plain(each)}" for name, each in veiled(of.figures).items())
    return text if len(text) <= _NAME else f"{text[: _NAME - 1]}…"


def _plain(value: object) -> str:
    if not isinstance(value, list):
        return _said(value)
    many: list[object] = value  # pyright: ignore[reportUnknownVariableType]  # JSON
    return ", ".join(map(_said, many))


def _row(of: Line) -> list[object]:
    figures = msgspec.json.encode(veiled(of.figures)).decode() if of.figures else ""
    return [
        str(of.id), write_time(of.at), of.who, of.action, of.subject, of.reason, figures,
    ]  # fmt: skip


OPERATIONS: Final = (
    reading(_SETTINGS, settings),
    reading(_AUDIT, audit),
    acting(f"{_SETTINGS}/sessions/{{id}}/end", end, by_anybody=True),
)
