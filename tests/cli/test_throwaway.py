"""Throw-away homes: a server that says why it does not start, and a sweeper that leaves nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from comptoir.cli.demo import stage
from comptoir.cli.failures import first_cause
from comptoir.cli.throwaway import Home, server, sweep
from comptoir.kit.errors import Unavailable
from tests.cli.conftest import Shell

DEADLINE = 90.0


async def test_a_server_that_does_not_start_is_quoted(bare: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server, "surroundings", lambda *_: bare.environment(COMPTOIR_ENV="moon"))
    with pytest.raises(ExceptionGroup) as caught:
        async with stage.serving(Home(bare.folder, "en", 1)):
            pass
    error = first_cause(caught.value)
    assert isinstance(error, Unavailable)
    assert error.code == "throwaway-server"
    assert "COMPTOIR_ENV" in str(error.figures["lines"])


def test_the_sweeper_removes_a_socket_folder_too(tmp_path: Path):
    home, sockets = tmp_path / "home", tmp_path / "sockets"
    (home / "postgres").mkdir(parents=True)
    sockets.mkdir()
    (home / "socket_folder").write_text(str(sockets))
    command = [sys.executable, "-P", sweep.__file__, str(home)]
    subprocess.run(command, stdin=subprocess.DEVNULL, timeout=DEADLINE, check=True)
    assert list(tmp_path.iterdir()) == []
