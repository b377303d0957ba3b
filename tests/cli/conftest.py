"""What tests of the command line share: a shell in a folder of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from comptoir.cli.main import new_desk, run
from comptoir.config import Settings, surroundings
from tests.support.postgres import Database


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401  # whatever it printed
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs `comptoir` as processes of their own, in a folder without a past."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    def environment(self, **more: str) -> dict[str, str]:
        return surroundings(self.folder, "en") | dict(self.variables) | more

    def __call__(self, *arguments: str, **more: str) -> Ended:
        ended = subprocess.run(
            [sys.executable, "-m", "comptoir.cli", *arguments],
            cwd=self.folder,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return Ended(ended.returncode, ended.stdout, ended.stderr)


@dataclass(frozen=True, slots=True)
class Inside:
    """Runs the same within the test's own process: a second faster, and without a real signal."""

    shell: Shell
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str, **more: str) -> Ended:
        with self.patch.context() as patch:
            for name in os.environ:
                patch.delenv(name)
            for name, value in self.shell.environment(**more).items():
                patch.setenv(name, value)
            patch.chdir(self.shell.folder)
            self.capture.readouterr()
            code = run(arguments, new_desk(Settings.read))
        printed = self.capture.readouterr()
        return Ended(int(code), printed.out, printed.err)


@pytest.fixture
def bare(tmp_path: Path) -> Shell:
    """A shell that knows of no database."""
    return Shell(tmp_path)


@pytest.fixture
def shell(tmp_path: Path, database: Database) -> Shell:
    """A shell whose database is the test's own."""
    return Shell(tmp_path, _pointing_at(database))


@pytest.fixture
def inside(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Inside:
    """The command line within this process, on the test's own database."""
    return Inside(shell, monkeypatch, capsys)


@pytest.fixture
def inside_bare(
    bare: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Inside:
    """The command line within this process, without a database."""
    return Inside(bare, monkeypatch, capsys)


def _pointing_at(database: Database) -> dict[str, str]:
    return {"DATABASE_URL": database.app_url, "DATABASE_DIRECT_URL": database.owner_url}
