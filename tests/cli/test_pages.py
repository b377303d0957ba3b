"""Help pages, usage errors, and the language in which they are."""

import pytest

from comptoir import __version__
from tests.cli.conftest import Inside, Shell

COMMANDS = (
    "demo", "serve", "migrate", "verify", "doctor", "backup", "restore", "move", "torture",
    "bench", "sandbox", "key", "customer", "book", "credits", "pack", "webhook", "reconcile",
    "trigger", "worker", "stock", "job", "price", "login", "portal",
)  # fmt: skip
LEAVES = (
    ("demo",),
    ("serve",),
    ("migrate",),
    ("verify",),
    ("torture",),
    ("doctor",),
    ("backup", "FILE"),
    ("restore", "FILE"),
    ("move", "DATABASE_URL"),
    ("bench",),
    ("sandbox",),
    ("reconcile",),
    ("trigger", "TYPE"),
    ("pack", "seed", "[FILE]"),
    ("pack", "push"),
    ("pack", "list"),
    ("price", "list"),
    ("price", "set"),
    *(("job", verb) for verb in ("list", "show", "retry", "cancel")),
    *(("webhook", verb) for verb in ("list", "show", "replay")),
    ("key", "create"),
    ("key", "list"),
    ("key", "revoke"),
    ("key", "rotate"),
    *(("customer", verb) for verb in ("list", "show", "set", "export", "erase")),
    ("book", "reset"),
    *(("credits", verb) for verb in ("grant", "spend", "hold", "capture", "release")),
    *(("credits", noun) for noun in ("balance", "transactions", "lots", "import")),
)


def test_version(bare: Shell):
    ended = bare("--version")
    assert (ended.code, ended.out, ended.err) == (0, f"{__version__}\n", "")


@pytest.mark.parametrize("arguments", [(), ("--help",)], ids=["nothing", "help"])
def test_contents_name_every_command(inside_bare: Inside, arguments: tuple[str, ...]):
    ended = inside_bare(*arguments)
    assert ended.code == 0
    assert all(f"  {name} " in ended.out for name in COMMANDS)


@pytest.mark.parametrize("command", LEAVES, ids=" ".join)
def test_every_page_is_written_in_both_languages(inside_bare: Inside, command: tuple[str, ...]):
    english = inside_bare(*command, "--help")
    french = inside_bare(*command, "--help", COMPTOIR_LOCALE="fr")
    assert english.code == french.code == 0
    assert english.out.startswith("Usage: comptoir " + " ".join(command))
    assert french.out.startswith("Usage : comptoir " + " ".join(command))
    assert "Afficher cette page." in french.out
    assert "--exit-with-parent" not in english.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("grow",), "does not exist"),
        (("key",), "does not exist"),
        (("key", "create", "--role", "operator"), "--name is missing"),
        (("key", "create", "--role", "king", "--name", "x"), "--role must be operator|service"),
        (("key", "list", "--colour"), "no option --colour"),
        (("key", "list", "--book"), "--book needs a value"),
        (("serve", "--port", "http"), "--port must be a whole number from 0 to 65535"),
        (("serve", "--port", "65536"), "--port must be a whole number from 0 to 65535"),
        (("credits", "spend", "--customer", "a", "--quantity", "x"), "--quantity must be a whole"),
        (("verify", "now"), "does not exist"),
        (("credits", "import"), "FILE is missing"),
        (("credits", "import", "x", "--format", "xml"), "--format must be csv|jsonl|redis"),
        (("backup",), "FILE is missing"),
        (("trigger", "--customer", "a"), "TYPE is missing"),
        (("trigger", "invoice.lost", "--customer", "a"), "TYPE must be payment_intent.succeeded|"),
        (("trigger", "invoice.paid", "--customer", "a", "--times", "99"), "from 1 to 20"),
        (("move",), "DATABASE_URL is missing"),
        (("restore", "a", "b"), "does not exist"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_usage_errors_are_one_line_with_the_way_out(
    inside_bare: Inside, arguments: tuple[str, ...], said: str
):
    ended = inside_bare(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert "--help" in ended.err


def test_language_comes_from_comptoir_then_from_the_terminal(inside_bare: Inside):
    def said(**variables: str) -> str:
        return inside_bare("--help", **variables).out

    assert "Usage :" in said(COMPTOIR_LOCALE="fr", LANG="en_GB.UTF-8")
    assert "Usage: " in said(COMPTOIR_LOCALE="en", LANG="fr_FR.UTF-8")
    assert "Usage :" in said(COMPTOIR_LOCALE="", LC_ALL="", LC_MESSAGES="", LANG="fr_FR.UTF-8")
    assert "Usage: " in said(COMPTOIR_LOCALE="", LC_ALL="", LC_MESSAGES="", LANG="de_DE.UTF-8")


def test_an_env_file_may_say_the_language(inside_bare: Inside):
    (inside_bare.shell.folder / ".env").write_text("COMPTOIR_LOCALE=fr\n")
    assert "Usage :" in inside_bare("--help", COMPTOIR_LOCALE="").out


def test_a_setting_that_cannot_be_is_a_usage_error_but_help_still_works(inside_bare: Inside):
    ended = inside_bare("verify", COMPTOIR_ENV="moon")
    assert ended.code == 2
    assert "COMPTOIR_ENV" in ended.err
    assert inside_bare("--help", COMPTOIR_ENV="moon").code == 0
