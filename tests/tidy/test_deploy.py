"""What deploy/ says is true of this program: files parse, commands and variables exist."""

import configparser
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import typer
import yaml
from typer.main import get_command

from comptoir.cli.main import application
from comptoir.cli.serving import _DRAIN_SECONDS
from comptoir.config import Settings

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
UNITS: Final = sorted(DEPLOY.glob("systemd/*"))
CONTAINER: Final = DEPLOY / "container" / "Containerfile"
COMPOSE: Final = DEPLOY / "container" / "compose.yaml"
POSTGRES: Final = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"}
"""Of PostgreSQL's own image."""
PROGRAM: Final = "/opt/comptoir/bin/comptoir"
KNOWN: Final = {field.alias for field in Settings.model_fields.values()}


def unit(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]  # as documented
    parser.read_string(path.read_text())
    return parser


def compose() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text())["services"]


def instruction(name: str) -> str:
    [found] = re.findall(rf"^{name} (.+)$", CONTAINER.read_text(), re.MULTILINE)
    return found


def commands() -> Iterator[list[str]]:
    """Every command line of the program, without its name."""
    for path in UNITS:
        for key, line in unit(path).items("Service") if path.suffix == ".service" else ():
            if key == "ExecStart":
                program, *arguments = shlex.split(line)
                assert program == PROGRAM
                yield arguments
    [entry], arguments = (yaml.safe_load(instruction(name)) for name in ("ENTRYPOINT", "CMD"))
    assert entry == PROGRAM
    yield arguments
    yield from (each["command"] for each in compose().values() if "command" in each)


def variables() -> Iterator[str]:
    for path in UNITS:
        for line in path.read_text().splitlines():
            if line.startswith("Environment="):
                yield line.removeprefix("Environment=").partition("=")[0]
    yield from re.findall(r"^ENV (\w+)=", CONTAINER.read_text(), re.MULTILINE)
    yield from re.findall(r"\$\{(\w+)", COMPOSE.read_text())
    for one in compose().values():
        yield from one.get("environment", {})


@pytest.mark.parametrize("arguments", list(commands()), ids=" ".join)
def test_a_command_line_is_a_real_one_with_real_options(arguments: list[str]):
    command = get_command(application())
    name, *rest = arguments
    found = command.get_command(typer.Context(command), name)  # pyright: ignore[reportAttributeAccessIssue]
    assert found is not None
    found.make_context(name, rest)  # raises what a wrong option is told


def test_every_environment_variable_exists():
    assert set(variables()) - KNOWN - POSTGRES == set()


def test_units_name_units_that_exist():
    names = {path.name for path in UNITS}
    assert {"comptoir.socket", "comptoir-verify.timer", "comptoir-backup.timer"} <= names
    for path in UNITS:
        if path.suffix == ".timer":
            assert path.with_suffix(".service").name in names
    found = unit(DEPLOY / "systemd" / "comptoir.service")["Service"]
    assert found["Sockets"] in names


@pytest.mark.parametrize("path", [path for path in UNITS if path.suffix == ".service"], ids=str)
def test_a_unit_is_hardened(path: Path):
    found = unit(path)["Service"]
    wanted = {"User": "comptoir", "ProtectSystem": "strict", "NoNewPrivileges": "yes"}
    assert {name: found[name] for name in wanted} == wanted
    assert found["StateDirectory"].split()[0] == "comptoir"


def test_whoever_stops_it_waits_longer_than_a_drain():
    found = unit(DEPLOY / "systemd" / "comptoir.service")["Service"]
    assert int(found["TimeoutStopSec"]) > 2 * _DRAIN_SECONDS
    assert int(compose()["api"]["stop_grace_period"].removesuffix("s")) > 2 * _DRAIN_SECONDS


def test_images_are_pinned_and_run_as_nobody_in_particular():
    images = re.findall(r"^FROM (\S+)", CONTAINER.read_text(), re.MULTILINE)
    images.append(compose()["postgres"]["image"])
    assert all(re.search(r":\d+\.\d+", image) for image in images), images
    assert instruction("USER") == "comptoir"


def test_no_secret_is_written_down():
    for path in (CONTAINER, COMPOSE, *UNITS):
        for line in path.read_text().splitlines():
            if re.search(r"(PASSWORD|SECRET|TOKEN)\w*\s*[:=]", line) and not line.startswith("#"):
                assert "${" in line, f"{path.name}: {line}"
