"""Pages about jobs: lists, one job, trying again and cancelling, once for a form."""

import csv
import re
from html import unescape
from io import StringIO
from typing import Any
from uuid import UUID

import pytest

from comptoir.jobs.model import Status
from comptoir.web.dashboard import works
from comptoir.web.dashboard.veils import VEIL, address, veiled
from tests.support.jobs import job, state
from tests.support.operators import Browser
from tests.support.site import Site, fresh

EVIL = "<img src=x onerror=alert(1)>"
JOBS = "/dashboard/jobs"
DEAD = "/dashboard/dead-jobs/retry"


def type_of_its_own() -> str:
    return fresh("t").lower()


def audited(site: Site, subject: object) -> list[tuple[Any, ...]]:
    return site.sql(
        "SELECT action, reason, who, figures FROM comptoir.audit WHERE subject = %s ORDER BY at",
        str(subject),
    )


def listed(page: str) -> list[str]:
    return re.findall(r'<td class="name text"><a href="/dashboard/jobs/([0-9a-f-]+)"', page)


def test_every_state_is_listed_and_counted(site: Site, ann: Browser) -> None:
    type_ = type_of_its_own()
    made = {each: job(site, type_, each.value, error="OSError") for each in Status}
    page = ann.get(f"{JOBS}?type={type_}").text
    assert listed(page) == [str(id_) for id_ in reversed(made.values())]
    for each, id_ in made.items():
        assert listed(ann.get(f"{JOBS}?state={each}&type={type_}").text) == [str(id_)]
    assert "8 / 8" in page
    assert "2 / 8" in page
    for word in ("waiting", "to be tried again", "dead", "cancelled"):
        assert re.search(rf"{word} <span class=\"badge \w*\">\d", page), word
    french = ann.get(JOBS, **{"Accept-Language": "fr"}).text
    assert "à retenter" in french
    assert "Tâches" in french


