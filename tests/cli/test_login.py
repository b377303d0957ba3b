"""`comptoir login` and `comptoir portal`: addresses that let somebody in, once."""

import psycopg
import pytest

from comptoir.domains.identity.operators import hash_secret
from tests.cli.conftest import Inside
from tests.support.postgres import Database

pytestmark = pytest.mark.pg


def test_an_address_of_which_only_a_hash_is_kept(inside: Inside, database: Database):
    made = inside("login", "--json", "--name", "Ann", "--role", "support")
    assert made.code == 0
    place, _, secret = made.json["address"].rpartition("/login/")
    assert place == "http://127.0.0.1:8000"
    with psycopg.connect(database.owner_url) as connection:
        [row] = connection.execute(
            "SELECT hash, name, role, used_at, expires_at - created_at < interval '31 minutes'"
            " FROM comptoir.operator_logins"
        ).fetchall()
    assert row == (hash_secret(secret), "Ann", "support", None, True)


def test_the_address_alone_goes_to_stdout(inside: Inside):
    made = inside("login", COMPTOIR_PUBLIC_URL="https://shop.example/")
    assert made.code == 0
    assert made.out.startswith("https://shop.example/login/")
    assert len(made.out.split()) == 1
    assert "once" in made.err
    french = inside("login", COMPTOIR_LOCALE="fr")
    assert "une seule fois" in french.err


def test_nobody_is_more_than_an_admin(inside: Inside):
    assert inside("login", "--role", "king").code == 2


def test_a_link_to_a_customers_own_pages(inside: Inside, database: Database):
    made = inside("portal", "ada", "--ttl", "60", COMPTOIR_PUBLIC_URL="https://shop.example/")
    assert made.code == 0
    assert made.out.startswith("https://shop.example/portal?token=")
    assert len(made.out.split()) == 1
    assert "once" in made.err
    assert inside("portal", "ada", "--json").json["customer"] == "ada"
    assert inside("portal", "ada", "--ttl", "0").code == 2
    with psycopg.connect(database.owner_url) as connection:
        rows = connection.execute(
            "SELECT expires_at - created_at < interval '61 seconds', opened_at"
            " FROM comptoir.portal_visits ORDER BY created_at"
        ).fetchall()
    assert rows == [(True, None), (False, None)]
