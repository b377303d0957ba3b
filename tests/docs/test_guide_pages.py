"""The guide at /docs/guide: every page is there, and leads where it says; nothing runs in it."""

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import httpx2
import pytest

from comptoir.app.variables import variables
from comptoir.web import guide
from comptoir.web.catalogue import PROBLEMS
from comptoir.web.guide import markdown, tree
from comptoir.web.guide.frame import inline
from comptoir.web.guide.words import CAPTIONS, TITLES, WORDS
from comptoir.web.server import DOCUMENTED
from tests.support.postgres import Cluster
from tests.support.site import Site, serving

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
HOME = "/docs/guide"
MADE = {"reference/routes", "reference/errors", "reference/settings"}
"""Pages that a server makes of itself."""

BY_SPHINX = {"reference/library", "pictures/pages"}
PICTURES = 160 * 1024
"""Bytes of all pictures that the wheel may carry."""


@pytest.fixture(scope="module")
def site(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with cluster.database() as base, serving(base, tmp_path_factory.mktemp("home")) as up:
        yield up


@dataclass
class Seen(HTMLParser):
    """What is of interest in a page."""

    text: str
    ids: list[str] = field(default_factory=list[str])
    links: list[str] = field(default_factory=list[str])
    loads: list[str] = field(default_factory=list[str])
    tags: set[str] = field(default_factory=set[str])
    attributes: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value or "")
            if name == "src" or (tag == "link" and name == "href"):
                self.loads.append(value or "")
            elif name == "href":
                self.links.append(value or "")


def read(site: Site, path: str, language: str = "en") -> httpx2.Response:
    return site.get(path, who=None, headers={"Accept-Language": language})


@pytest.fixture(scope="module")
def found(site: Site) -> dict[str, Seen]:
    """Every page that is found by following links, by its address."""
    pages: dict[str, Seen] = {}
    waiting = [HOME]
    while waiting:
        path = waiting.pop()
        answer = read(site, path)
        assert answer.status_code == 200, path
        pages[path] = Seen(answer.text)
        if path.startswith(HOME):  # elsewhere it is looked whether it is there, and no further
            led = {urldefrag(urljoin(path, link))[0] for link in pages[path].links}
            waiting += {each for each in led if each.startswith("/")} - {*pages, *waiting}
    return pages


def test_every_file_is_found_by_following_links(found: dict[str, Seen]) -> None:
    written = {each.relative_to(DOCS).as_posix()[:-3] for each in DOCS.glob("*/*.md")}
    written -= MADE | BY_SPHINX
    assert len(written) > 40
    assert {f"{HOME}/{name}" for name in written} <= found.keys()
    assert {f"{HOME}/reference/settings", "/docs", "/problems"} <= found.keys()


def test_every_file_of_the_navigation_stands_in_it_once() -> None:
    listed = [each.name for section in tree.sections() for each in section.entries]
    assert len(listed) == len(set(listed))
    beside = {name for name in tree.names() if name.startswith("decisions/")}
    assert tree.names() - beside <= set(listed)
    text = (DOCS / "index.md").read_text()
    assert text.count("```{toctree}") == len(tree.sections())
    assert {section.caption for section in tree.sections()} == CAPTIONS.keys()


def test_every_part_of_a_page_that_is_linked_to_is_there(found: dict[str, Seen]) -> None:
    parts = 0
    for path, page in found.items():
        assert len(page.ids) == len(set(page.ids)), path
        for link in page.links:
            target, part = urldefrag(urljoin(path, link))
            if part and target in found:
                parts += 1
                assert part in found[target].ids, (path, link)
    assert parts > len(found)  # each page leads to its own rail


def test_pictures_are_there_and_none_is_carried_for_nothing(
    site: Site, found: dict[str, Seen]
) -> None:
    shown = {each for page in found.values() for each in page.loads if each.endswith(".png")}
    assert shown == {f"{HOME}/{each}" for each in tree.images()}
    for each in shown:
        answer = read(site, each)
        assert answer.headers["content-type"] == "image/png"
        assert answer.content == (DOCS / each.removeprefix(f"{HOME}/")).read_bytes()
    assert sum((DOCS / each).stat().st_size for each in tree.images()) <= PICTURES


def test_nothing_runs_and_nothing_is_foreign(site: Site, found: dict[str, Seen]) -> None:
    for path, page in found.items():
        assert not page.tags & {"script", "style", "iframe", "form", "object"}, path
        assert not [each for each in page.attributes if each == "style" or each.startswith("on")]
        assert [each for each in page.loads if not each.startswith("/")] == []
        assert {each.partition(":")[0] for each in page.links if ":" in each} <= {"https", "http"}
    [policy] = read(site, HOME).headers.get_list("content-security-policy")
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'; ")
    assert "script" not in policy
    [style] = found[HOME].loads
    assert read(site, style).headers["content-type"].startswith("text/css")


