"""Rotating keys: the new one works at once, the old one for as long as it was said."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from comptoir.kit.actor import Role
from comptoir.kit.limits import SECOND
from tests.support.site import LIVE, Site, fresh


def micros(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 10**6)


def new_key(site: Site, **more: object) -> dict[str, Any]:
    made = site.post("/api/keys", {"role": "service", "name": fresh("shop")} | more)
    assert made.status_code == 201, made.text
    return made.json()


def test_both_work_for_a_day(site: Site) -> None:
    old = new_key(site)
    done = site.post(f"/api/keys/{old['id']}/rotate")
    assert (done.status_code, done.headers["cache-control"]) == (201, "no-store")
    new = done.json()
    assert (new["role"], new["name"], new["book"], new["expires_at"]) == (
        "service", old["name"], "live", None,
    )  # fmt: skip
    assert new["key"].startswith("ck_live_svc_")
    assert new["key"] != old["key"]
    for text in (old["key"], new["key"]):
        assert site.get("/api/customers", who=text).status_code == 200
    assert new["replaced"]["id"] == old["id"]
    left = micros(new["replaced"]["expires_at"]) - site.app.clock()
    assert 86_300 * SECOND < left <= 86_400 * SECOND
    listed = site.get("/api/keys?limit=100")
    assert {old["id"], new["id"]} <= {each["id"] for each in listed.json()["items"]}
    assert new["key"] not in listed.text


def test_no_overlap_ends_the_old_one_at_once(site: Site) -> None:
    old = new_key(site)
    assert site.get("/api/customers", who=old["key"]).status_code == 200
    new = site.post(f"/api/keys/{old['id']}/rotate", {"overlap_seconds": 0}).json()
    assert site.get("/api/customers", who=old["key"]).status_code == 401
    assert site.get("/api/customers", who=new["key"]).status_code == 200
    assert new["replaced"]["revoked_at"] is not None


def test_an_overlap_never_lengthens_a_life(site: Site) -> None:
    end = "2090-01-01T00:00:00.000000Z"
    long = new_key(site, expires_at=end)
    short = new_key(site)
    site.sql(
        "UPDATE comptoir.keys SET expires_at = now() + interval '1 hour' WHERE id = %s",
        short["id"],
    )
    [(before,)] = site.sql(
        "SELECT comptoir.micros(expires_at) FROM comptoir.keys WHERE id = %s", short["id"]
    )
    for old in (long, short):
        site.post(f"/api/keys/{old['id']}/rotate", {"overlap_seconds": 7200})
    [(after,)] = site.sql(
        "SELECT comptoir.micros(expires_at) FROM comptoir.keys WHERE id = %s", short["id"]
    )
    assert after == before
    ends = site.sql("SELECT expires_at < '2089-01-01' FROM comptoir.keys WHERE id = %s", long["id"])
    assert ends == [(True,)]


def test_the_new_one_lives_as_long_as_the_old_one_was_to(site: Site) -> None:
    old = new_key(site, expires_at="2090-01-01T00:00:00Z")
    life = micros(old["expires_at"]) - micros(old["created_at"])
    new = site.post(f"/api/keys/{old['id']}/rotate").json()
    assert abs(micros(new["expires_at"]) - micros(new["created_at"]) - life) < 60 * SECOND
    said = site.post(f"/api/keys/{new['id']}/rotate", {"expires_at": "2080-01-01T00:00:00Z"}).json()
    assert said["expires_at"] == "2080-01-01T00:00:00.000000Z"


def test_a_repeat_shows_the_same_key_and_makes_no_other(site: Site) -> None:
    old, key = new_key(site), fresh("key")
    first, again = (site.post(f"/api/keys/{old['id']}/rotate", key=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert again.json()["key"] == first.json()["key"]
    assert site.get("/api/customers", who=first.json()["key"]).status_code == 200
    other = new_key(site)
    for path, body, field in (
        (old["id"], {"overlap_seconds": 5}, "overlap_seconds"),
        (old["id"], {"expires_at": "2090-01-01T00:00:00Z"}, "expires_at"),
        (other["id"], {}, "id"),
    ):
        refused = site.post(f"/api/keys/{path}/rotate", body, key=key)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-reused")
        assert refused.json()["field"] == field


@pytest.mark.race
async def test_twins_make_one_key(site: Site) -> None:
    """The overlap is none, so that whoever comes second finds the old key revoked."""
    old, key = new_key(site), fresh("key")
    body = {"overlap_seconds": 0}
    path = f"/api/keys/{old['id']}/rotate"
    answers = await asyncio.gather(
        *(asyncio.to_thread(site.post, path, body, key=key) for _ in range(8))
    )
    assert {each.status_code for each in answers} == {201}
    assert len({each.json()["key"] for each in answers}) == 1
    same = site.sql("SELECT count(*) FROM comptoir.keys WHERE name = %s", old["name"])
    assert same == [(2,)]


def test_what_has_ended_is_not_replaced(site: Site) -> None:
    revoked = new_key(site)
    site.call("DELETE", f"/api/keys/{revoked['id']}")
    site.add_key(LIVE, Role.OPERATOR, expires_at=site.app.clock() - SECOND)
    [(expired,)] = site.sql("SELECT id FROM comptoir.keys WHERE expires_at < now() LIMIT 1")
    for id_ in (revoked["id"], expired):
        refused = site.post(f"/api/keys/{id_}/rotate", headers={"Accept-Language": "fr"})
        assert (refused.status_code, refused.json()["code"]) == (409, "key-ended")
        assert "échue" in refused.json()["detail"]


@pytest.mark.parametrize("id_", ["nonsense", "00000000-0000-7000-8000-000000000000"])
def test_unknown_keys(site: Site, id_: str) -> None:
    refused = site.post(f"/api/keys/{id_}/rotate")
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown-key")


@pytest.mark.parametrize(
    "body",
    [{"overlap_seconds": -1}, {"overlap_seconds": 2_592_001}, {"overlap_seconds": "60"},
     {"overlap_seconds": 1.5}, {"overlap": 5}, {"expires_at": "tomorrow"}, {"book": "other"}],
    ids=repr,
)  # fmt: skip
def test_rotations_that_cannot_be(site: Site, body: object) -> None:
    old = new_key(site)
    refused = site.post(f"/api/keys/{old['id']}/rotate", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "validation-failed")
    assert site.get("/api/customers", who=old["key"]).status_code == 200


def test_keys_of_the_other_book(site: Site) -> None:
    old = new_key(site, book="test")
    path = f"/api/keys/{old['id']}/rotate"
    assert site.post(path).status_code == 404
    made = site.post(path, {"book": "test"})
    assert made.json()["key"].startswith("ck_test_svc_")
    live = new_key(site)
    body = {"book": "live"}
    assert site.post(f"/api/keys/{live['id']}/rotate", body, who="test_op").status_code == 403


async def test_a_hot_key_writes_no_row_a_request(site: Site) -> None:
    """Two servers serve it: the second to write within a minute finds that nothing is to do."""
    from comptoir.app import open_app  # noqa: PLC0415
    from comptoir.web.auth import Doorman  # noqa: PLC0415

    made = new_key(site)
    sent = f"Bearer {made['key']}".encode()
    writes = "SELECT xmin::text, last_used_at FROM comptoir.keys WHERE id = %s"
    seen: set[Any] = set()
    async with open_app(site.app.settings, site.app.urls) as app:
        for doorman in (Doorman(app), Doorman(app)):
            for _ in range(50):
                await doorman.identify(sent, "/api")
                await doorman.note_uses()
                seen.add(site.sql(writes, made["id"])[0])
    assert len(seen) == 1
    assert next(iter(seen))[1] is not None
    [key] = [
        each for each in site.get("/api/keys?limit=100").json()["items"] if each["id"] == made["id"]
    ] or [None]
    if key is not None:
        assert key["last_used_at"] is not None
