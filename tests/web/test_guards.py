"""Locks, quotas, usage, counters and jobs over HTTP: for applications in any language."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.support.site import Site, fresh


def test_a_lock_is_taken_renewed_and_released(site: Site) -> None:
    key = fresh("create-quote")
    made = site.call("POST", "/api/locks", {"key": key, "ttl_seconds": 30}, who="svc")
    assert made.status_code == 201, made.text
    lock = made.json()["lock"]
    busy = site.call("POST", "/api/locks", {"key": key}, who="svc")
    assert (busy.status_code, busy.json()["code"]) == (409, "operation-in-progress")
    assert busy.headers["retry-after"] == "1"
    french = site.call("POST", "/api/locks", {"key": key}, headers={"Accept-Language": "fr"})
    assert french.json()["title"] == "Opération déjà en cours"
    renewed = site.call("POST", f"/api/locks/{lock}/renew", {"ttl_seconds": 60})
    assert renewed.status_code == 200
    assert renewed.json()["expires_at"] > made.json()["expires_at"]
    for released in (True, False):
        answer = site.call("POST", f"/api/locks/{lock}/release")
        assert (answer.status_code, answer.json()["released"]) == (200, released)
    lost = site.call("POST", f"/api/locks/{lock}/renew")
    assert (lost.status_code, lost.json()["code"]) == (409, "lease-lost")
    again = site.call("POST", "/api/locks", {"key": key})
    assert again.json()["token"] > made.json()["token"]


def test_a_repeat_finds_its_own_lock(site: Site) -> None:
    body, key = {"key": fresh("lock")}, fresh("key")
    first = site.call("POST", "/api/locks", body, key=key)
    again = site.call("POST", "/api/locks", body, key=key)
    assert again.status_code == 201
    assert again.json()["lock"] == first.json()["lock"]
    assert again.json()["token"] == first.json()["token"]


def test_locks_of_nobody(site: Site) -> None:
    for name in ("lock_zz", "x", f"lock_{'0' * 31}"):
        answer = site.call("POST", f"/api/locks/{name}/release")
        assert answer.status_code == 422


def test_a_quota_is_reserved_used_and_given_back(site: Site) -> None:
    customer, path = fresh("customer"), "/api/quotas/ai-calls"
    made = site.call("POST", f"{path}/reserve", {"customer": customer, "quantity": 8})
    assert made.status_code == 201, made.text
    assert (made.json()["limit"], made.json()["used"]) == (10, 8)
    reservation = made.json()["reservation"]
    reached = site.call("POST", f"{path}/reserve", {"customer": customer, "quantity": 3})
    problem = reached.json()
    assert (reached.status_code, problem["code"]) == (429, "quota-reached")
    assert (problem["limit"], problem["used"]) == (10, 8)
    assert problem["resets_at"] == made.json()["resets_at"]
    assert 0 < int(reached.headers["retry-after"]) <= 86_400
    french = site.call(
        "POST", f"{path}/reserve", {"customer": customer, "quantity": 3},
        headers={"Accept-Language": "fr"},
    )  # fmt: skip
    assert french.json()["detail"] == "Quota IA atteint (10/jour)."
    used = site.call("POST", f"{path}/commit", {"reservation": reservation, "quantity": 5})
    assert used.json() == {"reservation": reservation, "late": False}
    other = site.call("POST", f"{path}/reserve", {"customer": customer, "quantity": 5}).json()
    site.call("POST", f"{path}/release", {"reservation": other["reservation"]})
    shown = site.get(f"/api/usage?customer={customer}&metrics=ai-calls,quotes").json()
    assert shown["metrics"]["ai-calls"]["used"] == 5
    assert shown["metrics"]["quotes"] == shown["metrics"]["ai-calls"] | {"used": 0, "limit": None}


def test_a_plan_raises_the_quota(site: Site) -> None:
    customer = fresh("customer")
    put = site.call("PUT", f"/api/customers/{customer}", {"plan": "pro"})
    assert put.json()["plan"] == "pro"
    made = site.call(
        "POST", "/api/quotas/ai-calls/reserve", {"customer": customer, "quantity": 100}
    )
    assert (made.status_code, made.json()["limit"]) == (201, 100)
    unknown = site.call("PUT", f"/api/customers/{customer}", {"plan": "gold"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown-plan")


def test_twenty_at_once_get_the_quota(site: Site) -> None:
    customer = fresh("customer")

    def ask(_: int) -> int:
        body = {"customer": customer}
        return site.call("POST", "/api/quotas/ai-calls/reserve", body).status_code

    with ThreadPoolExecutor(20) as pool:
        found = sorted(pool.map(ask, range(20)))
    assert found == [201] * 10 + [429] * 10


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/api/quotas/nothing/reserve", {"customer": "c"}, 404, "unknown-metric"),
        ("/api/quotas/AI/reserve", {"customer": "c"}, 422, "validation-failed"),
        ("/api/quotas/x/reserve", {"customer": "c", "quantity": 0}, 422, "validation-failed"),
        ("/api/quotas/ai-calls/commit", {"reservation": "x"}, 422, "validation-failed"),
        (
            "/api/quotas/ai-calls/commit", {"reservation": str(uuid4())}, 404,
            "reservation-not-found",
        ),
        ("/api/locks", {"key": "k" * 10_000}, 422, "validation-failed"),
        ("/api/locks", {"key": "a\nb"}, 422, "validation-failed"),
        ("/api/locks", {"key": "k", "ttl_seconds": 0}, 422, "validation-failed"),
        ("/api/counters/A", {}, 422, "validation-failed"),
        ("/api/counters/a", {"amount": 10**12}, 422, "validation-failed"),
        ("/api/jobs", {"type": "A"}, 422, "validation-failed"),
        ("/api/jobs", {"type": "a", "payload": []}, 422, "validation-failed"),
        ("/api/jobs", {"type": "a", "payload": {"x": "y" * 300_000}}, 413, "job-too-large"),
        ("/api/jobs", {"type": "a", "payload": {"x": "y" * 5_000_000}}, 413, "job-too-large"),
        ("/api/jobs", {"type": "a", "run_at": "soon"}, 422, "validation-failed"),
        ("/api/jobs", {"type": "a", "unknown": 1}, 422, "validation-failed"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(
    path: str, body: object, status: int, code: str, site: Site
) -> None:
    refused = site.call("POST", path, body)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_counters_count_an_event_once(site: Site) -> None:
    name, key = f"quotes:{uuid4().hex}", fresh("key")
    assert site.get(f"/api/counters/{name}").json() == {"name": name, "value": 0}
    first = site.call("POST", f"/api/counters/{name}", {"id": "q-1"}).json()
    assert first == {"name": name, "value": 1, "counted": True}
    again = site.call("POST", f"/api/counters/{name}", {"id": "q-1"}).json()
    assert again == {"name": name, "value": 1, "counted": False}
    for expected in (True, False):
        answer = site.call("POST", f"/api/counters/{name}", {"amount": 5}, key=key).json()
        assert (answer["value"], answer["counted"]) == (6, expected)
    assert site.call("POST", f"/api/counters/{name}").json()["value"] == 7


def test_usage_counts_for_the_customers_day(site: Site) -> None:
    body, key = {"customer": fresh("customer"), "metric": "quotes", "amount": 3}, fresh("key")
    for expected in (True, False):
        answer = site.call("POST", "/api/usage", body, key=key).json()
        assert (answer["counted"], answer["metrics"]["quotes"]["used"]) == (expected, 3)
    assert site.call("POST", "/api/usage", body).json()["metrics"]["quotes"]["used"] == 6


def test_a_job_is_enqueued_listed_cancelled_and_retried(site: Site) -> None:
    type_ = f"pdf.t{uuid4().hex[:20]}"
    body = {"type": type_, "payload": {"quote": "q-1"}, "unique": "q-1"}
    made = site.call("POST", "/api/jobs", body, who="svc")
    assert made.status_code == 202, made.text
    assert made.json() | {"id": ""} == {"id": "", "queue": "pdf", "status": "pending"}
    id_ = made.json()["id"]
    assert site.call("POST", "/api/jobs", body).json()["id"] == id_, "one waits"
    shown = site.get(f"/api/jobs/{id_}").json()
    assert (shown["payload"], shown["attempts"], shown["result"]) == ({"quote": "q-1"}, 0, None)
    listed = site.get(f"/api/jobs?type={type_}&status=pending&queue=pdf").json()
    assert [each["id"] for each in listed["items"]] == [id_]
    refused = site.call("POST", f"/api/jobs/{id_}/cancel", who="svc")
    assert refused.status_code == 403
    for action, status, code in (("cancel", "cancelled", "job-ended"),
                                 ("retry", "pending", "job-not-retryable")):  # fmt: skip
        assert site.call("POST", f"/api/jobs/{id_}/{action}").json()["status"] == status
        again = site.call("POST", f"/api/jobs/{id_}/{action}")
        assert (again.status_code, again.json()["code"]) == (409, code)


def test_the_same_key_is_the_same_job(site: Site) -> None:
    body, key = {"type": f"t{uuid4().hex[:20]}"}, fresh("key")
    made = site.call("POST", "/api/jobs", body, key=key)
    again = site.call("POST", "/api/jobs", body, key=key)
    assert again.json()["id"] == made.json()["id"]
    assert again.headers["idempotent-replayed"] == "true"
    reused = site.call("POST", "/api/jobs", body | {"priority": 5}, key=key)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency-key-reused")


def test_pages_of_jobs(site: Site) -> None:
    type_ = f"t{uuid4().hex[:20]}"
    ids = [site.call("POST", "/api/jobs", {"type": type_}).json()["id"] for _ in range(5)]
    found: list[str] = []
    path = f"/api/jobs?type={type_}&limit=2"
    page = site.get(path).json()
    for _ in range(3):
        found += [each["id"] for each in page["items"]]
        if page["next_cursor"] is not None:
            page = site.get(f"{path}&cursor={page['next_cursor']}").json()
    assert found == ids[::-1]
    for unknown in (str(uuid4()), "x"):
        assert site.get(f"/api/jobs/{unknown}").json()["code"] == "job-not-found"


def test_customers_may_not_use_guards(site: Site) -> None:
    body = {"customer": fresh("customer"), "ttl_seconds": 60}
    token = site.call("POST", "/api/customer-tokens", body, who="svc").json()["token"]
    for path in ("/api/locks", "/api/jobs", "/api/counters/a", "/api/quotas/ai-calls/reserve"):
        refused = site.call("POST", path, {}, who=token)
        assert refused.status_code == 403
