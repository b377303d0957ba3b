"""API keys from the command line."""

import psycopg
import pytest

from comptoir.domains.identity.model import looks_like_key
from tests.cli.conftest import Inside, Shell
from tests.support.postgres import Database

pytestmark = pytest.mark.pg


def test_a_process_of_its_own_makes_a_key(shell: Shell):
    made = shell("key", "create", "--role", "operator", "--name", "me", "--json")
    assert (made.code, made.err) == (0, "")
    assert made.json["key"].startswith("ck_live_op_")
    assert looks_like_key(made.json["key"])
    refused = shell("key", "create", "--role", "operator", "--name", "me", "--book", "other")
    assert (refused.code, refused.out) == (5, "")


def test_text_alone_goes_to_stdout(inside: Inside):
    made = inside("key", "create", "--role", "service", "--name", "shop", "--book", "test")
    assert made.code == 0
    assert made.out.startswith("ck_test_svc_")
    assert looks_like_key(made.out.strip())
    assert "not shown again" in made.err


def test_only_a_hash_is_kept(inside: Inside, database: Database):
    text = inside("key", "create", "--role", "service", "--name", "shop").out.strip()
    with psycopg.connect(database.owner_url) as connection:
        rows = connection.execute("SELECT k::text FROM comptoir.keys k").fetchall()
    assert len(rows) == 1
    assert text[-10:] not in rows[0][0]


def test_list_shows_no_secret(inside: Inside):
    made = inside("key", "create", "--role", "service", "--name", "shop", "--json").json
    listed = inside("key", "list", "--json")
    assert listed.code == 0
    assert [key["id"] for key in listed.json["items"]] == [made["id"]]
    assert listed.json["next_cursor"] is None
    assert made["key"] not in listed.out
    table = inside("key", "list")
    assert "never used" in table.out
    assert made["id"] in table.out


def test_list_shows_all_pages_of_one_book(inside: Inside, database: Database):
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO comptoir.keys (book_id, id, role, name, hash, hint)"
            " SELECT 1 + n % 2, gen_random_uuid(), 'service', n::text, n::text::bytea, 'h'"
            " FROM generate_series(1, 420) n"
        )
    items = inside("key", "list", "--json").json["items"]
    assert len(items) == 210
    assert len({key["id"] for key in items}) == 210


def test_revoked_and_expired_keys_say_so(inside: Inside, database: Database):
    first = inside("key", "create", "--role", "service", "--name", "a", "--json").json
    late = inside(
        "key", "create", "--role", "service", "--name", "b", "--expires-in", "7", "--json"
    )
    assert late.json["expires_at"] is not None
    revoked = inside("key", "revoke", "--id", first["id"])
    assert (revoked.code, revoked.err) == (0, "")
    assert "a (" in revoked.out
    again = inside("key", "revoke", "--id", first["id"], "--json")
    assert again.json["revoked_at"] is not None
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE comptoir.keys SET expires_at = now() - interval '1 day',"
            " last_used_at = now() WHERE name = 'b'"
        )
        connection.execute(
            "INSERT INTO comptoir.keys (book_id, id, role, name, hash, hint, last_used_at)"
            " VALUES (1, gen_random_uuid(), 'service', 'c', 'c', 'h', now())"
        )
    table = inside("key", "list").out
    assert "revoked 20" in table
    assert "expired 20" in table
    assert "used 20" in table


@pytest.mark.parametrize("id_", ["7", "01a1fc1c-e008-7f3d-9c87-1f5c4583efc6"])
def test_unknown_keys_are_not_revoked(inside: Inside, id_: str):
    ended = inside("key", "revoke", "--id", id_)
    assert ended.code == 5
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("name", ["", "x" * 201, "a\nb"], ids=["empty", "long", "control"])
def test_names_have_limits(inside: Inside, name: str):
    ended = inside("key", "create", "--role", "service", "--name", name)
    assert ended.code == 2
    assert "name" in ended.err
    assert inside("key", "list", "--json").json["items"] == []


def test_a_key_takes_the_place_of_another(inside: Inside):
    old = inside("key", "create", "--role", "service", "--name", "shop", "--json").json
    rotated = inside("key", "rotate", "--id", old["id"], "--overlap-seconds", "60", "--json")
    assert (rotated.code, rotated.err) == (0, "")
    assert looks_like_key(rotated.json["key"])
    assert rotated.json["name"] == "shop"
    assert rotated.json["replaced"]["id"] == old["id"]
    assert rotated.json["replaced"]["expires_at"] is not None
    again = inside("key", "rotate", "--id", rotated.json["id"], "--overlap-seconds", "0")
    assert looks_like_key(again.out.strip())
    assert "not shown again" in again.err
    assert "revoked 20" in inside("key", "list").out
    ended = inside("key", "rotate", "--id", rotated.json["id"])
    assert (ended.code, ended.out) == (5, "")
    assert "revoked" in ended.err


def test_keys_are_made_once(inside: Inside):
    """A script that is run again gets the same key."""
    first, again = (
        inside("key", "create", "--role", "service", "--name", "shop", "--idempotency-key", "one",
               "--expires-at", "2090-01-01T00:00:00Z", "--json")
        for _ in range(2)
    )  # fmt: skip
    assert again.json == first.json
    assert first.json["expires_at"] == "2090-01-01T00:00:00.000000Z"
    turned = [
        inside("key", "rotate", "--id", first.json["id"], "--idempotency-key", "two").out
        for _ in range(2)
    ]
    assert turned[0] == turned[1]
    assert len(inside("key", "list", "--json").json["items"]) == 2


def test_times_that_cannot_be(inside: Inside):
    ended = inside("key", "create", "--role", "service", "--name", "x", "--expires-at", "tomorrow")
    assert (ended.code, ended.out) == (2, "")
    assert "expires_at" in ended.err
