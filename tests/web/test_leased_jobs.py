"""Workers in any language: they lease jobs over HTTP, and say what became of them."""

from typing import Any
from uuid import uuid4

import pytest

from tests.support.site import Site, fresh


def kind() -> str:
    return f"pdf.t{uuid4().hex[:20]}"


def enqueue(site: Site, type_: str, **payload: object) -> str:
    made = site.call("POST", "/api/jobs", {"type": type_, "payload": payload}, who="svc")
    return made.json()["id"]


def lease(site: Site, type_: str, who: str = "svc", **more: object) -> list[dict[str, Any]]:
    found = site.call("POST", "/api/jobs/lease", {"types": [type_]} | more, who=who)
    assert found.status_code == 200, found.text
    return found.json()["items"]


def test_a_job_is_leased_renewed_and_done(site: Site) -> None:
    type_ = kind()
    id_ = enqueue(site, type_, quote="Q-1")
    assert lease(site, type_, who="test_svc") == [], "books do not mix"
    [found] = lease(site, type_)
    assert (found["id"], found["type"], found["attempt"]) == (id_, type_, 1)
    assert (found["payload"], found["key"]) == ({"quote": "Q-1"}, f"job:{id_}")
    assert lease(site, type_) == []
    held = {"lease": found["lease"]}
    longer = site.call("POST", f"/api/jobs/{id_}/renew", held | {"lease_seconds": 600}).json()
    assert longer["expires_at"] > found["expires_at"]
    done = site.call("POST", f"/api/jobs/{id_}/complete", held | {"result": {"file": "a.pdf"}})
    assert (done.status_code, done.json()["status"]) == (200, "succeeded")
    assert site.get(f"/api/jobs/{id_}").json()["result"] == {"file": "a.pdf"}
    late = site.call("POST", f"/api/jobs/{id_}/fail", held | {"error": "X"})
    assert (late.status_code, late.json()["code"]) == (409, "job-lease-lost")


def test_a_job_that_fails_waits_or_is_dead(site: Site) -> None:
    type_ = kind()
    ids = [enqueue(site, type_, number=n) for n in range(2)]
    for found, final, status in zip(
        lease(site, type_, limit=10), (False, True), ("failed", "dead"), strict=True
    ):
        body = {"lease": found["lease"], "error": "RendererDown", "final": final}
        said = site.call("POST", f"/api/jobs/{found['id']}/fail", body).json()
        assert (said["status"], said["attempts"]) == (status, 1)
    assert site.get(f"/api/jobs/{ids[1]}").json()["error"] == "RendererDown"
    again = site.call("POST", f"/api/jobs/{ids[1]}/retry")
    assert again.json()["status"] == "pending"
    assert [each["id"] for each in lease(site, type_)] == [ids[1]]


NOBODY = "0192f3a1-7b2c-7d3e-8f40-5a6b7c8d9e0f"
HELD = {"lease": NOBODY}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("lease", {"types": []}, 422, "validation-failed"),
        ("lease", {"types": ["A"]}, 422, "validation-failed"),
        ("lease", {"types": ["a"] * 21}, 422, "validation-failed"),
        ("lease", {"types": ["a"], "limit": 11}, 422, "validation-failed"),
        ("lease", {"types": ["a"], "lease_seconds": 0}, 422, "validation-failed"),
        ("lease", {"types": ["a"], "lease_seconds": 3601}, 422, "validation-failed"),
        ("lease", {"types": ["a"], "worker": "x"}, 422, "validation-failed"),
        (f"{NOBODY}/renew", {"lease": "x"}, 422, "validation-failed"),
        (f"{NOBODY}/renew", HELD, 404, "job-not-found"),
        (f"{NOBODY}/complete", HELD, 404, "job-not-found"),
        (f"{NOBODY}/complete", HELD | {"result": [1]}, 422, "validation-failed"),
        (f"{NOBODY}/complete", HELD | {"result": {"x": "\0"}}, 422, "validation-failed"),
        (f"{NOBODY}/complete", HELD | {"result": {"x": "y" * 300_000}}, 413, "job-too-large"),
        (f"{NOBODY}/fail", HELD, 422, "validation-failed"),
        (f"{NOBODY}/fail", HELD | {"error": "Ada's card was refused"}, 422, "validation-failed"),
        (f"{NOBODY}/fail", HELD | {"error": "X"}, 404, "job-not-found"),
        ("x/complete", HELD, 404, "job-not-found"),
    ],
)
def test_what_cannot_be_is_refused(
    site: Site, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    for language in ("en", "fr"):
        said = site.call("POST", f"/api/jobs/{path}", body, headers={"Accept-Language": language})
        assert (said.status_code, said.json()["code"]) == (status, code), said.text


def test_customers_may_not_do_jobs(site: Site) -> None:
    body = {"customer": fresh("customer"), "ttl_seconds": 60}
    token = site.call("POST", "/api/customer-tokens", body, who="svc").json()["token"]
    for path in ("lease", f"{NOBODY}/renew", f"{NOBODY}/complete", f"{NOBODY}/fail"):
        assert site.call("POST", f"/api/jobs/{path}", {}, who=token).status_code == 403
