"""The tools that judge the code, run as tests, so that `make test` and CI cannot forget one."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import comptoir

ROOT = Path(__file__).resolve().parents[2]
TOOLS = {
    "ruff check": ["ruff", "check", "--output-format=concise"],
    "ruff format": ["ruff", "format", "--check"],
    "pyright": ["pyright", "--pythonpath", sys.executable],
    "import contracts": ["lint-imports", "--no-logo"],
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("tool", TOOLS)
def test_tool_is_content(tool: str):
    command, *arguments = TOOLS[tool]
    # The tools are not what is measured.
    surroundings = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    ended = subprocess.run(
        [Path(sys.executable).with_name(command), *arguments],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, f"\n{ended.stdout}{ended.stderr}"


def test_one_version_everywhere():
    assert comptoir.__version__ == version("comptoir")