def test_no_more_than_a_thousand_are_counted(
    site: Site, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comptoir.jobs.overview.COUNTED", 2)
    for _ in range(3):
        job(site, type_of_its_own(), "cancelled")
    assert re.search(r"cancelled <span class=\"badge \">2\+</span>", ann.get(JOBS).text)


def test_pages_go_on_where_the_last_one_ended(
    site: Site, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(works.tables, "ROWS", 2)
    type_ = type_of_its_own()
    made = [str(job(site, type_)) for _ in range(5)]
    job(site, type_of_its_own())
    path, seen = f"{JOBS}?state=dead&type={type_}", list[str]()
    while path:
        page = ann.get(path).text
        assert len(listed(page)) <= 2
        seen += listed(page)
        found = re.search(r'href="([^"]+)" rel="next"', page)
        path = unescape(found[1]) if found else ""
        assert len(seen) <= 5
    assert seen == made[::-1]


def test_a_rare_type_is_found_behind_many_others(
    site: Site, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(works.tables, "ROWS", 2)
    monkeypatch.setattr("comptoir.jobs.overview.LOOKED_AT", 4)
    rare = type_of_its_own()
    id_ = job(site, rare, "cancelled")
    for _ in range(6):
        job(site, type_of_its_own(), "cancelled")
    page = ann.get(f"{JOBS}?state=cancelled&type={rare}").text
    assert not listed(page)
    assert "Of 4 jobs looked at" in page
    found = re.search(r'href="([^"]+)" rel="next"', page)
    assert found, "there is more to look at"
    assert listed(ann.get(unescape(found[1])).text) == [str(id_)]


def test_a_list_is_a_file_too(site: Site, ann: Browser) -> None:
    type_ = type_of_its_own()
    id_ = job(site, type_, payload={"to": "=1+1", "n": 3}, error="=Error")
    done = ann.get(f"{JOBS}?type={type_}&format=csv")
    assert done.headers["content-type"].startswith("text/csv")
    [row] = csv.DictReader(StringIO(done.text))
    assert (row["id"], row["state"], row["attempts"], row["of"]) == (str(id_), "dead", "8", "8")
    assert row["error"] == "'=Error"
    assert row["subject"] == "n: 3, to: =1+1"


@pytest.mark.parametrize(
    "query",
    [
        "state=moon", "type=%00", "type=" + "x" * 300, "type='; DROP TABLE x", "after=-1",
        "after=99999999999999999999", "after=x", "state=dead&after=0", "format=xml", "type=%27",
    ],
)  # fmt: skip
def test_a_senseless_query_does_no_harm(site: Site, ann: Browser, query: str) -> None:
    job(site, type_of_its_own())
    page = ann.get(f"{JOBS}?{query}")
    assert page.status_code == 200, page.text
    assert bool(listed(page.text)) == ("after=0" not in query)


def test_a_dead_job_is_retried_once_for_a_form(site: Site, ann: Browser) -> None:
    id_ = job(site, type_of_its_own(), error="TimeoutError")
    path = f"{JOBS}/{id_}"
    page = ann.get(path).text
    assert "A try failed: TimeoutError" in page
    form = ann.form(path) | {"reason": "the disk is larger now"}
    assert ann.send(f"{path}/retry", form | {"reason": ""}).status_code == 422
    assert ann.send(f"{path}/retry", form | {"key": "short"}).status_code == 422
    assert state(site, id_) == "failed"
    done = ann.send(f"{path}/retry", form)
    assert (done.status_code, done.headers["location"]) == (303, f"{path}?done=retried")
    assert state(site, id_) == "todo"
    # It dies again meanwhile: the form that is sent once more must not touch it.
    site.sql(
        "UPDATE comptoir.procrastinate_jobs SET status = 'failed', attempts = 8"
        " WHERE args->>'job' = %s", str(id_),
    )  # fmt: skip
    assert ann.send(f"{path}/retry", form).status_code == 303
    assert state(site, id_) == "failed"
    [line] = audited(site, id_)
    assert line[:3] == ("retry-job", "the disk is larger now", "Ann (admin)")


def test_what_cannot_be_retried_has_no_line(site: Site, ann: Browser) -> None:
    id_ = job(site, type_of_its_own(), "running")
    other = job(site, type_of_its_own())
    form = ann.form(f"{JOBS}/{other}") | {"reason": "why"}
    refused = ann.send(f"{JOBS}/{id_}/retry", form)
    assert refused.status_code == 409
    assert refused.headers["content-type"].startswith("text/html")
    assert ann.send(f"{JOBS}/{UUID(int=1)}/retry", form).status_code == 404
    assert ann.send(f"{JOBS}/moon/retry", form).status_code == 404
    assert not audited(site, id_)
    assert not audited(site, UUID(int=1))
    type_ = type_of_its_own()
    first = job(site, type_, unique="one")
    job(site, type_, "pending", unique="one")
    taken = ann.send(f"{JOBS}/{first}/retry", form)
    assert taken.status_code == 409
    assert state(site, first) == "failed"
    assert not audited(site, first)


def test_one_form_of_a_list_has_many_buttons(site: Site, ann: Browser) -> None:
    type_ = type_of_its_own()
    jobs = [job(site, type_) for _ in range(2)]
    here = f"{JOBS}?type={type_}"
    form = ann.form(here) | {"reason": "all is well", "next": here}
    for id_ in jobs:
        done = ann.send(f"{JOBS}/{id_}/retry", form)
        assert done.headers["location"] == f"{here}&done=retried"
        assert state(site, id_) == "todo"
    done = ann.send(f"{JOBS}/{jobs[0]}/cancel", form)
    assert done.status_code == 303
    assert state(site, jobs[0]) == "cancelled"
    assert [line[0] for line in audited(site, jobs[0])] == ["retry-job", "cancel-job"]
    away = ann.send(f"{JOBS}/{jobs[1]}/cancel", form | {"next": "//evil.example"})
    assert away.headers["location"].startswith("/dashboard?")


def test_jobs_are_cancelled_with_a_reason(site: Site, ann: Browser) -> None:
    id_ = job(site, type_of_its_own(), "pending")
    path = f"{JOBS}/{id_}"
    form = ann.form(path) | {"reason": "no need"}
    assert ann.send(f"{path}/cancel", form).status_code == 303
    assert "The job is cancelled." in ann.get(f"{path}?done=cancelled-job").text
    assert state(site, id_) == "cancelled"
    assert ann.send(f"{path}/cancel", form | {"key": "k" * 20}).status_code == 409
    assert [line[:2] for line in audited(site, id_)] == [("cancel-job", "no need")]


def test_dead_jobs_are_retried_together_once(
    site: Site, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_ = type_of_its_own()
    monkeypatch.setattr(works, "MOST", 3)
    dead = [job(site, type_, unique="same" if n > 1 else None) for n in range(4)]
    job(site, type_, "pending", unique="same")
    other = job(site, type_of_its_own())
    here = f"{JOBS}?state=dead&type={type_}"
    page = ann.get(here).text
    assert "at most 3 at a time" in page
    [upto] = re.findall(r'name="upto" value="(\d+)"', page)
    late = job(site, type_)  # nobody has seen it yet
    form = ann.form(here) | {"reason": "mended", "next": here, "type": type_, "upto": upto}
    for _ in range(2):
        done = ann.send(DEAD, form)
        assert done.headers["location"] == f"{here}&done=retried-all"
    # Of the three newest one could be: two others wait under their name already.
    assert [state(site, id_) for id_ in dead] == ["failed", "todo", "failed", "failed"]
    assert {state(site, late), state(site, other)} == {"failed"}
    [line] = audited(site, type_)
    assert line[:2] == ("retry-jobs", "mended")
    assert line[3] == {"jobs": [str(dead[1])]}
    assert ann.send(DEAD, form | {"upto": "x", "reason": ""}).status_code == 422


def test_ranks(site: Site, guest: Browser) -> None:
    id_ = job(site, type_of_its_own())
    path = f"{JOBS}/{id_}"
    guest.sign_in("viewer")
    for shown in (path, JOBS):
        page = guest.get(shown)
        assert page.status_code == 200
        assert "formaction" not in page.text
        assert 'name="reason"' not in page.text
    form = guest.made_up(path) | {"reason": "why"}
    for what in (f"{path}/retry", f"{path}/cancel", DEAD):
        assert guest.send(what, form).status_code == 403
    assert state(site, id_) == "failed"
    guest.sign_in("support")
    assert guest.send(f"{path}/retry", guest.form(path) | {"reason": "why"}).status_code == 303


def test_another_book_has_its_own_jobs(site: Site, ann: Browser, guest: Browser) -> None:
    type_ = type_of_its_own()
    theirs = job(site, type_, book=2)
    mine = job(site, type_)
    assert listed(ann.get(f"{JOBS}?type={type_}").text) == [str(mine)]
    assert ann.get(f"{JOBS}/{theirs}").status_code == 404
    form = ann.form(f"{JOBS}/{mine}") | {"reason": "why"}
    for what in ("retry", "cancel"):
        assert ann.send(f"{JOBS}/{theirs}/{what}", form).status_code == 404
    assert ann.send(DEAD, form | {"type": type_}).status_code == 303
    assert (state(site, theirs), state(site, mine)) == ("failed", "todo")
    guest.sign_in()
    guest.send("/dashboard/book", guest.form("/dashboard") | {"book": "test"})
    page = guest.get(f"{JOBS}?type={type_}").text
    assert listed(page) == [str(theirs)]
    assert "Schedule" not in page, "what comes back is of the live book"


def test_nobodys_text_is_markup(site: Site, ann: Browser) -> None:
    type_ = type_of_its_own()
    id_ = job(site, type_, payload={"a": EVIL, EVIL: "b"}, error=EVIL)
    for path in (f"{JOBS}?type={type_}", f"{JOBS}/{id_}", f"{JOBS}?type={EVIL}"):
        page = ann.get(path).text
        assert "<img" not in page, path
        assert "&lt;img" in page or EVIL in path, path


def test_secrets_of_a_payload_are_not_shown(site: Site, ann: Browser) -> None:
    type_ = type_of_its_own()
    said = {
        "password": "marked-1", "nested": [{"api_key": "marked-2"}], "tokens": 5,
        "url": "https://me:marked-3@x.example/", "note": "key sk_live_marked4", "quote": "q-1",
    }  # fmt: skip
    id_ = job(site, type_, payload=said)
    for path in (f"{JOBS}/{id_}", f"{JOBS}?type={type_}", f"{JOBS}?type={type_}&format=csv"):
        page = ann.get(path).text
        assert "marked" not in page, path
    shown = unescape(ann.get(f"{JOBS}/{id_}").text)
    assert '"tokens": 5' in shown
    assert '"quote": "q-1"' in shown


def test_veils() -> None:
    assert veiled({"Authorization": "x", "a": ["Bearer abc"]}) == {
        "Authorization": VEIL, "a": [f"Bearer {VEIL}"],
    }  # fmt: skip
    many = "https://a:b@x.example,https://y.example/p?key=1,https://z.example"
    assert address(many) == f"https://{VEIL}@x.example,https://y.example/p?{VEIL},https://z.example"
    assert address("https://u:p@ss/w@h.example/x") == f"https://{VEIL}@h.example/x"
    assert address("Shop <shop@example.com>") == "Shop <shop@example.com>"


def test_the_schedule_says_when(site: Site, ann: Browser) -> None:
    periodic = site.app.duties.periodic[0]
    id_ = job(site, periodic.type, "succeeded")
    site.sql(
        "INSERT INTO comptoir.job_slots VALUES (%s, '2026-01-02 03:04:00+00', %s)"
        " ON CONFLICT DO NOTHING", periodic.task, id_,
    )  # fmt: skip
    page = ann.get(JOBS).text
    for each in site.app.duties.periodic:
        assert f"<code>{each.cron}</code>" in page
    assert f'<a href="/dashboard/jobs/{id_}"><time' in re.sub(r">\s+<", "><", page)


def test_dead_jobs_are_on_the_overview(site: Site, ann: Browser) -> None:
    type_ = type_of_its_own()
    id_ = job(site, type_)
    page = ann.get("/dashboard").text
    assert f"The job {type_} failed 8 times" in page
    assert f'href="{JOBS}/{id_}"' in page
