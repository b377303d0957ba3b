"""`comptoir trigger` beside a real `comptoir serve`, whose sandbox is found by its place file."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import httpx2
import psycopg
import pytest

from comptoir.cli import trigger
from comptoir.cli.playing import SCRIPTS, Script
from tests.cli.conftest import Inside
from tests.cli.test_serving import serving
from tests.support.postgres import Database
from tests.support.sandbox import KEY, provider

pytestmark = pytest.mark.pg
MANY = ("--times", "4", "--shuffle")
CHANGES = {
    "payment_intent.succeeded": (2, 1, "100"),
    "payment_intent.payment_failed": (1, 0, "0"),
    "checkout.session.completed": (2, 1, "100"),
    "checkout.session.expired": (1, 0, "0"),
    "charge.refunded": (4, 1, "0"),
    "charge.dispute.created": (4, 1, "0"),
    "invoice.paid": (7, 1, "200"),
}
"""Of each type: how many events it makes, how often credits are granted, what is left of them."""


@contextmanager
def served(inside: Inside) -> Generator[dict[str, Any]]:
    """A server with its sandbox while the block runs: what its place file says."""
    with serving(inside.shell, COMPTOIR_SANDBOX="auto") as server:
        server.address()
        yield json.loads((inside.shell.folder / "sandbox.json").read_text())


def test_whatever_happens_often_and_in_any_order_has_its_effect_once(
    inside: Inside, database: Database, monkeypatch: pytest.MonkeyPatch
):
    assert CHANGES.keys() == SCRIPTS.keys()
    with served(inside) as place:
        for type_, (events, grants, change) in CHANGES.items():
            ended = inside("trigger", type_, "--customer", "c1", *MANY, "--json")
            assert ended.code == 0, ended.out + ended.err
            said = ended.json
            assert [len(said["events"]), said["grants"], said["change"]] == [events, grants, change]
            assert said["deliveries"] == 4 * events
            assert said["right"], said
        knobs = httpx2.get(f"{place['base']}/_sandbox").json()["chaos"]
        assert knobs["shuffle"] == 0, "it is as it was"
        for_people = inside("trigger", "payment_intent.succeeded", "--customer", "c2", "--pack",
                            "500", "--times", "2", COMPTOIR_LOCALE="fr")  # fmt: skip
        again = inside("trigger", "invoice.paid", "--customer", "c1")
        never = replace(SCRIPTS["checkout.session.expired"], status="granted")
        monkeypatch.setitem(cast("dict[str, Script]", SCRIPTS), "checkout.session.expired", never)
        monkeypatch.setattr(trigger, "_DEADLINE", 1.0)
        wrong = inside("trigger", "checkout.session.expired", "--customer", "c3")
    assert "2 événements, 4 livraisons en tout." in for_people.out
    assert "Crédits accordés une seule fois.\nc2 a 500 crédits (+500)." in for_people.out
    assert (wrong.code, wrong.out.splitlines()[-1]) == (
        3, "That is not as it should be: comptoir reconcile",
    )  # fmt: skip
    assert again.code == 5
    assert "has a plan already" in again.err
    with psycopg.connect(database.owner_url) as connection:
        count = "SELECT count(*) FROM comptoir.movements WHERE kind = 'purchase' AND amount > 0"
        row = connection.execute(count).fetchone()
    assert row == (5,)


def test_without_a_sandbox_nothing_is_triggered(inside: Inside):
    for said in ({}, {"STRIPE_SECRET_KEY": "sk_test_mine"}):
        refused = inside("trigger", "invoice.paid", "--customer", "c1", **said)
        assert (refused.code, refused.out) == (4, "")
        assert "beside a running `comptoir serve`" in refused.err


def test_what_nobody_works_off_is_not_called_right(inside: Inside, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(trigger, "_DEADLINE", 0.2)
    inside("pack", "seed")
    with provider() as stripe:
        at = {"STRIPE_SECRET_KEY": KEY, "STRIPE_API_BASE": stripe.base}
        ended = inside("trigger", "payment_intent.succeeded", "--customer", "c1", **at)
        unknown = inside("trigger", "charge.refunded", "--customer", "c1", "--pack", "7", **at)
    assert ended.code == 4
    assert "did not come" in ended.out
    assert "granted 0 times" in ended.out
    assert "is `comptoir serve` running?" in ended.out
    assert unknown.code == 5
    assert "no pack 7" in unknown.err
