"""Methods of payment: cards for tests, and debits that take their time."""

from comptoir_sandbox.cards import CARDS, TOKENS, Card, by_number
from comptoir_sandbox.grammar import ADDRESS, Values, group, integer, many, metadata, one_of, text
from comptoir_sandbox.objects import Object
from comptoir_sandbox.refused import Refused, declined, missing
from comptoir_sandbox.world import World

BILLING = group(email=text, name=text, phone=text, address=ADDRESS)
CREATE = group(
    "type",
    type=one_of("card", "sepa_debit"),
    card=group(number=text, exp_month=integer, exp_year=integer, cvc=text, token=text),
    sepa_debit=group("iban", iban=text),
    billing_details=BILLING,
    metadata=metadata,
    expand=many(text, 20),
)
ATTACH = group("customer", customer=text, expand=many(text, 20))
DETACH = group(expand=many(text, 20))

_EXPIRES_IN = 2


def create(world: World, given: Values) -> Object:
    """POST /v1/payment_methods."""
    made = _made(world, _name(given), given.get("billing_details", {}))
    return world.add(made[0], card=made[1])


def attach(world: World, given: Values, id_: str) -> Object:
    """POST /v1/payment_methods/{id}/attach."""
    world.find("customer", given["customer"], "customer")
    found = resolve(world, id_)
    if card_of(world, found).is_refused:
        card = card_of(world, found)
        raise declined(card.message, card.code, decline_code=card.decline)
    return world.update(found, "payment_method.attached", customer=given["customer"])


def detach(world: World, _: Values, id_: str) -> Object:
    """POST /v1/payment_methods/{id}/detach."""
    found = world.find("payment_method", id_)
    return world.update(found, "payment_method.detached", customer=None)


def resolve(world: World, id_: str, param: str = "payment_method") -> Object:
    """A method by its id; by a test's name a new one.

    Raises:
        Refused: there is none.
    """
    if id_ not in CARDS:
        return world.find("payment_method", id_, param)
    made, card = _made(world, id_, {})
    return world.add(made, card=card)


def card_of(world: World, method: Object) -> Card:
    """What a method does when it is charged."""
    return CARDS[world.notes[method["id"]]["card"]]


def _name(given: Values) -> str:
    if given["type"] == "sepa_debit":
        iban = given.get("sepa_debit", {}).get("iban")
        if iban is None:
            raise missing("sepa_debit[iban]")
        return _known(iban, "sepa_debit[iban]")
    card = given.get("card", {})
    if "token" in card:
        name = TOKENS.get(card["token"])
        if name is None:
            raise Refused(
                f"No such token: '{card['token']}'", "resource_missing", param="card[token]"
            )
        return name
    for field in ("number", "exp_month", "exp_year"):
        if field not in card:
            raise missing(f"card[{field}]")
    return _known(card["number"], "card[number]")


def _known(number: str, param: str) -> str:
    name = by_number(number)
    if name is None:
        raise declined("Your card number is incorrect.", "incorrect_number", param=param)
    return name


def _made(world: World, name: str, billing: Object) -> tuple[Object, str]:
    card = CARDS[name]
    year = 1970 + world.now() // 31_556_952 + _EXPIRES_IN
    made: Object = {
        "id": world.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": billing.get("address") or dict.fromkeys(
                ("city", "country", "line1", "line2", "postal_code", "state")
            ),
            "email": billing.get("email"),
            "name": billing.get("name"),
            "phone": billing.get("phone"),
            "tax_id": None,
        },
        "created": world.now(),
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "sepa_debit" if card.is_debit else "card",
    }  # fmt: skip
    if card.is_debit:
        made["sepa_debit"] = {
            "bank_code": card.number[4:12], "branch_code": None, "country": card.number[:2],
            "fingerprint": f"iban{card.last4}", "generated_from": None, "last4": card.last4,
        }  # fmt: skip
    else:
        made["card"] = {
            "brand": card.brand, "checks": None, "country": "FR", "display_brand": card.brand,
            "exp_month": 12, "exp_year": year, "fingerprint": f"card{card.last4}",
            "funding": "credit", "generated_from": None, "last4": card.last4, "networks": None,
            "regulated_status": "unregulated", "three_d_secure_usage": {"supported": True},
            "wallet": None,
        }  # fmt: skip
    return made, name
