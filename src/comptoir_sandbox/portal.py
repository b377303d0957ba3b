"""The billing portal: a page on which a customer changes or ends his subscription."""

from comptoir_sandbox import subscriptions
from comptoir_sandbox.grammar import Values, group, many, text, url
from comptoir_sandbox.objects import Object
from comptoir_sandbox.world import World

CREATE = group(
    "customer", customer=text, return_url=url, configuration=text, locale=text,
    expand=many(text, 20),
)  # fmt: skip


def create(world: World, given: Values) -> Object:
    """POST /v1/billing_portal/sessions."""
    customer = world.find("customer", given["customer"], "customer")
    id_ = world.new_id("bps")
    made: Object = {
        "id": id_,
        "object": "billing_portal.session",
        "configuration": given.get("configuration") or "bpc_sandbox",
        "created": world.now(),
        "customer": customer["id"],
        "flow": None,
        "livemode": False,
        "locale": given.get("locale"),
        "on_behalf_of": None,
        "return_url": given.get("return_url"),
        "url": f"{world.base}/portal/{id_}",
    }
    return world.add(made)


def subscriptions_of(world: World, session: Object) -> list[Object]:
    """What the customer may change."""
    return [
        each
        for each in world.all("subscription")
        if each["customer"] == session["customer"] and each["status"] not in subscriptions.ENDED
    ]


def prices_for(world: World, subscription: Object) -> list[Object]:
    """What he may change to: every other price that recurs in the same currency."""
    now = subscription["items"]["data"][0]["price"]
    return [
        each
        for each in world.all("price")
        if each["type"] == "recurring"
        and each["active"]
        and each["currency"] == now["currency"]
        and each["id"] != now["id"]
    ]
