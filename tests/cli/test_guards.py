"""Where `comptoir serve` refuses to start: by real processes, in both languages, with the fix."""

import psycopg
import pytest

from tests.cli.conftest import Shell
from tests.support.postgres import Database

HOST = ("--host", "0.0.0.0")
EMBEDDED = {
    "production": ((), {"COMPTOIR_ENV": "production"}, ("not for production", "la production")),
    "host": (HOST, {"COMPTOIR_ENV": "staging"}, ("to other machines", "d'autres machines")),
    "stripe": ((), {"STRIPE_SECRET_KEY": "sk_live_1"}, ("live Stripe key", "clé Stripe réelle")),
    "restricted": ((), {"STRIPE_SECRET_KEY": "rk_live_1"}, ("live Stripe", "clé Stripe réelle")),
}


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("case", EMBEDDED)
def test_the_embedded_database_is_refused(case: str, locale: str, bare: Shell):
    arguments, variables, said = EMBEDDED[case]
    told = variables | {"COMPTOIR_LOCALE": locale}
    ended = bare("serve", "--port", "0", *arguments, **told)
    assert (ended.code, ended.out) == (4, "")
    assert said[locale == "fr"] in ended.err
    assert "DATABASE_URL" in ended.err
    assert ended.err.count("\n") == 1
    assert list(bare.folder.iterdir()) == []


@pytest.mark.pg
@pytest.mark.parametrize("locale", ["en", "fr"])
def test_a_database_of_another_environment_is_refused(locale: str, shell: Shell, belongs: None):
    said = {"en": "This database belongs to staging", "fr": "Cette base appartient à staging"}
    ended = shell("serve", "--port", "0", COMPTOIR_ENV="production", COMPTOIR_LOCALE=locale)
    assert ended.code == 4
    assert said[locale] in ended.err
    assert "--force" in ended.err


@pytest.fixture
def belongs(database: Database) -> None:
    """The database was served in staging before."""
    with psycopg.connect(database.owner_url) as connection:
        connection.execute(
            "INSERT INTO comptoir.settings (name, value) VALUES ('environment', 'staging')"
        )


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_a_settings_file_that_cannot_be_read_is_said(locale: str, bare: Shell):
    (bare.folder / ".env").mkdir()
    ended = bare("verify", LC_ALL=f"{locale}_{locale.upper()}.UTF-8", COMPTOIR_LOCALE="")
    assert ended.code == 4
    assert str(bare.folder / ".env") in ended.err
    assert {"en": "settings file", "fr": "fichier de réglages"}[locale] in ended.err
    assert ended.err.count("\n") == 1


def test_a_file_says_where_the_database_is_and_a_real_variable_wins(bare: Shell):
    (bare.folder / ".env").write_text("COMPTOIR_ENV=production\n")
    assert "not for production" in bare("serve", "--port", "0", COMPTOIR_ENV="").err
    away = "postgresql://nobody@127.0.0.1:1/none"
    ended = bare("serve", "--port", "0", COMPTOIR_ENV="", DATABASE_URL=away)
    assert ended.code == 4
    assert "production" not in ended.err
