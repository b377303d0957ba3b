"""What is billed: lines of invoices, and the items that wait to become some."""

from dataclasses import asdict, dataclass

from comptoir_sandbox.grammar import Values, currency, group, integer, many, metadata, text
from comptoir_sandbox.objects import Object, name_in, part
from comptoir_sandbox.refused import Refused, missing
from comptoir_sandbox.taxes import taxed
from comptoir_sandbox.world import World, merged

CREATE_ITEM = group(
    "customer",
    customer=text,
    amount=integer,
    currency=currency,
    description=text,
    invoice=text,
    metadata=metadata,
    quantity=integer,
    unit_amount_decimal=text,
    pricing=group("price", price=text),
    subscription=text,
    expand=many(text, 20),
)


@dataclass(frozen=True, slots=True)
class Line:
    """What is billed.

    Attributes:
        parent: what it is billed for, as the line shows it.
    """

    amount: int
    description: str
    start: int
    end: int
    parent: Object
    price: Object | None = None
    quantity: int = 1
    metadata: dict[str, str] | None = None

    @property
    def behavior(self) -> str:
        """Whether tax is within the amount."""
        return "exclusive" if self.price is None else self.price["tax_behavior"]


def create_item(world: World, given: Values) -> Object:
    """POST /v1/invoiceitems."""
    customer = world.find("customer", given["customer"], "customer")
    price = None
    quantity = given.get("quantity", 1)
    if given.get("pricing"):
        price = world.find("price", given["pricing"]["price"], "pricing[price]")
        amount, money = price["unit_amount"] * quantity, price["currency"]
    elif "amount" in given:
        amount, money = given["amount"], given.get("currency") or "eur"
    else:
        raise missing("amount")
    now = world.now_of(customer["id"])
    made = add_item(world, customer, Line(
        amount, given.get("description") or "", now, now, {}, price, quantity,
        merged({}, given.get("metadata", {})),
    ), money)  # fmt: skip
    if given.get("invoice"):
        _into_draft(world, made, given["invoice"])
    world.emit("invoiceitem.created", made)
    return made


def add_item(world: World, customer: Object, line: Line, money: str) -> Object:
    """Something that waits for the customer's next invoice."""
    subscription = line.parent.get("subscription")
    made: Object = {
        "id": world.new_id("ii"),
        "object": "invoiceitem",
        "amount": line.amount,
        "currency": money,
        "customer": customer["id"],
        "date": world.now_of(customer["id"]),
        "description": line.description or None,
        "discountable": line.amount > 0,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": line.metadata or {},
        "net_amount": line.amount,
        "parent": None
        if subscription is None
        else {
            "type": "subscription_details",
            "subscription_details": {
                "subscription": subscription,
                "subscription_item": line.parent.get("subscription_item"),
            },
        },
        "period": {"start": line.start, "end": line.end},
        "pricing": _pricing(line.price),
        "proration": subscription is not None,
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "tax_rates": [],
        "test_clock": customer["test_clock"],
    }
    return world.add(made)


def item_line(world: World, item: Object) -> Line:
    """The line of an invoice that an item becomes."""
    price = name_in(item, "pricing", "price_details", "price")
    details = part(item, "parent", "subscription_details")
    parent = {
        "type": "invoice_item_details",
        "invoice_item_details": {
            "invoice_item": item["id"], "proration": item["proration"],
            "proration_details": None, "subscription": details.get("subscription"),
        },
    }  # fmt: skip
    return Line(
        item["amount"], item["description"] or "", item["period"]["start"], item["period"]["end"],
        parent, world.objects.get(price), item["quantity"], item["metadata"],
    )  # fmt: skip


def pending_lines(
    world: World, customer: str, subscription: str
) -> tuple[list[Line], list[Object]]:
    """What waits for the next invoice of a subscription."""
    items = [
        each
        for each in pending(world, customer)
        if each["parent"] is None
        or each["parent"]["subscription_details"]["subscription"] == subscription
    ]
    return [item_line(world, each) for each in items], items


def pending(world: World, customer: str) -> list[Object]:
    """What waits for the customer's next invoice, the oldest first."""
    found = [each for each in world.all("invoiceitem") if each["customer"] == customer]
    return [each for each in reversed(found) if each["invoice"] is None]


def _into_draft(world: World, item: Object, id_: str) -> None:
    invoice = world.find("invoice", id_, "invoice")
    if invoice["status"] != "draft":
        raise Refused("This invoice is no longer editable", "invoice_not_editable")
    item["invoice"] = id_
    kept: list[Object] = world.note(id_).get("lines", [])
    put_lines(world, invoice, [*(Line(**each) for each in kept), item_line(world, item)])


def put_lines(world: World, invoice: Object, lines: list[Line]) -> None:
    """Let an invoice have these lines, and the sums of them."""
    is_taxed = invoice["automatic_tax"]["enabled"]
    world.note(invoice["id"])["lines"] = [asdict(line) for line in lines]
    shown: list[Object] = []
    taxes = total = 0
    for line in lines:
        found = taxed(line.amount, line.behavior, is_enabled=is_taxed)
        taxes += found.tax
        total += found.total
        shown.append(_line(world, invoice, line, found.tax, is_taxed=is_taxed))
    subtotal = sum(line.amount for line in lines)
    invoice |= {
        "lines": {
            "object": "list", "data": shown, "has_more": False, "total_count": len(shown),
            "url": f"/v1/invoices/{invoice['id']}/lines",
        },
        "subtotal": subtotal, "subtotal_excluding_tax": total - taxes,
        "total": total, "total_excluding_tax": total - taxes,
        "amount_due": max(total, 0), "amount_remaining": max(total, 0),
        "total_taxes": [_tax(taxes, total - taxes, "exclusive")] if is_taxed else [],
    }  # fmt: skip
    world.changed(invoice)


def _line(world: World, invoice: Object, line: Line, tax: int, *, is_taxed: bool) -> Object:
    details = line.parent.get("subscription_item_details", {})
    return {
        "id": world.new_id("il"),
        "object": "line_item",
        "amount": line.amount,
        "currency": invoice["currency"],
        "description": line.description or None,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": False,
        "metadata": line.metadata or {},
        "parent": line.parent or None,
        "period": {"start": line.start, "end": line.end},
        "pretax_credit_amounts": [],
        "pricing": _pricing(line.price),
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "subscription": details.get("subscription"),
        "subtotal": line.amount,
        "taxes": [_tax(tax, line.amount, line.behavior)] if is_taxed else [],
    }


def _tax(amount: int, of: int, behavior: str) -> Object:
    return {
        "amount": amount,
        "tax_behavior": "inclusive" if behavior == "inclusive" else "exclusive",
        "tax_rate_details": {"tax_rate": "txr_sandbox"},
        "taxability_reason": "standard_rated",
        "taxable_amount": of,
        "type": "tax_rate_details",
    }


def _pricing(price: Object | None) -> Object | None:
    if price is None:
        return None
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }
