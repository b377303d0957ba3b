"""One account: what somebody has, why, and what may be done about it."""

from typing import Any, Final
from urllib.parse import quote

from comptoir.domains.credits import queries
from comptoir.domains.credits.commands import CREDITS
from comptoir.domains.credits.explain import Place, Window, explain
from comptoir.domains.credits.model import Op
from comptoir.domains.credits.story import Explanation, Told
from comptoir.domains.credits.words import Teller, zone_of
from comptoir.domains.identity import operators
from comptoir.domains.identity.queries import customer
from comptoir.domains.identity.visitors import LINK_SECONDS
from comptoir.flows.inviting import Host, invite
from comptoir.kit.amounts import format_amount
from comptoir.kit.ids import hold_name, movement_name
from comptoir.store.facts import Asset
from comptoir.store.pool import begin, begin_brief
from comptoir.web.api.asking import asked
from comptoir.web.api.credits import GrantBody
from comptoir.web.api.identity import customer_name
from comptoir.web.dashboard import tables
from comptoir.web.dashboard.accounts import codes_of
from comptoir.web.dashboard.deeds import ReasonForm, decide, deed, fit, refused_by_ledger
from comptoir.web.dashboard.holding import let_go
from comptoir.web.dashboard.visits import HOME, Visit, acting, reading
from comptoir.web.pages.forms import go
from comptoir.web.pages.tables import number_of
from comptoir.web.replies import Reply, write_time

_HEADINGS: Final = (
    "movement", "at", "kind", "change", "before", "after", "held", "reason", "reference",
)  # fmt: skip
_ACCOUNTS: Final = f"{HOME}/accounts"


def address_of(name: str, **more: str) -> str:
    """Where a customer's page is."""
    rest = "&".join(f"{key}={quote(value, safe='')}" for key, value in more.items())
    return f"{_ACCOUNTS}/{quote(name, safe='')}" + (f"?{rest}" if rest else "")


async def account(visit: Visit) -> Reply:
    """GET /dashboard/accounts/{customer}."""
    name = customer_name(visit.call)
    app, book = visit.call.app, visit.book
    facts = await app.directory.facts(book)
    asset = facts.assets.get(visit.query.get("asset", CREDITS)) or facts.assets[CREDITS]
    async with begin_brief(app.pool) as tx:
        who = await customer(tx, book, name)
    number = await app.directory.find_account(book, asset, name) or 0
    below = number_of(visit.query.get("below"), queries.EVERYTHING)
    limit = tables.rows_of(visit)
    async with begin_brief(app.pool) as tx:
        found = await explain(
            tx, Place(book, facts, name, number, asset), Window(None, below, limit)
        )
    more = visit.here(below=str(found.movements[-1].line.version)) if found.more else ""
    if tables.wants_file(visit):
        rows = (_row(each, asset) for each in found.movements)
        return tables.file(visit, "movements", _HEADINGS, rows, more)
    return visit.page(
        "account.html", who=who, found=found, asset=asset, home=address_of(name), more=more,
        is_first=below == queries.EVERYTHING, timeline=_timeline(visit, found, asset, number),
        holds=[(hold_name(held.id), held, purpose) for held, purpose in found.holds],
        assets=codes_of(facts.assets), left=sum(lot.left for lot, _ in found.lots), number=number,
    )  # fmt: skip


def _timeline(visit: Visit, found: Explanation, asset: Asset, number: int) -> list[dict[str, Any]]:
    teller = Teller(visit.look.language, asset, zone_of(found.zone))
    return [
        {
            "id": movement_name(number, told.line.version),
            "told": told,
            "words": teller.tell(told),
            "kind": told.line.kind.value,
        }
        for told in found.movements
    ]


def _row(told: Told, asset: Asset) -> list[object]:
    line = told.line
    figures = (line.amount, told.before, line.posted, line.held)
    return [
        movement_name(line.account, line.version), write_time(line.at), line.kind.value,
        *(format_amount(each, asset.scale) for each in figures), told.asked.reason,
        told.asked.reference,
    ]  # fmt: skip


async def grant(visit: Visit) -> Reply:
    """POST /dashboard/accounts/{customer}/grant."""
    name, app, book = customer_name(visit.call), visit.call.app, visit.book
    said = {"customer": name, "asset": visit.form.get("asset", CREDITS)}
    said |= {field: visit.form.get(field, "") for field in ("amount", "reason")}
    body = fit(GrantBody, said)
    async with begin_brief(app.pool) as tx:
        await customer(tx, book, name)
    code = body.asset or CREDITS
    number = await app.directory.account(book, await app.directory.asset(book, code), name)
    figures = {"amount": str(body.amount), "asset": code}
    line = deed(visit, "grant", f"account {number}", body.reason, account=number, said=figures)
    built, answer = await decide(visit, asked(Op.GRANT, visit.key, body), line)
    if answer.line is None:
        return refused_by_ledger(visit, built, answer)
    return go(address_of(name, asset=code, done="granted"))


async def release(visit: Visit) -> Reply:
    """POST /dashboard/accounts/{customer}/release: gives back what a hold has set aside."""
    name, code = customer_name(visit.call), visit.form.get("asset", CREDITS)
    return await let_go(visit, name) or go(address_of(name, asset=code, done="released"))


async def portal_link(visit: Visit) -> Reply:
    """POST /dashboard/accounts/{customer}/portal-link: a link to his own pages, shown once."""
    name, app, book = customer_name(visit.call), visit.call.app, visit.book
    reason = fit(ReasonForm, {"reason": visit.form.get("reason", "")}).reason
    host = Host(app.till, app.secret, app.randomness)
    async with begin(app.pool) as tx:
        who = await customer(tx, book, name)
        line = deed(visit, "portal-link", f"customer {who.id}", reason)
        if not await operators.note(tx, line):
            return go(address_of(name))  # it was made, and shown: another one has a form of its own
        url, until = await invite(tx, host, book, who.id, LINK_SECONDS)
    return visit.page("portal_link.html", who=who, url=url, until=until, home=address_of(name))


OPERATIONS: Final = (
    acting(f"{_ACCOUNTS}/{{customer}}/portal-link", portal_link),
    acting(f"{_ACCOUNTS}/{{customer}}/grant", grant),
    acting(f"{_ACCOUNTS}/{{customer}}/release", release),
    reading(f"{_ACCOUNTS}/{{customer}}", account),
)