def test_boxes_that_scroll_can_be_reached_by_keys(site: Site) -> None:
    page = read(site, f"{HOME}/guides/sell-credits").text + read(site, f"{HOME}/guides/badge").text
    assert page.count("<pre") == page.count('<pre tabindex="0"') > 10
    assert page.count("<table") == page.count('<div class="wide" tabindex="0"><table') > 3


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_stands_around_is_in_the_readers_language(site: Site, language: str) -> None:
    at = ["en", "fr"].index(language)
    for path in (HOME, f"{HOME}/guides/holds"):
        answer = read(site, path, language)
        assert answer.headers["content-language"] == language
        assert f'<html lang="{language}">' in answer.text
        assert 'lang="en"' in answer.text
        assert (WORDS["english"][1] in answer.text.replace("&#x27;", "'")) == (language == "fr")
        for texts in CAPTIONS.values():
            assert texts[at].replace("'", "&#x27;") in answer.text


def test_french_says_something_else() -> None:
    same = {"pages", "routes", "Guides", "reference/routes"}
    for name, (english, french) in (WORDS | CAPTIONS | TITLES).items():
        assert french
        assert (english != french) == (name not in same), name


def test_every_setting_has_its_place_in_both_languages(site: Site) -> None:
    path = f"{HOME}/reference/settings"
    for language in ("en", "fr"):
        page = read(site, path, language).text
        for each in variables():
            _, _, rest = page.partition(f'<h2 id="{each.name}">')
            place = rest.partition("<h2")[0]
            said = guide.told()[each.name]
            assert inline(said["meaning" if language == "en" else "meaning_fr"]) in place
            assert each.is_secret == (WORDS["secret"][0 if language == "en" else 1] in
                                      place.replace("&#x27;", "'"))  # fmt: skip
    assert len(variables()) > 30


def test_every_route_and_every_code_has_its_place_in_both_languages(site: Site) -> None:
    for at, language in enumerate(("en", "fr")):
        routes = read(site, "/docs", language).text.replace("&#x27;", "'")
        assert [each.path for each in DOCUMENTED if each.summary[at] not in routes] == []
        codes = read(site, "/problems", language).text.replace("&#x27;", "'")
        assert [code for code in PROBLEMS if PROBLEMS[code].title[at] not in codes] == []
        assert f'href="{HOME}"' in routes


@pytest.mark.parametrize(
    "path",
    [
        "nothing/nowhere", "guides/nothing", "guides/holds.md", "reference/library", "guides",
        "..%2Fconf.py", "decisions/seeds.txt", "guides/..%2Findex", "reference/errors/internal",
    ],
)  # fmt: skip
def test_whatever_else_is_not_there(site: Site, path: str) -> None:
    answer = read(site, f"{HOME}/{path}")
    assert answer.status_code == 404
    assert answer.json()["code"] in {"not-found", "route-not-found"}


def test_what_is_asked_for_again_is_compressed_and_the_same(site: Site) -> None:
    plain = site.get(HOME, who=None, headers={"Accept-Encoding": "identity"})
    zipped = site.get(HOME, who=None, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert zipped.headers["content-encoding"] == "gzip"
    assert plain.content == zipped.content
    assert set(zipped.headers["vary"].split(", ")) == {"Accept-Language", "Accept-Encoding"}


def test_no_html_and_no_style_of_a_page_comes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "# A <b>b</b> & `c<d`\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) "
        '<i onclick="x">y</i>\n\n| n | |\n|---:|---|\n| 1 | 2 |\n\n```{toctree}\nx\n```\n\n'
        "## Two\n\n## Two\n"
    )
    monkeypatch.setattr(tree, "source", lambda _name: text)
    made = markdown.rendered("guides/x")
    seen = Seen(made)
    assert seen.tags == {
        "h1", "h2", "p", "code", "div", "table", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip
    assert seen.attributes == {"id", "class", "tabindex"}
    assert seen.ids[1:] == ["two", "two-1"]
    assert '<td class="r">1</td>' in made
    assert "<td></td>\n</tr>\n</thead>" in made
    assert "toctree" not in made
    assert markdown.plain("A `b` [c](d.md) & *e*") == "A b c &amp; e"


def test_the_wheel_has_every_page_and_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    [wheel] = tmp_path.glob("*.whl")
    folder = "comptoir/web/guide/pages/"
    with zipfile.ZipFile(wheel) as archive:
        inside = {each for each in archive.namelist() if each.startswith(folder)}
        archive.extractall(tmp_path / "installed")
    wanted = {f"{name}.md" for name in tree.names()} | tree.images() | {"index.md"}
    assert {f"{folder}{each}" for each in wanted} <= inside
    assert {each for each in inside if "library" in each and "reference" in each} == set()
    place = tmp_path / "installed" / "comptoir" / "web" / "guide" / "tree.py"
    spec = spec_from_file_location("installed_tree", place)
    assert spec is not None
    assert spec.loader is not None
    installed = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "installed_tree", installed)
    spec.loader.exec_module(installed)
    assert installed.folder() == tmp_path / "installed" / folder
    assert installed.names() == tree.names()


def test_what_renders_is_a_dependency_of_ours() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert any(re.match(r"markdown-it-py\b", each) for each in project["dependencies"])
