"""A dead job in a real browser: found on the first page, tried again, in both languages."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.jobs import job, state
from tests.support.operators import new_login
from tests.support.postgres import Cluster
from tests.support.site import Site, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@dataclass(frozen=True, slots=True)
class Words:
    """What the pages say in a language."""

    locale: str
    need: str
    look: str
    reason: str
    retry: str
    dead: str
    waiting: str
    retried: str


ENGLISH = Words(
    "en-GB", "The job", "Look and retry", "Reason", "Try again", "dead", "waiting", "tried again"
)
FRENCH = Words(
    "fr-FR", "La tâche", "Voir et retenter", "Motif", "Retenter", "morte", "en attente", "retentée"
)


@pytest.fixture(scope="module")
def busy(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with cluster.database() as base, serving(base, tmp_path_factory.mktemp("home")) as site:
        yield site


@pytest.fixture(scope="module")
def cookies(busy: Site, chromium: Browser) -> list[dict[str, str]]:
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{busy.url}/login/{new_login(busy)}")
        page.get_by_role("button", name="Sign in here").click()
        page.wait_for_url(f"{busy.url}/dashboard")
        return [dict(each) for each in context.cookies()]  # type: ignore[misc]


def opened(chromium: Browser, cookies: object, **more: object) -> tuple[Page, list[str]]:
    """A page, and what it should not have said."""
    context = chromium.new_context(**more)  # type: ignore[arg-type]
    context.add_cookies(cookies)  # type: ignore[arg-type]
    page, faults = context.new_page(), list[str]()
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    return page, faults


@pytest.mark.parametrize("words", [ENGLISH, FRENCH], ids=lambda words: words.locale)
def test_a_dead_job_is_found_and_retried(
    busy: Site, chromium: Browser, cookies: object, words: Words
) -> None:
    type_ = f"pdf.{words.locale.lower()}"
    id_ = job(busy, type_, payload={"quote": "q-7"}, error="TimeoutError")
    page, faults = opened(chromium, cookies, locale=words.locale)
    page.goto(f"{busy.url}/dashboard")
    need = page.get_by_role("listitem").filter(has_text=f"{words.need} {type_}")
    need.get_by_role("link", name=words.look).click()
    page.wait_for_url(f"**/dashboard/jobs/{id_}")
    badge = page.locator(".facts .badge")
    expect(badge).to_have_text(words.dead)
    button = page.get_by_role("button", name=words.retry)
    button.click()  # without a reason nothing is sent
    assert state(busy, id_) == "failed"
    page.get_by_label(words.reason).fill("The printer is back")
    button.click()
    expect(page.get_by_role("status")).to_contain_text(words.retried)
    expect(badge).to_have_text(words.waiting)
    assert state(busy, id_) == "todo"
    page.goto(f"{busy.url}/dashboard")
    expect(need).to_have_count(0)
    assert not faults
    page.context.close()
