"""What is refused before anything is served: an address where nothing could ever be sent."""

from pathlib import Path

import pytest

from tests.cli.conftest import Inside, Shell

SENTRY = "https://k@127.0.0.1:9/1"
OTLP = "http://127.0.0.1:9"
HIDING = '''
import sys

class Hidden:
    """Stands for packages that were never installed."""

    def find_spec(self, name, path=None, target=None):
        if name in {hidden}:
            raise ModuleNotFoundError(name=name)

sys.meta_path.insert(0, Hidden())
'''


@pytest.fixture
def bare_of_extras(shell: Shell, tmp_path: Path) -> Shell:
    """A shell in whose processes the optional packages are not installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    hidden = {"opentelemetry.sdk", "opentelemetry.exporter", "sentry_sdk"}
    (folder / "sitecustomize.py").write_text(HIDING.replace("{hidden}", repr(hidden)))
    return Shell(shell.folder, {**shell.variables, "PYTHONPATH": str(folder)})


@pytest.mark.parametrize(
    ("variable", "value", "extra"),
    [
        ("SENTRY_DSN", SENTRY, "sentry"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", OTLP, "otel"),
        ("OTEL_TRACES_EXPORTER", "otlp", "otel"),
    ],
)
@pytest.mark.parametrize("locale", ["en", "fr"])
def test_what_lacks_is_said_in_a_line_and_nothing_is_served(
    variable: str, value: str, extra: str, locale: str, bare_of_extras: Shell
) -> None:
    said = {variable: value, "COMPTOIR_LOCALE": locale}
    ended = bare_of_extras("serve", "--port", "0", **said)
    assert ended.code == 4
    [line] = ended.err.splitlines()
    assert f"comptoir[{extra}]" in line
    assert ("a une valeur" in line) == (locale == "fr")
    assert value not in line


def test_without_the_variables_nobody_asks_for_the_packages(bare_of_extras: Shell) -> None:
    ended = bare_of_extras("key", "create", "--role", "operator", "--name", "x", "--json")
    assert ended.code == 0, ended.err


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"SENTRY_DSN": "hunter2"}, "SENTRY_DSN"),
        ({"SENTRY_DSN": "https://hunter2@example.org/project"}, "SENTRY_DSN"),
        ({"SENTRY_DSN": "https://hunter2@example.org:port/1"}, "SENTRY_DSN"),
        ({"SENTRY_DSN": "https://hunter2@[::1/1"}, "SENTRY_DSN"),
        ({"SENTRY_DSN": "https://example.org/1"}, "SENTRY_DSN"),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "zipkin"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": OTLP, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "grpc"),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": OTLP, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "x"},
            "x",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_without_showing_a_secret(
    said: dict[str, str], expected: str, inside: Inside
) -> None:
    ended = inside("serve", "--port", "0", **said)
    assert ended.code == 4
    assert expected in ended.err
    assert "hunter2" not in ended.err
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize("said", [{"OTEL_TRACES_EXPORTER": "zipkin"}, {"SENTRY_DSN": "x"}], ids=str)
def test_other_commands_mind_none_of_it(said: dict[str, str], inside: Inside) -> None:
    """A program that uses the library, too, may tell its own SDKs what it likes."""
    assert inside("verify", **said).code == 0
