"""Pages for people: paying, authenticating, the billing portal, an invoice. No script."""

from collections.abc import Awaitable, Callable, Iterable
from html import escape
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from comptoir_sandbox import billing, clockwork, intents, invoices, portal, sessions, subscriptions
from comptoir_sandbox.cards import CARDS
from comptoir_sandbox.objects import Object, part
from comptoir_sandbox.refused import Refused
from comptoir_sandbox.sandbox import Sandbox
from comptoir_sandbox.words import say
from comptoir_sandbox.world import World

METHODS: Final = {
    "pm_card_visa": "works",
    "pm_card_visa_chargeDeclined": "declines",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "empty",
    "pm_card_authenticationRequired": "asks",
    "pm_card_createDispute": "disputes",
    "pm_success_sepaDebit": "debit",
    "pm_failed_sepaDebit": "no-debit",
}
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; form-action *; frame-ancestors 'none'; base-uri 'none'"
)
_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; padding: 1.5rem 1rem; max-width: 30rem; }
.banner { padding: .5rem .75rem; border: 2px dashed; font-size: .875rem; }
table { width: 100%; border-collapse: collapse; margin: 1rem 0; }
td, th { padding: .375rem 0; text-align: left; border-bottom: 1px solid #8884; }
td:last-child { text-align: right; font-variant-numeric: tabular-nums; }
fieldset { border: 0; margin: 1rem 0; padding: 0; }
label { display: block; padding: .375rem 0; }
input[type=email] { width: 100%; box-sizing: border-box; font: inherit; padding: .5rem; }
button { font: inherit; padding: .625rem 1rem; margin: .25rem .5rem .25rem 0; cursor: pointer; }
.wrong { border-left: 4px solid #c33; padding-left: .75rem; }
"""
_FORM_BYTES: Final = 10_000

Show = Callable[[Sandbox, Request, str, str], Awaitable[Response]]


def routes_of(sandbox: Sandbox) -> list[Route]:
    """The routes."""
    both = ["GET", "POST"]
    return [
        Route("/_sandbox/style.css", _style, methods=["GET"]),
        Route("/pay/{id}", _page(sandbox, _pay), methods=both),
        Route("/authenticate/{id}/{token}", _page(sandbox, _authenticate), methods=both),
        Route("/portal/{id}", _page(sandbox, _portal), methods=both),
        Route("/invoice/{id}", _page(sandbox, _invoice), methods=both),
    ]


async def _style(_: Request) -> Response:
    return Response(_STYLE, media_type="text/css")


def _page(sandbox: Sandbox, show: Show) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        locale = "fr" if request.headers.get("accept-language", "").startswith("fr") else "en"
        try:
            _check_origin(request)
            clockwork.tick(sandbox.world)
            made = await show(sandbox, request, request.path_params["id"], locale)
        except Refused as refused:
            text = escape(str(refused.body["message"]))
            made = _html(f"<p class=wrong>{text}</p>", locale, refused.status)
        sandbox.done()
        return made

    return answer


def _check_origin(request: Request) -> None:
    """A form of somebody else's page is none of ours."""
    origin = request.headers.get("origin")
    if request.method != "POST" or origin in {None, "null"}:
        return
    if urlsplit(str(origin)).netloc != request.headers.get("host"):
        raise Refused("This form comes from elsewhere.", status=403)


async def _pay(sandbox: Sandbox, request: Request, id_: str, locale: str) -> Response:
    session = sandbox.world.find("checkout.session", id_)
    locale = session["locale"] if session["locale"] in {"en", "fr"} else locale
    problem = ""
    if request.method == "POST":
        given = await _form(request)
        try:
            return _after(sandbox.world, _paid(sandbox.world, session, given))
        except Refused as refused:
            if refused.status != 402:  # noqa: PLR2004  # a card's no
                raise
            problem = str(refused.body["message"])
    return _html(_pay_page(sandbox.world, session, locale, problem), locale)


def _paid(world: World, session: Object, given: dict[str, str]) -> Object:
    if "agree" in given:
        return sessions.agree(world, session, agreed=given["agree"] == "yes")
    method = given.get("method", "")
    if method not in CARDS:
        raise Refused("There is no such method of payment.")
    return sessions.pay(world, session, method, given.get("email") or None)


def _after(world: World, session: Object) -> Response:
    """Where the customer goes after he has paid: on, or to his bank first."""
    if session["status"] == "complete":
        to = str(session["success_url"] or "").replace("{CHECKOUT_SESSION_ID}", session["id"])
        return RedirectResponse(to or "/", 303)
    intent = world.objects.get(session["payment_intent"] or "", {})
    action = intent.get("next_action")
    if action is not None:
        return RedirectResponse(action["redirect_to_url"]["url"], 303)
    return RedirectResponse(f"/pay/{session['id']}", 303)


def _pay_page(world: World, session: Object, locale: str, problem: str) -> str:
    if session["status"] == "expired":
        return f"<p>{say('expired', locale)}</p>{_leave(session, 'cancel_url', 'return', locale)}"
    if session["status"] == "complete":
        return f"<p>{say('done', locale)}</p>{_leave(session, 'success_url', 'goes-on', locale)}"
    if world.notes[session["id"]].get("method"):
        return _question(locale)
    verb = "subscribe" if session["mode"] == "subscription" else "pay"
    email = escape(session["customer_email"] or "")
    due = _money(session["amount_total"], session["currency"], locale)
    return (
        _wrong(problem, locale)
        + _bill(world, session, locale)
        + "<form method=post>"
        + f"<label>{say('email', locale)}"
        + f"<input type=email name=email value='{email}' autocomplete=email></label>"
        + _choices(locale)
        + f"<button>{say(verb, locale)} {due}</button></form>"
        + f"{_leave(session, 'cancel_url', 'back', locale)}"
    )


def _bill(world: World, session: Object, locale: str) -> str:
    rows = [
        (f"{item['quantity']} × {item['description']}",
         _money(item["amount_total"], item["currency"], locale))
        for item in sessions.line_items(world, session)
    ]  # fmt: skip
    rows.append(
        (say("total", locale), _money(session["amount_total"], session["currency"], locale))
    )
    tax = session["total_details"]["amount_tax"]
    if tax:
        rows.append((say("tax", locale), _money(tax, session["currency"], locale)))
    return _table(rows)


async def _authenticate(sandbox: Sandbox, request: Request, id_: str, locale: str) -> Response:
    world = sandbox.world
    intent = world.find("payment_intent", id_)
    action = part(intent, "next_action", "redirect_to_url")
    back = str(world.notes.get(id_, {}).get("back") or "/")
    session = world.objects.get(world.notes.get(id_, {}).get("session", ""))
    if not str(action.get("url", "")).endswith(request.url.path):
        return RedirectResponse(back, 303)
    if request.method == "GET":
        return _html(_question(locale), locale)
    agreed = (await _form(request)).get("agree") == "yes"
    try:
        intents.authenticate(world, intent, agreed=agreed)
    except Refused:
        clockwork.decided(world, intent)
        return RedirectResponse(back if session is None else f"/pay/{session['id']}", 303)
    clockwork.decided(world, intent)
    return _after(world, session) if session is not None else RedirectResponse(back, 303)


async def _portal(sandbox: Sandbox, request: Request, id_: str, locale: str) -> Response:
    world = sandbox.world
    session = world.find("billing_portal.session", id_)
    if request.method == "POST":
        _change(world, session, await _form(request))
        return RedirectResponse(f"/portal/{id_}", 303)
    parts = [f"<h2>{say('portal', locale)}</h2>"]
    found = portal.subscriptions_of(world, session)
    parts += [_subscription(world, each, locale) for each in found]
    if not found:
        parts.append(f"<p>{say('no-subscriptions', locale)}</p>")
    parts.append(_leave(session, "return_url", "return", locale))
    return _html("".join(parts), locale)


def _change(world: World, session: Object, given: dict[str, str]) -> None:
    mine = {each["id"]: each for each in portal.subscriptions_of(world, session)}
    found = mine.get(given.get("subscription", ""))
    if found is None:
        raise Refused("There is no such subscription.", status=404)
    wanted = given.get("do", "")
    if wanted in {"cancel", "keep"}:
        said: Object = {"cancel_at_period_end": wanted == "cancel"}
    else:
        item = found["items"]["data"][0]["id"]
        said = {"items": [{"id": item, "price": wanted}], "proration_behavior": "always_invoice"}
    subscriptions.update(world, said, found["id"])


def _subscription(world: World, found: Object, locale: str) -> str:
    price = found["items"]["data"][0]["price"]
    name = world.objects.get(price["product"], {}).get("name", "")
    rows = [(name, _money(price["unit_amount"], price["currency"], locale) + " / " +
             price["recurring"]["interval"]), (say("status", locale), found["status"])]  # fmt: skip
    ends = found["cancel_at_period_end"]
    if ends:
        rows.append((say("ends", locale), "✓"))
    verb = "keep" if ends else "cancel"
    buttons = f"<button name=do value={verb}>{say(verb, locale)}</button>"
    for other in portal.prices_for(world, found):
        product = world.objects.get(other["product"], {}).get("name", "")
        label = f"{product} ({_money(other['unit_amount'], other['currency'], locale)})"
        value = escape(other["id"], quote=True)
        buttons += (
            f"<button name=do value='{value}'>{say('change', locale)} {escape(label)}</button>"
        )
    hidden = f"<input type=hidden name=subscription value='{escape(found['id'], quote=True)}'>"
    return f"{_table(rows)}<form method=post>{hidden}{buttons}</form>"


async def _invoice(sandbox: Sandbox, request: Request, id_: str, locale: str) -> Response:
    world = sandbox.world
    invoice = world.find("invoice", id_)
    problem = ""
    if request.method == "POST":
        method = (await _form(request)).get("method", "")
        if method not in CARDS:
            raise Refused("There is no such method of payment.")
        refusal = invoices.charge(world, invoice, method, off_session=False)
        billing.after_payment(world, invoice)
        problem = "" if refusal is None else str(refusal.body["message"])
    rows = [
        (line["description"] or "", _money(line["amount"], line["currency"], locale))
        for line in invoice["lines"]["data"]
    ]
    rows.append((say("total", locale), _money(invoice["total"], invoice["currency"], locale)))
    rows.append((say("status", locale), str(invoice["status"])))
    form = f"<form method=post>{_choices(locale)}<button>{say('pay', locale)}</button></form>"
    head = f"<h2>{say('invoice', locale)} {escape(str(invoice['number'] or ''))}</h2>"
    shown = form if invoice["status"] == "open" else ""
    return _html(_wrong(problem, locale) + head + _table(rows) + shown, locale)


async def _form(request: Request) -> dict[str, str]:
    body = await request.body()
    if len(body) > _FORM_BYTES:
        raise Refused("The form is too large.", status=413)
    return {name: values[-1] for name, values in parse_qs(body.decode()).items()}


def _question(locale: str) -> str:
    return (
        f"<p>{say('question', locale)}</p><form method=post>"
        f"<button name=agree value=yes>{say('agree', locale)}</button>"
        f"<button name=agree value=no>{say('refuse', locale)}</button></form>"
    )


def _choices(locale: str) -> str:
    radios = [
        f"<label><input type=radio name=method value={name}{' checked' if number == 0 else ''}>"
        f" {say(key, locale)}</label>"
        for number, (name, key) in enumerate(METHODS.items())
    ]
    return f"<fieldset><legend>{say('with', locale)}</legend>{''.join(radios)}</fieldset>"


def _leave(of: Object, field: str, key: str, locale: str) -> str:
    to = str(of.get(field) or "").replace("{CHECKOUT_SESSION_ID}", of["id"])
    if not to:
        return ""
    return f"<p><a href='{escape(to, quote=True)}'>{say(key, locale)}</a></p>"


def _wrong(problem: str, locale: str) -> str:
    if not problem:
        return ""
    return f"<p class=wrong>{say('declined', locale)} {escape(problem)}</p>"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    lines = (f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{''.join(lines)}</table>"


def _money(amount: int, currency: str, locale: str) -> str:
    whole, cents = divmod(abs(amount), 100)
    sign = "−" if amount < 0 else ""
    point = "," if locale == "fr" else "."
    return f"{sign}{whole}{point}{cents:02d} {currency.upper()}"


def _html(body: str, locale: str, status: int = 200) -> Response:
    head = (
        f"<!doctype html><html lang={locale}><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width'><link rel=stylesheet"
        f" href=/_sandbox/style.css><title>{say('title', locale)}</title>"
        f"<body><h1>{say('title', locale)}</h1><p class=banner>{say('banner', locale)}</p>"
    )
    headers = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer",
               "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}  # fmt: skip
    return HTMLResponse(f"{head}<main>{body}</main></body></html>", status, headers)
