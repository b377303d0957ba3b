"""`comptoir login`: an address that signs somebody in, once."""

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
