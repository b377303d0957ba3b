"""One key, one effect: whichever door a request comes in by."""

from pathlib import Path
from typing import Any

import pytest

from comptoir import Comptoir, IdempotencyKeyReused
from tests.support.postgres import Database
from tests.support.site import serving

ASKED: list[tuple[str, dict[str, Any]]] = [
    ("grant", {"customer": "alice", "amount": "5", "reason": "Gift", "priority": 7}),
    ("spend", {"customer": "alice", "amount": "1.50", "metadata": {"b": 'é"', "a": "1"}}),
    ("spend", {"customer": "alice", "amount": "0.50", "reason": "x", "reference": "r"}),
    ("spend", {"customer": "alice", "amount": 1, "model": "large", "cost": "0.02"}),
    ("hold", {"customer": "alice", "amount": 1, "ttl_seconds": 60}),
    ("grant", {"customer": "stock:TEE:M", "amount": 2, "reason": "Delivery"}),
]  # fmt: skip
PATHS = {"grant": "/api/credits/grant", "spend": "/api/credits/spend", "hold": "/api/credits/holds"}


@pytest.mark.parametrize("first", ["HTTP", "library"])
async def test_a_repeat_through_the_other_door(
    database: Database, tmp_path: Path, first: str
) -> None:
    with serving(database, tmp_path) as site:
        async with Comptoir.open(database.url) as books:
            site.grant("alice", 100)
            for number, (verb, fields) in enumerate(ASKED):
                key = f"door-{number}"
                call = getattr(books.credits, verb)
                if first == "HTTP":
                    sent = site.post(PATHS[verb], fields, key=key)
                    answer = await call(**fields, idempotency_key=key)
                    assert answer.replayed, verb
                else:
                    answer = await call(**fields, idempotency_key=key)
                    sent = site.post(PATHS[verb], fields, key=key)
                    assert sent.headers["idempotent-replayed"] == "true", verb
                assert sent.is_success, sent.text
                assert sent.json()["balance"]["version"] == answer.balance.version
            with pytest.raises(IdempotencyKeyReused):
                await books.credits.spend("alice", 2, idempotency_key="door-0")
