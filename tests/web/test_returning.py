"""Where a customer comes back to from the page on which he has paid, or has not."""

from html import unescape

import pytest

from comptoir.web import assets
from tests.support.site import Site


@pytest.mark.parametrize(
    ("query", "language", "heading"),
    [
        ("", "en", "Thank you"),
        ("?purchase=p", "fr", "Merci"),
        ("?plan=pro", "en", "Thank you"),
        ("?plan=pro&canceled=1", "en", "Nothing was paid"),
        ("?purchase=p&canceled=1", "fr", "Rien n'a été payé"),
    ],
)
def test_a_page_for_whoever_comes_back(site: Site, query: str, language: str, heading: str) -> None:
    page = site.http.get(f"{site.url}/return{query}", headers={"Accept-Language": language})
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-language"] == language
    assert heading in unescape(page.text)


def test_one_policy_and_a_style_that_it_lets_in(site: Site) -> None:
    page = site.http.get(f"{site.url}/return")
    policies = page.headers.get_list("content-security-policy")
    assert policies == [page.headers["content-security-policy"]]
    assert "style-src 'self'" in policies[0]
    assert "<style" not in page.text
    assert f'href="{assets.address("app.css")}"' in page.text


def test_what_is_none_of_it_is_refused(site: Site) -> None:
    for query in ("?canceled=2", "?x=1", "?purchase=" + "a" * 51):
        assert site.http.get(f"{site.url}/return{query}").status_code == 422
