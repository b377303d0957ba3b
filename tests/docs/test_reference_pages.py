"""Every code, setting and route has its page, in both languages, and what pages name is there."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from comptoir.cli.main import application
from comptoir.config import Settings
from comptoir.web.catalogue import PROBLEMS
from comptoir.web.remedies import remedies
from comptoir.web.server import DOCUMENTED
from scripts import reference_pages

PAGES = reference_pages.pages()
VARIABLES = {str(field.alias) for field in Settings.model_fields.values()}
ROUTES = {f"{each.method} {each.path}" for each in DOCUMENTED}


def commands() -> set[str]:
    root: dict[str, object] = getattr(get_command(application()), "commands", {})
    inner = {
        f"{group} {name}" for group, each in root.items() for name in getattr(each, "commands", {})
    }
    return {*root, *inner}


COMMANDS = commands()
ALL_TEXTS = [
    text for each in remedies().values() for text in (*each.cause, *each.fix)
] + [text for each in reference_pages.told().values() for text in each.values()]  # fmt: skip


@pytest.mark.parametrize("code", PROBLEMS)
def test_a_code_has_its_page_in_both_languages(code: str) -> None:
    page, remedy = PAGES[f"errors/{code}.md"], remedies()[code]
    assert f"\n# `{code}`: {PROBLEMS[code].title[0]}\n" in page
    assert PROBLEMS[code].title[1] in page
    english, french = page.split("## En français")
    for (told, told_french), heading in ((remedy.cause, "Why it comes"), (remedy.fix, "What to")):
        assert heading in english
        assert len(told) > 10
        assert told != told_french
        assert reference_pages._plain(told) in english
        assert reference_pages._plain(told_french) in french
    assert f"(errors/{code}.md)" in PAGES["errors.md"]


def test_nothing_is_said_of_what_is_not_there() -> None:
    assert remedies().keys() == PROBLEMS.keys()
    assert reference_pages.told().keys() == VARIABLES


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_a_setting_has_its_place_in_both_languages(name: str) -> None:
    said = reference_pages.told()[name]
    _, _, rest = PAGES["settings.md"].partition(f"## `{name}`\n")
    place = rest.partition("\n## ")[0]
    assert said.keys() == {"meaning", "meaning_fr", "example"}
    assert said["meaning"] != said["meaning_fr"]
    assert reference_pages._plain(said["meaning"]) in place
    assert f"*{reference_pages._plain(said['meaning_fr'])}*" in place
    assert f"- Example: `{said['example']}`" in place
    assert "- Default: " in place


def test_examples_are_values_that_can_be() -> None:
    said = {name: each["example"] for name, each in reference_pages.told().items()}
    Settings.model_validate(said)


def test_every_route_is_listed_in_both_languages() -> None:
    for each in DOCUMENTED:
        english, french = each.summary
        assert f"| {each.method} | `{each.path}` | {english} | {french} |" in PAGES["routes.md"]


def test_commands_routes_and_variables_that_are_named_exist() -> None:
    text = "\n".join(ALL_TEXTS)
    named = set(re.findall(r"`comptoir ([a-z]+(?: [a-z]+)?)`", text))
    assert {"doctor", "key list"} <= named <= COMMANDS
    routes = set(re.findall(r"\b((?:GET|POST|PUT|DELETE) /[a-z0-9/{}-]+)", text))
    assert "POST /api/credits/buy" in routes
    assert routes <= ROUTES
    names = set(re.findall(r"\b[A-Z]{3,}(?:_[A-Z0-9]+)+\b", text))
    assert "DATABASE_URL" in names
    assert names <= VARIABLES


def test_figures_of_a_detail_stand_out_and_braces_stay() -> None:
    shown = reference_pages._figures("{a_b} of {{x}} *y* `z_z`")
    assert shown == "`a_b` of {x} \\*y\\* `z_z`"
    assert reference_pages._plain("GET /x/{id_} `a_b`") == "GET /x/{id\\_} `a_b`"


def test_only_what_has_changed_is_written(tmp_path: Path) -> None:
    reference_pages.write(tmp_path)
    (tmp_path / "errors" / "gone.md").write_text("x")
    (tmp_path / "settings.md").write_text("old")
    kept = tmp_path / "errors.md"
    before = kept.stat().st_mtime_ns
    reference_pages.write(tmp_path)
    assert {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.md")} == PAGES.keys()
    assert (tmp_path / "settings.md").read_text() == PAGES["settings.md"]
    assert kept.stat().st_mtime_ns == before
