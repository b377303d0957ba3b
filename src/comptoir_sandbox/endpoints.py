"""Webhook endpoints: where events go to, which of them, in which shape, under which secret."""

import re
from typing import Final

from comptoir_sandbox import API_VERSION
from comptoir_sandbox.grammar import Values, boolean, group, many, metadata, text, url
from comptoir_sandbox.objects import Object
from comptoir_sandbox.refused import Refused
from comptoir_sandbox.world import World, merged

CREATE = group(
    "enabled_events", "url", enabled_events=many(text, 300), url=url, api_version=text,
    description=text, metadata=metadata, connect=boolean, expand=many(text, 20),
)  # fmt: skip
UPDATE = group(
    enabled_events=many(text, 300), url=url, disabled=boolean, description=text,
    metadata=metadata, expand=many(text, 20),
)  # fmt: skip

_EVENT: Final = re.compile(r"\*|[a-z0-9_]+(\.[a-z0-9_]+)+")
_MOST: Final = 16
_OWNER: Final = "whoever has started the sandbox"


def create(world: World, given: Values) -> Object:
    """POST /v1/webhook_endpoints: the secret is shown this once."""
    if len([each for each in world.all("webhook_endpoint") if not each.get("deleted")]) >= _MOST:
        raise Refused(f"You have reached the maximum of {_MOST} test webhook endpoints.")
    _check(given["enabled_events"])
    made: Object = {
        "id": world.new_id("we"),
        "object": "webhook_endpoint",
        "api_version": given.get("api_version") or API_VERSION,
        "application": None,
        "created": world.now(),
        "description": given.get("description") or None,
        "enabled_events": given["enabled_events"],
        "livemode": False,
        "metadata": merged({}, given.get("metadata", {})),
        "status": "enabled",
        "url": given["url"],
    }
    secret = f"whsec_{world.letters(32)}"
    world.add(made, secrets=[secret])
    return made | {"secret": secret}


def update(world: World, given: Values, id_: str) -> Object:
    """POST /v1/webhook_endpoints/{id}."""
    found = world.find("webhook_endpoint", id_)
    if "enabled_events" in given:
        _check(given["enabled_events"])
    found |= {
        name: given[name] for name in ("enabled_events", "url", "description") if name in given
    }
    if "metadata" in given:
        found["metadata"] = merged(found["metadata"], given["metadata"])
    if "disabled" in given:
        found["status"] = "disabled" if given["disabled"] else "enabled"
    return world.changed(found)


def delete(world: World, _: Values, id_: str) -> Object:
    """DELETE /v1/webhook_endpoints/{id}."""
    found = world.find("webhook_endpoint", id_)
    found["deleted"] = True
    world.changed(found)
    return {"id": id_, "object": "webhook_endpoint", "deleted": True}


def roll(world: World, endpoint: Object) -> str:
    """A new secret; the old one is good for a while yet, and both sign."""
    secret = f"whsec_{world.letters(32)}"
    note = world.note(endpoint["id"])
    note["secrets"] = [secret, note["secrets"][0]]
    return secret


def take(world: World, url: str, secret: str, events: list[str]) -> Object:
    """Let events go to whoever has started the sandbox, in place of where he was before."""
    for found in world.all("webhook_endpoint"):
        if found["description"] == _OWNER:
            found |= {"deleted": True, "status": "disabled"}
            world.changed(found)
    said = {"url": url, "enabled_events": events, "description": _OWNER}
    made = create(world, said)
    world.note(made["id"])["secrets"] = [secret]
    return made


def wants(endpoint: Object, type_: str) -> bool:
    """Whether events of a type go there."""
    return endpoint["status"] == "enabled" and (
        "*" in endpoint["enabled_events"] or type_ in endpoint["enabled_events"]
    )


def _check(events: list[str]) -> None:
    for number, event in enumerate(events):
        if not _EVENT.fullmatch(event):
            raise Refused(f"Invalid enabled_events[{number}]: {event}",
                          param=f"enabled_events[{number}]")  # fmt: skip
