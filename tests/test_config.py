"""Settings: which of several places wins, and what is said of a file that cannot be read."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from comptoir.config import Environment, Settings, inherited_sockets
from comptoir.kit.errors import ComptoirError

NAME = "COMPTOIR_PUBLIC_URL"
PLACES = (".env", ".env.local", ".env.staging.local", "real")
"""From the weakest to the strongest."""


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)


@pytest.mark.parametrize("above", range(1, 4))
@pytest.mark.parametrize("below", range(3))
def test_the_first_place_that_has_a_variable_wins(
    below: int, above: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if above <= below:
        below, above = above - 1, below + 1
    monkeypatch.setenv("COMPTOIR_ENV", "staging")
    for place in (PLACES[below], PLACES[above]):
        if place == "real":
            monkeypatch.setenv(NAME, place)
        else:
            (tmp_path / place).write_text(f"{NAME}={place}\n")
    assert Settings.read(tmp_path).public_url == PLACES[above]


def test_another_environments_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / ".env.production.local").write_text(f"{NAME}=production\n")
    (tmp_path / ".env.development.local").write_text(f"{NAME}=development\n")
    assert Settings.read(tmp_path).public_url == "development"
    monkeypatch.setenv("COMPTOIR_ENV", "production")
    assert Settings.read(tmp_path).public_url == "production"


@pytest.mark.parametrize("file", [".env", ".env.local"])
def test_a_file_may_say_which_environment_it_is(file: str, tmp_path: Path):
    (tmp_path / file).write_text("COMPTOIR_ENV=production\n")
    (tmp_path / ".env.production.local").write_text(f"{NAME}=production\n")
    (tmp_path / ".env.development.local").write_text(f"{NAME}=development\n")
    settings = Settings.read(tmp_path)
    assert (settings.env, settings.public_url) == (Environment.PRODUCTION, "production")


@pytest.mark.parametrize("env", ["../../etc", "prod"])
def test_an_environment_that_is_none_is_refused_and_no_path(
    env: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COMPTOIR_ENV", env)
    with pytest.raises(ValidationError, match="COMPTOIR_ENV"):
        Settings.read(tmp_path)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("{}=plain", "plain"),
        ("export {}=shell", "shell"),
        ("{}='single # quoted'", "single # quoted"),
        ('{}="double \\" quoted"', 'double " quoted'),
        ("{}=bare # a comment", "bare"),
        ("{} = spaced ", "spaced"),
        ("\ufeff# a mark\n{}=after", "after"),
        ("{}=é", "é"),
        ("{}=", None),
        ("{}=''", None),
        ("{}", None),
        ("# {}=no", None),
    ],
)
def test_lines_of_a_file(line: str, value: str | None, tmp_path: Path):
    (tmp_path / ".env").write_text(line.format(NAME) + "\n", encoding="utf-8")
    assert Settings.read(tmp_path).public_url == value


def test_a_real_variable_without_a_value_counts_as_unset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / ".env").write_text(f"{NAME}=file\n")
    monkeypatch.setenv(NAME, "")
    assert Settings.read(tmp_path).public_url == "file"


def test_a_line_without_a_value_hides_no_weaker_file(tmp_path: Path):
    (tmp_path / ".env").write_text(f"{NAME}=file\n")
    (tmp_path / ".env.local").write_text(f"{NAME}=\n")
    assert Settings.read(tmp_path).public_url == "file"


def make_folder(path: Path) -> None:
    path.mkdir()


def make_unreadable(path: Path) -> None:
    """Also for root, for whom rights of files mean nothing."""
    path.symlink_to("/proc/self/mem")


def make_latin(path: Path) -> None:
    path.write_bytes("COMPTOIR_PUBLIC_URL=caf\u00e9\n".encode("latin-1"))


UNREADABLE = {
    "a folder": (make_folder, "env-file-unreadable"),
    "unreadable": (make_unreadable, "env-file-unreadable"),
    "another encoding": (make_latin, "env-file-encoding"),
}


@pytest.mark.parametrize("file", [".env", ".env.local", ".env.development.local"])
@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_file_that_cannot_be_read_is_named(kind: str, file: str, tmp_path: Path):
    make: Callable[[Path], None]
    make, code = UNREADABLE[kind]
    make(tmp_path / file)
    with pytest.raises(ComptoirError, match=code) as caught:
        Settings.read(tmp_path)
    assert caught.value.figures["file"] == str(tmp_path / file)


@pytest.mark.parametrize(
    ("pid", "fds", "expected"),
    [("own", "1", [3]), ("own", "2", [3, 4]), ("1", "1", []), ("own", "x", []), ("own", "", [])],
)
def test_sockets_are_inherited_by_the_process_that_they_were_meant_for(
    pid: str, fds: str, expected: list[int], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()) if pid == "own" else pid)
    monkeypatch.setenv("LISTEN_FDS", fds)
    assert list(inherited_sockets()) == expected
