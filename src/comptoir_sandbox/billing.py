"""Invoices of subscriptions: the first one, those of renewals, and what a change costs."""

from comptoir_sandbox import invoices, items, terms
from comptoir_sandbox.grammar import Values
from comptoir_sandbox.invoices import Why
from comptoir_sandbox.objects import Object, name_in
from comptoir_sandbox.terms import ENDED
from comptoir_sandbox.world import World


def bill(
    world: World, customer: Object, found: Object, reason: str, given: Values
) -> Object | None:
    """An invoice for the period that begins, with what waited for it; tried at once."""
    lines, waiting = items.pending_lines(world, customer["id"], found["id"])
    lines += [terms.line_of(world, found, item) for item in found["items"]["data"]]
    more = {"automatic_tax": {"enabled": found["automatic_tax"]["enabled"]},
            "auto_advance": True}  # fmt: skip
    invoice = invoices.draft(world, customer, lines, found["currency"], Why(reason, found, more))
    for item in waiting:
        item["invoice"] = invoice["id"]
        world.changed(item)
    return collect(world, found, invoice, given)


def collect(world: World, found: Object, invoice: Object, given: Values) -> Object | None:
    """Finalize an invoice and have it paid, unless collection is paused."""
    latest(world, found, invoice)
    pause = found["pause_collection"]
    if pause is not None:
        return _set_aside(world, invoice, pause["behavior"])
    invoices.finalized(world, invoice)
    if invoice["status"] == "open" and given.get("payment_behavior") != "default_incomplete":
        invoices.charge(world, invoice, off_session=given.get("off_session", True))
        after_payment(world, invoice)
    return invoice


def _set_aside(world: World, invoice: Object, behavior: str) -> Object:
    if behavior == "keep_as_draft":
        invoice["auto_advance"] = False
        return world.changed(invoice)
    invoices.finalized(world, invoice)
    if invoice["status"] != "open":
        return invoice
    if behavior == "void":
        return invoices.ended(world, invoice, "void", "voided_at", "invoice.voided")
    return invoices.mark_uncollectible(world, {}, invoice["id"])


def first_invoice(world: World, customer: Object, made: Object, given: Values) -> None:
    """The invoice that decides whether a subscription begins."""
    if made["status"] == "trialing":
        line = terms.line_of(world, made, made["items"]["data"][0], amount=0)
        why = Why("subscription_create", made, {"auto_advance": True})
        invoice = invoices.draft(world, customer, [line], made["currency"], why)
        latest(world, made, invoice)
        invoices.finalized(world, invoice)
        return
    lines = [terms.line_of(world, made, item) for item in made["items"]["data"]]
    more = {"automatic_tax": {"enabled": made["automatic_tax"]["enabled"]}, "auto_advance": True}
    why = Why("subscription_create", made, more)
    invoice = invoices.draft(world, customer, lines, made["currency"], why)
    latest(world, made, invoice)
    invoices.finalized(world, invoice)
    if invoice["status"] == "paid":
        activate(world, made)
        return
    if given.get("payment_behavior") == "default_incomplete":
        return
    refusal = invoices.charge(world, invoice, off_session=given.get("off_session", False))
    intent = invoices.intent_of(world, invoice)
    if invoice["status"] == "paid" or (intent is not None and intent["status"] == "processing"):
        activate(world, made)
    elif refusal is not None and given.get("payment_behavior") == "error_if_incomplete":
        raise refusal


def latest(world: World, found: Object, invoice: Object) -> None:
    """Note which invoice is the latest."""
    found["latest_invoice"] = invoice["id"]
    world.changed(found)
    world.note(found["id"]).setdefault("invoices", []).append(invoice["id"])


def activate(world: World, made: Object) -> None:
    """It has begun."""
    if made["status"] == "incomplete":
        world.update(made, "customer.subscription.updated", status="active")


def open_invoices(world: World, id_: str) -> list[Object]:
    """Its invoices that nobody has paid."""
    ids: list[str] = world.notes.get(id_, {}).get("invoices", [])
    found = [world.objects[each] for each in ids]
    return [each for each in found if each["status"] == "open"]


def after_payment(world: World, invoice: Object) -> None:
    """An invoice of it was paid, or can be no more."""
    found = world.objects.get(name_in(invoice, "parent", "subscription_details", "subscription"))
    if found is None or found["status"] in ENDED:
        return
    is_paid = invoice["status"] == "paid"
    if is_paid and found["status"] in {"incomplete", "past_due", "unpaid"}:
        world.update(found, "customer.subscription.updated", status="active")
    if not is_paid and found["status"] == "active":
        world.update(found, "customer.subscription.updated", status="past_due")


def bill_prorations(world: World, customer: Object, found: Object, given: Values) -> None:
    """An invoice of what a change costs, at once."""
    lines, waiting = items.pending_lines(world, customer["id"], found["id"])
    if not lines:
        return
    why = Why("subscription_update", found, {"auto_advance": True})
    invoice = invoices.draft(world, customer, lines, found["currency"], why)
    for item in waiting:
        item["invoice"] = invoice["id"]
        world.changed(item)
    collect(world, found, invoice, given)
