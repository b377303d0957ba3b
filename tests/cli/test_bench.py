"""bench: the measurements of the source tree, when there is one."""

import sys
from pathlib import Path

import pytest

import comptoir
from tests.cli.conftest import Inside


def installed(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    monkeypatch.setattr(comptoir, "__file__", str(root / "src" / "comptoir" / "__init__.py"))


def test_without_a_source_tree(
    inside_bare: Inside, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    installed(monkeypatch, tmp_path)
    ended = inside_bare("bench")
    assert ended.code == 4
    assert "make bench" in ended.err


def test_arguments_and_exit_code_pass_through(
    inside_bare: Inside, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "__main__.py").write_text(
        "import sys; from pathlib import Path\n"
        "Path('seen').write_text(' '.join(sys.argv[1:])); sys.exit(7)\n"
    )
    installed(monkeypatch, tmp_path)
    ended = inside_bare("bench", "hot", "--seconds", "3")
    assert ended.code == 7
    assert (tmp_path / "seen").read_text() == "hot --seconds 3"
    assert sys.executable
